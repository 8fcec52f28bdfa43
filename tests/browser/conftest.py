"""A real browser before a started server. A page that complains, or asks anybody but this server, fails its test."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.waiting import SECONDS, drawn
from browser_program import ARGUMENTS, find_chromium
from serving import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

HERE = Path(__file__).parent
ECHO = "[backends.echo]\nany_model = true\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tries a test once more where a busy machine kept a page from being in time; the report counts such tests."""
    if find_spec("pytest_rerunfailures") is not None:
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module")  # while it is open, an event loop runs in this thread, and asyncio tests cannot
def browser() -> "Iterator[Browser]":
    """Chromium, without a window."""
    from conftest import leave_out

    program = find_chromium()
    if program is None:
        leave_out("Chromium", "apt-get install chromium fonts-noto-cjk")
    if find_spec("playwright") is None:
        leave_out("the package 'playwright'", "pip install 'inkseal[browser]'")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=SECONDS * 1000)  # of its own it would wait for five seconds
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without keys whose models are all the fake; tests share it."""
    with serving(tmp_path_factory.mktemp("studio") / "data", settings=ECHO) as found:
        yield found


class Guarded:
    """Opens pages and notes what they must not do.

    Attributes:
        faults: console errors, page errors and requests to other origins, as lines.
    """

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []
        self.expected: list[str] = []
        """Parts of console errors that the test brings about itself, such as a refused key."""

    def open(
        self, served: Served, where: str = "", *, language: str = "en", theme: str = "light", **options: Any
    ) -> "Page":
        """Returns a page of a browser that has never been here, at an address such as `#/create`.

        Args:
            options: of Playwright's `new_context`, as `viewport`.
        """
        options = {"viewport": {"width": 1280, "height": 800}, "color_scheme": theme, **options}
        context = self._browser.new_context(locale="zh-CN" if language == "zh" else "en-US", **options)
        self._contexts.append(context)
        context.add_init_script(f"localStorage['inkseal.language'] ??= '\"{language}\"'")
        return self.tab(context, served, where)

    def tab(self, context: "BrowserContext", served: Served, where: str = "") -> "Page":
        """Returns one more page of the same browser profile."""
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", lambda request: self._asked(request.url, served.url))
        page.goto(f"{served.url}/{where}")
        page.locator("main#main").wait_for()
        drawn(page)
        return page

    def close(self) -> list[str]:
        """Closes every page and returns the faults that no test expected."""
        for context in self._contexts:
            context.close()
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(f"console {kind}: {text}")

    def _asked(self, url: str, home: str) -> None:
        if not url.startswith((home + "/", "blob:" + home, "data:")):
            self.faults.append(f"request to {url}")


@pytest.fixture
def guarded(browser: "Browser") -> Iterator[Guarded]:
    """Opens pages; the test fails when one of them complained or asked somebody else."""
    found = Guarded(browser)
    yield found
    faults = found.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def studio(guarded: Guarded, served: Served) -> "Callable[..., Page]":
    """Opens a page of the shared server: `studio("#/create", language="zh", theme="dark")`."""

    def opened(where: str = "", **options: Any) -> "Page":
        return guarded.open(served, where, **options)

    return opened


# What is only half faded in has too little contrast; what turns for ever is not waited for.
AT_REST = """Promise.all(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().endTime < Infinity)
        .map((one) => one.finished.catch(() => {})),
).then(() => {})"""


def serious(page: "Page") -> list[str]:
    """Returns axe's findings of level serious or critical, one line each."""
    page.evaluate(AT_REST)
    # Added as the driver's own script: the page's policy lets none in from elsewhere.
    page.evaluate((HERE / "vendor/axe.min.js").read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]} {node['any'][:1]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture
def check_axe() -> "Callable[[Page], None]":
    """Fails on what keeps people from using a page."""

    def check(page: "Page") -> None:
        found = serious(page)
        assert not found, "\n".join(found)

    return check
