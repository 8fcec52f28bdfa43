"""What a key may use up: requests a minute, generations at once, tokens a day; and how often one may guess at keys."""

import logging
import math
import time
from collections import OrderedDict
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

from inkseal.core.language import say
from inkseal.serve.callers import Caller
from inkseal.serve.errors import Busy
from inkseal.serve.keyring import Keyring

log = logging.getLogger(__name__)
_MAX_BUCKETS = 10_000


class Buckets:
    """A bucket for each name that fills again evenly; a full one holds a minute's worth. The oldest are forgotten."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, per_minute: int) -> tuple[float, int]:
        """Takes one out of a name's bucket; returns what is left, and if none was, after how many seconds one is."""
        moment = time.monotonic()
        left, since = self._buckets.pop(name, (float(per_minute), moment))
        left = min(float(per_minute), left + (moment - since) * per_minute / 60)
        taken = left >= 1
        self._buckets[name] = (left - 1 if taken else left, moment)
        while len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return (left - 1, 0) if taken else (left, max(1, math.ceil((1 - left) * 60 / max(per_minute, 1))))


class RequestRate:
    """Requests of each key."""

    def __init__(self) -> None:
        self._buckets = Buckets()

    def take(self, caller: Caller) -> None:
        """Counts a request.

        Raises:
            Busy: the minute's requests are used up.
        """
        allowed = caller.limits.requests_per_minute
        if allowed is None:
            return
        _, wait_seconds = self._buckets.take(caller.key_id, allowed)
        if wait_seconds:
            raise Busy(
                "rate_limit_exceeded",
                say(f"This key may send {allowed} requests a minute.", f"此密钥每分钟最多 {allowed} 个请求。"),
                wait_seconds,
            )


class GuessRate:
    """Wrong keys from each address.

    Only whoever sends a wrong one is turned away: the right one opens, however many others at the same address guess.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets = Buckets()

    def count(self, host: str) -> None:
        """Counts a wrong key.

        Raises:
            Busy: too many came from there.
        """
        left, wait_seconds = self._buckets.take(_network(host), self._per_minute)
        if wait_seconds:
            raise Busy(
                "too_many_wrong_keys",
                say("Too many wrong keys came from this address.", "此地址发送的错误密钥过多。"),
                wait_seconds,
            )
        if left < 1:
            log.warning("%d wrong keys within a minute from %s", self._per_minute, host)


def _network(host: str) -> str:
    """Returns what one guesser can hardly leave: an address; of IPv6 its /64, all of which is often theirs."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network((int(address) >> 64 << 64, 64)))


def check_tokens(keyring: Keyring, caller: Caller) -> None:
    """Refuses a generation when the day's tokens are used up.

    What runs now is counted when it ends, so a key may overrun by what it has running at once.

    Raises:
        Busy: naming the quota; it is over at midnight UTC.
    """
    allowed = caller.limits.tokens_per_day
    if allowed is not None and keyring.tokens_today(caller.owner) >= allowed:
        moment = datetime.now(UTC)
        seconds = 86400 - (moment.hour * 3600 + moment.minute * 60 + moment.second)
        raise Busy(
            "quota_exceeded",
            say(f"This key may use {allowed} tokens a day.", f"此密钥每天最多使用 {allowed} 个词元。"),
            seconds,
        )


def check_running(caller: Caller, num_running: int) -> None:
    """Refuses a generation when the key has enough of them running.

    Raises:
        Busy: naming the limit.
    """
    allowed = caller.limits.max_running
    if allowed is not None and num_running >= allowed:
        raise Busy(
            "concurrency_limit_exceeded",
            say(f"This key may run {allowed} generations at once.", f"此密钥最多同时运行 {allowed} 个生成任务。"),
            2,
        )
