"""Signing in with a key: where it is kept (nowhere), what happens when it dies, and who may see what."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from browser.waiting import soon
from serving import Served, command, create_key, serving, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Guarded

REFUSED = "status of 401"


class House(NamedTuple):
    served: Served
    ann: dict[str, Any]
    eye: dict[str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data_dir = tmp_path_factory.mktemp("session") / "data"
    ann, eye = create_key(data_dir, "ann"), create_key(data_dir, "eye", "viewer")
    with serving(data_dir, settings="[backends.echo]\nany_model = true\n") as served:
        yield House(served, ann, eye)


def _sign_in(page: "Page", key: str) -> None:
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")


def test_a_key_opens_the_studio_and_is_kept_nowhere(house: House, guarded: "Guarded") -> None:
    guarded.expected.append(REFUSED)
    page = guarded.open(house.served, "#/parts")
    assert page.get_by_role("navigation").count() == 0
    _sign_in(page, house.ann["key"][:-2])
    page.get_by_role("alert").get_by_text("This key opens nothing").wait_for()
    _sign_in(page, "密钥")
    page.get_by_role("alert").get_by_text("not a key").wait_for()
    _sign_in(page, house.ann["key"])
    page.get_by_role("heading", name="Parts").wait_for()
    page.reload()
    page.get_by_role("heading", name="Parts").wait_for()
    found = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    secret = house.ann["key"].split("-", 2)[2]
    assert secret not in found + page.content()
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert secret not in json.dumps(cookie)


def test_signing_out_leaves_nothing_for_the_next_person(house: House, guarded: "Guarded") -> None:
    guarded.expected.append(REFUSED)
    page = guarded.open(house.served, "#/start")
    _sign_in(page, house.ann["key"])
    page.get_by_label("Your question").fill("a secret plan")
    page.evaluate("sessionStorage['inkseal.draft.of_a_page'] = 'a secret plan, in this tab alone'")
    page.get_by_role("button", name="ann, creator").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("Your key").wait_for()
    left = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "secret plan" not in left
    assert "inkseal.draft." not in left
    assert page.context.cookies() == []


def test_fault_48_a_revoked_key_ends_the_session_and_what_was_written_stays(house: House, guarded: "Guarded") -> None:
    guarded.expected.append(REFUSED)
    brief = create_key(house.served.data_dir, "brief")
    page = guarded.open(house.served, "#/start")
    _sign_in(page, brief["key"])
    page.get_by_label("Your question").fill("half a thought")
    assert command(house.served.data_dir, "keys", "revoke", brief["id"]).returncode == 0
    page.evaluate("import('/web/core/api.js').then((api) => api.get('/api/v1/models')).catch(() => {})")
    window = page.get_by_role("dialog", name="Sign in again")
    window.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")  # a second Escape closes what refused the first, unless it is shown again
    window.wait_for()
    soon(page, lambda: page.locator(".start-ask textarea").input_value() == "half a thought")
    assert page.context.cookies() == [] or page.evaluate("fetch('/api/v1/session').then((r) => r.status)") == 401
    page.get_by_label("Your key").fill(brief["key"])
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("This key opens nothing").wait_for()
    _sign_in(page, house.ann["key"])
    window.wait_for(state="detached")
    page.get_by_role("button", name="ann, creator").wait_for()
    soon(page, lambda: page.locator(".start-ask textarea").input_value() == "")  # of another person


def test_fault_48_too_many_wrong_keys_are_told_to_wait_and_the_right_one_opens(
    guarded: "Guarded", tmp_path_factory: Any
) -> None:
    guarded.expected += [REFUSED, "status of 429"]
    data_dir = tmp_path_factory.mktemp("guesses") / "data"
    right = create_key(data_dir, "ann")
    # One a minute: of more, one would be forgiven again while a slow machine gets from the guesses to the page.
    with serving(data_dir, settings="[serve]\nwrong_keys_per_minute = 1\n") as served:
        page = guarded.open(served)
        with served.client() as client:
            statuses = {
                client.post("/api/v1/session", headers={"X-Api-Key": f"ink-{number}-x"}).status_code
                for number in range(40)
            }
        assert statuses == {401, 429}
        _sign_in(page, "ink-none-wrong")
        page.get_by_role("alert").get_by_text("Too many wrong keys").wait_for()
        _sign_in(page, right["key"])
        page.get_by_role("button", name="ann, creator").wait_for()
        page.context.close()  # before its server is


def test_a_viewer_is_not_offered_what_needs_a_creator(house: House, guarded: "Guarded") -> None:
    guarded.expected.append(REFUSED)
    page = guarded.open(house.served)
    _sign_in(page, house.eye["key"])
    page.get_by_role("button", name="eye, viewer").wait_for()
    page.evaluate("location.hash = '#/start'")
    page.get_by_role("heading", name="Nothing here").wait_for()
    assert page.get_by_role("navigation").get_by_role("link", name="Create").count() == 0


@contextmanager
def _foreign_page(html: str) -> Iterator[str]:
    """Serves a page under another port: of another origin, but of the same site, so that cookies travel."""

    class Talk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Talk) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


def test_fault_43_a_foreign_page_does_nothing_in_the_name_of_who_is_signed_in(house: House, browser: Any) -> None:
    target = f"{house.served.url}/api/v1/generate/text"
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "parts": [{"text": "forged by a page"}]}]})
    attack = f"""<form id=f method=post enctype=text/plain action="{target}">
      <input name='{body[:-1]},"x":"' value='"}}'></form>
    <script>
    const tries = [["no-cors", "text/plain"], ["cors", "application/json"]].map(([mode, type]) =>
      fetch("{target}", {{method: "POST", mode, credentials: "include", headers: {{"content-type": type}},
        body: {body!r}}}).then(async (r) => r.status + (await r.text()), () => "blocked"));
    const runs = "{house.served.url}/api/v1/runs";
    tries.push(fetch(runs, {{credentials: "include"}}).then((r) => r.text(), () => "blocked"));
    Promise.all(tries).then((found) => (document.title = JSON.stringify(found)));
    </script>"""
    with house.served.client(house.ann["key"]) as client:
        before = {run["id"] for run in client.get("/api/v1/runs").json()}
    context = browser.new_context()
    page = context.new_page()
    page.goto(house.served.url)
    _sign_in(page, house.ann["key"])
    page.get_by_role("button", name="ann, creator").wait_for()
    with _foreign_page(attack) as address:
        other = context.new_page()
        other.goto(address)
        soon(other, lambda: other.title().startswith("["))
        assert set(json.loads(other.title())) == {"blocked"}
        with other.expect_response(
            lambda answer: answer.url == target and answer.request.resource_type == "document"
        ) as posted:
            other.evaluate("f.submit()")
        assert posted.value.status in (403, 415)
        framed = context.new_page()
        framed.goto(address)
        framed.evaluate(f"""document.body.innerHTML = '<iframe src="{house.served.url}"></iframe>'""")
        soon(framed, lambda: framed.frames[-1].url.startswith("chrome-error:"))
    context.close()
    with house.served.client(house.ann["key"]) as client:
        assert "forged" not in client.get("/api/v1/artifacts?query=forged").text
        assert {run["id"] for run in client.get("/api/v1/runs").json()} == before


def test_fault_46_what_is_written_in_a_page_writes_no_lines_into_the_log(house: House, guarded: "Guarded") -> None:
    guarded.expected += [REFUSED, "status of 400", "status of 404", "status of 405"]
    page = guarded.open(house.served, "#/trace")
    _sign_in(page, house.ann["key"])
    page.get_by_role("button", name="ann, creator").wait_for()
    evil = "\r\n2026-01-01 00:00:00,000 INFO FORGED \x1b[31mred\x1b[0m\u2028FORGED\u0085FORGED\u202eltr"
    asked = """async (evil) => {
      const api = await import("/web/core/api.js"), path = encodeURIComponent(evil);
      const body = {model: "echo", messages: [{role: "user", parts: [{text: evil}]}]};
      const made = await api.post("/api/v1/generate/text", body);
      const tries = [
        api.get("/api/v1/artifacts/" + path), api.get("/api/v1/artifacts", {query: {query: evil}}),
        api.post("/api/v1/generate/text", {...body, model: evil}), api.get("/api/v1/models/" + path),
        api.put("/api/v1/conversations/" + "0".repeat(26), {title: evil, settings: {}}),
        api.post("/api/v1/collections", {name: evil}), api.get("/last" + path),
      ];
      await Promise.allSettled(tries);
      return made.results[0].text;
    }"""
    assert page.evaluate(asked, evil) == evil  # content is nobody's to change; the log is
    wait_until(lambda: "/last" in house.served.log)
    for line in house.served.log.splitlines():  # splits at every kind of line end
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ (?!FORGED)", line), line
        assert line.isprintable()
    page.goto(f"{house.served.url}/#/create")
    shown = page.locator(".conversation-title", has_text="FORGED")
    shown.wait_for()
    assert shown.locator("*").count() == 0  # words, and nothing else
