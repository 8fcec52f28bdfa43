"""The guarded fetcher: what it refuses, and that nothing was sent where it refused."""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from inkseal.core.errors import AddressRefused, Cancelled, FetchFailed, InvalidRequest
from inkseal.runtime.addresses import Allowed, FetchPolicy, check_url, is_public, normal_host
from inkseal.runtime.fetch import fetch

Answer = Callable[[socket.socket], None]


class Listener:
    """Counts the connections that arrive at an address of this machine, and answers them as told."""

    def __init__(self, host: str, answer: Answer, port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self.port: int = self._socket.getsockname()[1]
        self.num_connections = 0
        self.asked = b""
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.num_connections += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.asked = connection.recv(65536)
            self._answer(connection)

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def listening(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> Iterator[Listener]:
    listener = Listener(host, answer, port)
    try:
        yield listener
    finally:
        listener.close()


def says(body: bytes, kind: str = "text/plain", status: str = "200 OK", more: str = "") -> Answer:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    )
    return lambda connection: connection.sendall(head.encode() + body)


def redirects(to: str) -> Answer:
    return says(b"", status="302 Found", more=f"Location: {to}\r\n")


FORBIDDEN = [
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.0.0.01:{port}/",
    "http://127。0。0。1:{port}/",
    "http://１２７.0.0.1:{port}/",
    "http://127%2e0.0.1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://example.org\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.org/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://127.0.0.1 :{port}/",
    "http://exam\tple.org:{port}/",
    "http://\x00127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://168.63.129.16/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://example.org:22/",
    "http://example.org:99999/",
    "http://example.org:/@127.0.0.1:{port}",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ftp://example.org/w",
    "unix:/run/docker.sock",
    "http+unix://%2Frun%2Fx/",
    "data:text/plain,x",
    "",
]


@pytest.mark.parametrize("written", FORBIDDEN)
def test_fault_24_and_26_nothing_is_sent_to_a_forbidden_address(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda address, *_, **__: tried.append(address))
    with listening(says(b"secret")) as inside:
        monkeypatch.setattr(socket, "getaddrinfo", _only_here(inside.port))
        with pytest.raises(InvalidRequest):
            fetch(written.format(port=inside.port), FetchPolicy(ports=(80, 443, inside.port)))
        assert inside.num_connections == 0
    assert tried == []


def _only_here(port: int) -> Callable[..., list[tuple[object, ...]]]:
    """A resolver for which every name is this machine."""
    return lambda host, _port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_the_same_listener_is_reached_once_it_is_allowed() -> None:
    with listening(says(b"hello")) as inside:
        policy = FetchPolicy(allow=(f"127.0.0.1:{inside.port}",))
        found = fetch(f"http://127.0.0.1:{inside.port}/x?y#z", policy)
        assert (found.content, found.content_type) == (b"hello", "text/plain")
        assert inside.num_connections == 1
        assert inside.asked.startswith(b"GET /x?y HTTP/1.1")


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://inside.example:{port}/", "file:///etc/passwd"]
)
def test_fault_25_a_redirect_is_checked_as_the_first_address_is(target: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        return {"outside.example": ["127.0.0.2"], "inside.example": ["127.0.0.1"]}[host]

    with (
        listening(says(b"secret")) as inside,
        listening(redirects(target.format(port=inside.port)), "127.0.0.2") as outside,
    ):
        policy = FetchPolicy(allow=(f"127.0.0.2:{outside.port}",), ports=(outside.port, inside.port))
        with pytest.raises(AddressRefused):
            fetch(f"http://outside.example:{outside.port}/", policy, resolve=resolve)
        assert (outside.num_connections, inside.num_connections) == (1, 0)


def test_fault_25_a_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]]

    def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    with contextlib.ExitStack() as stack:
        outside = stack.enter_context(listening(says(b"outside"), "127.0.0.2"))
        inside = stack.enter_context(listening(says(b"secret"), "127.0.0.1", outside.port))
        policy = FetchPolicy(allow=("127.0.0.2",), ports=(outside.port,))
        url = f"http://rebind.example:{outside.port}/"
        assert fetch(url, policy, resolve=rebinding).content == b"outside"
        assert len(answers) == 2
        assert b"Host: rebind.example:" in outside.asked
        with pytest.raises(AddressRefused):
            fetch(url, policy, resolve=rebinding)
        assert inside.num_connections == 0


