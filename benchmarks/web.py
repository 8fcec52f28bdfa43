"""The studio in a browser: the first paint, an answer that streams, and a gallery of ten thousand results.

`make bench-web` writes the page. Run it on an otherwise idle machine: browser and server share its processors.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests")]

from web_report import report  # noqa: E402

from browser_program import ARGUMENTS, find_chromium  # noqa: E402
from inkseal.runtime.device import describe  # noqa: E402
from many_artifacts import fill  # noqa: E402
from serving import Served, serving  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

TOKENS_PER_SECOND = 200
TOKEN_COST_SECONDS = 0.0012
"""What the fake takes for a token beside its pause."""
SETTINGS = "[backends.echo]\nany_model = true\nseconds_per_token = {}\n"
ANSWER = """## Part {number}

The heron stands at the edge of the pond and **waits**; nothing moves but the light on the water, and `time` itself.
墨在纸上慢慢化开，像一只鸟掠过水面。The energy of a wave is $E = h \\nu$, and its sum $\\sum_{{k=1}}^{{n}} k^2$.

- a stone, a reed, a ring on the water
- the *shadow* of a wing

```python
def herons(pond: list[str]) -> int:
    return sum(1 for bird in pond if bird == "heron")
```

"""
PARTS = 22
"""Together about twelve seconds of streaming."""
FRAME_MS = 1000 / 60
WATCH = """() => {
  window.frames_seen = []; window.long_tasks = [];
  const note = (list) => list.getEntries().forEach((task) => long_tasks.push(task.duration));
  new PerformanceObserver(note).observe({type: "longtask"});
  window.watching = true;
  const take = (at) => { frames_seen.push(at); if (watching) requestAnimationFrame(take); };
  requestAnimationFrame(take);
}"""
PAINT = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  const first = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    first_paint_ms: first.startTime,
    drawn_ms: performance.getEntriesByName("inkseal-drawn")[0].startTime,
    size_bytes: files.reduce((sum, file) => sum + file.transferSize, page.transferSize),
    num_requests: files.length + 1,
  };
}"""


@dataclass(frozen=True)
class Smooth:
    """How evenly frames came: a frame counts as late beyond one and a half of 1/60 s."""

    seconds: float
    frames_per_second: float
    frame_p50_ms: float
    frame_p99_ms: float
    frame_max_ms: float
    late_share: float
    num_long_tasks: int


@contextmanager
def browsing() -> "Iterator[Browser]":
    """Runs Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def visit(browser: "Browser", language: str, **kept: Any) -> "BrowserContext":
    """Returns a browser profile that has never been here, save for what is `kept`."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    for name, value in {"language": language, **kept}.items():
        context.add_init_script(f"localStorage['inkseal.{name}'] ??= {json.dumps(json.dumps(value))}")
    return context


def paints(browser: "Browser", served: Served, turns: int) -> dict[str, dict[str, float]]:
    """Returns the medians of cold visits: the first of a browser, and a later one, which opens Create."""
    found = {}
    for name, kept in (("first visit", {}), ("Create", {"visited": True})):
        seen = []
        for _ in range(turns):
            context = visit(browser, "en", **kept)
            page = context.new_page()
            page.goto(f"{served.url}/")
            page.locator("main#main h1").first.wait_for()
            page.wait_for_load_state("networkidle")
            seen.append(page.evaluate(PAINT))
            context.close()
        found[name] = {key: statistics.median(one[key] for one in seen) for key in seen[0]}
        found[name]["first_paint_max_ms"] = max(one["first_paint_ms"] for one in seen)
    return found


def smooth(page: "Page", do: Callable[[], None]) -> Smooth:
    """Returns how evenly frames came while something was done."""
    page.evaluate(WATCH)
    do()
    page.evaluate("window.watching = false")
    frames, tasks = page.evaluate("[frames_seen, long_tasks]")
    gaps = sorted(after - before for before, after in itertools.pairwise(frames))
    seconds = (frames[-1] - frames[0]) / 1000
    return Smooth(
        seconds=seconds,
        frames_per_second=len(gaps) / seconds,
        frame_p50_ms=gaps[len(gaps) // 2],
        frame_p99_ms=gaps[int(len(gaps) * 0.99)],
        frame_max_ms=gaps[-1],
        late_share=sum(gap > 1.5 * FRAME_MS for gap in gaps) / len(gaps),
        num_long_tasks=len(tasks),
    )


def streaming(browser: "Browser", data_dir: Path) -> dict[str, Any]:
    """Returns how evenly frames came while an answer of prose, code and mathematics streamed."""
    text = "".join(ANSWER.format(number=number) for number in range(1, PARTS + 1))
    with serving(data_dir, settings=SETTINGS.format(1 / TOKENS_PER_SECOND - TOKEN_COST_SECONDS)) as served:
        context = visit(browser, "en", visited=True, **{"draft.create.settings": {"model": "echo", "max_tokens": 8192}})
        page = context.new_page()
        page.goto(f"{served.url}/#/create")
        box = page.get_by_label("Your question")
        box.fill("Hello")
        box.press("Enter")
        page.locator(".seal").wait_for()
        page.get_by_role("button", name="New conversation").first.click()
        box.fill(text)
        box.press("Enter")
        page.locator("article[aria-busy=true] .prose").first.wait_for()
        found = smooth(page, lambda: page.locator("main .seal").wait_for(timeout=120_000))
        with served.client() as client:
            usage = client.get("/api/v1/runs?limit=1").json()[0]["usage"]
        context.close()
    rate = usage["completion_tokens"] / usage["total_seconds"]
    return {**asdict(found), "tokens": usage["completion_tokens"], "tokens_per_second": rate}


def gallery(browser: "Browser", data_dir: Path, num: int) -> dict[str, Any]:
    """Returns how evenly frames came while one scrolls through a gallery."""
    fill(data_dir, num)
    with serving(data_dir) as served:
        context = visit(browser, "en", visited=True)
        page = context.new_page()
        page.goto(f"{served.url}/#/gallery")
        page.locator("main article, main li").first.wait_for()
        page.mouse.move(800, 500)

        def scroll() -> None:
            for _ in range(120):
                page.mouse.wheel(0, 700)
                page.wait_for_timeout(80)

        found = smooth(page, scroll)
        facts = page.evaluate(
            "({nodes: document.querySelectorAll('*').length, heap: performance.memory.usedJSHeapSize})"
        )
        context.close()
    return {**asdict(found), **facts, "num_artifacts": num}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/reference/web.md")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--artifacts", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, browsing() as browser:
        with serving(Path(work) / "paint") as served:
            painted = paints(browser, served, asked.turns)
        streamed = streaming(browser, Path(work) / "stream")
        shown = gallery(browser, Path(work) / "gallery", asked.artifacts)
        results = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": describe().model_dump(),
            "browser": browser.version,
            "turns": asked.turns,
            "load_average": os.getloadavg()[1],
            "paint": painted,
            "stream": streamed,
            "gallery": shown,
        }
    print(json.dumps(results, indent=1))
    if asked.write:
        (HERE / "results/web.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (HERE.parent / "docs/reference/web.md").write_text(report(results), encoding="utf-8")


if __name__ == "__main__":
    main()
