"""Fault 30: an archive with a member that climbs out, links out, or is no plain thing is refused whole."""

import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_maker import make_deb, make_tgz, odd_member
from inkseal.catalog.archive import ArchiveLimits, read_members
from inkseal.core.errors import ModelFileRefused

GOOD = {"package/a.json": b"{}", "package/b/c.txt": b"words"}
MAKERS = pytest.mark.parametrize("make", [make_tgz, make_deb])


def _read(path: Path, limits: ArchiveLimits | None = None) -> dict[str, bytes]:
    return dict(read_members(path, lambda name: True, threading.Event(), limits))


def _path(folder: Path, make: object) -> Path:
    return folder / ("a.deb" if make is make_deb else "a.tgz")


@MAKERS
def test_members_come_by_name(make, tmp_path: Path) -> None:
    path = make(_path(tmp_path, make), {f"./{name}": data for name, data in GOOD.items()})
    assert _read(path) == GOOD
    assert dict(read_members(path, "package/a.json".__eq__, threading.Event())) == {"package/a.json": b"{}"}


@MAKERS
@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd", "a\\..\\b", "C:up"])
def test_a_name_that_climbs_out_refuses_the_whole(make, name: str, tmp_path: Path) -> None:
    path = make(_path(tmp_path, make), {**GOOD, name: b"x"})
    with pytest.raises(ModelFileRefused, match="climbs out"):
        _read(path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@MAKERS
@pytest.mark.parametrize(
    "odd",
    [
        odd_member("a/link", tarfile.SYMTYPE, "../../up"),
        odd_member("link", tarfile.SYMTYPE, "/etc/passwd"),
        odd_member("hard", tarfile.LNKTYPE, "package/a.json"),
        odd_member("device", tarfile.CHRTYPE),
        odd_member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda odd: odd.name,
)
def test_links_out_hard_links_and_devices_refuse_the_whole(make, odd: tarfile.TarInfo, tmp_path: Path) -> None:
    with pytest.raises(ModelFileRefused):
        _read(make(_path(tmp_path, make), GOOD, (odd,)))


def test_a_link_inside_is_passed_over(tmp_path: Path) -> None:
    odd = odd_member("package/b/again", tarfile.SYMTYPE, "../a.json")
    assert _read(make_deb(tmp_path / "a.deb", GOOD, (odd,))) == GOOD


def test_too_much_of_anything_is_refused(tmp_path: Path) -> None:
    path = make_tgz(tmp_path / "a.tgz", {"zeros": bytes(5_000_000)})
    assert path.stat().st_size < 10_000
    with pytest.raises(ModelFileRefused, match="too large"):
        _read(path, ArchiveLimits(member_bytes=1_000_000))
    with pytest.raises(ModelFileRefused, match="too much"):
        _read(path, ArchiveLimits(total_bytes=1_000_000))
    with pytest.raises(ModelFileRefused, match="too many"):
        _read(make_tgz(tmp_path / "b.tgz", {str(n): b"" for n in range(20)}), ArchiveLimits(num_members=10))


def test_doubles_are_refused(tmp_path: Path) -> None:
    twice = odd_member("package/a.json", tarfile.REGTYPE)
    with pytest.raises(ModelFileRefused, match="twice"):
        _read(make_tgz(tmp_path / "a.tgz", GOOD, (twice,)))


@MAKERS
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), flip=st.integers(0, 255))
def test_broken_bytes_are_refused_or_read_the_same(make, cut: float, flip: int, tmp_path: Path) -> None:
    path = make(_path(tmp_path, make), GOOD)
    data = bytearray(path.read_bytes())
    data[int(cut * (len(data) - 1))] ^= flip
    path.write_bytes(data)
    try:
        found = _read(path)
    except ModelFileRefused:
        return
    assert all(isinstance(value, bytes) for value in found.values())


@pytest.mark.parametrize("data", [b"", b"!<arch>\n", b"no archive", b"\x1f\x8b\x08"])
@pytest.mark.parametrize("name", ["a.tgz", "a.deb"])
def test_what_is_no_archive_is_refused(data: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelFileRefused):
        _read(tmp_path / name)
