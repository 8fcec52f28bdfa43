"""Scores apps on their cases, several at once, and writes what the studio and docs/reference/apps.md show.

    python benchmarks/apps.py --model small [--app NAME …] [--language zh] [--cases 2] [--minutes 30] [--write]

It goes on where it was stopped: every case is a line of benchmarks/results/apps/MODEL.jsonl, found by the hash of the
app's file. `--write` makes the tables from all lines; without `--model` it does only that. Runs in the data folder of
the settings, in which its results stay: give it one of its own with INKSEAL_DATA_DIR.
"""

import argparse
import json
import os
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from inkseal.apps.definition import AppFile
from inkseal.apps.scores import AppScore, Scores
from inkseal.apps.scoring import CaseScore, score_case
from inkseal.apps.shelf import built_in, built_in_names
from inkseal.store.durable import write_whole
from inkseal.studio.studio import Studio

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "apps"
SCORES = HERE.parent / "src" / "inkseal" / "apps" / "scores.json"
PAGE = HERE.parent / "docs" / "reference" / "apps.md"
SEED = 20261122
LANGUAGES = ("zh", "en")
UNSEEN = """
Rules count, compare and look up; they do not understand. A dozen results of the 1.5B model that met every rule were
read, and held these faults: a unit of the model's own beside a right number ("each loan was made for $5,755" of a mean
of 5,755 loans), a right number with a wrong meaning ("the median of 5,230 suggests that half of the loans were made at
this level"), a word nobody gave ("dims automatically", "double-blind"), a finding without a number that nobody made, a
variable that is not the one that is changed, a line of dialogue that no choice leads to, chapters that differ in a name
alone, and explanations that exclude each other in form alone. A person reads a result before it is used.
"""
NOTE = "<!-- Written by benchmarks/apps.py; run `make eval-apps` instead of editing. -->"


def kept(model: str) -> dict[tuple[str, str, int], CaseScore]:
    """Returns the cases that were scored with the model, by app, hash and number; the last line counts."""
    path = RESULTS / f"{model.replace('/', '_')}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [CaseScore.model_validate_json(line) for line in lines if line.strip()]
    return {(score.app, score.sha256, score.case): score for score in found}


