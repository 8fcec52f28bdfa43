"""Contents are found by their hash, whole, and a damaged one is never handed out."""

import hashlib
import io
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.errors import InvalidRequest, StoreError
from inkseal.store.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "artifacts")


@given(content=st.binary(max_size=5000))
def test_what_was_put_comes_back(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("put") / "artifacts")
    sha256, size_bytes = blobs.put(content)
    assert (sha256, size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert blobs.put(io.BytesIO(content)) == (sha256, size_bytes)
    assert blobs.get(sha256) == content
    assert list(blobs) == [sha256]


def test_a_long_stream_is_stored_in_pieces(blobs: Blobs) -> None:
    content = os.urandom(3_500_000)
    sha256, size_bytes = blobs.put(io.BytesIO(content))
    assert size_bytes == len(content)
    assert blobs.get(sha256) == content
    assert not list((blobs.folder / ".incoming").iterdir())


def test_a_flipped_byte_is_named_and_healed_by_putting_again(blobs: Blobs) -> None:
    sha256, _ = blobs.put(b"a sealed answer")
    blobs.path(sha256).write_bytes(b"a sealed Answer")
    with pytest.raises(StoreError, match=sha256):
        blobs.get(sha256)
    blobs.put(b"a sealed answer")
    assert blobs.get(sha256) == b"a sealed answer"


def test_a_missing_content_is_named(blobs: Blobs) -> None:
    sha256 = hashlib.sha256(b"never stored").hexdigest()
    assert sha256 not in blobs
    with pytest.raises(StoreError, match="missing"):
        blobs.get(sha256)


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "0" * 63, "", "0" * 64 + "\n", "0/" * 32])
def test_only_a_hash_is_a_name(blobs: Blobs, name: str) -> None:
    with pytest.raises(InvalidRequest):
        blobs.get(name)


def test_delete_and_delete_again(blobs: Blobs) -> None:
    sha256, _ = blobs.put(b"x")
    blobs.delete(sha256)
    blobs.delete(sha256)
    assert list(blobs) == []


def test_sweep_spares_the_named_and_the_new(blobs: Blobs) -> None:
    named, old, new = (blobs.put(text)[0] for text in (b"named", b"old", b"new"))
    for sha256 in (named, old):
        os.utime(blobs.path(sha256), (time.time() - 7200,) * 2)
    assert blobs.sweep([named]) == 1
    assert set(blobs) == {named, new}
    assert old not in blobs


def test_putting_an_old_content_again_protects_it_from_the_sweep(blobs: Blobs) -> None:
    sha256, _ = blobs.put(b"again")
    os.utime(blobs.path(sha256), (time.time() - 7200,) * 2)
    blobs.put(b"again")
    assert blobs.sweep([]) == 0
