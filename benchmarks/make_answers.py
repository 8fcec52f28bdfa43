"""Lets a local model answer many prompts several times, and reword its first answers: the texts of fingerprints.py.

    python benchmarks/make_answers.py MODEL OUT.jsonl [--answers 3] [--tokens 160]

MODEL is a name in the catalog. One line per prompt: {prompt, language, answers, reworded, model}.
An interrupted run goes on where it stopped.
"""

import argparse
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.core.events import ignore
from inkseal.core.protocols import GenerativeEngine
from inkseal.core.types import Message
from inkseal.modalities.text.request import TextRequest
from inkseal.runtime.device import usable_cores
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

DATA = Path(__file__).parent / "data" / "fingerprints"


def prompts(given_prompts: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns (language, prompt) for every topic and task."""
    return [
        (language, task.format(topic))
        for language, given in given_prompts.items()
        for topic in given["topics"]
        for task in given["tasks"]
    ]


def ask(engine: GenerativeEngine, questions: list[str], seeds: list[int], num_tokens: int) -> list[str]:
    """Returns one answer per question and seed, drawn as the studio draws by default; all at once."""

    def answer(question: str, seed: int) -> str:
        request = TextRequest(messages=(Message.of("user", question),), max_tokens=num_tokens, seed=seed)
        return "".join(chunk.text for chunk in engine.generate(request, threading.Event())).strip()

    with ThreadPoolExecutor(len(questions)) as pool:
        return list(pool.map(answer, questions, seeds))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--prompts", type=Path, default=DATA / "prompts.json")
    parser.add_argument("--answers", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=160)
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    options = parser.parse_args()
    given_prompts = json.loads(options.prompts.read_text(encoding="utf-8"))
    model = Catalog(options.data_dir).pull(options.model)
    engine = Openvino(OpenvinoConfig()).load(model, usable_cores(), ignore, threading.Event())
    lines = options.out.read_text(encoding="utf-8").splitlines() if options.out.exists() else []
    done = {json.loads(line)["prompt"] for line in lines}
    left = [pair for pair in prompts(given_prompts) if pair[1] not in done]
    with options.out.open("a", encoding="utf-8") as out:
        for start in range(0, len(left), 5):
            block = left[start : start + 5]
            questions = [prompt for _, prompt in block for _ in range(options.answers)]
            seeds = [1000 * i + len(done) + start for i in range(len(questions))]
            answers = ask(engine, questions, seeds, options.tokens)
            firsts = answers[:: options.answers]
            reworded = ask(
                engine,
                [given_prompts[lang]["reword"] + first for (lang, _), first in zip(block, firsts, strict=True)],
                [7] * len(block),
                options.tokens,
            )
            for i, (lang, prompt) in enumerate(block):
                mine = answers[i * options.answers : (i + 1) * options.answers]
                row = {"prompt": prompt, "language": lang, "answers": mine, "reworded": reworded[i]}
                if "common" in options.prompts.name:
                    row["common"] = True
                out.write(json.dumps({**row, "model": model.name}, ensure_ascii=False) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
