"""Create: what somebody writes stays theirs, in its place, whatever other tabs, slow files and broken ways do."""

import re
import secrets
from typing import TYPE_CHECKING, Any

import httpx2

from browser.creating import answer, box, created, say, sealed
from browser.waiting import soon
from serving import Served, create_key, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def _conversation(served: Served, page: "Page", where: str = "") -> dict[str, Any]:
    """Returns a conversation, the open one when absent, as the server has it."""
    number = (where or page.url).split("/")[-1]
    found: dict[str, Any] = httpx2.get(f"{served.url}/api/v1/conversations/{number}").json()
    return found


def _begun(page: "Page", words: str) -> str:
    """Begins a conversation, waits for its answer, and returns its address."""
    page.get_by_role("button", name="New conversation").first.click()
    page.get_by_text("What shall we make?").wait_for()
    say(page, words)
    sealed(page)
    return "#" + page.url.split("#")[1]


def _rename(page: "Page", before: str, after: str) -> None:
    page.locator(".conversation", has_text=before).get_by_role("button").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="Title").fill(after)
    page.keyboard.press("Enter")


COMPOSING = (
    "(box) => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', isComposing: true, bubbles: true}))"
)
# The keys of a text in one go: the driver's own come as far apart as a busy machine lets them.
TYPED = (
    "(box, text) => [...text].forEach((key) =>"
    " { box.value += key; box.dispatchEvent(new Event('input', {bubbles: true})); })"
)


def test_starts_slow_files_and_chinese_take_no_written_words(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    where = _begun(page, "an earlier conversation")
    page.locator(".turn-user").hover()
    page.get_by_role("button", name="Edit and ask again").click()
    editor = page.locator(".turn-editing textarea")
    editor.fill("half edited")
    editor.evaluate(COMPOSING)
    page.locator(".conversation", has_text="an earlier conversation").first.get_by_role("button").click()
    page.get_by_role("menuitem", name="Rename").click()
    title = page.get_by_role("textbox", name="Title")
    title.evaluate(COMPOSING)
    page.wait_for_timeout(100)
    assert title.is_visible()
    title.press("Escape")
    soon(page, lambda: editor.input_value() == "half edited")
    editor.press("Escape")
    editor.wait_for(state="detached")

    page.get_by_role("button", name="New conversation").first.click()
    for start in ("Explain", "Plan"):
        page.locator(".welcome-start", has_text=start).click()
    soon(page, lambda: "weekend" in box(page).input_value())
    box(page).fill("my own words")
    page.locator(".welcome-start", has_text="Explain").click()
    page.goto(f"{served.url}/{where}")
    sealed(page)
    soon(page, lambda: box(page).input_value() == "")
    box(page).fill("a thought for later")
    page.get_by_role("button", name="New conversation").first.click()
    page.get_by_text("What shall we make?").wait_for()
    soon(page, lambda: box(page).input_value() == "my own words")
    page.goto(f"{served.url}/{where}")
    sealed(page)
    soon(page, lambda: box(page).input_value() == "a thought for later")

    slow = "() => { const read = Blob.prototype.arrayBuffer; Blob.prototype.arrayBuffer = function () {"
    slow += " return new Promise((done) => { window.release = () => done(read.call(this)); }); }; }"
    page.evaluate(slow)
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": "茶 tea".encode()}
    )
    soon(page, lambda: page.evaluate("!!window.release"))
    box(page).fill("typed while the file was read")
    page.evaluate("window.release()")
    soon(page, lambda: "5 characters" in page.locator(".composer .chip").inner_text())
    assert box(page).input_value() == "typed while the file was read"


