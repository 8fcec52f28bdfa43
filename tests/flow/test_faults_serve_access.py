"""Who may call, from where, and what they see. Against a started server that has keys."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from serving import Served, ask, command, create_key, drain, serving, status_of, wait_until

OPEN = {"/", "/health", "/health/live", "/health/ready"}
GENERATE = "/api/v1/generate/text"


class House(NamedTuple):
    """A server with an admin, two people who make things, and one who looks."""

    served: Served
    admin: dict[str, Any]
    ann: dict[str, Any]
    bob: dict[str, Any]
    viewer: dict[str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data_dir = tmp_path_factory.mktemp("access") / "data"
    people = [create_key(data_dir, name, role) for name, role in (("boss", "admin"), ("ann", "creator"))]
    people += [create_key(data_dir, "bob"), create_key(data_dir, "eye", "viewer", "--same-as", people[1]["id"])]
    with serving(data_dir, settings="[serve]\nwrong_keys_per_minute = 100000\n") as served:
        yield House(served, *people)


def _operations(house: House) -> list[tuple[str, str]]:
    with house.served.client(house.admin["key"]) as client:
        document = client.get("/openapi.json").json()
    return [(method.upper(), path) for path, item in document["paths"].items() for method in item]


def _filled(path: str, value: str = "0" * 26) -> str:
    return re.sub(r"\{[^}]+\}", value, path)


# 39: nothing without a key


def test_fault_39_every_route_refuses_without_a_key(house: House) -> None:
    operations = _operations(house)
    assert len(operations) > 15
    aliases = ["/openapi.json", "/docs", "/redoc", "/nothing/here", "/metrics/", "/Metrics"]
    asked = operations + [("GET", path) for path in aliases] + [("OPTIONS", "/metrics"), ("HEAD", "/metrics")]
    with house.served.client() as client:
        for method, path in asked:
            if path in OPEN:
                assert client.request(method, path).status_code == 200
                continue
            for suffix in ("", "/", "?x=1", "%2fhealth", ";/health"):
                answer = client.request(method, _filled(path) + suffix)
                assert answer.status_code == 401, (method, path + suffix, answer.text)
                if method != "HEAD":
                    assert answer.json()["error"], path


def test_fault_39_the_studios_files_are_open_and_hold_nothing_else(house: House) -> None:
    with house.served.client() as client:
        for path in ("/web/app.js", "/web/vendor/preact.js", "/web/styles/tokens.css"):
            assert client.get(path).status_code == 200, path
            assert client.post(path).status_code == 405, path
        for path in ("/web/", "/web/nothing.js", "/web/vendor/vendor.toml", "/web/README.md", "/web/APP.js"):
            assert client.get(path).status_code == 401, path


@pytest.mark.parametrize(
    "path",
    [
        "/web/../metrics",
        "/web/app.js/../../metrics",
        "/web/..%2f..%2fapp.py",
        "/web/%2e%2e/app.py",
        "/health/../metrics",
        "/health/%2e%2e/metrics",
        "/health//metrics",
        "/health/x",
        "//metrics",
        "/metrics/../metrics",
    ],
)
def test_fault_39_the_open_paths_open_nothing_else(house: House, path: str) -> None:
    answer = house.served.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) == 401
    assert b"inkseal_requests" not in answer


def test_fault_39_a_websocket_is_refused(house: House) -> None:
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    answer = house.served.raw(f"GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
    assert status_of(answer) == 401


def test_fault_39_both_headers_carry_a_key(house: House) -> None:
    with house.served.client() as client:
        for headers in ({"Authorization": f"Bearer {house.ann['key']}"}, {"X-Api-Key": house.ann["key"]}):
            assert client.get("/api/v1/session", headers=headers).json()["key_id"] == house.ann["id"]


# 40: keys that are none


def test_fault_40_only_the_whole_key_opens(house: House) -> None:
    key = house.ann["key"]
    wrong = [key[:-1], key + "x", key[:-1] + ("A" if key[-1] != "A" else "B"), key.upper(), f"{key} {key}", key[4:]]
    wrong += ["", "x", "ink-", f"ink-{house.ann['id']}-", "ink--" + key, "' OR 1=1 --", "ink-' OR 1=1 ---x", "é" * 50]
    wrong += ["x" * 20_000]
    with house.served.client() as client:
        for text in wrong:
            for headers in ({"Authorization": f"Bearer {text}"}, {"X-Api-Key": text}):
                raw = {name: value.strip().encode("latin-1") for name, value in headers.items()}
                assert client.get("/api/v1/session", headers=raw).status_code == 401, text[:80]
        for scheme in ("Basic", "Digest", "Token"):
            assert client.get("/api/v1/session", headers={"Authorization": f"{scheme} {key}"}).status_code == 401
    huge = f"GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {'k' * 1_000_000}\r\n\r\n"
    assert status_of(house.served.raw(huge.encode())) == 431


def test_fault_40_only_a_hash_is_kept(house: House) -> None:
    secret = house.ann["key"].split("-", 2)[2].encode()
    for path in house.served.data_dir.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path
    listed = command(house.served.data_dir, "keys", "list", "--json").stdout
    assert secret.decode() not in listed
    assert house.ann["id"] in listed


def test_fault_40_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import hmac

    from inkseal.serve import keys
    from inkseal.serve.keyring import Keyring
    from inkseal.store.store import Store

    compared: list[tuple[str, str]] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    with Store.open(tmp_path) as store:
        _, text = keys.create(store, "x", "creator")
        ring = Keyring(store)
        assert ring.caller_of_key(text) is not None
        for wrong in (text + "x", "ink-nobody-xyz", "nothing", ""):
            assert ring.caller_of_key(wrong) is None
        ring.close()
    # Also an unknown key is hashed and compared, so that time does not tell which ids exist.
    assert len(compared) == 5
    assert all(len(a) == len(b) == 64 for a, b in compared)


def test_a_revoked_key_is_dead_at_once_and_so_is_its_session(house: House) -> None:
    brief = create_key(house.served.data_dir, "brief")
    with house.served.client(brief["key"]) as client:
        assert client.post("/api/v1/session", headers={"Origin": house.served.url}).status_code == 200
        cookie = dict(client.cookies)
        assert client.get("/api/v1/session").status_code == 200
    with house.served.client(cookies=cookie) as browser:
        assert browser.get("/api/v1/session").json()["key_id"] == brief["id"]
        assert command(house.served.data_dir, "keys", "revoke", brief["id"]).returncode == 0
        assert browser.get("/api/v1/session").status_code == 401
    with house.served.client(brief["key"]) as client:
        assert client.get("/api/v1/session").status_code == 401


def test_a_viewer_makes_nothing_and_sees_what_their_person_made(house: House) -> None:
    made = _make(house, house.ann, "what the eye may see")
    with house.served.client(house.viewer["key"]) as client:
        assert client.post(GENERATE, json=ask("x")).status_code == 403
        assert client.get(f"/api/v1/artifacts/{made}/content").text == "what the eye may see"
        seen = client.post("/api/v1/verify", content=b"what the eye may see")
        assert (seen.status_code, seen.json()["verification"]["matches"][0]["artifact_id"]) == (200, made)
        assert client.get("/api/v1/ledger").status_code == 403
        assert client.get("/api/v1/audit").status_code == 403


def test_limits_of_a_key_are_kept(house: House) -> None:
    small = create_key(house.served.data_dir, "small")
    limits = ("--requests-per-minute", "3", "--tokens-per-day", "8")
    assert command(house.served.data_dir, "keys", "limit", small["id"], *limits).returncode == 0
    with house.served.client(small["key"]) as client:
        assert client.post(GENERATE, json=ask("one two three four")).status_code == 200
        over = client.post(GENERATE, json=ask("five"))
        assert (over.status_code, over.json()["error"]["code"]) == (429, "quota_exceeded")
        assert 0 < int(over.headers["Retry-After"]) <= 86400
        assert client.get("/api/v1/session").status_code == 200
        fast = client.get("/api/v1/session")
        assert (fast.status_code, fast.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert 0 < int(fast.headers["Retry-After"]) <= 60


# 41: one's things do not exist for another


def _make(house: House, person: dict[str, Any], prompt: str) -> str:
    with house.served.client(person["key"]) as client:
        answer = client.post(GENERATE, json=ask(prompt))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["run_id"])


MADE_BY_ASKING = {("PUT", "/api/v1/conversations/{conversation_id}")}
"""Routes that make what they name, where nobody has it."""


ADMINS = ("/api/v1/backups/", "/api/v1/keys/", "/api/v1/tasks/")


def test_fault_41_anothers_things_do_not_exist_on_any_route(house: House) -> None:
    secret = "the heron stands in the reeds and says nothing to anybody about the lake at night"
    walked = 0
    for method, path in _operations(house):
        if "_id}" not in path:
            continue
        walked += 1
        # For each anew, because some take away what they are called with.
        mine: dict[str, str] = _things(house, secret)
        if path.startswith("/api/v1/app-runs/"):
            mine |= {"run_id": _begun(house, secret)}
        nothing = {"conversation_id": "1" * 26} if (method, path) in MADE_BY_ASKING else {}
        with house.served.client(house.ann["key"]) as ann, house.served.client(house.bob["key"]) as bob:
            theirs = bob.request(method, _of(path, mine), **_body(method, path, mine))
            nobodys = bob.request(method, _of(path, nothing), **_body(method, path, nothing))
            if path.startswith("/api/v1/"):
                own = ann.request(method, _of(path, mine), **_body(method, path, mine))
                assert own.status_code in ((403,) if path.startswith(ADMINS) else (200, 202, 204)), (method, path)
        if path.startswith(ADMINS):
            assert theirs.status_code == nobodys.status_code == 403, path
            continue
        assert theirs.status_code == 404, (method, path)
        if (method, path) not in MADE_BY_ASKING:
            assert nobodys.status_code == 404, (method, path)
            text = theirs.text
            for known in mine.values():
                text = text.replace(known, NOBODYS)
            assert text == nobodys.text
    assert walked >= 5


NOBODYS = "0" * 26


def _things(house: House, secret: str) -> dict[str, str]:
    """Returns one of each thing that is ann's, by the name of the parameter that takes it."""
    made = _make(house, house.ann, secret)
    with house.served.client(house.ann["key"]) as client:
        collection = str(client.post("/api/v1/collections", json={"name": "shelf"}).json()["id"])
        assert client.put(f"/api/v1/conversations/{made}", json={}).status_code == 200
    return {"artifact_id": made, "run_id": made, "conversation_id": made, "collection_id": collection, "turn_id": made}


