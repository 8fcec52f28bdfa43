import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.protocols import Rendering
from inkseal.modalities.text.writers.markdown import Markdown

AIGC = {"Label": "1", "ContentProducer": "", "ProduceID": '墨 "x": \'\\ #'}


def written(content: str = "words\n", **fields: str) -> str:
    metadata = {"AIGC": json.dumps(AIGC, ensure_ascii=False, separators=(",", ":")), **fields}
    rendering = Rendering(
        content=content.encode(), title="t: x", language="zh", visible_labels=("AI生成",), metadata=metadata
    )
    return Markdown().write(rendering).decode()


def test_front_matter_is_yaml_for_others() -> None:
    yaml = pytest.importorskip("yaml")
    text = written()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["AIGC"] == AIGC
    assert (front["title"], front["lang"], front["labels"]) == ("t: x", "zh", ["AI生成"])
    assert text.endswith("---\n\n> AI生成\n\nwords\n")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_value_is_the_same_to_a_yaml_reader(value: str) -> None:
    yaml = pytest.importorskip("yaml")
    front = yaml.safe_load(written(Other=value).split("---\n")[1])
    assert front["Other"] == value


@given(st.text(), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_round_trip(content: str, value: str) -> None:
    found = Markdown().read(written(content, Other=value).encode())
    assert found.content == content.encode()
    assert found.metadata["Other"] == value
    assert json.loads(found.metadata["AIGC"]) == AIGC


def test_bare_content_stays_bare() -> None:
    for content in (b"words\n", b"# x\n---\n", b"---\nhello\n", b"---\ntitle: mine\n---\n\nwords\n"):
        assert Markdown().write(Rendering(content=content, title="t", language="en")) == content


def test_content_that_looks_like_front_matter_is_framed() -> None:
    content = written().encode()
    data = Markdown().write(Rendering(content=content, title="", language=""))
    assert data != content
    assert Markdown().read(data).content == content


def test_front_matter_of_others_is_read() -> None:
    text = "---\ntitle: 'It''s'\nAIGC:\n  Label: '1'\n  ProduceID: abc\ntags: [a, b]\n---\nBody"
    found = Markdown().read(text.encode())
    assert found.title == "It's"
    assert json.loads(found.metadata["AIGC"]) == {"Label": "1", "ProduceID": "abc"}
    assert found.content == b"Body"
