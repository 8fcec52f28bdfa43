"""What clients continue by id: whole, and of its owner alone. How it is bounded is the store's test."""

from pathlib import Path

from inkseal.core.types import Message, ToolCall
from inkseal.serve.conversations import Conversations, Kept
from inkseal.store.store import Store

SAID = (
    Message.of("user", "墨\U0001f5a8 ink"),
    Message(role="assistant", tool_calls=(ToolCall(id="c", name="f", arguments={"x": [1, None]}),)),
    Message.of("tool", "out").model_copy(update={"tool_call_id": "c"}),
)


def test_an_answer_exists_for_its_owner_alone_and_comes_back_whole(tmp_path: Path) -> None:
    kept = Kept(messages=SAID, body={"id": "one", "usage": {"n": 1}}, input_items=[{"id": "in_0"}])
    with Store.open(tmp_path) as store:
        Conversations(store).keep("one", "ann", kept)
    with Store.open(tmp_path) as store:
        found = Conversations(store)
        assert found.find("one", "ann") == kept
        assert found.find("one", "bob") is None
        assert not found.forget("one", "bob")
        assert found.forget("one", "ann")
        assert found.find("one", "ann") is None