def _begun(house: House, secret: str) -> str:
    """Returns a run of an app that is ann's."""
    asked = {"model": "echo", "values": {"topic": secret}}
    with house.served.client(house.ann["key"]) as client:
        begun = client.post("/api/v1/apps/poem/run", json=asked, headers={"Prefer": "respond-async"})
    assert begun.status_code == 202, begun.text
    return str(begun.json()["id"])


def _of(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{([^}]+)\}", lambda found: values.get(found[1]) or NOBODYS, path)


def _body(method: str, path: str, values: dict[str, str]) -> dict[str, Any]:
    if method not in ("PUT", "PATCH") or "/collections/{collection_id}/" in path:
        return {}
    if "{turn_id}" in path:
        turn_id = values.get("turn_id") or NOBODYS
        return {"json": {"id": turn_id, "role": "user", "created_at": "2026-01-01T00:00:00Z"}}
    return {"json": {"name": "x"} if "{collection_id}" in path else {}}


def test_fault_41_lists_and_searches_show_only_ones_own(house: House) -> None:
    secret = (
        "a kingfisher over the mill pond, blue for as long as one blinks, and gone before anybody has seen it; "
        "the miller swears that it nests below the weir, where two willows lean over a sluice that nobody has opened "
        "since the flood"
    )
    mine = _make(house, house.ann, secret)
    with house.served.client(house.bob["key"]) as bob, house.served.client(house.ann["key"]) as ann:
        for path in ("/api/v1/artifacts", "/api/v1/artifacts?query=kingfisher", "/api/v1/runs?limit=200"):
            assert mine in ann.get(path).text, path
            assert mine not in bob.get(path).text, path
        found = bob.post("/api/v1/verify", content=secret.encode()).json()["verification"]
        assert found["relation"] == "not_found"
        assert mine not in json.dumps(found)
        copy = {"file": ("a.txt", secret.encode())}
        checked = bob.post("/v1/content_provenance_checks", files=copy).json()["inkseal"]
        assert (checked["relation"], checked["artifact"]) == ("not_found", None)
        # The same words made by both are each one's own.
        his = _make(house, house.bob, secret)
        checked = bob.post("/v1/content_provenance_checks", files=copy).json()["inkseal"]
        assert (checked["relation"], checked["artifact"]) == ("exact", his)
        own = ann.post("/api/v1/verify", content=secret.encode()).json()["verification"]
        assert mine in json.dumps(own)


