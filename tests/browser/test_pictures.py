"""Pictures in a browser: asked for on the page Create, seen in the gallery, saved with their label."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from browser.conftest import serious
from browser.creating import box, created, say, sealed
from browser.waiting import soon
from serving import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOADED = "image => image.complete && image.naturalWidth"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose gallery holds pictures only."""
    with serving(tmp_path_factory.mktemp("pictures") / "data") as found:
        yield found


def asked(guarded: Any, house: Served, words: str, **options: Any) -> "Page":
    """Returns the page after a picture was asked for and sealed."""
    page: Page = created(guarded, house, **options)
    page.locator(".composer-picture").click()
    page.locator(".composer-model").select_option(label="Echo")
    box(page).wait_for()
    say(page, words)
    sealed(page)
    return page


def test_a_picture_is_drawn_labelled_sealed_and_there_again_after_a_reload(guarded: Any, house: Served) -> None:
    page = asked(guarded, house, "a red fox")
    for _ in range(2):
        picture = page.locator(".turn-answer img.picture")
        picture.wait_for()
        soon(picture, lambda: picture.evaluate(LOADED) == 64)
        soon(picture, lambda: picture.get_attribute("alt") == "a red fox")
        soon(page, lambda: page.locator(".turn-answer .label").inner_text() == "AI-generated (AI生成)")
        page.reload()
    assert serious(page) == []


def test_the_styles_that_a_model_knows_are_offered(guarded: Any, house: Served) -> None:
    with house.client() as client:
        models = client.get("/api/v1/models").json()
    echo = next(model for model in models if model["name"] == "echo")
    assert echo["choices"] == {}
    echo["choices"] = {"style": ["flat", "outline"]}
    page = asked(guarded, house, "a heron")
    page.route("**/api/v1/models", lambda route: route.fulfill(json=models))
    page.get_by_role("button", name="How it answers").click()
    style = page.get_by_label("Style")
    style.select_option(label="outline")
    assert style.locator("option").all_inner_texts()[1:] == ["flat", "outline"]
    page.keyboard.press("Escape")
    with page.expect_request("**/api/v1/generate/image") as sent:
        say(page, "a heron in outline")
    assert sent.value.post_data_json["style"] == "outline"


def test_the_settings_of_pictures_are_those_of_the_request(guarded: Any, house: Served) -> None:
    page = asked(guarded, house, "a wide lake")
    page.get_by_role("button", name="How it answers").click()
    page.get_by_label("Width").fill("128")
    page.keyboard.press("Escape")
    say(page, "a wider lake")
    sealed(page, 2)
    soon(page, lambda: page.locator(".turn-answer img.picture").nth(1).evaluate(LOADED) == 128)


def test_files_are_not_taken_for_a_picture(guarded: Any, house: Served) -> None:
    page: Page = created(guarded, house)
    note = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"a fox"}
    page.locator("input[type=file]").set_input_files(note)  # type: ignore[arg-type]
    page.locator(".composer-files").wait_for()
    page.locator(".composer-picture").click()
    page.locator(".composer-model").select_option(label="Echo")
    box(page).fill("a red fox")
    send = page.get_by_role("button", name="Send")
    soon(page, send.is_disabled)
    page.get_by_text("A picture is made from words alone.").wait_for()
    assert page.get_by_role("button", name="Attach text files").is_disabled()
    page.locator(".composer-files button").click()
    soon(page, send.is_enabled)
    page.locator(".composer-picture").click()
    assert page.get_by_role("button", name="Attach text files").is_enabled()


def test_the_gallery_shows_it_small_and_large_and_saves_it_with_its_label(
    guarded: Any, house: Served, tmp_path: Path
) -> None:
    page = asked(guarded, house, "ein Boot 船")
    say(page, "a heron that was lost")
    sealed(page, 2)
    with house.client() as client:
        lost = client.get("/api/v1/artifacts").json()["artifacts"][0]["id"]
    unreadable = {"body": "no picture", "content_type": "image/png"}
    page.route(f"**/{lost}/content", lambda route: route.fulfill(**unreadable))
    page.goto(f"{house.url}/#/gallery")
    page.locator(".card").first.get_by_text("The picture cannot be shown.").wait_for()
    page.get_by_role("searchbox").fill("船")
    page.wait_for_url("**query=*")
    page.locator(".card").first.locator("img.picture").wait_for()  # another stands in its place
    page.locator(".card-open").first.click()
    soon(page, lambda: page.locator(".view img.picture").evaluate(LOADED) == 64)
    page.locator(".view").locator("xpath=ancestor::dialog").get_by_role("button", name="Save with its label").click()
    with page.expect_download() as saving:
        page.get_by_role("menuitem", name="PNG").click()
    saving.value.save_as(tmp_path / "boat.png")
    with Image.open(tmp_path / "boat.png") as found:
        assert found.width == 64
        assert found.height > 64
    page.get_by_role("button", name="Seal: how this was made").click()
    story = page.locator(".story")
    story.get_by_role("button", name="WebP").wait_for()
    checks = story.locator(".story-checks b").all_inner_texts()
    assert "Pictures" in checks
    assert not [name for name in checks if "_" in name]
