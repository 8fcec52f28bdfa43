"""Speed beside llama.cpp on the same models, in turn, in one run, with perplexity. `make bench-text` writes the table.

Run it on an otherwise idle machine: the ratios are what counts, and their spread says how far to trust them.
"""

import argparse
import json
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.runtime.device import describe
from inkseal.runtime.speed import memory_bandwidth

sys.path.insert(0, str(Path(__file__).parent))
from perplexity import KNOWN
from perplexity import table as perplexity_table

HERE = Path(__file__).parent
GOALS = {
    "prefill": {"tiny": 4.0, "small": 4.0, "default": 3.0},
    "decode": {"tiny": 1.0, "small": 1.0, "default": 1.0},
    "at_once": {"tiny": 2.0, "small": 2.0, "default": 2.0},
}
TITLES = {"prefill": "prompt, 512 tokens (tok/s)", "decode": "answer (tok/s)", "at_once": "8 at once (tok/s)"}


def run(engine: str, folder: Path, model: str, rounds: int) -> dict[str, Any]:
    """Measures one engine in a process of its own."""
    command = [sys.executable, str(HERE / "text_one.py"), engine, str(folder), model, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
            return result
    raise SystemExit(f"{engine} on {model} failed:\n{done.stderr[-2000:]}")


def compare(folder: Path, model: str, turns: int, rounds: int) -> dict[str, Any]:
    """Measures us and the peer in turn and returns every figure with the ratios of each turn."""
    pairs = []
    for turn in range(turns):
        order = ("inkseal", "llama.cpp") if turn % 2 == 0 else ("llama.cpp", "inkseal")
        pair = {engine: run(engine, folder, model, rounds) for engine in order}
        pairs.append(pair)
        print(model, turn, json.dumps(pair), file=sys.stderr, flush=True)
    ratios = {name: [p["inkseal"][name] / p["llama.cpp"][name] for p in pairs] for name in TITLES}
    cached = [p["inkseal"]["repeated_first_token_seconds"] / p["inkseal"]["first_token_seconds"] for p in pairs]
    return {"model": model, "pairs": pairs, "ratios": ratios, "cached_prefix": cached}


def middle(pairs: list[dict[str, Any]], engine: str, name: str) -> float:
    return statistics.median(pair[engine][name] for pair in pairs)


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine = results["machine"]
    lines = [
        "# Speed",
        "",
        f"Written by `make bench-text` on {results['date']}: {machine['processor']}, {machine['num_cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, memory read at {results['bandwidth'] / 1e9:.1f} GB/s. The peer is "
        f"llama.cpp as xllamacpp {results['versions']['xllamacpp']}'s prebuilt wheel; ours is OpenVINO GenAI "
        f"{results['versions']['openvino-genai']}. Both on the same GGUF, each in a process of its own, in turn; "
        f"{len(results['models'][0]['pairs'])} turn(s); medians, and the "
        "least and greatest ratio of the turns in brackets. Gaps under 1.3 are ties.",
        "",
        "| model | figure | inkseal | llama.cpp | ratio | goal | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results["models"]:
        for name, title in TITLES.items():
            own, peer = (middle(result["pairs"], engine, name) for engine in ("inkseal", "llama.cpp"))
            ratio = statistics.median(result["ratios"][name])
            low, high = min(result["ratios"][name]), max(result["ratios"][name])
            goal = GOALS[name][result["model"]]
            met = "yes" if ratio >= goal else "**no**"
            span = f"{ratio:.2f} ({low:.2f}–{high:.2f})"
            lines.append(f"| {result['model']} | {title} | {own:.1f} | {peer:.1f} | {span} | {goal:g} | {met} |")
        share = statistics.median(result["cached_prefix"])
        shares = (
            f"{share * 100:.1f} % ({min(result['cached_prefix']) * 100:.1f}–{max(result['cached_prefix']) * 100:.1f})"
        )
        met = "yes" if share <= 0.05 else "**no**"
        own, peer = (middle(result["pairs"], e, "repeated_first_token_seconds") for e in ("inkseal", "llama.cpp"))
        title = "first token, prompt repeated (s)"
        lines.append(f"| {result['model']} | {title} | {own:.3f} | {peer:.3f} | {shares} of cold | 5 % | {met} |")
        for name, title, unit in (("load_seconds", "load (s)", 1.0), ("peak_memory_bytes", "peak memory (MB)", 1e6)):
            own, peer = (middle(result["pairs"], e, name) / unit for e in ("inkseal", "llama.cpp"))
            lines.append(f"| {result['model']} | {title} | {own:.1f} | {peer:.1f} | {own / peer:.2f} | | |")
    known = json.loads(KNOWN.read_text("utf-8"))
    lines += ["", "## Perplexity", "", "Written by `python benchmarks/perplexity.py --write`; the limit is 1.03.", ""]
    return "\n".join(lines) + "\n" + perplexity_table(known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["tiny", "small", "default"])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    catalog = Catalog(options.data_dir)
    for model in options.models:
        catalog.pull(model)
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe().model_dump(),
        "bandwidth": memory_bandwidth(),
        "versions": {name: version(name) for name in ("openvino-genai", "xllamacpp", "inkseal")},
        "models": [compare(options.data_dir, model, options.turns, options.rounds) for model in options.models],
    }
    print(report(results))
    if options.write:
        (HERE / "results" / "text.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
        (HERE.parent / "docs" / "reference" / "speed.md").write_text(report(results), encoding="utf-8")


if __name__ == "__main__":
    main()