def test_fault_41_nothing_is_made_from_anothers_things(house: House) -> None:
    mine = _make(house, house.ann, "a stone")
    with house.served.client(house.bob["key"]) as bob, house.served.client(house.ann["key"]) as ann:
        assert ann.post(GENERATE, json=ask("x", parents=[mine])).status_code == 200
        assert bob.post(GENERATE, json=ask("x", parents=[mine])).status_code == 404


def test_an_admin_sees_everything(house: House) -> None:
    mine = _make(house, house.bob, "a pebble")
    with house.served.client(house.admin["key"]) as admin:
        assert admin.get(f"/api/v1/artifacts/{mine}/content").text == "a pebble"
        assert admin.get("/api/v1/ledger/verification").json()["valid"]
        assert admin.get(f"/api/v1/artifacts/{mine}/export?format=txt").status_code == 200
        deeds = admin.get("/api/v1/audit?limit=1000").json()
    assert [deed["key_id"] for deed in deeds if (deed["action"], deed["subject"]) == ("exported", mine)] == [
        house.admin["id"]
    ]


# 42: foreign names and foreign pages


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "a@localhost", "", "[", "::1"]
)
def test_fault_42_a_foreign_name_is_not_answered(house: House, host: str) -> None:
    for path in ("/health", "/api/v1/runs"):
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {house.ann['key']}\r\nConnection: close\r\n\r\n"
        answer = house.served.raw(head.encode())
        assert status_of(answer) in (421, 400), path


