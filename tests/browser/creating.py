"""What a person does on the page Create, as steps that tests share."""

import json
from typing import TYPE_CHECKING, Any

from browser.waiting import SECONDS
from serving import Served

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from browser.conftest import Guarded


def created(guarded: "Guarded", served: Served, where: str = "#/create", **options: Any) -> "Page":
    """Returns the page, set to the fake model."""
    page = guarded.open(served, "#/create", **options)
    choose_echo(page)
    page.goto(f"{served.url}/{where}")
    page.reload()
    box(page).wait_for()
    return page


def choose_echo(page: "Page", **more: Any) -> None:
    """Sets what answers are asked with."""
    page.evaluate(
        "text => localStorage.setItem('inkseal.draft.create.settings', text)", json.dumps({"model": "echo", **more})
    )


def box(page: "Page") -> "Locator":
    """Returns where one writes."""
    return page.locator(".composer-text")


def say(page: "Page", text: str) -> None:
    """Sends words."""
    if text.count("\n") > 100:  # the driver's typing takes a while for each line
        put = "(box, text) => { box.value = text; box.dispatchEvent(new Event('input', {bubbles: true})); }"
        box(page).evaluate(put, text)
    else:
        box(page).fill(text)
    box(page).press("Enter")


def sealed(page: "Page", number: int = 1, seconds: float = SECONDS) -> None:
    """Waits until so many answers are sealed and none is coming."""
    page.locator(".seal").nth(number - 1).wait_for(timeout=seconds * 1000)
    page.locator(".thread-inside[aria-busy=false]").wait_for(timeout=seconds * 1000)


def answer(page: "Page", number: int = 0) -> "Locator":
    """Returns the words of an answer."""
    return page.locator(".turn-answer").nth(number).locator(".prose")
