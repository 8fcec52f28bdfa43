"""Apps in the browser: find one, fill it in, watch its steps, read its sealed result, share it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.waiting import soon
from serving import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.conftest import Guarded

Opener = Callable[..., "Page"]
WORDS = {
    "en": {"run": "Run", "echo": "Echo", "sample": "Visitors by month", "model": "Model"},
    "zh": {"run": "运行", "echo": "回声", "sample": "门店销售", "model": "模型"},
}

OWN_APP = """
format = 1
name = "greeter"
category = "daily"
title = "Greeter"
description = "Says a word back."

[[fields]]
name = "word"
type = "text"
title = "Word"

[[steps]]
name = "answer"
kind = "generate"
prompt = "Hello {{word}}"
"""


def run(page: "Page", language: str, sample: str) -> None:
    words = WORDS[language]
    page.get_by_role("button", name=sample, exact=True).click()
    page.get_by_label(words["model"], exact=True).select_option(label=words["echo"])
    page.get_by_role("button", name=words["run"], exact=True).click()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_is_made_of_a_table_and_sealed(
    language: str, studio: Opener, check_axe: Callable[["Page"], None]
) -> None:
    page = studio("#/apps/csv_report", language=language)
    run(page, language, WORDS[language]["sample"])
    result = page.locator(".app-result")
    result.wait_for()
    soon(result, lambda: result.locator(".chart svg").count() == 2)
    soon(result, lambda: result.locator(".label").inner_text())
    soon(page, lambda: page.locator(".app-step-done").count() == 2)
    check_axe(page)
    result.locator(".seal").click()
    story = page.locator(".dialog-side")
    story.locator(".facts").first.wait_for()
    words = {"en": ("the result of all steps", "met"), "zh": ("全部步骤的结果", "符合")}[language]
    soon(story, lambda: all(word in story.inner_text() for word in words))
    soon(story, lambda: story.locator("a", has_text={"en": "Report", "zh": "报告"}[language]).count() == 1)
    soon(story, lambda: story.get_by_text("numbers", exact=True).count() == 1)
    check_axe(page)


def test_a_result_that_breaks_the_rules_is_refused_and_says_why(studio: Opener) -> None:
    page = studio("#/apps/poem")
    run(page, "en", "Harbour")
    page.locator(".note-bad").wait_for()
    soon(page, lambda: "No result that keeps the rules" in page.locator(".note-bad").inner_text())
    assert page.locator(".app-result").count() == 0
    page.locator(".app-step-try summary").first.click()
    soon(page, lambda: "are needed" in page.locator(".app-step-try li").first.inner_text())


def test_a_run_shows_its_words_and_can_be_stopped(guarded: "Guarded", tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings="[backends.echo]\nany_model = true\nseconds_per_token = 0.05\n") as slow:
        page = guarded.open(slow, "#/apps/csv_report")
        run(page, "en", WORDS["en"]["sample"])
        page.locator(".app-step-working .app-step-text", has_text="Figures").wait_for()
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_text("Stopped.").wait_for()
        assert page.locator(".app-result").count() == 0
        page.get_by_role("button", name="Run", exact=True).wait_for()


def test_an_app_is_found_by_words_and_by_kind(studio: Opener) -> None:
    page = studio("#/apps")
    page.locator(".app-card").first.wait_for()
    number = page.locator(".app-card").count()
    page.get_by_role("searchbox").fill("csv")
    soon(page, lambda: 1 <= page.locator(".app-card").count() < number)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("link", name="Code", exact=True).click()
    page.locator('.apps-kind[aria-current="true"]', has_text="Code").wait_for()
    soon(page, lambda: {"Repair a bug", "Complete code"} <= set(page.locator(".app-card-title").all_inner_texts()))


def test_an_app_is_imported_run_changed_and_deleted(studio: Opener, guarded: "Guarded", served: Served) -> None:
    guarded.expected.append("status of 400")  # a file that cannot be used
    with served.client() as client:
        client.delete("/api/v1/apps/greeter")  # left by a first try
    page = studio("#/apps")
    page.get_by_role("button", name="Import", exact=True).click()
    box = page.get_by_label("The app's file (TOML)")
    binary: Any = {"name": "app.toml", "mimeType": "text/plain", "buffer": b"format = 1\0"}
    page.locator("dialog input[type=file]").set_input_files(binary)
    trouble = page.locator(".toast", has_text="The file is not a text")
    trouble.get_by_role("button", name="Close").click()
    box.fill(OWN_APP)
    page.mouse.click(5, 5)  # beside the window
    question = page.get_by_role("dialog", name="Close without saving?")
    for _ in range(3):  # the browser itself would close a window at the second Escape
        page.keyboard.press("Escape")
        question.wait_for()
        page.keyboard.press("Escape")
        question.wait_for(state="detached")
    soon(page, lambda: box.input_value() == OWN_APP)
    page.get_by_role("dialog").get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("heading", name="Greeter").wait_for()
    page.get_by_label("Word").fill("<img src=x onerror=alert(1)> {{word}}")
    page.get_by_label("Model", exact=True).select_option(label="Echo")
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.url) if request.url.endswith("/greeter/run") else None)
    page.get_by_label("Word").evaluate("box => { box.form.requestSubmit(); box.form.requestSubmit(); }")
    page.locator(".app-result").wait_for()
    assert len(begun) == 1
    soon(page, lambda: "Hello <img src=x onerror=alert(1)> {{word}}" in page.locator(".app-document").inner_text())
    page.get_by_role("button", name="This app").click()
    page.get_by_role("menuitem", name="Change", exact=True).click()
    box.fill(OWN_APP.replace("Greeter", "Welcomer").replace('kind = "generate"', 'kind = "nothing"'))
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".field-error").wait_for()
    soon(page, lambda: "nothing" in page.locator(".field-error").inner_text())
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    question.get_by_role("button", name="Close and lose it").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("button", name="This app").click()
    page.get_by_role("menuitem", name="Change", exact=True).click()
    soon(page, lambda: box.input_value().strip() == OWN_APP.strip())
    box.fill(OWN_APP.replace("Greeter", "Welcomer"))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("heading", name="Welcomer").wait_for()
    page.get_by_role("button", name="This app").click()
    page.get_by_role("menuitem", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    page.locator(".app-card").first.wait_for()
    assert "Welcomer" not in page.locator(".app-card-title").all_inner_texts()


def test_a_draft_survives_a_reload(studio: Opener) -> None:
    page = studio("#/apps/poem")
    page.get_by_label("Topic").fill("an old harbour")
    page.reload()
    page.locator("form").wait_for()
    soon(page, lambda: page.get_by_label("Topic").input_value() == "an old harbour")


def test_a_missing_field_is_said_at_the_field(studio: Opener, guarded: "Guarded") -> None:
    guarded.expected.append("status of 400")
    page = studio("#/apps/poem")
    page.get_by_label("Model", exact=True).select_option(label="Echo")
    page.get_by_label("Topic").evaluate("box => box.removeAttribute('required')")
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".note-bad, .field-error").first.wait_for()
    soon(page, lambda: "Topic" in page.locator(".field-error, .note-bad").first.inner_text())


def test_an_app_runs_by_keyboard_alone(studio: Opener) -> None:
    page = studio("#/apps/csv_report")
    page.get_by_label("Model", exact=True).select_option(label="Echo")
    page.get_by_role("button", name="Visitors by month").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Title").focus()
    page.keyboard.press("Enter")
    page.locator(".app-result").wait_for()
    page.locator(".app-result .seal").focus()
    page.keyboard.press("Enter")
    page.locator(".dialog-side").wait_for()
    page.keyboard.press("Escape")
    page.locator(".dialog-side").wait_for(state="detached")


def test_a_quiz_is_answered_and_graded(studio: Opener, check_axe: Callable[["Page"], None]) -> None:
    page = studio("#/apps/quiz_grading")
    page.get_by_role("button", name="Sample 1").click()
    soon(page, lambda: page.get_by_role("radio", name="B. condensation").is_checked())
    page.get_by_role("radio", name="C. wind alone").check()
    page.get_by_label("3. What is precipitation?").fill("Rain and snow.")
    page.get_by_label("Model", exact=True).select_option(label="Echo")
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".app-result").get_by_role("heading", name="2 of 6 points").wait_for()  # drawn as Markdown by then
    words = page.locator(".app-result").inner_text()
    assert "wrong (marked by code)" in words
    assert "judged by a model" in words
    check_axe(page)


SLOW = "[backends.echo]\nany_model = true\nseconds_per_token = 0.05\n"


def test_a_run_goes_on_without_its_page_and_is_watched_again(guarded: "Guarded", tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings=SLOW) as slow:
        page = guarded.open(slow, "#/apps/csv_report")
        run(page, "en", WORDS["en"]["sample"])
        page.locator(".app-step-working .app-step-text", has_text="Figures").wait_for()
        address = page.url
        page.reload()
        page.locator(".app-step-working .app-step-text", has_text="Figures").wait_for()
        assert page.url == address
        page.close()
        other = guarded.open(slow, "#/apps")  # another browser of the same person
        other.get_by_role("region", name="Running now").get_by_role("link").click()
        other.locator(".app-result .seal").wait_for(timeout=120_000)
        soon(other, lambda: other.locator(".app-result .chart svg").count() == 2)
        other.reload()
        other.locator(".app-result .seal").wait_for()
        other.get_by_role("link", name="New run").click()
        other.get_by_role("region", name="Runs of late").get_by_role("link", name="finished").wait_for()
        other.context.close()


def test_a_run_that_is_reloaded_can_be_stopped(guarded: "Guarded", tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings=SLOW) as slow:
        page = guarded.open(slow, "#/apps/csv_report", language="zh")
        run(page, "zh", WORDS["zh"]["sample"])
        page.locator(".app-step-working .app-step-text").wait_for()
        page.reload()
        page.locator(".app-step-working .app-step-text").wait_for()
        page.get_by_role("button", name="停止", exact=True).click()
        page.get_by_text("已停止。").wait_for()
        assert page.locator(".app-result").count() == 0
        page.context.close()
