"""Our server beside the bare engine and llama.cpp's server: the same file, the same clients, in turn, in one run.

`make bench-serve` writes the table and the picture. Run it on an otherwise idle machine: the ratios are what counts.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.modalities.text.request import Sampling, TextRequest
from inkseal.runtime.device import describe, free_threads
from inkseal.studio.generate.speed import fresh_text

HERE = Path(__file__).parent
TARGETS = ("inkseal", "llama.cpp", "bare engine")
MODELS = {"tiny": (1, 8, 32), "small": (1, 8)}
"""By model, how many clients at once: the ratio to the bare engine grows with the work that a token is."""
PROMPT_CHARS = (240, 1200, 4800)
ANSWER_TOKENS = 128
SOAK_TOKENS = 32
MIN_REQUESTS = 3


@dataclass(frozen=True)
class Order:
    """What the clients are to ask: as many at once, in all, of prompts as long."""

    num_clients: int
    prompts: list[str]
    answer_tokens: int = ANSWER_TOKENS


def order(num_clients: int, num_requests: int, prompt_chars: int = 240, answer_tokens: int = ANSWER_TOKENS) -> Order:
    return Order(num_clients, [fresh_text(prompt_chars) for _ in range(num_requests)], answer_tokens)


def figures(stamps: list[list[float]], tokens: list[int], seconds: float) -> dict[str, float]:
    """Returns what the clients saw: `stamps` are each answer's start and the arrival of each of its pieces."""
    firsts = [answer[1] - answer[0] for answer in stamps]
    gaps = sorted(b - a for answer in stamps for a, b in itertools.pairwise(answer[1:])) or [0.0]
    return {
        "first_token_p50": statistics.median(firsts),
        "first_token_max": max(firsts),
        "gap_p50": gaps[len(gaps) // 2],
        "gap_p99": gaps[min(len(gaps) - 1, int(len(gaps) * 0.99))],
        "tokens_per_second": sum(tokens) / seconds,
        "num_tokens": sum(tokens),
    }


def threads_ask(engine: Any, places: threading.Semaphore, asked: Order) -> dict[str, float]:
    """Asks an engine in this process; as many requests as there are places are in it at once."""

    def one(prompt: str) -> tuple[list[float], int]:
        stamps = [time.perf_counter()]
        request = TextRequest.of(
            prompt, raw_prompt=True, max_tokens=asked.answer_tokens, sampling=Sampling(temperature=0, top_p=1)
        )
        with places:
            num_tokens = 0
            for chunk in engine.generate(request, threading.Event()):
                stamps.append(time.perf_counter())
                num_tokens += chunk.num_tokens
        return stamps, num_tokens

    begin = time.perf_counter()
    with ThreadPoolExecutor(asked.num_clients) as pool:
        found = list(pool.map(one, asked.prompts))
    return figures([stamps for stamps, _ in found], [count for _, count in found], time.perf_counter() - begin)


async def http_ask(where: str, model: str, asked: Order) -> dict[str, float]:
    """Asks a server as OpenAI's clients do, with little work of its own: it shares the machine with the server."""
    address = urlsplit(where)
    waiting = list(asked.prompts)
    found: list[tuple[list[float], int]] = []

    async def client() -> None:
        while waiting:
            found.append(await stream(address.netloc, model, waiting.pop(), asked.answer_tokens))

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(asked.num_clients)))
    return figures([stamps for stamps, _ in found], [count for _, count in found], time.perf_counter() - begin)


async def stream(where: str, model: str, prompt: str, answer_tokens: int) -> tuple[list[float], int]:
    body = json.dumps(
        {"model": model, "prompt": prompt, "max_tokens": answer_tokens, "temperature": 0, "stream": True}
        | {"stream_options": {"include_usage": True}}
    ).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: {where}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    host, _, port = where.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    stamps, num_tokens = [time.perf_counter()], 0
    writer.write(head.encode() + body)
    seen = b""
    async for line in reader:
        seen += line[:200] if len(seen) < 400 else b""
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            raise SystemExit(f"an answer broke off: {event}")
        if event.get("choices") and event["choices"][0].get("text"):
            stamps.append(time.perf_counter())
        num_tokens = (event.get("usage") or {}).get("completion_tokens", num_tokens)
    writer.close()
    if not seen.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"no answer: {seen!r}")
    if len(stamps) < 2:  # the model had nothing to add to the text
        return await stream(where, model, fresh_text(len(prompt)), answer_tokens)
    return stamps, num_tokens


