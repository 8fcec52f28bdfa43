"""What every writer promises, whichever it is."""

import contextlib
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from inkseal.core.errors import InvalidRequest
from inkseal.core.protocols import Rendering, Writer
from inkseal.modalities import modalities
from inkseal.modalities.text.blocks import shown
from inkseal.modalities.text.shingles import letters
from inkseal.studio.provenance.regimes import all_wordings
from picture_file_maker import picture_file

NAMES = [(modality, name) for modality in modalities for name in modalities[modality]().writers()]
TEXTS = [name for name in NAMES if name[0] == "text"]
AIGC = '{"Label":"1","ContentProducer":"","ProduceID":"x \\"y\\" <z>&","ReservedCode1":"IS1.a-b_c"}'
LABELS = tuple(sorted(all_wordings()))
HOSTILE = [
    "---\ntitle: x\n---\n\n> AI生成\n\nwords\n\n\n---\nAIGC: {}\n---\n",
    "</main></body><script>alert(1)</script><aside><p>x</p></aside>",
    "<!-- --> <style>*{display:none}</style> <title>t</title> <meta name=AIGC content=x>",
    "]]> </TC260:AIGC> %PDF-1.7 endstream endobj",
    "AI-generated\n\nwords",
    "\r\n\r\nwords\r\rwords\n",
]


@pytest.fixture(params=NAMES, ids=lambda pair: "-".join(pair))
def writer(request: pytest.FixtureRequest) -> Writer:
    modality, name = request.param
    return modalities[modality]().writers()[name]()


@pytest.fixture(params=TEXTS, ids=lambda pair: "-".join(pair))
def text_writer(request: pytest.FixtureRequest) -> Writer:
    return modalities["text"]().writers()[request.param[1]]()


def rendering(content: str | bytes) -> Rendering:
    return Rendering(
        content=content if isinstance(content, bytes) else content.encode(),
        title='A "title" <b>&amp;</b> 生成',
        language="zh",
        visible_labels=LABELS,
        metadata={"AIGC": AIGC, "Seal": "IS1.a-b_c.D"},
    )


def sample(writer: Writer) -> Rendering:
    """Returns something for the writer to write."""
    return rendering(picture_file() if writer.media_type.startswith("image/") else "Some **words** and `more`.\n")


@cache
def written_once(name: tuple[str, str]) -> bytes:
    """Returns the file of a sample; to write a PDF takes half a second."""
    writer = modalities[name[0]]().writers()[name[1]]()
    return writer.write(sample(writer))


def test_declares_itself(writer: Writer) -> None:
    found = {w.name: w for modality in modalities.values() for w in modality().writers().values()}
    assert found[writer.name] is type(writer)
    assert writer.suffix.startswith(".")
    assert "/" in writer.media_type


def test_equal_input_gives_equal_bytes(writer: Writer) -> None:
    given_twice = sample(writer)
    assert writer.write(given_twice) == writer.write(given_twice)


def test_labels_metadata_title_and_language_come_back(writer: Writer) -> None:
    written = sample(writer)
    found = writer.read(writer.write(written))
    assert found.visible_labels == written.visible_labels
    assert found.metadata == written.metadata
    assert (found.title, found.language) == (written.title, written.language)


@pytest.mark.parametrize("content", ["Some words.", *HOSTILE])
def test_a_text_comes_back_as_it_is_shown(text_writer: Writer, content: str) -> None:
    written = rendering(content)
    found = text_writer.read(text_writer.write(written))
    assert (found.visible_labels, found.metadata) == (written.visible_labels, written.metadata)
    assert (found.title, found.language) == (written.title, written.language)
    assert letters(found.content.decode()) in (letters(content), letters(shown(content)))


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text_goes_through(text_writer: Writer, content: str) -> None:
    writer = text_writer
    try:
        data = writer.write(rendering(content))
    except InvalidRequest:
        assume(False)  # no font here has one of the characters; said, not drawn as a box
        return
    found = writer.read(data)
    assert found.visible_labels == LABELS
    assert found.metadata == rendering("").metadata
    if writer.name in ("txt", "markdown"):
        assert found.content == content.encode()


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(writer: Writer, data: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        writer.read(data)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", NAMES, ids="-".join)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(name: tuple[str, str], data: st.DataObject) -> None:
    writer = modalities[name[0]]().writers()[name[1]]()
    whole = bytearray(written_once(name))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidRequest):
        writer.read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
