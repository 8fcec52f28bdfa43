"""Measures the four checks on texts that they never saw, and writes the tables of docs/reference/guard.md.

    python benchmarks/guard.py [--write] [--embedder FILE.onnx] [--peer FOLDER]

FOLDER holds the unpacked package `securevector-guardian-model`, an English peer; its last figures are kept without it.
"""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import guard_measure as measure
from guard_embedder import open_embedder

from inkseal.runtime.device import describe
from inkseal.studio.guard.checks.limits import Limits, LimitsConfig
from inkseal.studio.guard.checks.personal_data import PersonalData, PersonalDataConfig
from inkseal.studio.guard.checks.sensitive_terms import SensitiveTerms, SensitiveTermsConfig

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "guard.json"
SUMMARY = HERE.parent / "src" / "inkseal" / "studio" / "guard" / "measured.json"
PAGE = HERE.parent / "docs" / "reference" / "guard.md"
NAMES = {"en": "English", "zh": "Chinese"}
SETS = {"test": measure.SECOND, "development": measure.FRESH}


def open_peer(folder: Path) -> Callable[[dict[str, Any]], float]:
    """Returns the peer's score of a text relative to its own threshold, by windows as it recommends."""
    sys.path.insert(0, str(folder))
    from svguardian.model.pure_infer import PureGuardian  # type: ignore[import-not-found]
    from svguardian.window import predict_windowed  # type: ignore[import-not-found]

    model = PureGuardian.load(str(folder / "svguardian" / "_runtime" / "guardian.runtime.json.gz"))

    def score(item: dict[str, Any]) -> float:
        return float(predict_windowed(model, item["text"])["malicious_score"]) / model.threshold

    return score


def collect(options: argparse.Namespace) -> dict[str, Any]:
    embedder = open_embedder(options.embedder)
    peer = open_peer(options.peer) if options.peer else None
    checks = {
        "limits": Limits(LimitsConfig()),
        "sensitive_terms": SensitiveTerms(SensitiveTermsConfig()),
        "personal_data": PersonalData(PersonalDataConfig()),
        "injection, rules alone": measure.injection_check(None),
        "injection": measure.injection_check(embedder),
    }
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe().model_dump(mode="json"),
        "injection": {name: measure.injections(file, embedder, peer) for name, file in SETS.items()},
        "nearest": {name: measure.nearest(embedder, file) for name, file in SETS.items()},
        "sensitive_terms": measure.sensitive_terms(),
        "personal_data": measure.personal_data(),
        "latency": {name: measure.latency(check) for name, check in checks.items()},
    }
    before = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"injection": {}}
    # Figures that are not measured anew: the peer's without its package, and those of weights that were replaced.
    for name, found in results["injection"].items() if peer is None else ():
        kept = before["injection"].get(name, {}).get("SecureVector Guardian")
        found |= {"SecureVector Guardian": kept} if kept else {}
    return results | ({"former": before["former"]} if "former" in before else {})


def percent(value: dict[str, float], *, bounds: bool = True) -> str:
    shown = f"{100 * value['rate']:.1f} %"
    return f"{shown} ({100 * value['low']:.1f}–{100 * value['high']:.1f})" if bounds else shown


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def quoted(texts: list[str]) -> str:
    clean = (" ".join(text.replace("`", "'").split())[:140] for text in texts)
    return "".join(f"- `{text}`\n" for text in clean if text) or "- none\n"


def of_injection(results: dict[str, Any], chosen: str) -> str:
    head = ["", "recall at 1 % false alarms", "recall as shipped", "false alarms as shipped", "precision as shipped"]
    judges = results["injection"][chosen]
    out = []
    for language, name in NAMES.items():
        rows = [
            [
                judge,
                percent(found[language]["recall_at_1_percent"]),
                percent(found[language]["recall"]),
                percent(found[language]["false_alarms"]),
                percent(found[language]["precision"], bounds=False),
            ]
            for judge, found in judges.items()
            if judge != "SecureVector Guardian" or language == "en"
        ]
        total = judges["rules alone"][language]
        sizes = f"{total['recall']['total']} attacks, {total['false_alarms']['total']} harmless texts"
        out.append(f"### {name}, {chosen}: {sizes}\n\n" + table(head, rows))
        shipped = judges["rules and classifier"][language]
        if shipped["kinds"]:
            out.append(table(["kind of attack", "texts", "found, as shipped"], _kinds(shipped, "1")))
            out.append(table(["kind of harmless text", "texts", "taken for attacks, as shipped"], _kinds(shipped, "0")))
        else:
            out.append(table(["source", "as", "kind", "texts", "taken for attacks, as shipped"], _sources(shipped)))
        if near := results["nearest"].get(chosen):
            out.append(
                f"Cosine of an attack here to its nearest training attack: median {near[language]['median']:.2f}, 95th "
                f"percentile {near[language]['p95']:.2f}, above 0.9 for {100 * near[language]['above_0.9']:.1f} %.\n"
            )
        out.append(
            f"Typical misses:\n\n{quoted(shipped['missed'])}\nTypical false alarms:\n\n{quoted(shipped['alarmed'])}"
        )
    return "\n".join(out)


def of_former(results: dict[str, Any]) -> str:
    """Returns the table of the weights that the test was first scored with, beside those that are shipped."""
    rows = [
        [name, weights, *(percent(found[language][key]) for key in ("recall_at_1_percent", "recall", "false_alarms"))]
        for language, name in NAMES.items()
        for weights, found in (
            ("first scoring, weights now replaced", results["former"]),
            ("second scoring, as shipped", results["injection"]["test"]["rules and classifier"]),
        )
    ]
    return table(["", "weights", "recall at 1 % false alarms", "recall as shipped", "false alarms as shipped"], rows)


