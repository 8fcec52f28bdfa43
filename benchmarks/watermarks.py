"""Measures how well text watermarks are found again, and writes docs/reference/watermarks.md.

    python benchmarks/watermarks.py --collect SETS [--seconds 220]    writes the answers of sets; goes on where it was
    python benchmarks/watermarks.py --alarms                          measures false alarms and keeps the figures
    python benchmarks/watermarks.py --write                           measures the rest and writes page and figures

A set is MODEL/WATERMARK/TEMPERATURE, such as `tiny/kgw/0.7`; several are joined by commas, `all` names them all. The
models are those of the tests, turned from GGUF into folders of safetensors first.
"""

import argparse
import json
import math
import random
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from wilson import wilson

from inkseal.catalog.catalog import Catalog
from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.formats.perplexity import held_out_text
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tokenizer_json import tokenizer_from_folder
from inkseal.formats.validate import validate
from inkseal.formats.watermarks import watermarks
from inkseal.modalities.text.request import Sampling, TextRequest
from inkseal.runtime.device import describe
from inkseal.studio.generate.backends.hf_transformers import HfTransformers, HfTransformersConfig

HERE = Path(__file__).parent
ANSWERS = HERE / "data" / "watermarks"
RESULTS = HERE / "results" / "watermarks.json"
PAGE = HERE.parent / "docs" / "reference" / "watermarks.md"
KEY = bytes(range(32))
LENGTHS = (50, 100, 200)
LEVEL = 0.01
FOREIGN_KEYS = 50
STRETCHES = 10
RUN_WORDS = 20
AT_ONCE = 8
MAX_TOKENS = 210
LANGUAGES = {"tiny": "en", "small": "zh"}
NAMES = {"tiny": "SmolLM2-135M-Instruct, English", "small": "Qwen2.5-Coder-0.5B-Instruct, Chinese"}
SETS = [f"tiny/{mark}/{temperature}" for temperature in (0.7, 1.0) for mark in ("none", "kgw", "synthid")] + [
    f"small/{mark}/0.7" for mark in ("none", "kgw", "synthid")
]
TOPICS = {
    "en": (
        "an old lighthouse, a market in the rain, the history of bread, learning to swim, a lost letter, the first "
        "snow, how bridges are built, a dog who travels, the invention of paper, a village without clocks, gardens in "
        "spring, a night train, what makes a good teacher, the price of salt, a broken violin, how rivers change"
    )
    .replace("\n", " ")
    .split(", "),
    "zh": [
        "老灯塔",
        "雨中的集市",
        "面包的历史",
        "学游泳",
        "一封丢失的信",
        "初雪",
        "桥是怎样建成的",
        "会旅行的狗",
        "造纸术",
        "没有钟的村庄",
        "春天的花园",
        "夜行火车",
        "什么是好老师",
        "盐的价格",
        "一把坏掉的小提琴",
        "河流如何改道",
    ],
}
PROMPTS = {"en": "Write a long and vivid text about {}.", "zh": "请写一篇生动的长文，题目是：{}。"}


