"""Charts as lines of a fenced block, which any reader can read, and as SVG drawn from them.

```chart
bar | Sales by region | k€
North | 1200
South | 950.5
```
Nothing of a block but numbers and escaped text gets into the picture, whoever wrote it.
"""

import html
import math
from typing import Literal, NamedTuple, cast

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

INFO = "chart"
MAX_POINTS = 40
MAX_TEXT_CHARS = 120
Kind = Literal["bar", "line"]
_WIDTH, _TOP, _BAR, _GAP = 640, 44, 22, 8
_LABEL_WIDTH = 150
_LINE_HEIGHT = 260


class Chart(NamedTuple):
    """One chart; points are (label, value)."""

    kind: Kind
    title: str
    unit: str
    points: tuple[tuple[str, float], ...]


def fence(chart: Chart) -> str:
    """Returns the chart as a fenced block of Markdown."""
    lines = [f"{chart.kind} | {_plain(chart.title)} | {_plain(chart.unit)}".rstrip()]
    lines += [f"{_plain(label)} | {value:.12g}" for label, value in chart.points]
    return "\n".join([f"```{INFO}", *lines, "```"])


def read_chart(text: str) -> Chart:
    """Returns the chart that the lines of a block describe.

    Raises:
        InvalidRequest: they describe none.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    head = [part.strip() for part in lines[0].split("|")] if lines else []
    if len(head) != 3 or head[0] not in ("bar", "line") or not 1 <= len(lines) - 1 <= MAX_POINTS:
        raise _refused()
    points = []
    for line in lines[1:]:
        label, mark, value = line.rpartition("|")
        try:
            number = float(value)
        except ValueError:
            raise _refused() from None
        if not mark or not math.isfinite(number) or abs(number) > 1e15 or len(label) > MAX_TEXT_CHARS:
            raise _refused()
        points.append((label.strip(), number))
    return Chart(cast(Kind, head[0]), head[1][:MAX_TEXT_CHARS], head[2][:MAX_TEXT_CHARS], tuple(points))


def svg(chart: Chart) -> str:
    """Returns the chart as an SVG element; colours follow the page's text colour."""
    body, height = _bars(chart) if chart.kind == "bar" else _line(chart)
    unit = f" ({chart.unit})" if chart.unit else ""
    name = _escaped(chart.title + unit)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{name}" '
        f'font-family="sans-serif" font-size="13" fill="currentColor"><title>{name}</title>'
        f'<text x="4" y="20" font-size="15" font-weight="600">{name}</text>{body}</svg>'
    )


def _bars(chart: Chart) -> tuple[str, int]:
    low, high = min(0.0, *_values(chart)), max(0.0, *_values(chart))
    room = _WIDTH - _LABEL_WIDTH - 90
    scale = room / (high - low) if high > low else 0.0
    zero = _LABEL_WIDTH - low * scale
    pieces = []
    for place, (label, value) in enumerate(chart.points):
        top = _TOP + place * (_BAR + _GAP)
        begin, width = min(zero, zero + value * scale), max(1.0, abs(value) * scale)
        middle = top + _BAR / 2 + 4.5
        pieces.append(
            f'<text x="{_LABEL_WIDTH - 8}" y="{middle:.1f}" text-anchor="end">{_escaped(_short(label))}</text>'
        )
        pieces.append(f'<rect x="{begin:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="#3f6fb5"/>')
        pieces.append(f'<text x="{begin + width + 6:.1f}" y="{middle:.1f}">{_number(value)}</text>')
    return "".join(pieces), _TOP + len(chart.points) * (_BAR + _GAP) + 8


def _line(chart: Chart) -> tuple[str, int]:
    values = _values(chart)
    low, high = min(values), max(values)
    low = 0.0 if 0 <= low < 0.6 * high else low
    span = (high - low) or 1.0
    left, right, bottom = 70, _WIDTH - 24, _TOP + _LINE_HEIGHT - 40
    step = (right - left) / max(1, len(values) - 1)
    spots = [(left + i * step, bottom - (v - low) / span * (bottom - _TOP - 10)) for i, v in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    pieces = [
        f'<line x1="{left}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="currentColor" stroke-opacity="0.4"/>'
    ]
    pieces.append(f'<polyline points="{path}" fill="none" stroke="#3f6fb5" stroke-width="2.5"/>')
    every = max(1, math.ceil(len(spots) / 8))
    for place, ((x, y), (label, value)) in enumerate(zip(spots, chart.points, strict=True)):
        pieces.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#3f6fb5"/>')
        if place % every == 0 or place == len(spots) - 1:
            pieces.append(
                f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{_escaped(_short(label, 10))}</text>'
            )
            pieces.append(f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{_number(value)}</text>')
    return "".join(pieces), _TOP + _LINE_HEIGHT


def _values(chart: Chart) -> list[float]:
    return [value for _, value in chart.points]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _short(label: str, limit: int = 16) -> str:
    return label if len(label) <= limit else label[: limit - 1] + "…"


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("`", "'").split())[:MAX_TEXT_CHARS]


def _escaped(text: str) -> str:
    return html.escape("".join(char for char in text if char.isprintable()))


def _refused() -> InvalidRequest:
    return InvalidRequest(say("These lines describe no chart.", "这些行不是图表。"))