def append(score: CaseScore) -> None:
    """Adds a line that is on the disk when this returns."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / f"{score.model.replace('/', '_')}.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(score.model_dump_json() + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def wanted(files: Iterable[AppFile], language: str, most: int) -> list[tuple[AppFile, int]]:
    """Returns the cases to score, the first of every app and language before the second of any."""
    found: list[tuple[int, AppFile, int]] = []
    for file in files:
        count: defaultdict[str, int] = defaultdict(int)
        for number, case in enumerate(file.app.cases, 1):
            count[case.language] += 1
            if language in ("", case.language) and count[case.language] <= most:
                found.append((count[case.language], file, number))
    return [(file, number) for _, file, number in sorted(found, key=lambda one: one[0])]


def measure(files: Sequence[AppFile], arguments: argparse.Namespace) -> None:
    """Scores what is not scored yet, until the time is over."""
    known, end = kept(arguments.model), time.monotonic() + arguments.minutes * 60
    todo = [
        (file, number)
        for file, number in wanted(files, arguments.language, arguments.cases)
        if (file.app.name, file.sha256, number) not in known
    ]
    print(f"{len(todo)} cases to score with {arguments.model}", flush=True)
    num_left = len(todo)
    with Studio.open() as studio, ThreadPoolExecutor(arguments.at_once) as pool:

        def score(file: AppFile, number: int) -> CaseScore | None:
            if time.monotonic() >= end:
                return None
            seed = SEED + number
            return score_case(studio, file, number, arguments.model, seed=seed, timeout_seconds=arguments.seconds)

        for future in as_completed([pool.submit(score, file, number) for file, number in todo]):
            if error := future.exception():
                # Nothing is known of the app: the case stays to be scored, and the others go on.
                print("".join(traceback.format_exception(error)), flush=True)
            elif case := future.result():
                append(case)
                num_left -= 1
                told = "" if not case.unmet else " · " + " ".join(case.unmet)[:160]
                print(f"{case.app} {case.language} {case.case}: {case.score:.2f}{told}", flush=True)
    if num_left:
        print(f"{num_left} cases are left; run it again to go on", flush=True)


def together(files: Sequence[AppFile]) -> Scores:
    """Returns the scores of all models for the files as they are."""
    found = []
    for path in sorted(RESULTS.glob("*.jsonl")):
        groups: defaultdict[tuple[str, str], list[CaseScore]] = defaultdict(list)
        current = {file.app.name: file.sha256 for file in files}
        for score in kept(path.stem).values():
            if current.get(score.app) == score.sha256:
                groups[score.app, score.language].append(score)
        found += [_one(group) for _, group in sorted(groups.items())]
    return Scores(scores=tuple(found))


def _one(group: Sequence[CaseScore]) -> AppScore:
    first = group[0]
    failures = [f"{score.case}: {text}" for score in group for text in score.unmet]
    finished = [score for score in group if score.finished]
    return AppScore(
        app=first.app,
        sha256=first.sha256,
        model=first.model,
        language=first.language,
        num_cases=len(group),
        num_finished=len(finished),
        score=round(sum(score.score for score in group) / len(group), 4),
        num_answers=sum(score.num_answers for score in group),
        num_valid=sum(score.num_valid for score in group),
        mean_seconds=round(sum(score.seconds for score in finished) / max(1, len(finished)), 2),
        failures=tuple(text[:300] for text in failures[:40]),
    )


def page(scores: Scores, files: Sequence[AppFile]) -> str:
    """Returns docs/reference/apps.md."""
    lines = ["# Scores of the apps", "", NOTE, ""]
    lines += [
        "Each case fills in the form and is scored by code: the share of the app's rules and of the case's "
        "expectations that the result meets. A run that ends with an error, because no answer kept the rules, "
        "scores 0. `valid` is apart: of the answers that had to meet a JSON schema, those that did at the first "
        "attempt. Several cases share the engine's batch, so `mean seconds` is longer than for one user alone, and "
        "longer still where the machine had other work.",
        "",
    ]
    lines += ["## What the scores do not say", UNSEEN]
    num_cases = sum(len(file.app.cases) for file in files)
    for model in dict.fromkeys(score.model for score in scores.scores):
        mine = [score for score in scores.scores if score.model == model]
        lines += [
            f"## {model}",
            "",
            f"Measured so far: {sum(score.num_cases for score in mine)} of {num_cases} cases. The means are of these "
            "alone; cases that take many attempts come last.",
            "",
            *(_whole(language, [score for score in mine if score.language == language]) for language in LANGUAGES),
            "",
            "| app | language | score | finished | valid | mean seconds |",
            "|---|---|---:|---:|---:|---:|",
        ]
        for one in mine:
            valid = f"{one.num_valid} of {one.num_answers}" if one.num_answers else "—"
            cells = (one.app, one.language, f"{one.score:.2f}", f"{one.num_finished} of {one.num_cases}", valid)
            lines.append(f"| {' | '.join(cells)} | {one.mean_seconds:.1f} |")
        lines += ["", "### What was not met", ""]
        for one in mine:
            lines += [f"- **{one.app}, {one.language}**: {_plain(text)}" for text in one.failures]
        lines.append("")
    measured = {score.app for score in scores.scores}
    missing = [file.app.name for file in files if file.app.name not in measured]
    if missing:
        lines += ["## Not measured yet", "", ", ".join(f"`{name}`" for name in missing), ""]
    return "\n".join(lines)


def _whole(language: str, scores: Sequence[AppScore]) -> str:
    """Returns a line on all cases of a language; each case counts the same."""
    cases, finished = sum(score.num_cases for score in scores), sum(score.num_finished for score in scores)
    mean = sum(score.score * score.num_cases for score in scores) / max(1, cases)
    return f"- {language}: mean score {mean:.2f} over {cases} cases of {len(scores)} apps; {finished} finished."


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--app", action="append", default=[])
    parser.add_argument("--language", default="", choices=["", "zh", "en"])
    parser.add_argument("--cases", type=int, default=1000, help="of each app and language")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="no new case after so long")
    parser.add_argument("--seconds", type=float, default=900, help="longest time for a case")
    parser.add_argument("--at-once", type=int, default=6, help="cases that share the engine's batch")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    everything = [built_in(name) for name in sorted(built_in_names())]
    if arguments.model:
        measure([file for file in everything if not arguments.app or file.app.name in arguments.app], arguments)
    if arguments.write:
        scores = together(everything)
        text = json.dumps(scores.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
        write_whole(SCORES, text.encode(), 0o644)
        PAGE.write_text(page(scores, everything), encoding="utf-8")


if __name__ == "__main__":
    main()