def test_a_conversation_that_is_not_here_takes_nothing(guarded: Any, served: Served) -> None:
    guarded.expected += ["status of 404"]
    page = created(guarded, served)
    say(page, "the only beginning")
    sealed(page)
    where = "#" + page.url.split("#")[1]
    held: list[Route] = []
    page.goto(f"{served.url}/#/gallery")
    page.route(re.compile(r"/api/v1/conversations/\w{26}$"), lambda route: held.append(route))
    page.goto(f"{served.url}/{where}")
    page.reload()
    box(page).fill("asked too early")
    box(page).press("Enter")
    soon(page, lambda: page.get_by_role("button", name="Send").is_disabled())
    assert page.get_by_role("button", name="Picture").is_disabled()
    assert page.get_by_role("button", name="How it answers").is_disabled()
    assert box(page).input_value() == "asked too early"
    soon(page, lambda: held)
    assert {route.request.method for route in held} == {"GET"}
    held[-1].continue_()
    page.unroute_all()
    sealed(page)
    box(page).press("Enter")
    sealed(page, 2)
    found = _conversation(served, page)
    assert found["conversation"]["title"] == "the only beginning"
    assert [turn["parent"] for turn in found["turns"]].count(None) == 1

    nobody = "0" * 26
    page.goto(f"{served.url}/#/create/{nobody}")
    page.locator("main").get_by_role("alert").wait_for()
    assert page.get_by_label("Model", exact=True).is_disabled()
    box(page).fill("into nothing")
    box(page).press("Enter")
    page.wait_for_timeout(600)
    assert httpx2.get(f"{served.url}/api/v1/conversations/{nobody}").status_code == 404


def test_what_one_tab_does_to_a_conversation_the_other_knows(guarded: Any, served: Served) -> None:
    guarded.expected += ["status of 404"]
    one = created(guarded, served)
    word = secrets.token_hex(4)  # the server is shared: what a first try left has another name
    shared, renamed = f"the shared one {word}", f"renamed from afar {word}"
    where = _begun(one, shared)
    other = _begun(one, "something else")
    two = guarded.tab(one.context, served, where)
    sealed(two)
    two.get_by_role("button", name="How it answers").click()
    two.get_by_label("System prompt").fill("Answer in verse.")
    two.keyboard.press("Escape")
    soon(two, lambda: _conversation(served, two)["conversation"]["settings"].get("system") == "Answer in verse.")
    _rename(one, shared, renamed)
    two.locator("h1", has_text=renamed).wait_for()
    soon(two, lambda: _conversation(served, two)["conversation"]["title"] == renamed)
    kept = _conversation(served, two)["conversation"]["settings"]
    assert kept == {"model": "echo", "system": "Answer in verse."}, "its settings are not the renaming page's business"
    two.get_by_role("button", name="Picture").click()
    soon(two, lambda: _conversation(served, two)["conversation"]["settings"].get("makes") == "image")
    assert _conversation(served, two)["conversation"]["title"] == renamed
    two.get_by_role("button", name="Picture").click()
    one.goto(f"{served.url}/{where}")
    one.locator("h1", has_text=renamed).wait_for()
    one.goto(f"{served.url}/{other}")
    box(two).fill("not yet sent")
    one.locator(".conversation", has_text=renamed).get_by_role("button").click()
    one.get_by_role("menuitem", name="Delete").click()
    one.get_by_role("button", name="Delete").click()
    two.locator("main").get_by_role("alert").wait_for()
    two.locator(".conversation", has_text=renamed).wait_for(state="detached")
    box(two).press("Enter")
    assert box(two).input_value() == "not yet sent"
    two.wait_for_timeout(600)
    assert httpx2.get(f"{served.url}/api/v1/conversations/{where.split('/')[-1]}").status_code == 404