class Target:
    """A started target and its figures."""

    def __init__(self, name: str, folder: Path, model: str, threads: int) -> None:
        self._name, self._model = name, model
        command = [sys.executable, str(HERE / "serve_target.py"), name, str(folder), model, str(threads)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self._said = self._process.stdout.readline().strip()
        if not self._said:
            raise SystemExit(f"{name} does not start")

    def ask(self, asked: Order) -> dict[str, float]:
        if self._said != "ready":
            return asyncio.run(http_ask(self._said, self._model, asked))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(asked)) + "\n")
        self._process.stdin.flush()
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def memory_bytes(self) -> int:
        """Returns the resident memory of the target and its children."""
        own = psutil.Process(self._process.pid)
        return sum(int(process.memory_info().rss) for process in [own, *own.children(recursive=True)])

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def measure(name: str, folder: Path, model: str, threads: int, num_soak: int) -> dict[str, Any]:
    """Returns all figures of one target in one turn; those of memory only where there is a soak."""
    target = Target(name, folder, model, threads)
    try:
        target.ask(order(2, 4, answer_tokens=SOAK_TOKENS))
        start = target.memory_bytes()
        numbers = {count: max(MIN_REQUESTS, count if count > 8 else 2 * count) for count in MODELS[model]}
        clients = {str(count): target.ask(order(count, number)) for count, number in numbers.items()}
        contexts = {str(chars): target.ask(order(1, 1, chars)) for chars in PROMPT_CHARS}
        figures: dict[str, Any] = {"clients": clients, "contexts": contexts}
        if num_soak:
            before = target.memory_bytes()
            target.ask(order(8, num_soak, answer_tokens=SOAK_TOKENS))
            after = target.memory_bytes()
            figures["memory"] = {"start": start, "before_soak": before, "after_soak": after, "num_soak": num_soak}
    finally:
        target.close()
    return figures


def prepared(source: Path, model: str, folder: Path) -> Path:
    """Returns a data folder with nothing in it but the model, converted, so that all targets do the same work."""
    found = Catalog(source).pull(model)
    Catalog(folder).pull(found.name, folder=found.folder)
    target = Target("bare engine", folder, model, 1)
    target.close()
    return folder


def main() -> None:
    from serve_report import picture, report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of each engine; as many as are free when absent")
    parser.add_argument(
        "--soak", type=int, default=360, help="requests of the test of memory: an hour's, one every 10 s"
    )
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    threads = options.threads or free_threads()
    turns: dict[str, list[dict[str, Any]]] = {}
    for model in options.models:
        with tempfile.TemporaryDirectory() as scratch:
            folder = prepared(options.data_dir, model, Path(scratch))
            turns[model] = []
            for turn in range(options.turns):
                names = TARGETS[turn % 3 :] + TARGETS[: turn % 3]
                soak = options.soak if model == options.models[0] and not turn else 0
                turns[model].append({name: measure(name, folder, model, threads, soak) for name in names})
                print(model, turn, json.dumps(turns[model][-1]), file=sys.stderr, flush=True)
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe().model_dump(),
        "load_average": psutil.getloadavg()[0],
        "versions": {name: version(name) for name in ("openvino-genai", "xllamacpp", "inkseal", "uvicorn")},
        "threads": threads,
        "answer_tokens": ANSWER_TOKENS,
        "soak_tokens": SOAK_TOKENS,
        "models": turns,
    }
    print(report(results))
    if options.write:
        (HERE / "results" / "serve.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
        (HERE.parent / "docs" / "reference" / "serve.md").write_text(report(results), encoding="utf-8")
        picture(results, HERE.parent / "docs" / "reference" / "serve.png")


if __name__ == "__main__":
    main()