def test_fault_42_own_names_are_answered(house: House) -> None:
    port = house.served.port
    for host in ("localhost", f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}", "[::1]", f"[::1]:{port}"):
        answer = house.served.raw(f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert status_of(answer) == 200, host


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "file://", "http://evil.localhost"]
)
def test_fault_42_foreign_pages_get_nothing(house: House, origin: str) -> None:
    with house.served.client(house.ann["key"]) as client:
        for method, path in (("GET", "/api/v1/runs"), ("POST", GENERATE), ("OPTIONS", GENERATE), ("GET", "/health")):
            answer = client.request(method, path, headers={"Origin": origin})
            assert answer.status_code == 403, (method, path)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-allow")]


def test_fault_42_cross_site_requests_without_an_origin_are_refused(house: House) -> None:
    with house.served.client(house.ann["key"]) as client:
        for mode in ("no-cors", "cors", "same-origin"):
            sent = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
            assert client.get("/api/v1/runs", headers=sent).status_code == 403
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert client.get("/api/v1/runs", headers=link).status_code == 200
        assert client.post(GENERATE, headers=link, json=ask("x")).status_code == 403


def test_fault_43_a_session_acts_only_for_its_own_pages(house: House) -> None:
    with house.served.client(house.ann["key"]) as client:
        begun = client.post("/api/v1/session", headers={"Origin": house.served.url})
        cookie = begun.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        cookies = dict(client.cookies)
    with house.served.client(cookies=cookies) as browser:
        assert browser.get("/api/v1/session").status_code == 200
        assert browser.post(GENERATE, json=ask("x")).status_code == 403
        assert browser.post(GENERATE, json=ask("x"), headers={"Origin": "https://evil.example"}).status_code == 403
        assert browser.post(GENERATE, json=ask("x"), headers={"Origin": house.served.url}).status_code == 200
        assert browser.post("/api/v1/session", headers={"Origin": house.served.url}).status_code == 401
        assert browser.delete("/api/v1/session", headers={"Origin": house.served.url}).status_code == 204
    with house.served.client(cookies=cookies) as browser:
        assert browser.get("/api/v1/session").status_code == 401


