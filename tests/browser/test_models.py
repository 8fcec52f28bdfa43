"""The page of models: fetched before one's eyes, through reloads and in two tabs; loaded, pictured, removed."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from browser.waiting import soon
from local_hub import LocalHub, card_text, local_hub
from serving import Served, serving
from strict_server import stream, strict_server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from browser.conftest import Guarded

WEIGHTS = bytes(range(256)) * 6000
SLOW = 40_000
ECHO = "[backends.echo]\nany_model = true\n"
LONG = 30_000
FROM_AFAR = stream(
    {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "from afar"}}]},
    {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"id": "1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
    "[DONE]",
)


class House(NamedTuple):
    served: Served
    hub: LocalHub


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data_dir = tmp_path_factory.mktemp("models") / "data"
    (data_dir / "cards").mkdir(parents=True)
    hub_entry = {"source": "hub", "repo": "owner/some-model", "revision": "main"}
    for name, sources in (("some-model", [hub_entry]), ("nowhere", [{"source": "folder"}])):
        text = card_text(name, {"weights.onnx": WEIGHTS}, sources, format="onnx", memory_bytes=10**9)
        text = text.replace('title = { en = "title", zh = "title" }', f'title = {{ en = "{name}", zh = "{name}" }}')
        (data_dir / "cards" / f"{name}.toml").write_text(text, encoding="utf-8")
    with local_hub() as hub:
        hub.files["weights.onnx"] = WEIGHTS
        environment = {"HF_ENDPOINT": hub.endpoint, "INKSEAL_MODEL_PATH": "", "HF_HUB_OFFLINE": ""}
        with serving(data_dir, settings=ECHO, **environment) as served:
            yield House(served, hub)


@pytest.fixture
def house(running: House) -> House:
    """Nothing is here yet, and the hub is quick."""
    running.hub.bytes_per_second = None
    with running.served.client() as client:
        for task in client.get("/api/v1/tasks").json():
            client.delete(f"/api/v1/tasks/{task['id']}")
        for _ in range(100):
            if client.delete("/api/v1/models/some-model").status_code == 200:
                break
        client.post("/api/v1/models/echo/unload")
    return running


@pytest.fixture
def opened(guarded: Any, house: House) -> "Callable[..., Page]":
    def open_page(where: str = "#/models", **options: Any) -> "Page":
        page: Page = guarded.open(house.served, where, **options)
        page.locator(".model").first.wait_for()
        return page

    return open_page


def _card(page: "Page", title: str) -> "Locator":
    return page.locator(".model").filter(has=page.get_by_role("heading", name=title, exact=True))


def test_a_fetch_shows_the_licence_first_and_survives_a_reload(
    opened: "Callable[..., Page]", guarded: Any, house: House, check_axe: "Callable[[Page], None]"
) -> None:
    from playwright.sync_api import expect

    house.hub.bytes_per_second = SLOW
    page = opened()
    _card(page, "some-model").get_by_role("button", name="Fetch").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Apache-2.0 (upstream)")
    expect(dialog.get_by_role("list")).to_contain_text("model hub owner/some-model")
    check_axe(page)
    dialog.get_by_role("button", name="Fetch").click()
    bar = _card(page, "some-model").get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+ k?B of 1\.5 MB$"))
    page.reload()
    expect(_card(page, "some-model").get_by_role("progressbar")).to_be_visible()
    other = guarded.tab(page.context, house.served, "#/models")
    expect(_card(other, "some-model").get_by_role("progressbar")).to_be_visible()
    house.hub.bytes_per_second = None
    here = page.get_by_role("region", name="On this machine")
    expect(here.get_by_role("heading", name="some-model")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("some-model is here and verified.")).to_be_visible()
    expect(other.get_by_role("region", name="On this machine").get_by_text("some-model")).to_be_visible(timeout=LONG)


def test_a_model_of_pictures_is_called_one_and_offered_for_no_words(guarded: Any, house: House) -> None:
    with house.served.client() as client:
        models = client.get("/api/v1/models").json()
    echo = next(model for model in models if model["name"] == "echo")
    facts = {"aliases": [], "format": "safetensors", "here": True}
    models.append({**echo, **facts, "name": "sketcher", "title": "Sketcher", "modality": "image"})
    models.append({**echo, **facts, "name": "enlarger", "title": "Enlarger", "task": "upscale"})
    page: Page = guarded.open(house.served, "#/parts")
    page.route("**/api/v1/models", lambda route: route.fulfill(json=models))
    page.goto(f"{house.served.url}/#/models")
    for title, words in (("Sketcher", "pictures"), ("Enlarger", "enlarging pictures")):
        _card(page, title).get_by_text(words, exact=True).wait_for()
    page.goto(f"{house.served.url}/#/apps/poem")
    page.locator("option", has_text="Echo").wait_for(state="attached")
    assert page.locator("option", has_text="Sketcher").count() == 0
    page.goto(f"{house.served.url}/#/start")
    page.get_by_role("radio", name="Echo").wait_for()
    assert page.get_by_role("radio", name="Sketcher").count() == 0


def test_a_fetch_is_stopped_and_goes_on(opened: "Callable[..., Page]", house: House) -> None:
    from playwright.sync_api import expect

    house.hub.bytes_per_second = SLOW
    page = opened(language="zh")
    card = _card(page, "some-model")
    card.get_by_role("button", name="获取").click()
    page.get_by_role("dialog").get_by_role("button", name="获取").click()
    card.get_by_role("button", name="停止").click()
    expect(card).to_contain_text("已停止", timeout=LONG)
    house.hub.bytes_per_second = None
    card.get_by_role("button", name="继续获取").click()
    page.get_by_role("dialog").get_by_role("button", name="获取").click()
    expect(page.get_by_role("region", name="本机已有").get_by_text("some-model")).to_be_visible(timeout=LONG)


def test_a_fetch_that_fails_says_why(opened: "Callable[..., Page]") -> None:
    from playwright.sync_api import expect

    page = opened()
    card = _card(page, "nowhere")
    card.get_by_role("button", name="Fetch").click()
    page.get_by_role("dialog").get_by_role("button", name="Fetch").click()
    expect(card.locator(".note")).to_contain_text("No source could deliver 'nowhere'", timeout=LONG)
    expect(card.locator(".reasons")).to_contain_text("INKSEAL_MODEL_PATH names no folder")


def test_what_is_loaded_is_pictured_and_freed(
    opened: "Callable[..., Page]", check_axe: "Callable[[Page], None]"
) -> None:
    from playwright.sync_api import expect

    page = opened()
    expect(page.get_by_text("No engine is loaded")).to_be_visible()
    card = _card(page, "Echo")
    card.get_by_role("button", name="Load now").click()
    loaded = page.get_by_role("region", name="Memory").locator(".memory-row")
    expect(loaded).to_contain_text("Echo", timeout=LONG)
    expect(page.get_by_role("img", name="Memory budget")).to_be_visible()
    expect(card).to_contain_text("in memory")
    check_axe(page)
    page.get_by_role("button", name="Free the memory of Echo").click()
    expect(page.get_by_text("No engine is loaded")).to_be_visible()
    _card(page, "nowhere").hover()
    expect(page.locator(".memory-words")).to_have_text("nowhere would take about 1 GB. There is room.")
    expect(page.locator(".memory-ghost")).to_be_visible()


def test_a_measurement_stands_on_the_card(opened: "Callable[..., Page]") -> None:
    from playwright.sync_api import expect

    page = opened()
    page.get_by_role("button", name="More for Echo").click()
    page.get_by_role("menuitem", name="Measure its speed").click()
    expect(_card(page, "Echo").locator(".note")).to_contain_text("tokens/s", timeout=LONG)


def test_by_the_keyboard_alone_a_model_comes_and_goes(opened: "Callable[..., Page]") -> None:
    from playwright.sync_api import expect

    page = opened()
    _tab_to(page, "Fetch, 1.5 MB", within=_card(page, "some-model"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    _tab_to(page, "Fetch 1.5 MB")
    page.keyboard.press("Enter")
    here = page.get_by_role("region", name="On this machine")
    expect(here.get_by_role("heading", name="some-model")).to_be_visible(timeout=LONG)
    page.locator("h1").focus()
    _tab_to(page, "More for some-model")
    page.keyboard.press("Enter")
    page.locator("[role=menuitem]:focus").wait_for()
    page.keyboard.press("End")
    page.locator("[role=menuitem]:focus", has_text="Remove").wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Remove some-model?")
    _tab_to(page, "Remove")
    page.keyboard.press("Enter")
    away = page.get_by_role("region", name="To be fetched")
    expect(away.get_by_role("heading", name="some-model")).to_be_visible()


def test_a_card_has_an_address_of_its_own(opened: "Callable[..., Page]", check_axe: "Callable[[Page], None]") -> None:
    from playwright.sync_api import expect

    for options in ({}, {"language": "zh", "theme": "dark", "viewport": {"width": 360, "height": 740}}):
        page = opened("#/models/tiny", **options)
        drawer = page.get_by_role("dialog", name="SmolLM2 135M Instruct")
        expect(drawer).to_contain_text("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
        drawer.wait_for()
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        page.keyboard.press("Escape")
        expect(drawer).to_have_count(0)
        soon(page, lambda: page.evaluate("location.hash") == "#/models")


def _tab_to(page: "Page", name: str, within: "Locator | None" = None) -> None:
    """Presses Tab until the button of that name has the focus."""
    target = (within or page).get_by_role("button", name=name, exact=True)
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.count() and target.last.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"no way to {name!r} by Tab")


def test_a_provider_s_model_is_shown_as_such_and_can_be_asked(
    guarded: "Guarded", tmp_path: Path, check_axe: "Callable[[Page], None]"
) -> None:
    with strict_server() as service:
        service.answers = [FROM_AFAR]
        text = f"""[fetch]
allow = ["127.0.0.0/8"]
[providers.near]
kind = "openai_api"
base_url = "{service.base_url}"
key_env = "NEAR_KEY"
[providers.near.models."org/tiny"]
licence = "Apache-2.0"
context_tokens = 2048
"""
        with serving(tmp_path / "data", settings=text, NEAR_KEY="sk-near-1234567890") as served:
            page = guarded.open(served, "#/models")
            part = page.get_by_role("region", name="At providers")
            card = part.locator(".model", has_text="near/org/tiny")
            card.wait_for()
            soon(card, lambda: "Apache-2.0" in card.inner_text())
            assert part.get_by_role("button", name="Fetch").count() == 0
            check_axe(page)
            card.get_by_role("button", name="Ask it").click()
            page.locator(".composer-text").fill("hello")
            page.locator(".composer-text").press("Enter")
            page.locator(".seal").wait_for()
            soon(page, lambda: page.locator(".turn-answer .prose").inner_text().strip() == "from afar")
            page.goto(f"{served.url}/#/apps/poem")
            page.get_by_label("Model", exact=True).select_option(label="near/org/tiny")
            page.context.close()
