"""Which web addresses the server may fetch from: schemes, hosts and ports by list, and no way into its own network.

Refuses by default. Knows nothing of connections; `fetch` asks again when it connects.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkseal.core.errors import AddressRefused, InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Closed

if TYPE_CHECKING:
    import httpx2

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL_CHARS = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]@:%\\/?#]+)(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")

# What is_global lets through though another network may hide behind it (IANA special-purpose registries), and the
# address at which one cloud answers its own machines.
_HIDDEN: tuple[IPNetwork, ...] = tuple(
    ipaddress.ip_network(text)
    for text in [
        "192.88.99.0/24",
        "168.63.129.16/32",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
        "5f00::/16",
    ]
)


@dataclass(frozen=True)
class Allowed:
    """One entry of the allow-list: a network or a host name, at one port or at all."""

    network: IPNetwork | None
    host: str
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> "Allowed":
        """Reads `10.0.0.0/8`, `127.0.0.1:8080`, `[::1]:8080`, `intranet.example` or `intranet.example:8443`.

        Raises:
            InvalidRequest: it is none of these.
        """
        text, port = entry.strip(), None
        found = re.fullmatch(r"(\[[^\]]+\]|[^:]+):([0-9]{1,5})", text)
        if found:
            text, port = found[1], int(found[2])
        text = text.removeprefix("[").removesuffix("]")
        try:
            return cls(ipaddress.ip_network(text), "", port)
        except ValueError:
            pass
        if not _NAME.fullmatch(text.lower()) or _NUMBER.fullmatch(text.lower().rpartition(".")[2]):
            raise InvalidRequest(
                say(
                    f"{entry!r} is no address, network or host name to allow.",
                    f"{entry!r} 不是可放行的地址、网段或主机名。",
                )
            )
        return cls(None, text.lower(), port)

    def covers(self, host: str, address: IPAddress | None, port: int) -> bool:
        """True when it allows this host, or this address of it, at the port."""
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return self.host == host
        return address is not None and address.version == self.network.version and address in self.network


class FetchPolicy(Closed):
    """What one fetch may do. The defaults suit an address that a stranger gave."""

    schemes: tuple[str, ...] = ("https", "http")
    ports: tuple[int, ...] = (80, 443, 8080, 8443)
    allow: tuple[str, ...] = ()
    """Entries as of `Allowed.parse`: what may be reached although it is private, or at another port."""
    max_redirects: int = 5
    max_bytes: int = 16 << 20
    total_seconds: float = 30
    connect_seconds: float = 5
    read_seconds: float = 15
    content_types: tuple[str, ...] = ()
    """Such as `application/pdf`, or `image/` for all of a kind; empty: any."""

    def allowed(self) -> Sequence[Allowed]:
        """Returns the entries of the allow-list, read."""
        return [Allowed.parse(entry) for entry in self.allow]


def check_url(text: str, policy: FetchPolicy) -> "httpx2.URL":
    """Returns the address in its one normal form, if it may be asked at all; where it leads is checked on connecting.

    Raises:
        AddressRefused: its scheme, user part, host form or port is not allowed.
    """
    import httpx2

    if len(text) > MAX_URL_CHARS or any(letter in "\\ " or unicodedata.category(letter)[0] == "C" for letter in text):
        raise _refused(text, say("it has characters that no address has", "含有地址中不应出现的字符"))
    found = _URL.fullmatch(text)
    scheme = found["scheme"].lower() if found else text.partition(":")[0][:20]
    if found is None or scheme not in policy.schemes:
        raise _refused(
            text, say(f"only {', '.join(policy.schemes)} are fetched", f"只获取 {'、'.join(policy.schemes)}")
        )
    if "@" in found["authority"]:
        raise _refused(text, say("it names a user", "含有用户信息"))
    authority = _AUTHORITY.fullmatch(found["authority"])
    if authority is None:
        raise _refused(text, say("its host is malformed", "主机部分格式不正确"))
    host = normal_host(authority["host"])
    if host is None:
        raise _refused(text, say("its host is written in an odd form", "主机写法不规范"))
    port = int(authority["port"]) if authority["port"] else _DEFAULT_PORTS.get(scheme, 0)
    named = any(entry.covers(host, literal(host), port) for entry in policy.allowed())
    if not named and (port not in policy.ports or not 0 < port < 65536):
        raise _refused(text, say(f"port {port} is not allowed", f"不允许端口 {port}"))
    try:
        url = httpx2.URL(f"{scheme}://{_bracketed(host)}:{port}{found['rest']}")
    except httpx2.InvalidURL:
        raise _refused(text, say("it is malformed", "格式不正确")) from None
    if url.raw_host.decode() != host:
        raise _refused(text, say("its host can be read in two ways", "主机部分有歧义"))
    address = literal(host)
    if address is not None and not named:
        refuse_address(address)
    return url


def normal_host(text: str) -> str | None:
    """Returns the host in lower-case ASCII (names in the form of IDNA, addresses in their one form), or None.

    Numbers that some programs take for an address (decimal, octal, hexadecimal, shortened), a dot at the end, and
    letters that only look like digits or dots have no normal form.
    """
    import idna

    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            return None
    host = text.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, std3_rules=True).decode()
        except idna.IDNAError:
            return None
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return host if str(ipaddress.IPv4Address(host)) == host else None
        except ValueError:
            return None
    return host if len(host) <= 253 and _NAME.fullmatch(host) else None


def literal(host: str) -> IPAddress | None:
    """Returns the address that a host is written as, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """True for addresses of the open internet: not private, local, shared, reserved, multicast, or a way around."""
    if getattr(address, "scope_id", None) is not None or address.is_multicast or address.is_reserved:
        return False
    return address.is_global and not any(
        address.version == network.version and address in network for network in _HIDDEN
    )


def refuse_address(address: IPAddress) -> None:
    """Raises AddressRefused for an address that is not public."""
    if not is_public(address):
        raise AddressRefused(
            say("The address leads into a closed network.", "该地址指向内部网络。"),
            fix=say(
                "Whoever runs this server can allow it in settings.toml: [fetch] allow.",
                "服务器管理员可在 settings.toml 的 [fetch] allow 中放行。",
            ),
        )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(text: str, why: str) -> AddressRefused:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:80].split("@")[-1])
    return AddressRefused(say(f"The address {shown!r} is not fetched: {why}.", f"不获取地址 {shown!r}：{why}。"))