def hub_model(name: str, folder: Path) -> LocalModel:
    """Returns the tests' GGUF model as a model of safetensors, made in `folder` when it is not there."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from conftest import MODELS
    from hub_maker import hub_folder

    catalog = Catalog(folder / "data")
    if f"{name}-hub" not in catalog.shelf.names():
        source = Catalog(MODELS).local(name)
        gguf = next(source.folder / file for file in source.files if file.endswith(".gguf"))
        hub_folder(gguf, folder / name, dtype="BF16")
        catalog.bring(folder / name, f"{name}-hub", validate=validate)
    return catalog.local(f"{name}-hub", verify=False)


def collect(name: str, folder: Path, until: float) -> None:
    """Writes the answers of a set that are not there yet, as long as the monotonic clock permits."""
    model_name, mark, temperature = name.split("/")
    language = LANGUAGES[model_name]
    path = ANSWERS / f"{name.replace('/', '-')}.jsonl"
    done = len(path.read_text("utf-8").splitlines()) if path.exists() else 0
    topics = TOPICS[language][done:]
    if not topics or time.monotonic() > until:
        return
    backend = HfTransformers(HfTransformersConfig(max_results=AT_ONCE), watermark_key=KEY.hex())
    engine = backend.load(hub_model(model_name, folder), 1, ignore, threading.Event())
    try:
        while topics and time.monotonic() < until:
            group, topics = topics[:AT_ONCE], topics[AT_ONCE:]
            answers = [""] * len(group)

            def answer(place: int, group: list[str] = group, answers: list[str] = answers, done: int = done) -> None:
                request = TextRequest.of(
                    PROMPTS[language].format(group[place]),
                    max_tokens=MAX_TOKENS,
                    seed=done + place,
                    sampling=Sampling(temperature=float(temperature)),
                    watermark=mark,
                )
                answers[place] = "".join(chunk.text for chunk in engine.generate(request, threading.Event()))

            threads = [threading.Thread(target=answer, args=(place,)) for place in range(len(group))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ANSWERS.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                for topic, text in zip(group, answers, strict=True):
                    row = {"topic": topic, "text": text, "bits": surprise(engine, language, topic, text)}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            done += len(group)
            print(name, done, flush=True)
    finally:
        engine.close()


def surprise(engine: Any, language: str, topic: str, text: str) -> float:
    """Returns the mean of −log2 p of an answer's tokens after its prompt, by the plain model at temperature 1."""
    import torch

    prompt = engine._prompt(TextRequest.of(PROMPTS[language].format(topic)))
    ids = prompt + engine._tokenizer.encode(text)[:200]
    with torch.inference_mode():
        logits = engine._turns._batch._model(input_ids=torch.tensor([ids])).logits[0, :-1].float()
    losses = -torch.log_softmax(logits, -1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    return round(float(losses[len(prompt) - 1 :].mean()) / math.log(2), 4)


def answers_of(name: str) -> list[dict[str, Any]]:
    path = ANSWERS / f"{name.replace('/', '-')}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines][: len(TOPICS[LANGUAGES[name.split("/")[0]]])]


def windows(texts: list[str], tokenizer: Tokenizer, length: int) -> list[list[int]]:
    """Returns stretches of `length` tokens of the texts as a detector reads them, none overlapping."""
    found = []
    for text in texts:
        ids = tokenizer.encode(text)
        found += [ids[at : at + length] for at in range(0, len(ids) - length + 1, length)]
    return found


def units(text: str, language: str) -> list[str]:
    return list(text) if language == "zh" else text.split(" ")


def edited(text: str, kind: str, language: str, rng: random.Random) -> str:
    """Returns the text with a tenth of its words (or letters of Chinese) deleted or replaced, or half foreign."""
    words = units(text, language)
    join = "" if language == "zh" else " "
    if kind == "a tenth deleted":
        return join.join(word for word in words if rng.random() > 0.1)
    if kind == "a tenth replaced":
        return join.join(rng.choice(words) if rng.random() < 0.1 else word for word in words)
    foreign = units(" ".join(held_out_text(language).split()), language)
    at = rng.randrange(len(foreign) - len(words))
    return join.join(word if place // RUN_WORDS % 2 == 0 else foreign[at + place] for place, word in enumerate(words))


def rate(hits: int, total: int) -> dict[str, float]:
    """Returns a share with its 95 % interval (Wilson)."""
    if not total:
        return {"rate": 0.0, "low": 0.0, "high": 1.0, "total": 0}
    share = hits / total
    low, high = wilson(share, total)
    return {"rate": share, "low": low, "high": high, "total": total}


def detection(name: str, tokenizer: Tokenizer) -> dict[str, Any]:
    model_name, mark, _ = name.split("/")
    language = LANGUAGES[model_name]
    texts = [row["text"] for row in answers_of(name)]
    detector = watermarks[mark](KEY)

    def found(texts: list[str], length: int) -> dict[str, float]:
        parts = windows(texts, tokenizer, length)
        return rate(sum(detector.score(ids).p_value <= LEVEL for ids in parts), len(parts))

    changes = ("a tenth deleted", "a tenth replaced", "half foreign, in turns")
    rng = random.Random(5)
    return {
        "plain": {str(length): found(texts, length) for length in LENGTHS},
        "edited": {
            kind: {
                str(length): found([edited(text, kind, language, rng) for text in texts], length)
                for length in LENGTHS[:2]
            }
            for kind in changes
        },
    }


def false_alarms(mark: str, model_name: str, tokenizer: Tokenizer) -> dict[str, Any]:
    """Returns how often texts without the key's watermark pass for it: plain answers and books, under many keys."""
    language = LANGUAGES[model_name]
    plain = [row["text"] for name in SETS if name.startswith(f"{model_name}/none/") for row in answers_of(name)]
    plain.append(held_out_text(language))
    out = {}
    for length in LENGTHS:
        parts = windows(plain, tokenizer, length)
        values = []
        for number in range(FOREIGN_KEYS):
            detector = watermarks[mark](number.to_bytes(32))
            values += [
                detector.score(ids).p_value for ids in random.Random(number).sample(parts, min(STRETCHES, len(parts)))
            ]
        out[str(length)] = {
            str(level): rate(sum(value <= level for value in values), len(values)) for level in (0.01, 0.001)
        }
    return out


def measure(folder: Path) -> dict[str, Any]:
    out: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": describe().model_dump(mode="json")}
    out |= {"sets": {}, "false_alarms": kept().get("false_alarms", {})}
    for name in (name for name in SETS if answers_of(name)):
        bits = [row["bits"] for row in answers_of(name)]
        error = float(np.std(bits) / math.sqrt(len(bits)))
        facts: dict[str, Any] = {"surprise": {"bits": float(np.mean(bits)), "error": error, "total": len(bits)}}
        if "/none/" not in name:
            facts |= detection(name, tokenizer_from_folder(hub_model(name.split("/")[0], folder).folder))
        out["sets"][name] = facts
    return out


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return found


def alarms(folder: Path) -> None:
    """Measures false alarms with the tokenizers of the models that have answers, and keeps them."""
    results = kept() | {"false_alarms": {}}
    for model_name in dict.fromkeys(name.split("/")[0] for name in SETS if answers_of(name)):
        tokenizer = tokenizer_from_folder(hub_model(model_name, folder).folder)
        for mark in watermarks:
            results["false_alarms"][f"{model_name}/{mark}"] = false_alarms(mark, model_name, tokenizer)
            print(model_name, mark, results["false_alarms"][f"{model_name}/{mark}"], flush=True)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def shown(value: dict[str, float]) -> str:
    if not value["total"]:
        return "–"
    return f"{100 * value['rate']:.0f} % ({100 * value['low']:.0f}–{100 * value['high']:.0f}, n = {value['total']:.0f})"


def precise(value: dict[str, float]) -> str:
    return f"{100 * value['rate']:.1f} % ({100 * value['low']:.1f}–{100 * value['high']:.1f}, n = {value['total']:.0f})"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def report(results: dict[str, Any]) -> str:
    machine = results["machine"]
    parts = [
        "# Text watermarks, measured\n\n<!-- Written by benchmarks/watermarks.py; do not edit. -->\n",
        (ANSWERS / "METHOD.md").read_text("utf-8"),
        f"Measured on {results['date']}: {machine['processor']}.\n",
    ]
    for model_name, title in NAMES.items():
        sets = {name: facts for name, facts in results["sets"].items() if name.startswith(f"{model_name}/")}
        if not sets:
            continue
        marked = {name: facts for name, facts in sets.items() if "/none/" not in name}
        label = {name: f"{name.split('/')[1]}, temperature {name.split('/')[2]}" for name in sets}
        parts.append(f"## {title}\n")
        parts.append("### Found at a level of 1 %\n")
        head = ["", *(f"{length} tokens" for length in LENGTHS)]
        parts.append(
            table(
                head, [[label[n], *(shown(f["plain"][str(length)]) for length in LENGTHS)] for n, f in marked.items()]
            )
        )
        parts.append("### Found after changes, at a level of 1 %\n")
        rows = [
            [f"{label[name]}: {kind}", *(shown(by[str(length)]) for length in LENGTHS[:2])]
            for name, facts in marked.items()
            for kind, by in facts["edited"].items()
        ]
        parts.append(table(head[:3], rows))
        parts.append("### False alarms\n")
        rows = [
            [
                name.split("/")[1],
                f"{100 * float(level):g} %",
                *(precise(by[str(n)][level]) for n in LENGTHS),
            ]
            for name, by in results["false_alarms"].items()
            if name.startswith(f"{model_name}/")
            for level in ("0.01", "0.001")
        ]
        parts.append(table(["", "level", *head[1:]], rows))
        parts.append("### What it costs the text\n")
        costs = {name: facts["surprise"] for name, facts in sets.items()}
        rows = [
            [label[n], f"{c['total']:.0f}", f"{c['bits']:.2f} ± {c['error']:.2f}", f"{2 ** c['bits']:.1f}"]
            for n, c in costs.items()
        ]
        parts.append(table(["", "answers", "bits per token, by the plain model", "perplexity"], rows))
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collect", help="sets, or all")
    parser.add_argument("--seconds", type=float, default=220, help="stop collecting after so long")
    parser.add_argument("--folder", type=Path, help="where the models are made and kept; a temporary one when absent")
    parser.add_argument("--alarms", action="store_true", help="measure false alarms")
    parser.add_argument("--write", action="store_true", help="write the page and the figures")
    parser.add_argument("--render", action="store_true", help="write the page from the kept figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        until = time.monotonic() + options.seconds
        for name in SETS if options.collect == "all" else filter(None, (options.collect or "").split(",")):
            collect(name, folder, until)
        if options.alarms:
            alarms(folder)
        if options.collect or options.alarms:
            return
        results = kept() if options.render else measure(folder)
    page = report(results)
    if options.write or options.render:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