def test_what_the_way_to_the_server_loses_is_told_and_asked_again(guarded: Any, served: Served) -> None:
    guarded.expected += ["status of 503", "status of 504"]
    page = created(guarded, served)
    told: list[str] = []
    keys: list[str] = []

    def busy(route: "Route") -> None:
        told.append(route.request.method)
        if len(told) > 1:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"retry-after": "1"}, json={"error": {"code": "busy", "message": "busy"}})

    def lost(route: "Route") -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
        else:
            route.fulfill(status=504, content_type="text/html", body="<h1>Gateway Time-out</h1>")

    page.route("**/api/v1/generate/text", lost)
    say(page, "through a bad proxy")
    sealed(page)
    soon(page, lambda: answer(page).inner_text() == "through a bad proxy")
    assert keys[0] == keys[1], "the same question, so that no second run is begun"
    soon(page, lambda: len(_conversation(served, page)["turns"]) == 2)
    page.unroute_all()

    page.route(re.compile(r"/api/v1/conversations/\w{26}$"), busy)
    page.get_by_role("button", name="How it answers").click()
    prompt = page.get_by_label("System prompt")
    prompt.evaluate(TYPED, "You are brief and kind.")
    soon(
        page, lambda: _conversation(served, page)["conversation"]["settings"].get("system") == "You are brief and kind."
    )
    assert told == ["PATCH", "PATCH"], "refused once, and not told at every key"
    page.unroute_all()
    prompt.press_sequentially(" Always.")
    where = page.url
    page.goto(f"{served.url}/health/live")  # before the pause is over
    kept = "You are brief and kind. Always."
    soon(page, lambda: _conversation(served, page, where)["conversation"]["settings"]["system"] == kept)


def test_a_conversation_that_is_left_while_it_waits_for_a_place_finds_its_answer(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    held: list[Route] = []
    page.route("**/api/v1/generate/text", lambda route: held.append(route))
    say(page, "left in the queue")
    soon(page, lambda: held)
    where = "#" + page.url.split("#")[1]
    page.get_by_role("button", name="New conversation").first.click()
    page.get_by_text("What shall we make?").wait_for()
    with page.expect_request("**/turns/*") as told:
        held[0].continue_()
    assert told.value.post_data_json["run_id"]
    elsewhere = guarded.open(served, where)
    sealed(elsewhere)
    soon(elsewhere, lambda: answer(elsewhere).inner_text() == "left in the queue")


def test_one_persons_words_reach_nobody_else(guarded: Any, tmp_path: Any) -> None:
    guarded.expected += ["401"]
    ann, bob = (create_key(tmp_path / "data", name)["key"] for name in ("ann", "bob"))
    with serving(tmp_path / "data", settings="[backends.echo]\nany_model = true\n") as own:
        page = guarded.open(own, "#/create")

        def sign_in(where: "Page", key: str) -> None:
            where.get_by_label("Your key").fill(key)
            where.keyboard.press("Enter")
            where.locator("dialog[open]").wait_for(state="detached")
            box(where).wait_for()

        def left(where: "Page") -> str:
            found = where.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
            return str(found) + where.content() + box(where).input_value()

        sign_in(page, ann)
        box(page).fill("a secret of ann")
        page.wait_for_timeout(400)
        page.context.clear_cookies()
        page.close()  # and nobody was there when the session ended
        page = guarded.tab(page.context, own, "#/create")
        sign_in(page, bob)
        assert "a secret of ann" not in left(page)

        box(page).fill("a secret of bob")
        page.context.clear_cookies()
        page.evaluate("import('/web/core/api.js').then((api) => api.get('/api/v1/models')).catch(() => {})")
        page.get_by_role("dialog", name="Sign in again").wait_for()
        sign_in(page, ann)
        page.get_by_role("button", name="ann, creator").wait_for()
        page.wait_for_timeout(400)
        assert "a secret of bob" not in left(page)

        other = guarded.tab(page.context, own, "#/create")
        box(other).fill("more of ann")
        page.get_by_role("button", name="ann, creator").click()
        page.get_by_role("menuitem", name="Sign out").click()
        other.get_by_role("heading", name="Inkseal").wait_for()
        sign_in(page, bob)
        other.get_by_role("button", name="bob, creator").wait_for()
        assert "more of ann" not in left(other)
        page.context.close()
