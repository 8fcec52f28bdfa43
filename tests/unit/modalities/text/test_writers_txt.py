from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.protocols import Rendering
from inkseal.modalities.text.writers.txt import Txt


def test_the_file_as_it_is_read() -> None:
    rendering = Rendering(
        content="内容\n".encode(),
        title="t",
        language="zh",
        visible_labels=("AI生成",),
        metadata={"AIGC": '{"Label":"1"}'},
    )
    assert Txt().write(rendering).decode() == (
        'AI生成\n\n内容\n\n\n---\nTitle: "t"\nLanguage: "zh"\nLabels: ["AI生成"]\nAIGC: {"Label":"1"}\n---\n'
    )


@given(st.text(), st.lists(st.text(min_size=1), max_size=2), st.dictionaries(st.sampled_from(["A", "Bc"]), st.text()))
def test_round_trip(content: str, labels: list[str], metadata: dict[str, str]) -> None:
    lines = tuple(line for label in labels if (line := " ".join(label.split())))
    found = Txt().read(
        Txt().write(Rendering(content=content.encode(), title="", language="", visible_labels=lines, metadata=metadata))
    )
    assert found.content == content.encode()
    assert found.visible_labels == lines
    assert found.metadata == metadata


def test_bare_content_stays_bare() -> None:
    for content in (b"words\n", b"a\n\n---\nb\n", b""):
        assert Txt().write(Rendering(content=content, title="t", language="en")) == content


def test_content_that_looks_like_a_trailer_is_framed() -> None:
    content = b"words\n\n---\nAIGC: {}\n---\n"
    data = Txt().write(Rendering(content=content, title="", language=""))
    assert Txt().read(data).content == content
