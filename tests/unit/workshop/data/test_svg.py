"""Fault 20: a drawing that could fetch, run or grow is refused; what is only foreign is taken out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.workshop.data.svg import MAX_CHARS, MAX_DEPTH, MAX_USES, SvgRefused, harmless_svg, is_wide

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _svg(body: str, root: str = 'viewBox="0 0 10 20"') -> str:
    return f"<svg {SVG} {root}>{body}</svg>"


def test_shapes_and_their_own_references_stay() -> None:
    body = '<defs><linearGradient id="g"/></defs><use xlink:href="#g"/><rect width="4" height="4" fill="url(#g)"/>'
    found = harmless_svg(_svg(body))
    assert "url(#g)" in found
    assert 'href="#g"' in found
    assert not is_wide(found)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<script>alert(1)</script>", "active"),
        ('<rect onload="x()"/>', "active"),
        ('<g><image xlink:href="a.png"/></g>', "active"),
        ('<image xlink:href="data:image/png;base64,AAAA"/>', "active"),
        ('<use xlink:href="http://a.example/b.svg#c"/>', "refers_outside"),
        ('<use href="/etc/passwd"/>', "refers_outside"),
        ('<rect fill="url(http://a.example/b)"/>', "refers_outside"),
        ("<rect style=\"fill:url('file:///etc/passwd')\"/>", "refers_outside"),
        ("<style>@import 'http://a.example/b.css';</style>", "refers_outside"),
        ("<text>abc</text>", "letters"),
        ("<g>" * (MAX_DEPTH + 1) + "</g>" * (MAX_DEPTH + 1), "too_deep"),
        ('<use href="#a"/>' * (MAX_USES + 1), "too_deep"),
        ("x" * MAX_CHARS, "too_large"),
    ],
)
def test_what_is_refused_says_why(body: str, why: str) -> None:
    with pytest.raises(SvgRefused, match=f"^{why}$"):
        harmless_svg(_svg(body))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not_svg"),
        ("no drawing", "not_svg"),
        ("<html/>", "not_svg"),
        (_svg("<g>"), "not_svg"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + _svg("&a;"), "entities"),
        ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + _svg("&a;"), "entities"),
        (_svg("", 'viewBox="0 0 1 65535"'), "too_narrow"),
        (_svg("", 'viewBox="0 0 0 0"'), "no_size"),
        (_svg("", 'viewBox="0 0 nan 5"'), "no_size"),
        (_svg("", 'width="100%"'), "no_size"),
    ],
)
def test_odd_documents_are_refused(text: str, why: str) -> None:
    with pytest.raises(SvgRefused, match=f"^{why}$"):
        harmless_svg(text)


@pytest.mark.parametrize(("length", "pixels"), [("50", "50"), ("1in", "96"), ("25.4mm", "96"), ("72pt", "96")])
def test_without_a_view_box_the_size_in_pixels_is_one(length: str, pixels: str) -> None:
    assert f'viewBox="0 0 {pixels} {pixels}"' in harmless_svg(_svg("", f'width="{length}" height="{length}"'))


def test_an_old_file_without_a_namespace_keeps_its_shapes() -> None:
    found = harmless_svg('<svg width="9" height="9"><g><path d="M0 0h9v9z"/></g></svg>')
    assert "<path" in found
    assert 'xmlns="http://www.w3.org/2000/svg"' in found


def test_a_plain_doctype_and_foreign_matter_are_taken_out() -> None:
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.0//EN" "http://www.w3.org/TR/svg10.dtd">'
    body = (
        '<metadata><a xmlns="urn:other">words</a></metadata><foreignObject><p/></foreignObject>'
        '<animate attributeName="x"/><rect xmlns:i="urn:editor" i:layer="yes" width="4"/><b xmlns="urn:b"/>'
    )
    found = harmless_svg(doctype + _svg(body, 'width="30px" height="20"'))
    assert "<rect" in found
    for gone in ("DOCTYPE", "words", "foreignObject", "animate", "layer", "urn:b"):
        assert gone not in found
    assert is_wide(found)


@given(st.text(alphabet='<>/="# abcsvgxlink:href&;!ENTITY[]', max_size=200))
def test_any_text_is_refused_or_harmless(body: str) -> None:
    try:
        found = harmless_svg(_svg(body))
    except SvgRefused:
        return
    assert harmless_svg(found)
    assert "<script" not in found
    assert "ENTITY" not in found.replace("&lt;", "").split("<svg")[0]
