"""Where the time of one token goes, and at what rate the engine reads each weight format. `--write` keeps the page.

One conversation, no batch: the case in which a token costs one pass over all weights. Run it on an idle machine.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.formats import ir
from inkseal.formats.openvino_core import core, silence_telemetry
from inkseal.runtime.device import describe, usable_cores
from inkseal.runtime.speed import memory_bandwidth
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

HERE = Path(__file__).parent
FORMATS = {
    "tiny": ("int8", "int4_exact_32", "int4_sym_128"),
    "small": ("int8", "int4_exact_32", "int4_sym_128"),
    "default": ("int4_exact_32", "int8", "int4_sym_128"),
}
KINDS = {"FullyConnectedCompressed": "matrices", "ScaledDotProductAttentionWithKVCache": "attention"}
WARM, MEASURED = 16, 64


def measure(model_file: Path, weight_format: str) -> dict[str, Any]:
    """Converts, then times single-token steps: milliseconds, and the share of each kind of node in the counters."""
    with tempfile.TemporaryDirectory() as folder:
        info = ir.build(model_file, Path(folder) / "ir", weight_format)
        seconds = _steps(info.folder, weight_format, info.num_weights, counters=False)[0]
        _, shares = _steps(info.folder, weight_format, info.num_weights, counters=True)
        facts = json.loads((info.folder / ir.FACTS).read_text("utf-8"))
        read = info.size_bytes - _looked_up_bytes(facts["config"])
    return {
        "format": weight_format,
        "milliseconds": seconds * 1e3,
        "shares": shares,
        "read_bytes": read,
        "num_weights": info.num_weights,
    }


def _looked_up_bytes(config: dict[str, Any]) -> int:
    """An embedding that is not also the output matrix is looked up, not read."""
    return 0 if config["tied"] else int(config["vocabulary"]) * int(config["width"])


def _steps(folder: Path, weight_format: str, num_weights: int, counters: bool) -> tuple[float, dict[str, float]]:
    properties = Openvino(OpenvinoConfig()).accuracy_properties(weight_format, num_weights) | {
        "INFERENCE_NUM_THREADS": usable_cores(),
        "PERFORMANCE_HINT": "LATENCY",
        "PERF_COUNT": "YES" if counters else "NO",
    }
    request = core().compile_model(folder / "openvino_model.xml", "CPU", properties).create_infer_request()
    durations = []
    for position in range(WARM + MEASURED):
        begin = time.perf_counter()
        request.infer(
            {
                "input_ids": np.array([[100 + position]]),
                "attention_mask": np.ones((1, position + 1), np.int64),
                "position_ids": np.array([[position]]),
                "beam_idx": np.zeros(1, np.int32),
            }
        )
        durations.append(time.perf_counter() - begin)
    return statistics.median(durations[WARM:]), _shares(request) if counters else {}


def _shares(request: Any) -> dict[str, float]:
    spent: Counter[str] = Counter()
    for node in request.get_profiling_info():
        spent[KINDS.get(node.node_type, "rest")] += node.real_time.total_seconds()
    whole = sum(spent.values())
    return {kind: spent[kind] / whole for kind in ("matrices", "attention", "rest")}


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine = results["machine"]
    lines = [
        "# Where the time of a token goes",
        "",
        f"Written by `python benchmarks/text_profile.py --write` on {results['date']}: {machine['processor']}, "
        f"{machine['num_cores']} cores, memory read at {results['bandwidth'] / 1e9:.1f} GB/s by all cores. One token "
        "at a time, no batch, medians; the shares are the engine's own counters. A token reads all weights once, so "
        "the last but one column says how far from the memory's limit each format is.",
        "",
        "| model | weights | ms a token | matrices | attention | rest | MB a token | GB/s | 10⁹ weights/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for model, rows in results["models"].items():
        for row in rows:
            share, seconds = row["shares"], row["milliseconds"] / 1e3
            lines.append(
                f"| {model} | {row['format']} | {row['milliseconds']:.1f} | {share['matrices']:.0%} | "
                f"{share['attention']:.0%} | {share['rest']:.0%} | {row['read_bytes'] / 1e6:.0f} | "
                f"{row['read_bytes'] / 1e9 / seconds:.1f} | {row['num_weights'] / 1e9 / seconds:.1f} |"
            )
    return "\n".join(lines) + "\n\n" + READING


READING = """\
What holds a lone answer back is the multiplication of one row by matrices. Four-bit codes in groups of 32, the only
ones that keep the perplexity, are read hardly faster than eight-bit codes count for count, and far below the memory's
speed: the engine's kernel spends its time on the scale and zero point of each group. In groups of 128 it is much
faster, and [loses too much](speed.md#perplexity). llama.cpp reads the same groups of 32 at about three quarters of the
memory's speed: its tokens a second times the size of the file.
Prompts and batches are another case: there one read of a matrix serves many rows, and the engine is ahead.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(FORMATS))
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    silence_telemetry()
    found = {}
    for name in options.models:
        model = Catalog(options.data_dir).pull(name)
        source = model.folder / next(iter(model.files))
        found[name] = [measure(source, weight_format) for weight_format in FORMATS[name]]
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe().model_dump(),
        "bandwidth": memory_bandwidth(),
        "models": found,
    }
    print(report(results))
    if options.write:
        (HERE / "results" / "text_profile.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
        (HERE.parent / "docs" / "reference" / "speed-profile.md").write_text(report(results), encoding="utf-8")


if __name__ == "__main__":
    main()
