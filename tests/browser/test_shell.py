"""Every page in both languages and themes: no complaint, no request elsewhere, nothing that keeps people out."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
        assert page.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en")
        assert page.title().endswith("Inkseal 墨印")
        assert page.locator("h1").count() == 1
        check_axe(page)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(name: str, studio: "Callable[..., Page]") -> None:
    for language in ("en", "zh"):
        page = studio(f"#/{name}", language=language, viewport={"width": 360, "height": 740})
        page.locator("main .spinner-large").wait_for(state="detached")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