def _kinds(shipped: dict[str, Any], attack: str) -> list[list[str]]:
    found = {name[:-2].replace("_", " "): v for name, v in shipped["kinds"].items() if name.endswith(attack)}
    return [[name, str(value["total"]), percent(value)] for name, value in found.items()]


def _sources(shipped: dict[str, Any]) -> list[list[str]]:
    return [
        [*name.split("|")[:2], "attack" if name.endswith("1") else "harmless", str(value["total"]), percent(value)]
        for name, value in sorted(shipped["sources"].items(), key=lambda pair: pair[0][-1] + pair[0])
    ]


def of_sensitive_terms(results: dict[str, Any]) -> str:
    out = [f"HarmBench behaviours (English) that any rule finds: {percent(results['sensitive_terms']['harmbench'])}.\n"]
    for language, name in NAMES.items():
        found = results["sensitive_terms"][language]
        head = [
            "recall",
            "precision",
            "false alarms on hard texts",
            "false alarms on everyday texts",
            "blocked of them",
        ]
        keys = ("recall", "precision", "hard", "everyday", "blocked")
        out.append(f"### {name}\n\n" + table(head, [[percent(found[key]) for key in keys]]))
        categories = [[category, str(v["total"]), percent(v)] for category, v in found["categories"].items()]
        out.append(table(["category", "texts", "recall"], categories))
        out.append(f"Typical misses:\n\n{quoted(found['missed'])}\nTypical false alarms:\n\n{quoted(found['alarmed'])}")
    return "\n".join(out)


def of_personal_data(results: dict[str, Any]) -> str:
    out = []
    for language, name in NAMES.items():
        found = results["personal_data"][language]
        rows = [[kind, percent(v["recall"]), percent(v["precision"])] for kind, v in found["kinds"].items()]
        out.append(f"### {name}\n\n" + table(["kind", "recall, exact place", "precision among decoys"], rows))
        out.append(f"False alarms on everyday texts: {percent(found['everyday'])}.\n")
        out.append(f"Misses:\n\n{quoted(found['missed'])}\nFalse alarms:\n\n{quoted(found['alarmed'])}")
    return "\n".join(out)


def report(results: dict[str, Any]) -> str:
    rows = [
        [name, *(f"{times[language][key]:.2f}" for language in NAMES for key in ("p50", "p95"))]
        for name, times in results["latency"].items()
    ]
    head = ["milliseconds per 1,000 characters", "en, median", "en, 95 %", "zh, median", "zh, 95 %"]
    machine = results["machine"]
    return "\n".join(
        [
            "# Checks, measured\n\n<!-- Written by `make bench-guard`; do not edit. -->\n",
            (HERE / "data" / "guard" / "METHOD.md").read_text("utf-8"),
            f"Measured on {results['date']}: {machine['processor']}, {machine['num_cores']} cores.\n",
            "## Time\n\n" + table(head, rows),
            *(
                ["## Prompt injection, both scorings of the test\n\n" + of_former(results)]
                if "former" in results
                else []
            ),
            *(f"## Prompt injection, {chosen}\n\n" + of_injection(results, chosen) for chosen in results["injection"]),
            "## Sensitive terms\n\n" + of_sensitive_terms(results),
            "## Personal data\n\n" + of_personal_data(results),
        ]
    )


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """Returns the few figures that go with the product: of each check and language, without any text."""

    def kept(found: dict[str, Any], *names: str) -> dict[str, Any]:
        return {name: {key: round(value, 4) for key, value in found[name].items()} for name in names}

    def of(name: str, figures: dict[str, Any]) -> dict[str, Any]:
        return {"figures": figures, "milliseconds_per_1000_chars": results["latency"][name]}

    judges, terms, personal = results["injection"]["test"], results["sensitive_terms"], results["personal_data"]
    injection = ("recall", "precision", "false_alarms")
    return {
        "date": results["date"],
        "processor": results["machine"]["processor"],
        "checks": {
            "limits": of("limits", {}),
            "sensitive_terms": of(
                "sensitive_terms",
                {
                    name: kept(terms[name], "recall", "precision", "hard", "everyday")
                    | (kept(terms, "harmbench") if name == "en" else {})
                    for name in NAMES
                },
            ),
            "personal_data": of(
                "personal_data",
                {
                    name: kept(personal[name], "everyday")
                    | {"kinds": {kind: kept(v, "recall", "precision") for kind, v in personal[name]["kinds"].items()}}
                    for name in NAMES
                },
            ),
            "injection": of(
                "injection", {name: kept(judges["rules and classifier"][name], *injection) for name in NAMES}
            ),
            "injection+rules-only": of(
                "injection, rules alone", {name: kept(judges["rules alone"][name], *injection) for name in NAMES}
            ),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", type=Path, help="ONNX file; the catalog's embedding model when absent")
    parser.add_argument("--peer", type=Path, help="folder of the unpacked peer")
    parser.add_argument("--write", action="store_true", help="write the page and the figures")
    parser.add_argument("--render", action="store_true", help="write the page from the kept figures, without measuring")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text("utf-8")) if options.render else collect(options)
    page = report(results)
    if options.write or options.render:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(page, encoding="utf-8")
        SUMMARY.write_text(json.dumps(summary(results), indent=1) + "\n", encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
