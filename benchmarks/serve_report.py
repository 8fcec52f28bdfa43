"""The page and the picture of `serve.py`'s figures."""

import statistics
from pathlib import Path
from typing import Any

TITLES = {
    "tokens_per_second": ("throughput (tok/s)", 1, "{:.1f}"),
    "first_token_p50": ("first token, median (ms)", 1e3, "{:.0f}"),
    "first_token_max": ("first token, latest (ms)", 1e3, "{:.0f}"),
    "gap_p50": ("gap between pieces, median (ms)", 1e3, "{:.1f}"),
    "gap_p99": ("gap between pieces, 99 % (ms)", 1e3, "{:.1f}"),
}
NAMES = ("inkseal", "bare engine", "llama.cpp")


def _middle(turns: list[dict[str, Any]], name: str, kind: str, key: str, figure: str) -> float:
    return statistics.median(turn[name][kind][key][figure] for turn in turns)


def _span(turns: list[dict[str, Any]], peer: str, count: str, figure: str) -> str:
    found = [turn["inkseal"]["clients"][count][figure] / turn[peer]["clients"][count][figure] for turn in turns]
    return f"{statistics.median(found):.2f} ({min(found):.2f}–{max(found):.2f})"


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine = results["machine"]
    num_turns = len(next(iter(results["models"].values())))
    lines = [
        "# The server's speed",
        "",
        f"Written by `make bench-serve` on {results['date']}: {machine['processor']}, {machine['num_cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, load average at the end {results['load_average']:.1f}. "
        f"The same GGUF for all; OpenVINO GenAI {results['versions']['openvino-genai']} and xllamacpp "
        f"{results['versions']['xllamacpp']}, eight places and {results['threads']} thread(s) each, answers of "
        f"{results['answer_tokens']} tokens. `inkseal` is the whole product: HTTP, checks, hold-back, seal and record, "
        "with the engine in a process of its own. The bare engine is the same engine called in its own process with "
        "none of that. The clients share the machine. "
        f"{num_turns} turn(s), the three in turn; medians, and the least and greatest ratio of the turns in brackets.",
        "",
    ]
    for model, turns in results["models"].items():
        lines += [f"## `{model}`", "", *_clients(turns), "", *_contexts(turns), ""]
    for model, turns in results["models"].items():
        lines += _memory(model, [turn for turn in turns if "memory" in turn["inkseal"]], results["soak_tokens"])
    lines += ["## Growth with clients and context", "", "![Growth with clients and context](serve.png)", ""]
    return "\n".join(lines)


def _clients(turns: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| clients | figure | inkseal | bare engine | llama.cpp | inkseal / bare engine | inkseal / llama.cpp |",
        "|---|---|---|---|---|---|---|",
    ]
    for count in turns[0]["inkseal"]["clients"]:
        for figure, (title, scale, shape) in TITLES.items():
            cells = [shape.format(scale * _middle(turns, name, "clients", count, figure)) for name in NAMES]
            spans = [_span(turns, peer, count, figure) for peer in NAMES[1:]]
            lines.append(f"| {count} | {title} | {' | '.join(cells + spans)} |")
    return lines


def _contexts(turns: list[dict[str, Any]]) -> list[str]:
    lines = ["| prompt (characters) | figure | inkseal | bare engine | llama.cpp |", "|---|---|---|---|---|"]
    for chars in turns[0]["inkseal"]["contexts"]:
        for figure in ("first_token_p50", "tokens_per_second"):
            title, scale, shape = TITLES[figure]
            cells = [shape.format(scale * _middle(turns, name, "contexts", chars, figure)) for name in NAMES]
            lines.append(f"| {chars} | {title} | {' | '.join(cells)} |")
    return lines


def _memory(model: str, turns: list[dict[str, Any]], answer_tokens: int) -> list[str]:
    if not turns:
        return []
    num_soak = turns[0]["inkseal"]["memory"]["num_soak"]
    lines = [
        "## Memory",
        "",
        f"`{model}`: resident memory with all children, before and after {num_soak} further requests of eight clients, "
        f"{answer_tokens} tokens each:",
        "",
        "| | after warm-up (MB) | before (MB) | after (MB) |",
        "|---|---|---|---|",
    ]
    for name in NAMES:
        steps = ("start", "before_soak", "after_soak")
        cells = [statistics.median(turn[name]["memory"][step] for turn in turns) / 1e6 for step in steps]
        lines.append(f"| {name} | {' | '.join(f'{cell:.0f}' for cell in cells)} |")
    return [*lines, ""]


def picture(results: dict[str, Any], path: Path) -> None:
    """Draws growth with clients and with the length of the prompt."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    turns = next(iter(results["models"].values()))
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    panels = (
        ("clients", "tokens_per_second", "clients", "tokens per second", 1),
        ("clients", "first_token_p50", "clients", "first token (s)", 1),
        ("contexts", "first_token_p50", "prompt (characters)", "first token (s)", 1),
    )
    for axis, (kind, key, across, up, scale) in zip(axes, panels, strict=True):
        for name in NAMES:
            places = list(turns[0][name][kind])
            values = [scale * _middle(turns, name, kind, place, key) for place in places]
            axis.plot([int(place) for place in places], values, marker="o", label=name)
        axis.set(xlabel=across, ylabel=up, xscale="log")
        axis.set_xticks([int(place) for place in places], labels=places)
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
