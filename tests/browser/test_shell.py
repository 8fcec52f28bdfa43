"""Every page in both languages and themes: no complaint, no request elsewhere, nothing that keeps people out."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.waiting import soon

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Guarded
    from serving import Served

import inkseal.serve

PAGES = sorted(path.stem for path in (Path(inkseal.serve.__file__).parent / "web/pages").glob("*.js"))
LOOKS = list(product(("en", "zh"), ("light", "dark")))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_open_to_everybody(
    name: str, studio: "Callable[..., Page]", check_axe: "Callable[[Page], None]"
) -> None:
    for language, theme in LOOKS:
        page = studio(f"#/{name}", language=language, theme=theme)
        page.locator("main .spinner-large").wait_for(state="detached")
        soon(page, lambda: page.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en"))
        assert page.title().endswith("Inkseal 墨印")
        soon(page, lambda: page.locator("h1").count() == 1)
        check_axe(page)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(name: str, studio: "Callable[..., Page]") -> None:
    for language in ("en", "zh"):
        page = studio(f"#/{name}", language=language, viewport={"width": 360, "height": 740})
        page.locator("main .spinner-large").wait_for(state="detached")
        soon(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= 360)


def test_the_keyboard_alone_reaches_every_page(studio: "Callable[..., Page]") -> None:
    page = studio("#/parts")
    page.keyboard.press("Tab")
    soon(page, lambda: page.evaluate("document.activeElement.className") == "skip")
    page.keyboard.press("Enter")
    soon(page, lambda: page.evaluate("document.activeElement.id") == "main")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Go anywhere")
    palette.wait_for()
    page.keyboard.type("创作")  # also by the other language's name
    page.keyboard.press("Enter")
    palette.wait_for(state="detached")
    page.wait_for_url("**/#/create")
    page.locator(".composer-text:focus").wait_for()  # which the page takes once it is fetched
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_every_control_is_reached_by_tab_and_shows_it(studio: "Callable[..., Page]") -> None:
    page = studio("#/parts")
    page.locator("form, .form").first.wait_for()
    reachable = page.evaluate(
        """[...document.querySelectorAll("a[href], button, input, select, textarea")]
        .filter((one) => !one.disabled && one.tabIndex >= 0 && one.getClientRects().length).length"""
    )
    seen = 0
    for _ in range(reachable + 5):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """(() => { const one = document.activeElement; if (one === document.body) return null;
            const style = getComputedStyle(one);
            return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; })()"""
        )
        if shown is None:
            break
        assert shown, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        seen += 1
    assert seen >= reachable - 5  # of radio groups and tabs, only one is a stop


def test_keys_without_control_can_be_switched_off(studio: "Callable[..., Page]") -> None:
    page = studio("#/parts")
    page.keyboard.press("?")
    page.get_by_role("switch", name="Keys without Ctrl").click()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    assert page.get_by_role("dialog").count() == 0


def test_a_server_that_is_gone_is_said_over_an_open_window_too(guarded: "Guarded", served: "Served") -> None:
    guarded.expected += ["Failed to load resource", "ERR_"]
    page = guarded.open(served, "#/parts")
    page.get_by_role("heading", name="Parts").wait_for()
    page.keyboard.press("?")
    window = page.get_by_role("dialog", name="Keyboard")
    window.wait_for()
    for address in ("**/api/**", "**/health/**"):
        page.route(address, lambda route: route.abort())
    page.evaluate("import('/web/core/api.js').then((api) => api.get('/api/v1/models')).catch(() => {})")
    said = window.get_by_role("alert").get_by_text("The server does not answer")
    said.wait_for()
    # At the top of the page, as without a window, once that has come to rest.
    soon(page, lambda: page.evaluate("document.elementFromPoint(innerWidth / 2, 9).closest('.banner') !== null"))
    page.keyboard.press("Escape")
    window.wait_for(state="detached")
    page.get_by_text("The server does not answer").wait_for()
    page.unroute_all()
    page.get_by_text("The server does not answer").wait_for(state="detached")


def test_numbers_and_lists_stay_as_they_are_typed(studio: "Callable[..., Page]") -> None:
    page = studio("#/parts")
    filled = page.locator("#filled")
    temperature = page.get_by_role("spinbutton", name="Temperature")
    for typed in ("0.05", "1.05"):
        temperature.fill("")
        temperature.press_sequentially(typed)  # `fill` would skip what lies between: "0.0"
        soon(page, lambda: f'"temperature":{typed}' in filled.inner_text())
    stop = page.get_by_label("Stop", exact=True)
    stop.press_sequentially("END\n")
    soon(page, lambda: '"stop":["END"]' in filled.inner_text())
    stop.press_sequentially("FINIS")
    soon(page, lambda: '"stop":["END","FINIS"]' in filled.inner_text())
    assert stop.input_value() == "END\nFINIS"


def test_language_and_theme_are_kept_and_the_same_in_every_tab(guarded: "Guarded", served: "Served") -> None:
    context_page = guarded.open(served, "#/parts")
    other = guarded.tab(context_page.context, served, "#/parts")
    context_page.get_by_role("button", name="中文").click()
    other.get_by_role("heading", name="部件").wait_for()
    context_page.get_by_role("button", name="主题").click()
    context_page.get_by_role("button", name="主题").click()
    other.locator("html[data-theme=dark]").wait_for()
    soon(context_page, lambda: context_page.evaluate("getComputedStyle(document.body).color") == "rgb(236, 230, 217)")
    soon(context_page, lambda: "inkseal.theme" in context_page.evaluate("Object.keys(localStorage)"))


def test_a_server_that_is_gone_is_told_and_found_again(studio: "Callable[..., Page]", guarded: "Guarded") -> None:
    guarded.expected.append("ERR_INTERNET_DISCONNECTED")
    page = studio("#/start")
    page.get_by_label("Your question").fill("kept through the outage")
    page.context.set_offline(True)
    page.evaluate("import('/web/core/api.js').then((api) => api.get('/api/v1/models')).catch(() => {})")
    banner = page.get_by_role("alert").filter(has_text="does not answer")
    banner.wait_for()
    page.context.set_offline(False)
    banner.wait_for(state="detached")
    soon(page, lambda: page.get_by_label("Your question").input_value() == "kept through the outage")


def test_the_policy_refuses_what_is_not_ours(studio: "Callable[..., Page]", guarded: "Guarded") -> None:
    guarded.expected += ["Content Security Policy", "Refused to", "violates", "request to http://evil.example"]
    page = studio("#/parts")
    ran = page.evaluate(
        """async () => {
          const inline = document.createElement("script");
          inline.textContent = "window.ran = true";
          document.body.append(inline);
          const image = new Image();
          const failed = new Promise((done) => { image.onerror = () => done(true); image.onload = () => done(false); });
          image.src = "http://evil.example/x.png";
          const asked = await fetch("http://evil.example/").then(() => "asked", () => "refused");
          return [window.ran ?? false, await failed, asked];
        }"""
    )
    assert ran == [False, True, "refused"]


def test_the_navigation_knows_of_each_page_what_its_file_says(studio: "Callable[..., Page]") -> None:
    page = studio("#/parts")
    told = page.evaluate("JSON.parse(document.querySelector('meta[name=inkseal-pages]').content)")
    assert [one["name"] for one in told] == PAGES
    for one in told:
        said = page.evaluate(
            "(name) => import(`/web/pages/${name}.js`).then(({ page: { Page, ...facts } }) => facts)", one["name"]
        )
        assert {key: value for key, value in one.items() if key not in ("files", "styles")} == said
