"""Measures how fast a loaded text engine is, by the clock of a caller: what `inkseal bench` and the benchmarks show."""

import itertools
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from inkseal.core.errors import Cancelled
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, GenerativeEngine
from inkseal.core.types import Closed, Usage
from inkseal.formats.perplexity import held_out_text
from inkseal.modalities.text.request import Sampling, TextRequest

PROMPT_TOKENS = 512
ANSWER_TOKENS = 64
AT_ONCE = 8


class Speed(Closed):
    """Tokens per second, and seconds to the first token of a prompt of about 512 tokens, cold and repeated."""

    prefill: float
    decode: float
    at_once: float
    first_token_seconds: float
    repeated_first_token_seconds: float


_numbers = itertools.count(1)


def fresh_text(num_chars: int) -> str:
    """Returns running text whose beginning was never used in this process, so that no prefix cache helps."""
    text = " ".join(held_out_text("en").split())
    number = next(_numbers)
    start = number * 997 % len(text)
    return f"Chapter {number}. " + (text[start:] + " " + text * (num_chars // len(text) + 1))[:num_chars]


def measure(engine: GenerativeEngine, rounds: int = 3, cancel: Cancel | None = None) -> Speed:
    """Returns the medians of `rounds` measurements of each kind.

    Decoding is the time between first and last token of one answer; `at_once` is all answers' tokens over the time
    from the first request to the last token, prompts of about 32 tokens included.

    Raises:
        Cancelled: `cancel` was set.
    """
    ask = partial(_answer, engine, cancel or threading.Event())
    ask(fresh_text(100), 4)  # memory and kernels are made at the first request
    chars = _chars_for(engine, PROMPT_TOKENS)
    prefills, firsts, repeats, decodes, together = [], [], [], [], []
    for _ in range(rounds):
        prompt = fresh_text(chars)
        cold, warm = ask(prompt, 1), ask(prompt, 1)
        firsts.append(_first(cold))
        prefills.append(cold.prompt_tokens / _first(cold))
        repeats.append(_first(warm))
        usage = ask(fresh_text(120), ANSWER_TOKENS)
        decodes.append((usage.completion_tokens - 1) / (usage.total_seconds - _first(usage)))
        together.append(_at_once(ask))
    middle = statistics.median
    return Speed(
        prefill=round(middle(prefills), 1),
        decode=round(middle(decodes), 1),
        at_once=round(middle(together), 1),
        first_token_seconds=round(middle(firsts), 3),
        repeated_first_token_seconds=round(middle(repeats), 4),
    )


def _at_once(ask: Callable[[str, int], Usage]) -> float:
    prompts = [fresh_text(120) for _ in range(AT_ONCE)]
    begin = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        usages = list(pool.map(lambda prompt: ask(prompt, ANSWER_TOKENS), prompts))
    return sum(usage.completion_tokens for usage in usages) / (time.perf_counter() - begin)


def _answer(engine: GenerativeEngine, cancel: Cancel, prompt: str, max_tokens: int) -> Usage:
    request = TextRequest.of(prompt, raw_prompt=True, max_tokens=max_tokens, sampling=Sampling(temperature=0))
    stream = engine.generate(request, cancel)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            if cancel.is_set():
                raise Cancelled(say("The measurement was stopped.", "测量已停止。")) from None
            usage: Usage = end.value
            return usage


def _first(usage: Usage) -> float:
    return usage.first_chunk_seconds or usage.total_seconds


def _chars_for(engine: GenerativeEngine, num_tokens: int) -> int:
    probe = fresh_text(2000)
    per_token = len(probe) / engine.count_tokens(TextRequest.of(probe, raw_prompt=True))
    return int(num_tokens * per_token)
