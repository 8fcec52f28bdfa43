"""Measures the checks on their test sets: counts, rates with intervals, times."""

import gzip
import json
import random
import statistics
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from guard_split import calibrates
from wilson import wilson

from inkseal.core.protocols import Check, EmbeddingEngine
from inkseal.core.types import Origin, Part
from inkseal.studio.guard.checks.injection import Injection, InjectionConfig
from inkseal.studio.guard.checks.personal_data import PersonalData, PersonalDataConfig
from inkseal.studio.guard.checks.sensitive_terms import SensitiveTerms, SensitiveTermsConfig
from inkseal.studio.guard.injection_model import RULES_ONLY, InjectionModel, shipped_model
from inkseal.studio.guard.injection_rules import combined_weight, commands_reader
from inkseal.studio.guard.injection_windows import windows

HERE = Path(__file__).parent / "data" / "guard"
SECOND = "injection_second.jsonl.gz"
FRESH = "injection_fresh.jsonl.gz"
TRAINING = ("injection_train.jsonl.gz", "injection_test.jsonl.gz", "injection_notes.jsonl.gz")
Row = dict[str, Any]
LANGUAGES = ("en", "zh")


def read(name: str) -> list[Row]:
    return [json.loads(line) for line in gzip.decompress((HERE / name).read_bytes()).decode().splitlines()]


def rate(hits: int, total: int) -> dict[str, float]:
    low, high = wilson(hits / max(1, total), total)
    return {"hits": hits, "total": total, "rate": hits / max(1, total), "low": low, "high": high}


# ---- injection


def rules_score(item: Row) -> float:
    return max((combined_weight({hit.family for hit in window.hits}) for window in windows(item["text"])), default=0.0)


def model_score(model: InjectionModel, embedder: EmbeddingEngine) -> Callable[[Row], float]:
    def score(item: Row) -> float:
        found = windows(item["text"])
        if not found:
            return 0.0
        vectors = embedder.embed([window.text for window in found])
        return float(model.score(found, vectors, item["origin"] == "document").max())

    return score


def or_command(score: Callable[[Row], float]) -> Callable[[Row], float]:
    """Returns the score with which the check's rule of commands is certain of what it finds."""

    def certain(item: Row) -> float:
        commanding = item["origin"] == "document" and any(commands_reader(w.text) for w in windows(item["text"]))
        return 1.0 if commanding else score(item)

    return certain


def thresholds_of(model: InjectionModel | None, item: Row) -> float:
    table = (model.thresholds if model else RULES_ONLY)["untrusted" if item["origin"] == "document" else "own"]
    return float(table.zh if item["language"] == "zh" else table.en)


def injection(rows: Sequence[Row], score: Callable[[Row], float], chosen: Callable[[Row], float]) -> dict[str, Any]:
    """Returns, per language, recall and false alarms at the chosen thresholds, and recall at 1 % false alarms.

    Scores are divided by the threshold that was chosen for their kind, so that one cut serves all of a language.
    """
    relative = np.array([score(item) / chosen(item) for item in rows])
    attack = np.array([bool(item["attack"]) for item in rows])
    found: dict[str, Any] = {}
    for language in LANGUAGES:
        here = np.array([item["language"] == language for item in rows])
        harmless, attacks = here & ~attack, here & attack
        ordered = np.sort(relative[harmless])[::-1]
        cut = np.nextafter(ordered[int(0.01 * len(ordered))], np.inf)
        alarms, caught = int((relative[harmless] >= 1).sum()), int((relative[attacks] >= 1).sum())
        sources: dict[str, list[bool]] = defaultdict(list)
        for index in np.flatnonzero(here):
            item = rows[index]
            sources[f"{item['source']}|{item['origin']}|{item['attack']}"].append(bool(relative[index] >= 1))
        kinds: dict[str, list[bool]] = defaultdict(list)
        for index in np.flatnonzero(here):
            if "kind" in rows[index]:
                kinds[f"{rows[index]['kind']}|{rows[index]['attack']}"].append(bool(relative[index] >= 1))
        wrong = [(rows[i], float(relative[i])) for i in np.flatnonzero(here & ((relative >= 1) != attack))]
        found[language] = {
            "recall": rate(caught, int(attacks.sum())),
            "false_alarms": rate(alarms, int(harmless.sum())),
            "precision": rate(caught, caught + alarms),
            "recall_at_1_percent": rate(int((relative[attacks] >= cut).sum()), int(attacks.sum())),
            "sources": {name: rate(sum(hits), len(hits)) for name, hits in sorted(sources.items())},
            "kinds": {name: rate(sum(hits), len(hits)) for name, hits in sorted(kinds.items())},
            "missed": [item["text"] for item, _ in sorted(wrong, key=lambda w: w[1]) if item["attack"]][:8],
            "alarmed": [item["text"] for item, _ in sorted(wrong, key=lambda w: -w[1]) if not item["attack"]][:8],
        }
    return found


