"""One engine, one model, one process: prints its speed as JSON. `text.py` calls it for us and the peer in turn."""

import json
import resource
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from inkseal.runtime.device import usable_cores
from inkseal.studio.generate import speed
from inkseal.studio.generate.speed import ANSWER_TOKENS, AT_ONCE, PROMPT_TOKENS, fresh_text


def ours(folder: Path, name: str, rounds: int) -> dict[str, Any]:
    """Measures the default backend as the studio loads it."""
    from inkseal.catalog.catalog import Catalog
    from inkseal.core.events import ignore
    from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

    model = Catalog(folder).local(name)
    backend = Openvino(OpenvinoConfig())
    backend.load(model, usable_cores(), ignore, threading.Event()).close()  # converts at the first time
    begin = time.perf_counter()
    engine = backend.load(model, usable_cores(), ignore, threading.Event())
    load = time.perf_counter() - begin
    return {"load_seconds": load} | speed.measure(engine, rounds).model_dump()


def llama_cpp(folder: Path, name: str, rounds: int) -> dict[str, Any]:
    """Measures xllamacpp's prebuilt wheel on the same GGUF, with its own defaults for eight slots."""
    import xllamacpp

    from inkseal.catalog.catalog import Catalog

    model = Catalog(folder).local(name)
    options = xllamacpp.CommonParams()
    options.model.path = str(next(model.folder / file for file in model.files))
    options.cpuparams.n_threads = options.cpuparams_batch.n_threads = usable_cores()
    options.n_ctx, options.n_parallel, options.verbosity = 8192, AT_ONCE, -1
    begin = time.perf_counter()
    server = xllamacpp.Server(options)
    load = time.perf_counter() - begin

    def answer(prompt: str, num_tokens: int, cached: bool = False) -> tuple[float, dict[str, Any]]:
        start = time.perf_counter()
        body = {"prompt": prompt, "n_predict": num_tokens, "ignore_eos": True, "temperature": 0, "cache_prompt": cached}
        reply = server.handle_completions(body)
        return time.perf_counter() - start, reply if isinstance(reply, dict) else json.loads(reply)

    def usage(reply: dict[str, Any]) -> dict[str, Any]:
        return dict(reply["usage"])

    answer(fresh_text(100), 4)
    _, probe = answer(fresh_text(2000), 1)
    chars = int(PROMPT_TOKENS * 2000 / usage(probe)["prompt_tokens"])
    prefills, firsts, repeats, decodes, together = [], [], [], [], []
    for _ in range(rounds):
        prompt = fresh_text(chars)
        cold, reply = answer(prompt, 1, cached=True)
        repeats.append(answer(prompt, 1, cached=True)[0])
        firsts.append(cold)
        prefills.append(usage(reply)["prompt_tokens"] / cold)
        prompt = fresh_text(120)
        one, _ = answer(prompt, 1)
        many, _ = answer(prompt, ANSWER_TOKENS + 1)
        decodes.append(ANSWER_TOKENS / (many - one))
        prompts = [fresh_text(120) for _ in range(AT_ONCE)]
        begin = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda text: answer(text, ANSWER_TOKENS), prompts))
        together.append(AT_ONCE * ANSWER_TOKENS / (time.perf_counter() - begin))
    middle = statistics.median
    return {
        "load_seconds": load,
        "prefill": middle(prefills),
        "decode": middle(decodes),
        "at_once": middle(together),
        "first_token_seconds": middle(firsts),
        "repeated_first_token_seconds": middle(repeats),
    }


ENGINES = {"inkseal": ours, "llama.cpp": llama_cpp}

if __name__ == "__main__":
    engine, data_dir, model_name, num_rounds = sys.argv[1:5]
    found = ENGINES[engine](Path(data_dir), model_name, int(num_rounds))
    # The peak: what is freed when the measuring function returns must count, too.
    found["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("RESULT " + json.dumps(found), flush=True)
