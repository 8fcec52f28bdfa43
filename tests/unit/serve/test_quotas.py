"""Limits of keys, the language of a request, and the log's one line."""

import logging

import pytest

from inkseal.serve import quotas
from inkseal.serve.callers import Caller, Limits
from inkseal.serve.errors import Busy
from inkseal.serve.layers.speech import wanted
from inkseal.serve.logs import OneLine, clean


def test_a_bucket_fills_again_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1000.0
    monkeypatch.setattr(quotas.time, "monotonic", lambda: moment)
    rate = quotas.RequestRate()
    caller = Caller(key_id="a", name="a", role="creator", owner="a", limits=Limits(requests_per_minute=6))
    for _ in range(6):
        rate.take(caller)
    with pytest.raises(Busy) as refused:
        rate.take(caller)
    assert refused.value.retry_after_seconds == 10
    moment += 9.9
    with pytest.raises(Busy):
        rate.take(caller)
    moment += 0.2
    rate.take(caller)
    rate.take(caller.model_copy(update={"limits": Limits()}))


def test_guesses_are_counted_by_network_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "_MAX_BUCKETS", 3)
    rate = quotas.GuessRate(1)
    rate.count("2001:db8::1")
    with pytest.raises(Busy) as refused:
        rate.count("2001:db8::ffff:2")  # the same /64
    assert (refused.value.status, refused.value.code) == (429, "too_many_wrong_keys")
    rate.count("2001:db8:0:1::1")
    for host in ("192.0.2.1", "192.0.2.2", ""):
        rate.count(host)
    rate.count("2001:db8::1")  # forgotten meanwhile: memory is bounded
    assert len(rate._buckets._buckets) == 3


@pytest.mark.parametrize(
    ("accept", "language"),
    [("zh", "zh"), ("zh-CN,en;q=0.9", "zh"), ("en;q=0.1,zh;q=0.2", "zh"), ("zh;q=0,en", "en"), ("fr", None), ("", None),
     (",;q=", None), ("en;q=9", None)],
)  # fmt: skip
def test_the_heavier_language_wins(accept: str, language: str | None) -> None:
    assert wanted(accept) == language


def test_a_record_is_one_line_without_keys() -> None:
    record = logging.LogRecord(
        "x", 20, "f", 1, "got %s", ("a\r\nb\x1b[0m\u2028\u202e ink-abc-SECRETSECRET sk-1234567",), None
    )
    line = OneLine().format(record)
    assert line.isprintable()
    assert "SECRET" not in line
    assert "sk-1" not in line
    assert clean("墨印 é 😀") == "墨印 é 😀"
