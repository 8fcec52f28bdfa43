"""Fetches the vendored browser libraries again from npm and compares every byte; `--check` only compares hashes.

Each folder with a `vendor.toml` lists its files: path, package, version, licence, member of npm's archive, sha256.
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT / "src/inkseal/serve/web/vendor", ROOT / "tests/browser/vendor")
NOT_LISTED = {"vendor.toml", "README.md"}


def listed(folder: Path) -> list[dict[str, str]]:
    """Returns the entries of a folder's vendor.toml."""
    entries: list[dict[str, str]] = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))["file"]
    return entries


def faults(folder: Path) -> Iterator[str]:
    """Yields what differs between a folder and its list: another hash, a file that is missing, or one too many."""
    entries = listed(folder)
    for entry in entries:
        path = folder / entry["path"]
        found = sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        if found != entry.get("sha256"):
            yield f"{path.relative_to(ROOT)}: {found}, listed as {entry.get('sha256')}"
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(here - {entry["path"] for entry in entries} - NOT_LISTED):
        yield f"{(folder / name).relative_to(ROOT)}: not listed"


def fetch(folder: Path) -> Iterator[str]:
    """Writes what npm has for each entry, when it is what is listed; yields what is not."""
    with tempfile.TemporaryDirectory() as work:
        archives: dict[str, Path] = {}
        for entry in listed(folder):
            wanted = f"{entry['package']}@{entry['version']}"
            if wanted not in archives:
                archives[wanted] = _pack(wanted, Path(work))
            data = _member(archives[wanted], entry["member"])
            found = sha256(data).hexdigest()
            if found != entry.get("sha256"):
                yield f"{wanted} {entry['member']}: {found}, listed as {entry.get('sha256')}"
                continue
            path = folder / entry["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _pack(wanted: str, work: Path) -> Path:
    done = subprocess.run(
        ["npm", "pack", "--silent", "--ignore-scripts", wanted], cwd=work, capture_output=True, text=True, check=True
    )
    return work / done.stdout.split()[-1]


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as files:
        found = files.extractfile(f"package/{name}")
        assert found is not None, f"{name} is a file"
        return found.read()


def main() -> int:
    """Returns 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fetch nothing")
    offline = parser.parse_args().check
    found = [] if offline else [line for folder in FOLDERS for line in fetch(folder)]
    found += [line for folder in FOLDERS for line in faults(folder)]
    print("\n".join(found) or "vendor: every file is what it was when it was looked at")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