def nearest(embedder: EmbeddingEngine, test: str) -> dict[str, dict[str, float]]:
    """Returns how alike test attacks and their nearest training attacks are, as cosine quantiles per language."""
    train = [item for name in TRAINING for item in read(name) if item["attack"]]
    seen = embedder.embed([item["text"] for item in train])
    found = {}
    for language in LANGUAGES:
        texts = [i["text"] for i in read(test) if i["attack"] and i["language"] == language]
        best = (embedder.embed(texts) @ seen.T).max(axis=1)
        found[language] = {
            "median": float(np.median(best)),
            "p95": float(np.quantile(best, 0.95)),
            "above_0.9": float((best > 0.9).mean()),
        }
    return found


def injections(test: str, embedder: EmbeddingEngine, peer: Callable[[Row], float] | None) -> dict[str, Any]:
    rows = [item for item in read(test) if not (test == FRESH and calibrates(item))]
    combined = shipped_model()
    assert combined is not None
    alone = InjectionModel((HERE / "embedding_only.npz").read_bytes())
    found = {
        "rules and classifier": injection(
            rows, or_command(model_score(combined, embedder)), lambda r: thresholds_of(combined, r)
        ),
        "embedding alone": injection(rows, model_score(alone, embedder), lambda r: thresholds_of(alone, r)),
        "rules alone": injection(rows, or_command(rules_score), lambda r: thresholds_of(None, r)),
    }
    if peer:
        found["SecureVector Guardian"] = injection(rows, peer, lambda r: 1.0)
    return found


# ---- sensitive terms


def sensitive_terms() -> dict[str, Any]:
    """Returns recall by category and false alarms; a text counts as found when a rule of its own category hits."""
    check = SensitiveTerms(SensitiveTermsConfig())
    sets = tomllib.loads((HERE / "sensitive_test.toml").read_text("utf-8"))
    everyday = [item for item in read("injection_test.jsonl.gz") if not item["attack"]]
    behaviours = gzip.decompress((HERE / "harmbench.txt.gz").read_bytes()).decode().splitlines()
    asked = [bool(check.inspect([Part(text=text)], "prompt").findings) for text in behaviours if text.strip()]
    found: dict[str, Any] = {"harmbench": rate(sum(asked), len(asked))}
    for language in LANGUAGES:
        categories, missed, alarmed, right, total = {}, [], [], 0, 0
        for name, texts in sets[language].items():
            hits = [{f.category for f in check.inspect([Part(text=text)], "prompt").findings} for text in texts]
            if name == "harmless":
                alarmed += [text for text, hit in zip(texts, hits, strict=True) if hit]
                hard = rate(sum(map(bool, hits)), len(texts))
                continue
            good = [name in hit for hit in hits]
            missed += [text for text, ok in zip(texts, good, strict=True) if not ok]
            categories[name] = rate(sum(good), len(good))
            right, total = right + sum(good), total + len(good)
        plain = [item["text"] for item in everyday if item["language"] == language]
        hits_plain = [check.inspect([Part(text=text)], "prompt") for text in plain]
        alarmed_plain = [t for t, v in zip(plain, hits_plain, strict=True) if v.findings]
        blocked = sum(verdict.action == "block" for verdict in hits_plain)
        found[language] = {
            "recall": rate(right, total),
            "precision": rate(right, right + hard["hits"]),
            "hard": hard,
            "everyday": rate(len(alarmed_plain), len(plain)),
            "blocked": rate(blocked, len(plain)),
            "categories": categories,
            "missed": missed[:8],
            "alarmed": [*alarmed[:6], *(text[:120] for text in alarmed_plain[:4])],
        }
    return found


# ---- personal data


def _id_card(rng: random.Random) -> str:
    region = rng.choice(["110108", "320507", "441900", "510107", "610113", "230103", "820000", "350203"])
    born = date(1950, 1, 1) + timedelta(days=rng.randrange(25_000))
    body = f"{region}{born:%Y%m%d}{rng.randrange(1000):03d}"
    rest = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body)) % 11
    return body + "10X98765432"[rest]


