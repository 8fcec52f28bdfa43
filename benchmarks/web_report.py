"""The page of `web.py`'s figures."""

from typing import Any

SMOOTH = (
    ("frames a second", "frames_per_second", "{:.1f}"),
    ("frame, median (ms)", "frame_p50_ms", "{:.1f}"),
    ("frame, 99 % (ms)", "frame_p99_ms", "{:.1f}"),
    ("longest frame (ms)", "frame_max_ms", "{:.0f}"),
    ("late frames (over 25 ms)", "late_share", "{:.2%}"),
    ("tasks over 50 ms", "num_long_tasks", "{}"),
    ("seconds watched", "seconds", "{:.1f}"),
)


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine, stream, gallery = results["machine"], results["stream"], results["gallery"]
    lines = [
        "# The studio's speed in a browser",
        "",
        f"Written by `make bench-web` on {results['date']}: {machine['processor']}, {machine['num_cores']} cores, "
        f"Chromium {results['browser']} without a window and without a GPU, 1280 × 800, over the loopback. Browser "
        "and server share the machine, whose load average over five minutes was "
        f"{results['load_average']:.1f}; every picture is drawn by the processor.",
        "",
        "## First paint",
        "",
        f"Medians of {results['turns']} visits with an empty cache; all files are fetched. Aim: under 1 s and 300 kB.",
        "",
        "| visit | first paint (ms) | latest of them (ms) | page drawn (ms) | transferred (kB) | requests |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in results["paint"].items():
        lines.append(
            f"| {name} | {one['first_paint_ms']:.0f} | {one['first_paint_max_ms']:.0f} | {one['drawn_ms']:.0f} | "
            f"{one['size_bytes'] / 1000:.0f} | {one['num_requests']:.0f} |"
        )
    lines += [
        "",
        "## Smoothness",
        "",
        f"Streaming: an answer of {stream['tokens']} tokens of Markdown, code and mathematics on the page Create, from "
        f"a model that sends {stream['tokens_per_second']:.0f} tokens a second. Gallery: scrolling through "
        f"{gallery['num_artifacts']:,} results; at its end the page holds {gallery['nodes']:,} elements and "
        f"{gallery['heap'] / 1e6:.0f} MB. Aim: 60 frames a second.",
        "",
        "| figure | streaming | gallery |",
        "|---|---|---|",
        *(f"| {title} | {shape.format(stream[key])} | {shape.format(gallery[key])} |" for title, key, shape in SMOOTH),
        "",
    ]
    return "\n".join(lines)
