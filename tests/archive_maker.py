"""Makes package archives for tests: .tgz as npm packs them, .deb as Debian does."""

import io
import lzma
import tarfile
from pathlib import Path


def make_tgz(path: Path, members: dict[str, bytes], odd: tuple[tarfile.TarInfo, ...] = ()) -> Path:
    """Writes a .tgz with the files, then the odd members."""
    path.write_bytes(_tar("w:gz", members, odd))
    return path


def make_deb(path: Path, members: dict[str, bytes], odd: tuple[tarfile.TarInfo, ...] = ()) -> Path:
    """Writes a .deb whose data are the files and the odd members."""
    data = lzma.compress(_tar("w", members, odd))
    parts = {"debian-binary": b"2.0\n", "control.tar.xz": b"abc", "data.tar.xz": data}
    path.write_bytes(b"!<arch>\n" + b"".join(_ar_member(name, part) for name, part in parts.items()))
    return path


def odd_member(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    """Returns a member that is no plain file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def _ar_member(name: str, data: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
    return header + data + b"\n" * (len(data) % 2)


def _tar(mode: str, members: dict[str, bytes], odd: tuple[tarfile.TarInfo, ...]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in odd:
            tar.addfile(info)
    return file.getvalue()