def test_every_answer_tells_browsers_to_run_nothing(house: House) -> None:
    made = _make(house, house.ann, "<script>alert(1)</script>")
    with house.served.client(house.ann["key"]) as client:
        for path in (
            "/health",
            "/nope",
            f"/api/v1/artifacts/{made}/content",
            f"/api/v1/artifacts/{made}/export?format=html",
        ):
            headers = client.get(path).headers
            assert headers["content-security-policy"].startswith("default-src 'none'"), path
            assert headers["x-content-type-options"] == "nosniff"
        assert client.get(f"/api/v1/artifacts/{made}/content").headers["content-disposition"].startswith("attachment")


# 44: where it listens


def test_fault_44_it_listens_on_the_loopback_only(house: House) -> None:
    import psutil

    listening = [c for c in psutil.Process(house.served.process.pid).net_connections("tcp") if c.status == "LISTEN"]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_fault_44_another_address_without_a_key_is_refused(tmp_path: Path, host: str) -> None:
    done = command(tmp_path / "data", "serve", "--host", host, "--port", "0", seconds=40)
    assert done.returncode == 2
    assert "inkseal keys create" in done.stderr
    assert "listens" not in done.stdout


def test_fault_44_with_a_key_another_address_is_served_to_keys_only(tmp_path: Path) -> None:
    key = create_key(tmp_path / "data", "boss", "admin")
    with serving(tmp_path / "data", "--host", "0.0.0.0") as served:
        url = f"http://127.0.0.1:{served.port}"
        with served.client() as anybody, served.client(key["key"]) as boss:
            assert anybody.get(f"{url}/metrics").status_code == 401
            assert boss.get(f"{url}/metrics").status_code == 200


