import io
from pathlib import Path

import pytest

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.protocols import Rendering
from inkseal.modalities.text.typefaces import LABELS_ONLY, font_files, read_typeface, spelled_out, typefaces_for
from inkseal.modalities.text.writers.pdf import Pdf
from inkseal.studio.provenance.regimes import all_wordings

OURS = (LABELS_ONLY,)


def rendering(content: str, **fields: object) -> Rendering:
    return Rendering.model_validate({"content": content.encode(), "title": "t", "language": "en", **fields})


def test_our_own_font_has_every_label_and_english() -> None:
    characters = read_typeface(LABELS_ONLY).characters
    assert {ord(c) for c in "".join(all_wordings()) + "“Curly” — ‘quotes’… • é €"} <= characters | {ord(" ")}


def test_english_and_labels_need_no_other_font() -> None:
    words = "A **bold** word — and “quotes”.\n\n1. one\n2. two\n"
    data = Pdf(OURS).write(rendering(words, visible_labels=("AI生成",), metadata={"AIGC": "{}"}))
    found = Pdf().read(data)
    assert found.visible_labels == ("AI生成",)
    assert found.content.decode().splitlines() == ["A bold word — and “quotes”.", "1. one", "2. two"]


def test_a_missing_chinese_font_is_said_with_what_to_install() -> None:
    with pytest.raises(Unsupported, match="墨") as caught:
        Pdf(OURS).write(rendering("墨印"))
    assert "INKSEAL_FONT" in caught.value.fix
    assert "models pull" in caught.value.fix


def test_symbols_that_no_font_has_are_spelled_out() -> None:
    data = Pdf(OURS).write(rendering("Well done 🎉\ufe0f!"))
    assert "[party popper]" in Pdf().read(data).content.decode()
    assert spelled_out("a\u200bb", [frozenset(map(ord, "ab"))]) == "ab"


def test_nothing_active_is_in_it() -> None:
    data = Pdf(OURS).write(rendering("[x](https://example.com) <script>1</script>"))
    for name in (
        b"/JavaScript",
        b"/JS",
        b"/Launch",
        b"/URI",
        b"/OpenAction /",
        b"/AA",
        b"/EmbeddedFile",
        b"CreationDate",
    ):
        assert name not in data


def test_many_pages_come_back_in_order() -> None:
    words = "\n\n".join(f"Paragraph number {n} says nothing that matters to anybody at all." for n in range(200))
    data = Pdf(OURS).write(rendering(words))
    from pypdf import PdfReader

    assert len(PdfReader(io.BytesIO(data)).pages) > 3
    assert Pdf().read(data).content.decode() == words.replace("\n\n", "\n")


def test_xmp_is_what_other_readers_expect() -> None:
    from pypdf import PdfReader

    label = '{"Label":"1","ProduceID":"<&>"}'
    data = Pdf(OURS).write(rendering("words", metadata={"AIGC": label}))
    xmp = PdfReader(io.BytesIO(data)).xmp_metadata
    assert xmp is not None
    (field,) = xmp.rdf_root.getElementsByTagNameNS("http://www.tc260.org.cn/ns/AIGC/1.0/", "AIGC")
    assert field.firstChild.data == label


@pytest.mark.parametrize("part", [0.01, 0.3, 0.6])
def test_half_a_pdf_is_refused(part: float) -> None:
    data = Pdf(OURS).write(rendering("words " * 50))
    with pytest.raises(InvalidRequest, match="PDF"):
        Pdf().read(data[: int(len(data) * part)])


def test_fault_22_an_encrypted_pdf_is_refused() -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(Pdf(OURS).write(rendering("words")))))
    writer.encrypt("secret", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    with pytest.raises(InvalidRequest, match="encrypted"):
        Pdf().read(target.getvalue())


def test_a_font_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INKSEAL_FONT", str(tmp_path / "mine.ttf"))
    assert font_files()[0] == tmp_path / "mine.ttf"
    with pytest.raises(Unsupported, match=r"mine\.ttf"):
        typefaces_for("x")