def test_of_several_addresses_only_the_allowed_are_tried() -> None:
    with contextlib.ExitStack() as stack:
        outside = stack.enter_context(listening(says(b"outside"), "127.0.0.2"))
        inside = stack.enter_context(listening(says(b"secret"), "127.0.0.1", outside.port))
        policy = FetchPolicy(allow=("127.0.0.2",), ports=(outside.port,))
        found = fetch(
            f"http://two.example:{outside.port}/", policy, resolve=lambda *_: ["127.0.0.1", "::1", "127.0.0.2"]
        )
        assert (found.content, inside.num_connections) == (b"outside", 0)


def test_redirects_within_what_is_allowed_are_followed_but_not_for_ever() -> None:
    with listening(lambda connection: redirects("/again")(connection)) as here:
        policy = FetchPolicy(allow=(f"127.0.0.1:{here.port}",), max_redirects=3)
        with pytest.raises(FetchFailed, match="redirects"):
            fetch(f"http://127.0.0.1:{here.port}/", policy)
        assert here.num_connections == 4


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(says(b"proxy")) as proxy, listening(says(b"direct")) as here:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        policy = FetchPolicy(allow=(f"127.0.0.1:{here.port}",))
        assert fetch(f"http://127.0.0.1:{here.port}/", policy).content == b"direct"
        assert proxy.num_connections == 0


def _drip(connection: socket.socket) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
        connection.sendall(bytes([letter]))
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "fields", "why"),
    [
        (says(b"x" * 2000), {"max_bytes": 1000}, "larger"),
        (says(b"<html>", "text/html; charset=x"), {"content_types": ("image/",)}, "type"),
        (says(b"x", status="500 No"), {}, "500"),
        (says(b"x", more="Content-Encoding: gzip\r\n"), {}, "compressed"),
        (_drip, {"total_seconds": 0.5}, "ReadTimeout"),
        (lambda connection: time.sleep(30), {"total_seconds": 0.3}, "ReadTimeout"),
        (lambda connection: connection.sendall(b"SSH-2.0-x\r\n\r\n"), {}, "Protocol"),
        (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), {}, "Protocol"),
    ],
    ids=["size", "type", "status", "compressed", "drip", "silent", "no http", "broken off"],
)
def test_what_comes_is_bounded(answer: Answer, fields: dict[str, object], why: str) -> None:
    with listening(answer) as here:
        policy = FetchPolicy.model_validate({"allow": (f"127.0.0.1:{here.port}",), **fields})
        begun = time.monotonic()
        with pytest.raises(FetchFailed, match=why):
            fetch(f"http://127.0.0.1:{here.port}/", policy)
        assert time.monotonic() - begun < 5  # the longest silence that is allowed of itself is 15 s


def test_a_cancel_ends_a_silent_wait_in_good_time() -> None:
    cancel = threading.Event()
    with listening(lambda connection: time.sleep(30)) as here:
        threading.Timer(0.2, cancel.set).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            fetch(f"http://127.0.0.1:{here.port}/", FetchPolicy(allow=("127.0.0.0/8",)), cancel)
        assert time.monotonic() - begun < 5  # a second on an idle machine; without the cancel 15


def test_a_resolver_that_hangs_is_given_up() -> None:
    def hang(host: str, port: int) -> list[str]:
        time.sleep(2)
        return []

    with pytest.raises(FetchFailed, match="ConnectTimeout"):
        fetch("http://slow.example/", FetchPolicy(connect_seconds=0.2), resolve=hang)


def test_addresses_have_one_normal_form() -> None:
    assert (
        str(check_url("HTTPS://Bücher.Example:443/a%20b?q#f", FetchPolicy())) == "https://xn--bcher-kva.example/a%20b?q"
    )
    assert normal_host("[2001:DB8::1]") == "2001:db8::1"
    assert normal_host("例子.example") == "xn--fsqu00a.example"
    assert [normal_host(text) for text in ("1.2.3", "1.2.3.4.", "a..b", "-a", "a-", "0x1", "08.8.8.8", "")] == [
        None
    ] * 8


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2400:3200::1"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["", "a b", "10.0.0.1/40", "0x7f.1", "http://x"])
def test_a_malformed_entry_of_the_allow_list_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Allowed.parse(text)


def test_a_name_that_cannot_be_asked_for_is_said_at_once() -> None:
    def refuse(host: str, port: int) -> list[str]:
        raise UnicodeError("label too long")

    begun = time.monotonic()
    with pytest.raises(FetchFailed):
        fetch("http://long.example/", FetchPolicy(connect_seconds=60), resolve=refuse)
    assert time.monotonic() - begun < 30