def test_before_any_key_exists_this_machine_is_the_admin_and_after_it_is_not(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served, served.client() as client:
        assert client.get("/api/v1/session").json()["role"] == "admin"
        key = create_key(tmp_path / "data", "first", "admin")
        assert client.get("/api/v1/session").status_code == 401
        command(tmp_path / "data", "keys", "revoke", key["id"])
        assert client.get("/api/v1/session").status_code == 401  # revoking the last key opens nothing


# 48: guessing at keys


def _session(served: Served, key: str, source: str = "127.0.0.1") -> tuple[int, bytes]:
    """Asks for a session with a key, from one of the addresses of this machine; returns status and answer."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10, source_address=(source, 0)) as connection:
        head = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n"
        connection.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode())
        answer = drain(connection)
    return status_of(answer), answer


def test_fault_48_guessing_is_slowed_down_and_keeps_no_right_key_out(tmp_path: Path) -> None:
    right = create_key(tmp_path / "data", "ann")["key"]
    with serving(tmp_path / "data", settings="[serve]\nwrong_keys_per_minute = 5\n") as served:
        guesses = [_session(served, f"{right[:-1]}{letter}"[:-2] + "xy") for letter in "abcdefgh"]
        statuses = [status for status, _ in guesses]
        assert statuses[:5] == [401] * 5
        assert 429 in statuses[5:]
        refused = next(answer for status, answer in guesses if status == 429)
        (wait,) = re.findall(rb"(?i)\r\nretry-after: (\d+)\r\n", refused)
        assert 1 <= int(wait) <= 60
        assert b'"code":"too_many_wrong_keys"' in refused.replace(b": ", b":")
        with served.client() as client:
            for headers in ({"Authorization": "Bearer guess"}, {"X-Api-Key": "guess"}):
                assert client.get("/api/v1/runs", headers=headers).status_code == 429
                assert client.get("/v1/models", headers=headers).json()["error"]["code"] == "too_many_wrong_keys"
            assert client.get("/api/v1/runs").status_code == 401  # without a key nobody guesses
        assert _session(served, right)[0] == 200  # at the guesser's own address
        assert _session(served, "guess", "127.0.0.2")[0] == 401  # addresses are apart
        assert served.log.count("wrong keys within a minute from 127.0.0.1") >= 1
        assert right[:20] not in served.log


# 45 and 46: what is written down


def test_fault_45_a_key_is_written_nowhere(house: House) -> None:
    key = house.bob["key"]
    with house.served.client(key) as client:
        assert client.get(f"/api/v1/runs?api_key={key}").status_code == 400
        seen = [client.get(f"/api/v1/artifacts/{key}").text, client.get(f"/{key}", headers={"X-Key": key}).text]
        seen.append(client.post(GENERATE, json={"model": key}).text)
        seen.append(client.post(GENERATE, json=ask("x", model=key[:100])).text)
        seen.append(client.get("/nope?Authorization=" + key).text)
    with house.served.client(house.admin["key"]) as admin:
        seen.append(admin.get("/metrics").text)
        seen.append(admin.get("/api/v1/audit?limit=1000").text)
    wait_until(lambda: "/nope" in house.served.log)
    assert key not in house.served.log
    assert key.split("-", 2)[2] not in house.served.log
    for text in seen[4:]:
        assert key not in text


def test_fault_46_nobody_writes_lines_into_the_log(house: House) -> None:
    paths = ["/%0d%0aFORGED%20line", "/%1b%5b31mred", "/%e2%80%a8FORGED", "/%c2%85FORGED", "/a%00b", "/%e2%80%aeltr"]
    with house.served.client(house.ann["key"]) as client:
        for path in paths:
            assert client.get(path).status_code == 404
    house.served.raw(b"GET /\x1b[31mX HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_until(lambda: "ltr" in house.served.log)
    log = house.served.log
    assert "FORGED" in log
    for line in log.splitlines():  # splits at every kind of line end
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ", line), line
        assert line.isprintable()
    assert "\x1b" not in log


def test_a_request_has_an_id_in_answer_and_log(house: House) -> None:
    with house.served.client(house.ann["key"]) as client:
        answer = client.get("/api/v1/runs", headers={"X-Request-ID": "mine\x7f"})
    request_id = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-z]{26}", request_id)
    wait_until(lambda: request_id in house.served.log)
    (line,) = [line for line in house.served.log.splitlines() if request_id in line]
    assert house.ann["id"] in line


def test_it_speaks_the_language_of_the_request(house: House) -> None:
    with house.served.client() as client:
        for accept, word in (
            ("zh-CN,zh;q=0.9", "密钥"),
            ("en", "key"),
            ("fr, zh;q=0.5, en;q=0.4", "密钥"),
            ("x" * 900, "key"),
        ):
            assert word in client.get("/metrics", headers={"Accept-Language": accept}).json()["error"]["message"]


def test_half_open_connections_keep_nobody_out(house: House) -> None:
    held = [socket.create_connection(("127.0.0.1", house.served.port)) for _ in range(200)]
    try:
        begin = time.monotonic()
        with house.served.client(house.ann["key"]) as client:
            assert client.post(GENERATE, json=ask("through the crowd")).status_code == 200
        assert time.monotonic() - begin < 5
    finally:
        for connection in held:
            connection.close()
