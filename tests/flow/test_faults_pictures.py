"""Hostile pictures over the network: refused in good time, in little memory, and whatever they are called."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from PIL import Image

from inkseal.modalities.image.reading import kind_of
from inkseal.store.store import Store
from inkseal.studio.provenance.sealer import Sealer
from picture_file_maker import SCRIPT, hostile_pictures, picture_file, polyglots, saved
from picture_records import record_picture
from serving import Served, create_key, serving

OCTETS = {"content-type": "application/octet-stream"}
SECONDS = 2.0
SHARED_MACHINE = 3
"""Of the time on the wall; the processor's own is not stretched by what else runs."""
GROWN = 1.05
SVG = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/"/><script>alert(1)</script>&x;</svg>"""
POLYGLOT = b"GIF89a/*" + bytes(60) + b"*/=1;alert(1)//"
LARGEST = saved(Image.new("RGB", (4096, 5120), (200, 90, 30)), "PNG", compress_level=1)
HOSTILE = {**hostile_pictures(), "the largest, truncated": LARGEST[:-400]}
WHOLE = {
    "1x1": saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG"),
    "four million pixels": saved(Image.new("RGB", (2048, 2048), (200, 90, 30)), "PNG", compress_level=1),
    "the largest": LARGEST,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, httpx2.Client]]:
    data_dir = tmp_path_factory.mktemp("pictures") / "data"
    key = create_key(data_dir, "ann", "creator")["key"]
    with serving(data_dir) as served, served.client(key) as client:
        for kind in ("PNG", "JPEG", "WEBP"):  # what is loaded at the first picture is nobody's fault
            for path, body in uploads(picture_file(kind=kind)):
                assert client.post(path, **body).status_code == 200
        yield served, client
        assert not re.search(r"Traceback|0x[0-9a-f]{6,}", served.log), "neither does the log tell of objects"


@pytest.fixture
def client(house: tuple[Served, httpx2.Client]) -> httpx2.Client:
    return house[1]


def uploads(data: bytes) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Returns the routes that a file can be sent to, with the request's body."""
    return (
        ("/api/v1/verify?name=a.png", {"content": data, "headers": OCTETS}),
        ("/v1/content_provenance_checks", {"files": {"file": ("a.png", data)}}),
    )


@pytest.mark.parametrize("name", [*HOSTILE, *WHOLE])
def test_faults_18_and_19_an_upload_is_answered_in_good_time_and_leaves_no_memory_taken(
    house: tuple[Served, httpx2.Client], name: str
) -> None:
    served, client = house
    process = psutil.Process(served.process.pid)
    before = served.memory_bytes
    for path, body in uploads(HOSTILE.get(name) or WHOLE[name]):
        begin = sum(process.cpu_times()[:2])
        answer = client.post(path, **body)
        assert sum(process.cpu_times()[:2]) - begin < SECONDS
        assert answer.elapsed.total_seconds() < SECONDS * SHARED_MACHINE
        assert answer.status_code == (400 if name in HOSTILE else 200), answer.text
        assert "0x" not in answer.text
        assert "Traceback" not in answer.text
        if name in HOSTILE:
            assert {"message", "type", "code"} <= answer.json()["error"].keys()
    assert client.get("/health").status_code == 200
    assert served.memory_bytes < before * GROWN


def test_fault_20_a_picture_that_is_a_page_too_is_given_out_as_a_picture(tmp_path: Path) -> None:
    data_dir, files = tmp_path / "data", polyglots()
    store = Store.open(data_dir)
    sealer = Sealer(store)
    made = {name: record_picture(sealer, data, kind_of(data)).id for name, data in files.items()}
    store.close()
    with serving(data_dir) as served, served.client() as client:
        for name, artifact_id in made.items():
            content = client.get(f"/api/v1/artifacts/{artifact_id}/content")
            assert content.content == files[name]
            assert content.headers["content-type"] == kind_of(files[name])
            assert_saved_and_never_run(content)
            for kind in ("png", "jpeg", "webp"):
                export = client.get(f"/api/v1/artifacts/{artifact_id}/export?format={kind}")
                assert export.headers["content-type"] == f"image/{kind}"
                assert_saved_and_never_run(export)
                assert SCRIPT not in export.content, name
            for path, body in uploads(files[name]):
                answer = client.post(path, **body)
                assert answer.status_code == 200
                assert answer.headers["content-type"] == "application/json"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert SCRIPT not in answer.content


