"""What a key may use up: requests a minute, generations at once, tokens a day."""

import math
import time
from collections import OrderedDict
from datetime import UTC, datetime

from inkseal.core.language import say
from inkseal.serve.callers import Caller
from inkseal.serve.errors import Busy
from inkseal.serve.keyring import Keyring

_MAX_BUCKETS = 10_000


class RequestRate:
    """A bucket of requests for each key that fills again evenly; a full one holds a minute's worth."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: Caller) -> None:
        """Counts a request.

        Raises:
            Busy: the minute's requests are used up.
        """
        allowed = caller.limits.requests_per_minute
        if allowed is None:
            return
        moment = time.monotonic()
        left, since = self._buckets.pop(caller.key_id, (float(allowed), moment))
        left = min(float(allowed), left + (moment - since) * allowed / 60)
        self._buckets[caller.key_id] = (max(0.0, left - 1) if left >= 1 else left, moment)
        while len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise Busy(
                "rate_limit_exceeded",
                say(f"This key may send {allowed} requests a minute.", f"此密钥每分钟最多 {allowed} 个请求。"),
                math.ceil((1 - left) * 60 / max(allowed, 1)),
            )


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
