"""Every collection of pictures, also one that is added later, keeps the contract: licence, credit, style, archive."""

import contextlib
import re
import threading
from pathlib import Path

import pytest

from archive_maker import make_deb, make_tgz
from inkseal.core.errors import FetchFailed, ModelFileRefused
from inkseal.core.events import ignore
from inkseal.core.protocols import Collection
from inkseal.formats.picture_styles import picture_styles
from inkseal.workshop.data.archives import fetch_archive, pinned_archives
from inkseal.workshop.data.card import SHARE_ALIKE
from inkseal.workshop.data.collections import collections

KNOWN_LICENCES = {"Apache-2.0", "MIT", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "LicenseRef-Public-Domain"}


@pytest.fixture(params=sorted(collections))
def collection(request: pytest.FixtureRequest) -> Collection:
    return collections[request.param]()


def test_it_declares_itself(collection: Collection) -> None:
    assert collections[collection.name] is type(collection)
    assert collection.style in picture_styles()
    assert collection.archive in pinned_archives()


def test_its_licence_is_known_and_its_makers_are_named(collection: Collection) -> None:
    assert collection.licence in KNOWN_LICENCES
    assert "https://" in collection.attribution
    if collection.licence.startswith("CC-BY"):
        assert collection.licence.replace("CC-", "CC ").replace("-4.0", " 4.0") in collection.attribution


def test_share_alike_is_told_by_its_licence(collection: Collection) -> None:
    assert collection.share_alike == (collection.licence in SHARE_ALIKE)


def test_a_foreign_or_broken_archive_is_refused_or_empty(collection: Collection, tmp_path: Path) -> None:
    junk = tmp_path / "junk.tgz"
    junk.write_bytes(b"junk")
    with pytest.raises(ModelFileRefused):
        list(collection.read(junk, threading.Event()))
    for foreign in (make_tgz(tmp_path / "a.tgz", {"x": b"y"}), make_deb(tmp_path / "a.deb", {"x": b"y"})):
        with contextlib.suppress(ModelFileRefused):
            assert list(collection.read(foreign, threading.Event())) == []


@pytest.mark.parametrize("name", sorted(pinned_archives()))
def test_archives_are_pinned_by_version_and_hash(name: str, tmp_path: Path) -> None:
    pinned = pinned_archives()[name]
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.(tgz|deb)", pinned.file)
    assert pinned.size_bytes > 1000
    with pytest.raises(FetchFailed, match="network is off"):
        fetch_archive(name, tmp_path, ignore, threading.Event(), offline=True)