def _card(rng: random.Random) -> str:
    body = rng.choice(["622848", "621700", "436742", "520169", "955880", "625955"])
    # Only UnionPay and old Chinese debit cards have 19 digits.
    body += "".join(str(rng.randrange(10)) for _ in range(9 if body[0] in "45" else rng.choice([9, 12])))
    for last in "0123456789":
        digits = [int(digit) for digit in reversed(body + last)]
        if (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0:
            return body + last
    raise AssertionError


def _spaced(text: str, sizes: Sequence[int], gap: str) -> str:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return gap.join([*pieces, text[at:]]).strip(gap)


def _value(kind: str, rng: random.Random) -> str:
    digits = "".join(str(rng.randrange(10)) for _ in range(8))
    if kind == "id_card":
        number = _id_card(rng)
        return _spaced(number, (6, 8), " ") if rng.random() < 0.15 else number
    if kind == "bank_card":
        number = _card(rng)
        return _spaced(number, (4, 4, 4, 4), rng.choice(" -")) if rng.random() < 0.5 else number
    if kind == "mobile":
        number = rng.choice(["131", "139", "150", "166", "177", "188", "198"]) + digits
        shown = _spaced(number, (3, 4), rng.choice(["", " ", "-"]))
        return rng.choice(["", "", "+86 ", "86-"]) + shown
    if kind == "email":
        name = rng.choice(["li.ming", "zhang_wei88", "j.smith", "anna-k", "qa+test", "x9"])
        return f"{name}@{rng.choice(['qq.com', '163.com', 'gmail.com', 'pku.edu.cn', 'corp-mail.co.uk'])}"
    return rng.choice(["E" + digits, "EC" + digits[:7], "G" + digits])


def _decoy(rng: random.Random) -> str:
    digits = "".join(str(rng.randrange(10)) for _ in range(20))
    wrong = _id_card(rng)
    return rng.choice(
        [
            wrong[:16] + str((int(wrong[16]) + 1) % 10) + wrong[17:],
            "1" + digits[:10] + "00",
            digits[:16],
            digits[:19],
            f"20{digits[:12]}",
            f"v{digits[0]}.{digits[1:3]}.{digits[3:5]}",
            f"192.168.{int(digits[:2])}.{int(digits[2:4])}",
            f"0.{digits[:12]}",
            f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}",
            f"E{digits[:8]}",
            f"logo@{digits[0]}x.png",
            "git@gitlab.com:team/repo.git",
            f"{digits[:3]},{digits[3:6]},{digits[6:9]}",
            f"0x{digits[:12]}",
        ]
    )


def personal_data(count: int = 400) -> dict[str, Any]:
    """Returns recall and precision by kind on generated records, and false alarms on everyday texts."""
    check = PersonalData(PersonalDataConfig())
    frames = tomllib.loads((HERE / "personal_test.toml").read_text("utf-8"))
    rng = random.Random(20260102)
    everyday = [item for item in read("injection_test.jsonl.gz") if not item["attack"]]
    found: dict[str, Any] = {}
    for language in LANGUAGES:
        kinds: dict[str, dict[str, int]] = defaultdict(lambda: {"right": 0, "missed": 0, "wrong": 0})
        missed, alarmed = [], []
        for kind, texts in frames[language].items():
            for number in range(count):
                value = _decoy(rng) if kind == "decoy" else _value(kind, rng)
                frame = texts[number % len(texts)]
                text, start = frame.replace("{v}", value), frame.index("{v}")
                hits = check.inspect([Part(text=text)], "prompt").findings
                exact = [
                    f for f in hits if f.category == kind and abs(f.start - start) <= 4 and f.end == start + len(value)
                ]
                if kind != "decoy":
                    kinds[kind]["right" if exact else "missed"] += 1
                    missed += [] if exact else [text]
                for wrong in [f for f in hits if f not in exact]:
                    kinds[wrong.category]["wrong"] += 1
                    alarmed.append(text)
        plain = [item["text"] for item in everyday if item["language"] == language]
        alarms = [text for text in plain if check.inspect([Part(text=text)], "prompt").findings]
        found[language] = {
            "kinds": {
                kind: {
                    "recall": rate(c["right"], c["right"] + c["missed"]),
                    "precision": rate(c["right"], c["right"] + c["wrong"]),
                }
                for kind, c in kinds.items()
            },
            "everyday": rate(len(alarms), len(plain)),
            "missed": missed[:6],
            "alarmed": [*alarmed[:6], *(text[:120] for text in alarms[:3])],
        }
    return found


# ---- time


def latency(check: Check, rounds: int = 3) -> dict[str, dict[str, float]]:
    """Returns milliseconds per 1,000 characters on texts of about that length, median and 95th percentile."""
    everyday = [item for item in read("injection_test.jsonl.gz") if not item["attack"]]
    found = {}
    for language in LANGUAGES:
        joined = "\n".join(item["text"] for item in everyday if item["language"] == language)
        pieces = [joined[at : at + 1000] for at in range(0, min(len(joined), 60_000) - 1000, 1000)]
        times = []
        for piece in pieces * rounds:
            begin = time.perf_counter()
            check.inspect([Part(text=piece, origin=Origin.WEB)], "prompt")
            times.append(1000 * (time.perf_counter() - begin))
        found[language] = {"p50": statistics.median(times), "p95": float(np.quantile(times, 0.95))}
    return found


def injection_check(embedder: EmbeddingEngine | None) -> Check:
    return Injection(InjectionConfig(), embedder=embedder)
