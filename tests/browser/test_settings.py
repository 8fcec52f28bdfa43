"""The page of settings: each section by its address, the checks tried and set, keys made and ended, a backup taken."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.waiting import soon
from serving import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.conftest import Guarded

SECTIONS = ("general", "labels", "guard", "keys", "audit", "backup")
OWN = '# mine\nregime = "cn"  # asked for\n\n[backends.echo]\nany_model = true\n'
LONG = 30_000


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Served]:
    """A server that a test may change; asked for before `guarded`, so that the pages are closed before it ends."""
    with serving(tmp_path / "data", settings=OWN, INKSEAL_LANGUAGE="") as served:
        yield served


def _settings(served: Served) -> str:
    return (served.data_dir / "settings.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_is_open_to_everybody(
    section: str, studio: "Callable[..., Page]", check_axe: "Callable[[Page], None]"
) -> None:
    for language, theme, width in (
        ("en", "light", 1280),
        ("zh", "dark", 1280),
        ("zh", "light", 360),
        ("en", "dark", 360),
    ):
        page = studio(f"#/settings/{section}", language=language, theme=theme, viewport={"width": width, "height": 760})
        page.locator(".panel").first.wait_for()
        page.locator("main .spinner-large").wait_for(state="detached")
        check_axe(page)
        soon(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= width)
        soon(page, lambda: page.get_by_role("tab", selected=True).count() == 1)


def test_the_sections_are_walked_by_the_keyboard_and_stand_in_the_address(studio: "Callable[..., Page]") -> None:
    page = studio("#/settings")
    page.get_by_role("tab", name="General").focus()
    seen = []
    for _ in SECTIONS:
        seen.append(page.evaluate("document.activeElement.textContent.trim()"))
        page.keyboard.press("ArrowRight")
    assert seen == ["General", "Labels", "Checks", "Keys", "Audit log", "Backup"]
    page.keyboard.press("ArrowLeft")
    soon(page, lambda: page.evaluate("location.hash") == "#/settings/backup")
    page.reload()
    page.get_by_role("heading", name="Bringing it back").or_(page.get_by_text("Bringing it back")).wait_for()


def test_a_trial_shows_which_rule_hit_where(studio: "Callable[..., Page]", check_axe: "Callable[[Page], None]") -> None:
    from playwright.sync_api import expect

    page = studio("#/settings/guard")
    page.get_by_role("button", name="Hidden in a document").click()
    expect(page.get_by_text("It would be blocked")).to_be_visible()
    expect(page.locator("mark.hit-deep").first).to_contain_text("ignore all previous")
    expect(page.locator(".tried-hits")).to_contain_text("injection.override")
    check_axe(page)
    text = page.get_by_label("Text", exact=True)
    text.fill("😀 墨 write to li.ming@qq.com")  # positions are code points, not UTF-16
    page.get_by_label("It is").select_option(label="a document")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("mark")).to_have_count(1)
    expect(page.locator("mark")).to_have_text("li.ming@qq.com")
    expect(page.get_by_text("write to ⟨EMAIL_1⟩")).to_be_visible()
    page.locator(".tried-hits li").focus()
    expect(page.locator("mark.hit-pointed")).to_have_count(1)
    page.get_by_role("button", name="A harmless question").click()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    text.fill("<img src=x onerror=alert(1)> li.ming@qq.com")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".tried-text")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator(".tried img").count() == 0


def test_the_figures_of_each_check_are_shown(studio: "Callable[..., Page]") -> None:
    from playwright.sync_api import expect

    page = studio("#/settings/guard", language="zh")
    injection = page.get_by_role("region", name="提示注入", exact=True)
    expect(injection.get_by_role("row", name="召回率")).to_contain_text("%")
    expect(injection).to_contain_text("没有向量模型时只使用规则")
    expect(page.get_by_role("region", name="敏感词", exact=True)).to_contain_text("HarmBench")
    pictures = page.get_by_role("region", name="图片安全", exact=True)
    expect(pictures.get_by_role("row", name="无害图片被拦截")).to_contain_text("%")
    expect(pictures).to_contain_text("检出率未测量")
    expect(pictures).to_contain_text("未经检查")


def test_a_rule_of_labels_is_changed_and_the_file_keeps_its_comments(own_server: Served, guarded: Any) -> None:
    from playwright.sync_api import expect

    page = guarded.open(own_server, "#/settings/labels")
    rule = page.get_by_label("Regime")
    expect(rule.locator("option:checked")).to_have_text("China")
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    rule.select_option(label="European Union")
    save.click()
    expect(page.get_by_text("Saved; it holds from now on.")).to_be_visible()
    assert _settings(own_server) == OWN.replace('"cn"', '"eu"')
    page = guarded.open(own_server, "#/settings/general", language="zh")
    page.get_by_label("内存预算").fill("2.5")
    page.get_by_label("离线").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存，立即生效。")).to_be_visible()
    assert "memory_budget_bytes = 2500000000\noffline = true\n" in _settings(own_server)
    page.goto(f"{own_server.url}/#/models")
    expect(page.get_by_text("离线").first).to_be_visible()


def test_a_policy_is_changed_tried_and_put_back(
    own_server: Served, guarded: Any, check_axe: "Callable[[Page], None]"
) -> None:
    from playwright.sync_api import expect

    page = guarded.open(own_server, "#/settings/guard")
    personal = page.get_by_role("region", name="Personal data", exact=True)
    personal.get_by_role("button", name="Policy").click()
    drawer = page.get_by_role("dialog")
    drawer.wait_for()
    check_axe(page)
    drawer.get_by_label("Own action").select_option(label="block")
    drawer.get_by_role("button", name="Save").click()
    expect(personal).to_contain_text("changed")
    assert _settings(own_server) == OWN + '\n[checks.personal_data]\nown_action = "block"\n'
    page.get_by_label("Text", exact=True).fill("li.ming@qq.com")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("It would be blocked")).to_be_visible()
    personal.get_by_role("button", name="Policy").click()
    drawer.get_by_role("button", name="Back to the defaults").click()
    expect(personal).not_to_contain_text("changed")
    terms = page.get_by_role("region", name="Sensitive terms", exact=True)
    terms.get_by_role("button", name="Policy").click()
    drawer.get_by_label("Self-harm", exact=False).first.select_option(label="note")
    drawer.get_by_role("button", name="Save").click()
    expect(terms).to_contain_text("changed")
    assert "[checks.sensitive_terms.actions]" in _settings(own_server)


def test_the_first_key_signs_its_maker_in_and_keys_are_ended(own_server: Served, guarded: Any) -> None:
    from playwright.sync_api import expect

    guarded.expected.append("status of 401")
    page = guarded.open(own_server, "#/settings/keys")
    page.get_by_role("button", name="Make the first key").click()
    page.get_by_role("dialog").get_by_label("Name").fill("boss")
    page.keyboard.press("Enter")
    secret = page.locator(".secret code").inner_text()
    assert secret.startswith("ink-")
    page.keyboard.press("Escape")
    expect(page.locator(".secret")).to_be_visible()  # not by accident
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("row", name="boss")).to_contain_text("yours")
    page.reload()
    expect(page.get_by_role("row", name="boss")).to_be_visible()
    assert secret not in page.content()

    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ann")
    dialog.get_by_label("Tokens a day").fill("5000")
    dialog.get_by_role("button", name="Make it").click()
    ann = page.locator(".secret code").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("row", name="ann")).to_contain_text("5,000 tokens a day")
    page.set_viewport_size({"width": 360, "height": 740})
    soon(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= 360)
    page.set_viewport_size({"width": 1280, "height": 800})

    other = guarded.open(own_server, "#/settings")
    other.get_by_label("Your key").fill(ann)
    other.keyboard.press("Enter")
    expect(other.get_by_role("tab")).to_have_text(["General", "Checks"])
    other.goto(f"{own_server.url}/#/models")
    expect(other.locator(".model").first).to_be_visible()
    assert other.get_by_role("button", name="Load now").count() == 0

    page.get_by_role("button", name="More for ann").click()
    page.get_by_role("menuitem", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name="ann")).to_contain_text("revoked")
    page.get_by_role("button", name="More for boss").click()
    page.get_by_role("menuitem", name="Revoke").click()
    expect(page.get_by_role("dialog")).to_contain_text("signed in with")
    guarded.expected.append("status of 400")
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator(".toast-bad")).to_contain_text("This is the last key of an admin.")


@pytest.mark.parametrize("late", [False, True], ids=["before the sign-in", "after the sign-in"])
def test_a_call_that_the_first_key_outran_signs_nobody_out(own_server: Served, guarded: Any, late: bool) -> None:
    """It was sent while nobody needed a key, and is refused when everybody does."""
    guarded.expected.append("status of 401")
    page = guarded.open(own_server, "#/settings/keys")
    page.get_by_role("button", name="Make the first key").click()
    page.get_by_role("dialog").get_by_label("Name").fill("boss")
    refused = "import('/web/core/api.js').then((api) => { window.answer = api.get('/api/v1/models').catch(() => {}); })"
    held: list[Any] = []
    page.route("**/api/v1/models", lambda route: held.append(route))
    page.evaluate(refused)
    soon(page, lambda: held)
    if not late:
        page.route("**/api/v1/session", lambda route: (page.wait_for_timeout(500), route.continue_()))
    page.keyboard.press("Enter")
    page.locator(".secret code").wait_for()
    if late:
        page.get_by_role("button", name="boss, admin").wait_for()
    held[0].fulfill(status=401, json={"error": {"message": "no", "type": "authentication_error", "code": "no_key"}})
    page.evaluate("window.answer")
    page.get_by_role("button", name="boss, admin").wait_for()
    page.get_by_role("dialog", name="Sign in again").wait_for(state="detached")
    page.get_by_role("button", name="I have kept it").click()
    page.get_by_role("row", name="boss").get_by_text("yours").wait_for()


def test_a_backup_is_made_and_taken_away(own_server: Served, guarded: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = guarded.open(own_server, "#/settings/backup")
    page.get_by_role("button", name="Make a backup").click()
    expect(page.get_by_text("The backup is ready")).to_be_visible(timeout=LONG)
    page.reload()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    with zipfile.ZipFile(file) as archive:
        names = {member["name"] for member in json.loads(archive.read("backup.json"))["members"]}
    assert {"records.sqlite", "settings.toml"} <= names
    page.get_by_role("button", name="Remove it from the server").click()
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    assert not list((own_server.data_dir / "backups").glob(".download-*"))


def test_the_audit_log_lists_deeds_the_last_first_and_page_after_page(own_server: Served, guarded: "Guarded") -> None:
    with own_server.client() as client:
        for number in range(60):
            name = f"app_{number}"
            assert client.post("/api/v1/apps/poem/copy", json={"name": name}).status_code == 201
    page = guarded.open(own_server, "#/settings/audit")
    rows = page.locator(".table tbody tr")
    rows.nth(49).wait_for()
    soon(rows, lambda: "saved an app" in rows.first.inner_text())
    soon(rows, lambda: "app_59" in rows.first.inner_text())
    page.get_by_role("button", name="Older").click()
    rows.nth(59).wait_for()
    subjects = page.locator(".table tbody code").all_inner_texts()
    assert [name for name in subjects if name] == [f"app_{number}" for number in reversed(range(60))]
    assert page.get_by_role("button", name="Older").count() == 0
