"""Trace in a browser: files and texts are judged in plain words, and the line of descent is drawn and walked."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.waiting import drawn, soon
from serving import Served, ask, serving

if TYPE_CHECKING:
    from browser.conftest import Guarded

TEXT = (
    "The curlew calls over the salt marsh when the tide has turned, and the light is nearly gone from the sky, and the"
    " man in the boat counts the calls as if they were the hours of a clock that somebody had taken away from him."
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose records are this file's alone."""
    with serving(tmp_path_factory.mktemp("trace") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def family(house: Served) -> dict[str, str]:
    """A text, what was made from it, and a file that was exported of it."""
    with house.client() as client:

        def make(text: str, *parents: str) -> str:
            return str(client.post("/api/v1/generate/text", json=ask(text, parents=parents)).json()["run_id"])

        root = make(TEXT)
        child = make("A song about the curlew", root)
        gone = make("A draft nobody wanted", root)
        last = make("The song, arranged for two voices", child, gone)
        client.delete(f"/api/v1/artifacts/{gone}")
        return {"root": root, "child": child, "gone": gone, "last": last}


@pytest.fixture(scope="module")
def exported(house: Served, family: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("files") / "curlew.html"
    with house.client() as client:
        file.write_bytes(client.get(f"/api/v1/artifacts/{family['root']}/export", params={"format": "html"}).content)
    return file


def test_a_file_is_trusted_until_a_word_of_it_is_changed(
    guarded: "Guarded", house: Served, exported: Path, tmp_path: Path, check_axe: Any
) -> None:
    page = guarded.open(house, "#/trace")
    page.get_by_label("File to examine").set_input_files(exported)
    page.get_by_role("heading", name="Trusted").wait_for()
    page.locator(".graph .node-here").wait_for()
    page.get_by_text("Exported as HTML with its labels").first.wait_for()
    check_axe(page)
    forged = tmp_path / "forged.html"
    forged.write_bytes(exported.read_bytes().replace(b"salt marsh", b"sugar marsh"))
    page.get_by_label("File to examine").set_input_files(forged)
    page.get_by_role("heading", name="Changed").wait_for()
    soon(page, lambda: page.locator(".layer-bad").count() >= 1)
    check_axe(page)


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        (TEXT, "Made here, marks removed", "由此生成，标识已去除"),
        (TEXT.replace("curlew", "whimbrel"), "Changed", "被改动"),
        ("鲸鱼在海里唱歌，没有人听见。", "Unknown", "未知"),
    ],
)
def test_a_pasted_text_is_judged_in_both_languages(
    text: str, en: str, zh: str, guarded: "Guarded", house: Served, family: dict[str, str], check_axe: Any
) -> None:
    for language, words, theme in (("en", en, "light"), ("zh", zh, "dark")):
        page = guarded.open(house, "#/trace", language=language, theme=theme)
        page.locator(".drop textarea").fill(text)
        page.keyboard.press("Control+Enter")
        page.get_by_role("heading", name=words, exact=True).wait_for()
        soon(page, lambda: page.locator(".verdict-icon svg").count() == 1)  # never by colour alone
        soon(page, lambda: page.evaluate("document.activeElement.tagName") == "H2")
        check_axe(page)


def test_a_dropped_file_is_examined(guarded: "Guarded", house: Served, exported: Path) -> None:
    page = guarded.open(house, "#/trace")
    page.locator(".drop").wait_for()
    drawn(page)
    slow: list[Any] = []
    page.route("**/api/v1/verify**", lambda route: slow.append(route), times=1)
    page.evaluate(
        """() => {
            const held = new DataTransfer();
            held.setData("text/plain", "words that nobody here has ever seen");
            document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: held, bubbles: true}));
        }"""
    )
    page.get_by_text("Examining it …").wait_for()
    data = page.evaluate_handle(
        """(words) => {
            const held = new DataTransfer();
            held.items.add(new File([words], "curlew.html", {type: "text/html"}));
            return held;
        }""",
        exported.read_text(encoding="utf-8"),
    )
    page.dispatch_event(".drop", "dragenter", {"dataTransfer": data})
    page.get_by_text("Let it go").wait_for()
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    page.get_by_role("heading", name="Trusted").wait_for()
    slow[0].continue_()  # what was pasted before the drop is answered after it
    page.wait_for_timeout(500)
    soon(page, lambda: page.locator(".verdict h2").first.inner_text() == "Trusted")


def test_the_line_of_descent_is_walked_by_keys(
    guarded: "Guarded", house: Served, family: dict[str, str], check_axe: Any
) -> None:
    page = guarded.open(house, f"#/trace/{family['last']}")
    page.locator(".graph").wait_for()
    nodes = page.locator(".graph .node")
    # The model, the root, its two children of which one was deleted, and the artifact itself.
    soon(nodes, lambda: nodes.count() == 5)
    soon(page, lambda: page.locator(".graph .edge").count() == 5)
    soon(page, lambda: page.locator(".node-deleted").count() == 1)
    check_axe(page)
    x = []
    for words in ("Model", "The curlew calls", "A song", "The song"):
        box = nodes.filter(has_text=words).bounding_box()
        assert box is not None
        x.append(box["x"])
    assert x == sorted(set(x))
    page.locator(".graph .node[role=button]", has_text="A song about the curlew").focus()
    page.keyboard.press("Enter")
    page.get_by_text("The seal holds").wait_for()
    page.get_by_role("link", name="Draw from here").click()
    page.wait_for_url(f"**/#/trace/{family['child']}")
    page.locator(".node-here", has_text="A song about the curlew").wait_for()


def test_the_ledger_is_checked_and_its_head_can_be_kept(guarded: "Guarded", house: Served, check_axe: Any) -> None:
    page = guarded.open(house, "#/trace", language="zh", viewport={"width": 360, "height": 740})
    page.get_by_role("button", name="核验全部").click()
    page.get_by_text("完整", exact=True).wait_for()
    page.get_by_role("button", name="复制账本头").wait_for()
    check_axe(page)
