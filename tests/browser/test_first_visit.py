"""From an empty installation to the first sealed answer: a model fetched while one looks, a question, the seal."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from browser.waiting import soon
from inkseal.core.protocols import LocalModel
from local_hub import LocalHub, card_text, local_hub
from serving import Served, link_or_copy, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Guarded

WEIGHTS = bytes(range(256)) * 4000
NAME = "qwen2.5-coder-1.5b-instruct"
"""The default model's name: a card of the installation stands before ours."""
REAL_SECONDS = 300
"""The default model is converted first, which takes half a minute where nothing else runs."""


class House(NamedTuple):
    served: Served
    hub: LocalHub


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A server without any model, and a hub that has the default one."""
    data_dir = tmp_path / "data"
    (data_dir / "cards").mkdir(parents=True)
    source = {"source": "hub", "repo": "owner/some-model", "revision": "main"}
    card = card_text(NAME, {"weights.onnx": WEIGHTS}, [source], format="onnx", aliases=["default"], context_tokens=8192)
    (data_dir / "cards" / f"{NAME}.toml").write_text(card, encoding="utf-8")
    with local_hub() as hub:
        hub.files["weights.onnx"] = WEIGHTS
        settings = "[backends.echo]\nany_model = true\n"
        with serving(data_dir, settings=settings, HF_ENDPOINT=hub.endpoint, HF_HUB_OFFLINE="") as served:
            yield House(served, hub)


def test_two_clicks_lead_to_a_sealed_answer_and_the_model_comes_by_itself(house: House, guarded: "Guarded") -> None:
    house.hub.bytes_per_second = 50_000  # twenty seconds, unless it is released
    page = guarded.open(house.served)
    page.get_by_role("button", name="Explain to a ten-year-old").click()
    page.get_by_role("button", name=re.compile("^Fetch .* and ask$")).click()
    page.get_by_role("progressbar", name="Fetching the model").wait_for()
    page.reload()
    page.get_by_role("progressbar", name="Fetching the model").wait_for()
    house.hub.bytes_per_second = None
    _sealed(page, "Explain to a ten-year-old why the sky is blue.")
    assert "#/create/" in page.url
    again = guarded.tab(page.context, house.served)
    again.get_by_role("navigation").get_by_role("link", name="Create").wait_for()
    assert again.get_by_role("heading", name="Begin with a question").count() == 0


def test_chinese_and_the_keyboard_alone(house: House, guarded: "Guarded") -> None:
    page = guarded.open(house.served, language="zh")
    page.get_by_role("radio", name="回声").focus()
    page.keyboard.press("Space")
    page.keyboard.press("/")
    page.keyboard.type("你好，世界")
    page.keyboard.press("Enter")
    _sealed(page, "你好，世界")
    soon(page, lambda: page.get_by_text("AI生成").first.is_visible())


def test_what_cannot_be_fetched_is_said_and_can_be_tried_again(house: House, guarded: "Guarded") -> None:
    house.hub.files.clear()
    page = guarded.open(house.served)
    page.get_by_label("Your question").fill("Is anybody there?")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text(NAME).wait_for()
    house.hub.files["weights.onnx"] = WEIGHTS
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Ask", exact=True).click()
    _sealed(page, "Is anybody there?")


def test_a_fetch_can_be_stopped_and_what_was_written_stays(house: House, guarded: "Guarded") -> None:
    house.hub.bytes_per_second = 50_000
    page = guarded.open(house.served)
    page.get_by_label("Your question").fill("wait for me")
    page.get_by_role("button", name=re.compile("^Fetch")).click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("progressbar").wait_for(state="detached")
    soon(page, lambda: page.get_by_label("Your question").input_value() == "wait for me")
    soon(page, lambda: page.get_by_role("button", name=re.compile("^Fetch .* and ask$")).is_enabled())


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize(("fixture", "choice"), [("tiny_model", "SmolLM2"), ("default_model", "")])
def test_three_clicks_lead_to_a_sealed_answer_of_a_real_model(
    fixture: str, choice: str, request: pytest.FixtureRequest, tmp_path: Path, guarded: "Guarded"
) -> None:
    model: LocalModel = request.getfixturevalue(fixture)
    fetched = shutil.ignore_patterns("ir-*")  # as a pull leaves it: the conversion is part of the wait
    folder = tmp_path / "data/models" / model.name
    shutil.copytree(model.folder, folder, ignore=fetched, copy_function=link_or_copy)
    with serving(tmp_path / "data") as served:
        page = guarded.open(served)
        page.evaluate("window.clicks = 0; addEventListener('click', () => (clicks += 1), true)")
        begun = time.monotonic()
        if choice:
            page.get_by_role("radio", name=choice).check()
        page.get_by_role("button", name="Explain to a ten-year-old").click()
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator("main .seal").wait_for(timeout=REAL_SECONDS * 1000)
        clicks = page.evaluate("clicks")
        print(f"{model.name}: {clicks} clicks, {time.monotonic() - begun:.0f} s to the first sealed answer")
        assert clicks <= 3
        soon(page, lambda: page.locator(".turn-answer .label").inner_text() == "AI-generated (AI生成)")
        soon(page, lambda: len(page.locator(".turn-answer .prose").inner_text()) > 40)


def _sealed(page: "Page", text: str) -> None:
    """Waits for an answer of the fake, which says what it was asked, under its seal."""
    page.locator("main .seal").first.wait_for()
    soon(page, lambda: page.get_by_text(text).count() >= 2)
