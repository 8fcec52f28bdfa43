import select
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.errors import EngineFailed, InksealError, InvalidRequest, MissingDependency, UnknownName
from inkseal.core.types import Chunk, ToolCall
from inkseal.runtime import engine_wire
from inkseal.runtime.engine_wire import (
    FrameReader,
    FrameWriter,
    Garbled,
    chunk_message,
    chunk_of,
    error_message,
    error_of,
    split_texts,
)

chunks = st.builds(
    Chunk,
    index=st.integers(0, 15),
    text=st.text(max_size=20),
    num_tokens=st.integers(0, 9),
    data=st.binary(max_size=40),
    tool_calls=st.just(()) | st.just((ToolCall(id="1", name="look", arguments={"地点": [1, None]}),)),
    finish_reason=st.sampled_from([None, "stop", "length"]),
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    a, b = socket.socketpair()
    with a, b:
        yield a, b


@given(st.lists(chunks, max_size=8))
def test_chunks_arrive_as_they_were(sent: list[Chunk]) -> None:
    a, b = socket.socketpair()
    with a, b:
        writer, reader = FrameWriter(a), FrameReader(b)
        for number, chunk in enumerate(sent):
            writer.post_chunk(number, chunk)
        got = []
        while len(got) < len(sent):
            frame = reader.read()
            assert frame is not None
            start = 0
            for message in frame[0]:
                got.append(chunk_of(message, frame[1][start : start + message[-1]]))
                start += message[-1]
        assert got == sent


def test_a_slow_reader_gets_few_merged_chunks(pair: tuple[socket.socket, socket.socket]) -> None:
    writer = FrameWriter(pair[0])
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    blocker = threading.Thread(target=writer.post, args=(["big", 9, "x" * 1_000_000],))
    blocker.start()
    assert select.select([pair[1]], [], [], 10)[0]  # the large message has begun, so the small ones wait
    for _ in range(1000):
        writer.post_chunk(1, Chunk(text="a", num_tokens=1))
    writer.post_chunk(1, Chunk(text="z", num_tokens=1, finish_reason="stop"))
    reader = FrameReader(pair[1])
    seen = []
    while not seen or seen[-1][0] != "chunk":
        frame = reader.read()
        assert frame is not None
        seen += frame[0]
    blocker.join()
    assert seen[1:] == [["chunk", 1, {"text": "a" * 1000 + "z", "num_tokens": 1001, "finish_reason": "stop"}, 0]]


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">II", 2, 0) + b"{}",
        struct.pack(">II", 3, 0) + b"[1]",
        struct.pack(">II", 4, 0) + b"[[]]",
        struct.pack(">II", 5, 0) + b"\xff\xfe\x00\x00\x00",
        struct.pack(">II", 200_000, 0) + b"[" * 200_000,
        struct.pack(">II", 100, 0) + b"[",
        b"\x00\x00",
    ],
)
def test_what_is_no_frame_is_garbled(pair: tuple[socket.socket, socket.socket], junk: bytes) -> None:
    sender = threading.Thread(target=lambda: (pair[0].sendall(junk), pair[0].shutdown(socket.SHUT_WR)))
    sender.start()
    with pytest.raises(Garbled):
        FrameReader(pair[1]).read()
    pair[1].close()
    sender.join()


def test_a_lying_length_is_refused_before_anything_is_kept(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(struct.pack(">II", 1 << 31, 0))
    with pytest.raises(Garbled, match="2147483648"):
        FrameReader(pair[1]).read()


def test_silence_is_an_error_and_a_late_word_is_not(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        FrameReader(pair[1], patience_seconds=0.1).read()
    late = threading.Timer(0.2, FrameWriter(pair[0]).post, args=(["beat", 0],))
    late.start()
    frame = FrameReader(pair[1], patience_seconds=5).read()
    assert frame is not None
    assert frame[0] == [["beat", 0]]
    late.join()


def test_too_much_and_too_deep_is_refused_at_the_sender(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidRequest, match="nested"):
        FrameWriter(pair[0]).post(["generate", 1, deep])
    monkeypatch.setattr(engine_wire, "MAX_JSON_BYTES", 2000)
    with pytest.raises(InvalidRequest, match="MiB"):
        FrameWriter(pair[0]).post(["generate", 1, "x" * 1000])


@pytest.mark.parametrize(
    "error",
    [InvalidRequest("What 什么.", fix="Do."), UnknownName("model", "x", ["xy"]), MissingDependency("torch", "torch")],
)
def test_errors_come_back_as_the_same_class_with_the_same_words(error: InksealError) -> None:
    back = error_of(error_message(3, error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_an_unknown_class_of_error_is_a_failed_engine() -> None:
    assert type(error_of(["error", 1, "SystemExit", "a", "b", {}])) is EngineFailed
    for bad in (["error", 1], ["error", 1, "X", 1, "", {}], ["error", 1, "X", "", "", []]):
        with pytest.raises(Garbled):
            error_of(bad)


def test_a_chunk_that_is_none_is_garbled() -> None:
    message = chunk_message(1, Chunk(text="a"))
    message[2]["finish_reason"] = "exploded"
    with pytest.raises(Garbled):
        chunk_of(message, b"")


@given(st.lists(st.text(max_size=9), max_size=30))
def test_groups_of_texts_are_whole_and_small(texts: list[str]) -> None:
    groups = split_texts(texts, 4, 12)
    assert [text for group in groups for text in group] == texts
    assert all(len(group) <= 4 and (len(group) == 1 or sum(map(len, group)) <= 12) for group in groups)
