"""Waiting for what a page will show: a page draws when it can, so nothing is asked of it at an instant.

Playwright's `wait_for_function` is of no use here: it evaluates its text in the page once more for each look after
the first, which the pages' content policy forbids.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SECONDS = float(os.environ.get("INKSEAL_BROWSER_SECONDS", "15"))
"""How long a page may take for anything; a machine at work needs more."""


def drawn(page: "Page") -> None:
    """Waits until what the page shows by now also listens: effects are run after the frame that drew it."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def soon(where: "Page | Locator", condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Waits until a condition holds.

    Raises:
        AssertionError: it did not in time; says what the page shows instead.
    """
    page = getattr(where, "page", where)
    for _ in range(int(seconds * 20)):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.locator("main").inner_text()[:2000])
