"""Create: answers that stream and stop, branches, reloads in the middle, two tabs, seals; against the fake model."""

import re
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from browser.creating import answer, box, choose_echo, created, say, sealed
from browser.waiting import soon
from serving import Served, create_key, serving, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

BELOW = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
LONG = " ".join(f"word{number}" for number in range(900))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose fake writes 100 tokens a second."""
    settings = "[backends.echo]\nseconds_per_token = 0.01\n"
    with serving(tmp_path_factory.mktemp("slow") / "data", settings=settings) as found:
        yield found


def _coming(page: "Page", words: str) -> None:
    page.locator(".turn-answer[aria-busy=true] .prose", has_text=words).wait_for()


def test_an_answer_streams_is_labelled_and_sealed(guarded: Any, slow: Served) -> None:
    page = created(guarded, slow)
    say(page, LONG[:4000])  # five seconds, in which its parts are looked at
    _coming(page, "word3")
    soon(page, lambda: page.get_by_role("button", name="Stop").is_visible())
    soon(page, lambda: page.locator(".turn-answer .label").inner_text() == "AI-generated (AI生成)")
    sealed(page, seconds=60)
    soon(page, lambda: answer(page).inner_text() == LONG[:4000].strip())
    soon(page, lambda: page.locator(".turn-answer .label").inner_text() == "AI-generated (AI生成)")
    meters = page.locator(".answer-foot .meters").inner_text()
    assert "tokens/s" in meters
    assert "energy" in meters
    soon(page, lambda: page.get_by_role("button", name="Send").is_visible())


def test_stop_keeps_what_came(guarded: Any, slow: Served) -> None:
    page = created(guarded, slow)
    say(page, LONG)
    _coming(page, "word20")
    page.get_by_role("button", name="Stop").click()
    sealed(page)
    shown = answer(page).inner_text()
    assert LONG.startswith(shown)
    assert "word20" in shown
    assert "word899" not in shown
    soon(page, lambda: page.get_by_text("Stopped here.").is_visible())
    kept = httpx2.get(f"{slow.url}/api/v1/artifacts?limit=1").json()["artifacts"][0]
    assert httpx2.get(f"{slow.url}/api/v1/artifacts/{kept['id']}/content").text == shown


def test_editing_and_asking_again_make_branches_that_stay(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    say(page, "first question")
    sealed(page)
    page.locator(".turn-user").hover()
    page.get_by_role("button", name="Edit and ask again").click()
    page.locator(".turn-editing textarea").fill("second question")
    page.get_by_role("button", name="Ask", exact=True).click()
    sealed(page)
    answer(page).get_by_text("second question").wait_for()
    soon(page, lambda: page.locator(".turn-user .forks").inner_text().split() == ["2", "/", "2"])
    page.locator(".turn-user").get_by_role("button", name="Branch before").click()
    answer(page).get_by_text("first question").wait_for()
    page.get_by_role("button", name="Answer again").click()
    page.locator(".turn-answer .forks", has_text="2 / 2").wait_for()
    sealed(page)
    page.locator(".turn-user").get_by_role("button", name="Next branch").click()
    answer(page).get_by_text("second question").wait_for()
    page.reload()
    answer(page).get_by_text("second question").wait_for()
    soon(page, lambda: page.locator(".turn-user .forks").inner_text().split() == ["2", "/", "2"])


def test_a_reload_in_the_middle_goes_on_where_it_was(guarded: Any, slow: Served) -> None:
    page = created(guarded, slow)
    before = len(httpx2.get(f"{slow.url}/api/v1/runs?limit=200").json())
    say(page, LONG)
    _coming(page, "word20")
    asked: list[str] = []
    page.on(
        "request",
        lambda request: (
            asked.append(request.headers.get("last-event-id", "")) if request.url.endswith("/events") else None
        ),
    )
    page.reload()
    _coming(page, "word60")
    assert int(asked[0]) > 5, "the stream is taken up after the events that were shown"
    sealed(page, seconds=60)
    soon(page, lambda: answer(page).inner_text() == LONG)
    runs = httpx2.get(f"{slow.url}/api/v1/runs?limit=200").json()
    assert len(runs) == before + 1, "it was not asked twice"
    assert runs[0]["status"] == "finished", "nor stopped"


def test_an_answer_that_the_server_took_down_with_it_says_so(guarded: Any, tmp_path: Any) -> None:
    guarded.expected += ["Failed to load resource", "ERR_"]
    slow = "[backends.echo]\nseconds_per_token = 0.05\n"
    with serving(tmp_path / "data", settings=slow) as first:
        page = created(guarded, first)
        say(page, LONG)
        _coming(page, "word5")
        first.process.kill()
        first.process.wait()
        page.wait_for_timeout(500)
        with serving(tmp_path / "data", "--port", str(first.port), settings=slow):
            page.get_by_text("The server was stopped while it answered.").wait_for()
            say(page, "and again")
            sealed(page)
            soon(page, lambda: answer(page, 1).inner_text() == "and again")
            page.close()


def test_the_thread_follows_new_words_after_it_could_not_be_loaded(guarded: Any, served: Served) -> None:
    guarded.expected.append("status of 500")
    page = created(guarded, served)
    say(page, "a short question")
    sealed(page)
    page.route("**/api/v1/conversations/*", lambda route: route.fulfill(status=500, json={}), times=1)
    page.reload()
    page.get_by_role("button", name="Try again").click()
    sealed(page)
    say(page, "\n".join(f"Line {number}, which is nothing but long enough.\n" for number in range(45)))
    sealed(page, 2)
    soon(page, lambda: page.locator(".thread").evaluate(BELOW) < 80)


def test_another_device_finds_the_conversation_and_what_is_running(guarded: Any, slow: Served) -> None:
    page = created(guarded, slow)
    choose_echo(page, max_tokens=4000)
    page.reload()
    text = " ".join(f"word{number}" for number in range(3000))  # half a minute, in which the other one has to come
    say(page, text)
    _coming(page, "word5")
    where = "#" + page.url.split("#")[1]
    other = guarded.open(slow, where)
    _coming(other, "word60")
    soon(other, lambda: other.locator("[aria-busy=true] .label").inner_text() == "AI-generated (AI生成)")
    other.get_by_role("button", name="Stop").click()
    sealed(page)
    sealed(other)
    assert text.startswith(answer(other).inner_text())
    soon(other, lambda: answer(other).inner_text() == answer(page).inner_text())


def test_two_tabs_destroy_nothing_of_each_other(guarded: Any, served: Served) -> None:
    one = created(guarded, served)
    say(one, "shared beginning")
    sealed(one)
    two = guarded.tab(one.context, served, "#" + one.url.split("#")[1])
    sealed(two)
    box(one).fill("draft of the first tab")
    box(two).fill("draft of the second tab")
    one.wait_for_timeout(400)
    one.reload()
    two.reload()
    sealed(one)
    soon(one, lambda: box(one).input_value() == "draft of the first tab")
    soon(two, lambda: box(two).input_value() == "draft of the second tab")
    box(one).press("Enter")
    sealed(one, 2)
    two.locator(".turn-user", has_text="draft of the first tab").wait_for()
    soon(two, lambda: box(two).input_value() == "draft of the second tab")
    where = f"{served.url}/api/v1/conversations/{one.url.split('/')[-1]}"
    soon(one, lambda: len(httpx2.get(where).json()["turns"]) == 4)


def test_a_draft_outlives_a_reload(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    box(page).fill("not yet sent")
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": "笔记 of mine".encode()}
    )
    page.locator(".composer .chip", has_text="notes.txt").wait_for()
    page.reload()
    soon(page, lambda: box(page).input_value() == "not yet sent")
    soon(page, lambda: page.locator(".composer .chip").inner_text().startswith("notes.txt"))


def test_a_file_is_a_document_and_no_instruction(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Tea is 80 degrees."}
    )
    page.locator(".composer .chip").wait_for()
    with page.expect_request("**/api/v1/generate/text") as asked:
        say(page, "How hot is tea?")
    parts = asked.value.post_data_json["messages"][0]["parts"]
    assert [part["origin"] for part in parts] == ["document", "user"]
    assert "Tea is 80 degrees." in parts[0]["text"]
    sealed(page)
    soon(page, lambda: page.locator(".bubble .chip").inner_text().startswith("notes.txt"))
    page.locator("input[type=file]").set_input_files(
        {"name": "x.bin", "mimeType": "application/octet-stream", "buffer": b"\0\1"}
    )
    page.get_by_text("Not text, or too large: x.bin").wait_for()


def test_the_seal_opens_a_proved_story(guarded: Any, served: Served, check_axe: "Callable[[Page], None]") -> None:
    page = created(guarded, served)
    say(page, "seal this")
    sealed(page)
    page.locator(".seal").click()
    story = page.locator(".story")
    story.get_by_text("The seal holds").wait_for()
    artifact = httpx2.get(f"{served.url}/api/v1/artifacts?limit=1").json()["artifacts"][0]
    signed = httpx2.get(f"{served.url}/api/v1/artifacts/{artifact['id']}").json()
    shown = story.inner_text()
    assert signed["manifest"]["prompt"]["value"][:16] in shown
    assert str(signed["manifest"]["seed"]) in shown
    assert "Signed by this installation" in shown
    assert "Personal data" in shown
    assert "nothing found" in shown
    check_axe(page)
    story.get_by_text("Manifest, as it was signed").click()
    soon(story, lambda: signed["signature"]["value"] in story.locator("pre").inner_text())
    with page.expect_download() as saved:
        story.get_by_role("button", name="Markdown").click()
    text = saved.value.path().read_text()
    assert "AI-generated (AI生成)" in text
    page.keyboard.press("Escape")
    page.locator(".seal:focus").wait_for()


def test_a_broken_seal_says_so(guarded: Any, tmp_path: Any) -> None:
    with serving(tmp_path / "data") as own:
        page = created(guarded, own)
        say(page, "to be changed")
        sealed(page)
        artifact = httpx2.get(f"{own.url}/api/v1/artifacts?limit=1").json()["artifacts"][0]
        found = [path for path in (own.data_dir / "artifacts").rglob("*") if path.name.endswith(artifact["sha256"][4:])]
        path = found[0] if found else next(p for p in (own.data_dir / "artifacts").rglob("*") if p.is_file())
        path.chmod(0o600)
        path.write_bytes(b"something else")
        page.locator(".seal").click()
        page.locator(".story", has_text="The seal is broken").wait_for()
        soon(page, lambda: "its content was changed" in page.locator(".story").inner_text())


def test_a_structured_answer_is_a_tree_that_fits(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    page.get_by_role("button", name="How it answers").click()
    page.get_by_role("switch", name="Structured answer").click()
    schema = page.get_by_label("JSON schema")
    schema.fill('{"type": "objekt"}')
    page.get_by_text('There is no type "objekt".').wait_for()
    schema.fill(
        '{"type":"object","properties":{"name":{"type":"string","minLength":3},"n":{"type":"integer"}},"required":["name","n"]}'
    )
    page.keyboard.press("Escape")
    with page.expect_request("**/api/v1/generate/text") as asked:
        say(page, "structured please")
    assert asked.value.post_data_json["constraint"]["json_schema"]["required"] == ["name", "n"]
    sealed(page)
    page.get_by_text("Fits the schema").wait_for()
    soon(page, lambda: page.locator(".tree .tree-name").all_inner_texts() == ["name", "n"])
    page.get_by_role("tab", name="JSON").click()
    soon(page, lambda: '"n": 0' in page.locator(".structured .code pre").inner_text())


def test_tool_calls_are_shown_and_can_be_answered(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    tool = {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    choose_echo(page, tools=[tool])
    page.reload()
    say(page, "call weather")
    page.locator(".tool", has_text="asked for, not run").wait_for()
    soon(page, lambda: "city" in page.locator(".tool .tree").inner_text())
    page.get_by_role("button", name="Give its result").click()
    page.get_by_label("What the tool gave").fill("sunny")
    with page.expect_request("**/api/v1/generate/text") as asked:
        page.get_by_role("button", name="Go on").click()
    messages = asked.value.post_data_json["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[2]["tool_call_id"] == messages[1]["tool_calls"][0]["id"]


def test_a_blocked_or_impossible_answer_says_why(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    choose_echo(page, model="tiny")  # which is not here
    page.reload()
    box(page).wait_for()
    say(page, "hello")
    page.locator(".note-bad", has_text="No answer").wait_for()
    soon(page, lambda: page.get_by_role("button", name="Answer again").is_visible())
    page.reload()
    page.locator(".note-bad", has_text="No answer").wait_for()


def test_who_signs_out_leaves_nothing_for_the_next(guarded: Any, tmp_path: Any) -> None:
    guarded.expected += ["401"]
    ann, bob = (create_key(tmp_path / "data", name)["key"] for name in ("ann", "bob"))
    slow = "[backends.echo]\nseconds_per_token = 0.05\n"
    with serving(tmp_path / "data", settings=slow) as own:
        page = guarded.open(own, "#/create")

        def sign_in(key: str) -> None:
            page.get_by_label("Your key").fill(key)
            page.keyboard.press("Enter")
            page.get_by_role("navigation").first.wait_for()
            page.goto(f"{own.url}/#/create")
            box(page).wait_for()

        sign_in(ann)
        choose_echo(page, system="a secret rule")
        page.reload()
        say(page, "a secret question " * 40)
        _coming(page, "secret")
        box(page).fill("a secret draft")
        page.get_by_role("button", name="ann, creator").click()
        page.get_by_role("menuitem", name="Sign out").click()
        page.get_by_label("Your key").wait_for()
        page.wait_for_timeout(400)
        assert "secret" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        sign_in(bob)
        page.wait_for_timeout(300)
        assert "secret" not in page.content()
        assert "secret" not in box(page).input_value()
        page.close()


def test_conversations_are_listed_renamed_and_deleted(guarded: Any, served: Served) -> None:
    word = secrets.token_hex(4)  # the server is shared: what a first try left has another name
    page = created(guarded, served)
    say(page, f"# A title to be read {word}\nmore")
    sealed(page)
    entry = page.locator(".conversation", has_text=f"A title to be read {word}")
    entry.get_by_role("button", name=re.compile("^Options")).click()
    page.get_by_role("menuitem", name="Rename").click()
    after = f"Another title {word}"
    page.get_by_role("textbox", name="Title").fill(after)
    page.keyboard.press("Enter")
    page.locator("h1", has_text=after).wait_for()
    number = page.url.split("/")[-1]
    wait_until(
        lambda: httpx2.get(f"{served.url}/api/v1/conversations/{number}").json()["conversation"]["title"] == after
    )
    page.locator(".conversation", has_text=after).get_by_role("button").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("What shall we make?").wait_for()
    assert httpx2.get(f"{served.url}/api/v1/conversations/{number}").status_code == 404


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_an_answered_page_keeps_nobody_out(
    guarded: Any, served: Served, check_axe: "Callable[[Page], None]", language: str, theme: str
) -> None:
    page = created(guarded, served, language=language, theme=theme)
    say(page, "**茶**\n\n```python\nx = 1\n```\n\n|a|b|\n|-|-|\n|1|2|\n\n$x^2$")
    sealed(page)
    page.locator(".code-number").wait_for()
    check_axe(page)
    soon(page, lambda: page.locator("h1").count() == 1)
    soon(
        page,
        lambda: ("AI生成" if language == "zh" else "AI-generated") in page.locator(".turn-answer .label").inner_text(),
    )


def test_the_keyboard_is_enough(guarded: Any, served: Served) -> None:
    page = created(guarded, served)
    page.locator("body").click(position={"x": 2, "y": 2})
    page.evaluate("document.activeElement.blur()")

    def walk(name: str) -> None:
        for _ in range(400):  # past the conversations of the tests before
            page.keyboard.press("Tab")
            if (
                page.evaluate(
                    "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()"
                )
                == name
            ):
                return
        raise AssertionError(f"{name} cannot be reached")

    walk("Your question")
    page.keyboard.type("typed alone")
    page.keyboard.press("Enter")
    sealed(page)
    walk("Seal: how this was made")
    page.keyboard.press("Enter")
    page.get_by_text("The seal holds").wait_for()
    page.keyboard.press("Escape")
    walk("Answer again")
    page.keyboard.press("Enter")
    page.locator(".turn-answer .forks", has_text="2 / 2").wait_for()
    sealed(page)
    walk("Branch before")
    page.keyboard.press("Enter")
    page.locator(".turn-answer .forks", has_text="1 / 2").wait_for()