def assert_saved_and_never_run(answer: httpx2.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("data", [SVG, POLYGLOT], ids=["svg", "polyglot"])
def test_fault_20_a_script_in_a_picture_s_clothes_is_only_bytes(client: httpx2.Client, data: bytes) -> None:
    answer = client.post(
        "/api/v1/verify?name=a.svg", content=data, headers={"content-type": "application/octet-stream"}
    )
    assert answer.status_code == 200
    assert "root:" not in answer.text
    assert answer.json()["standing"] == "unknown"


NAMES = [
    "../../etc/passwd",
    "../victim.png",
    "../../../../../../../../{root}/victim.png",
    "{root}/stray.png",
    "stray.png",
    "..\\..\\stray.png",
    "%2e%2e%2f%2e%2e%2fstray.png",
    "a.png\u202egpj.exe",
    "a.html",
    "\x00.png",
    "a\x00/../../stray.png",
    "a" * 200,
    "CON",
    "file:///{root}/stray.png",
    "~/stray.png",
    "$(touch {root}/stray)",
]


class Watched:
    """A server in a tree of its own: its data, its home, its temporary files and where it works."""

    def __init__(self, root: Path, served: Served, client: httpx2.Client) -> None:
        self.root, self.client = root, client
        self._log = served.log_file

    def files(self) -> dict[Path, bytes]:
        """Returns all files and what is in them, save those that it writes for every request."""
        found = {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file() and path != self._log}
        return {path: data for path, data in found.items() if not path.name.startswith("inkseal.db")}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    root = tmp_path_factory.mktemp("watched")
    folders = {name: root / "deep" / name for name in ("home", "temporary", "work")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder.parent / "victim.png").write_bytes(b"somebody else's")
    (root / "victim.png").write_bytes(b"somebody else's")
    environment = {"HOME": str(folders["home"]), "TMPDIR": str(folders["temporary"])}
    with serving(root / "deep" / "data", folder=folders["work"], **environment) as served, served.client() as client:
        for path, body in uploads(picture_file()):
            assert client.post(path, **body).status_code == 200
        yield Watched(root, served, client)


def multipart(name: bytes, data: bytes) -> dict[str, Any]:
    """Returns a form with one file whose name stands there as it is."""
    head = b'--end\r\nContent-Disposition: form-data; name="file"; ' + name + b"\r\nContent-Type: image/png\r\n\r\n"
    headers = {"content-type": "multipart/form-data; boundary=end"}
    return {"content": head + data + b"\r\n--end--\r\n", "headers": headers}


@pytest.mark.parametrize("name", NAMES)
def test_fault_29_an_upload_s_name_decides_nothing(watched: Watched, name: str) -> None:
    name = name.format(root=watched.root)
    large = picture_file() + bytes(3 << 20)  # put aside in a file while it comes in
    raw, coded = name.encode(), "".join(f"%{byte:02x}" for byte in name.encode()).encode()
    quoted = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    before = watched.files()
    found = watched.client.post("/api/v1/verify", params={"name": name}, content=large, headers=OCTETS)
    assert found.status_code == (200 if len(name) <= 255 else 400), found.text
    if found.status_code == 200:
        assert found.json()["verification"]["media_type"] == "image/png"
    for field in (b'filename="' + quoted + b'"', b"filename=" + coded, b"filename*=UTF-8''" + coded):
        answer = watched.client.post("/v1/content_provenance_checks", **multipart(field, large))
        # A name of the third kind alone makes no file of a part.
        assert answer.status_code == (400 if b"*" in field[:9] else 200), answer.text
        assert str(watched.root) not in answer.text
        assert "Traceback" not in answer.text
    assert watched.client.get("/health").status_code == 200
    assert watched.files() == before
