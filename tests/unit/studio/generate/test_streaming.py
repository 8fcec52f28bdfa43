"""Stop strings are exact whatever the cuts; nothing of one leaks; the outbox merges and loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.errors import EngineFailed
from inkseal.core.types import Chunk
from inkseal.formats.tool_calls import ToolCallParser
from inkseal.studio.generate.streaming import Answer, Outbox, StopMatcher


def _expected(text: str, stops: list[str]) -> tuple[str, bool]:
    """The definition, letter by letter: the answer ends where the first stop string is complete."""
    for end in range(1, len(text) + 1):
        done = [stop for stop in stops if text[:end].endswith(stop)]
        if done:
            return text[: end - max(map(len, done))], True
    return text, False


letters = st.text(alphabet="ab停。", max_size=30)


@given(text=letters, stops=st.lists(st.text(alphabet="ab停。", min_size=1, max_size=4), max_size=3), cuts=st.data())
def test_stop_strings_end_the_text_exactly_however_it_is_cut(text: str, stops: list[str], cuts: st.DataObject) -> None:
    matcher = StopMatcher(stops)
    shown, rest = "", text
    while rest:
        size = cuts.draw(st.integers(1, len(rest)))
        shown += matcher.push(rest[:size])
        rest = rest[size:]
        assert _expected(text, stops)[0].startswith(shown)  # never a letter too many
    shown += matcher.finish()
    assert (shown, matcher.matched is not None) == _expected(text, stops)


def test_a_beginning_of_a_stop_string_is_held_back() -> None:
    matcher = StopMatcher(["停止"])
    assert matcher.push("走停") == "走"
    assert matcher.push("下") == "停下"
    assert matcher.push("停") == ""
    assert matcher.finish() == "停"


class _Bytes:
    """A decoder whose tokens are letters."""

    def push(self, token: int) -> str:
        return chr(token)

    def finish(self) -> str:
        return ""


def _drain(outbox: Outbox) -> list[Chunk]:
    return outbox.take(0)


def test_tokens_after_a_stop_string_do_not_count() -> None:
    outbox = Outbox()
    answer = Answer(0, _Bytes(), ["。"], outbox)
    assert answer.push([ord(letter) for letter in "好。更多"], None)
    assert answer.push([1, 2, 3], "length")
    assert _drain(outbox) == [Chunk(text="好", num_tokens=2, finish_reason="stop", stopped_by="。")]
    assert answer.num_tokens == 2


def test_every_token_is_counted_in_some_chunk() -> None:
    outbox = Outbox()
    answer = Answer(0, _Bytes(), ["abc"], outbox)
    chunks: list[Chunk] = []
    for place, letter in enumerate("xabxababc"):
        answer.push([ord(letter)], "length" if place == 8 else None)
        chunks += _drain(outbox)
    assert "".join(chunk.text for chunk in chunks) == "xabxab"
    assert sum(chunk.num_tokens for chunk in chunks) == 9
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]


def test_a_tool_call_changes_the_finish_reason() -> None:
    outbox = Outbox()
    answer = Answer(0, _Bytes(), [], outbox, ToolCallParser({"f": {}}))
    answer.push([ord(c) for c in '<tool_call>{"name": "f", "arguments": {}}</tool_call>'], "stop")
    (chunk,) = _drain(outbox)
    assert (chunk.text, chunk.tool_calls[0].name, chunk.finish_reason) == ("", "f", "tool_calls")


def test_unread_chunks_of_one_result_are_merged() -> None:
    outbox = Outbox()
    for text in "abc":
        outbox.put(Chunk(text=text, num_tokens=1))
    outbox.put(Chunk(index=1, text="z", num_tokens=1))
    assert _drain(outbox) == [Chunk(text="abc", num_tokens=3), Chunk(index=1, text="z", num_tokens=1)]


def test_progress_is_not_lost_when_its_picture_follows_unread() -> None:
    outbox = Outbox()
    outbox.put(Chunk(progress=0.5))
    outbox.put(Chunk(progress=1.0))
    outbox.put(Chunk(data=b"picture", finish_reason="stop"))
    assert _drain(outbox) == [Chunk(progress=1.0, data=b"picture", finish_reason="stop")]


def test_an_error_comes_after_what_was_put_before() -> None:
    outbox = Outbox()
    outbox.put(Chunk(text="a"))
    outbox.fail(EngineFailed("broken"))
    assert [chunk.text for chunk in _drain(outbox)] == ["a"]
    with pytest.raises(EngineFailed, match="broken"):
        outbox.take(0)
