"""Prints events and errors. Results go to standard output; progress, labels and notes go to standard error."""

import json
import sys
from typing import Any

import typer

from inkseal.core.errors import InksealError
from inkseal.core.events import ArtifactReady, Checked, Event, Generated, Noted, Progress, Withdrawn
from inkseal.core.language import say


def complain(error: InksealError) -> None:
    """Prints what happened and what to do next; as JSON when the command was asked for JSON."""
    if "--json" in sys.argv:
        print_json({"error": {"code": error.code, "message": error.what, "fix": error.fix}})
        return
    typer.secho(f"{say('Error', '错误')}: {error.what}", fg="red", err=True)
    if error.fix:
        typer.echo(f"→ {error.fix}", err=True)


def print_json(value: Any) -> None:
    """Prints one JSON document, Chinese readable."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def note(text: str) -> None:
    """Prints a line for the person at the terminal, not for the program behind a pipe."""
    typer.secho(text, dim=True, err=True)


def size_text(num_bytes: float) -> str:
    """Returns a size in the unit that keeps it short, such as `1.1 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if num_bytes < 1000 or unit == "GB":
            return f"{num_bytes:.0f} {unit}" if unit == "B" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    raise AssertionError


class Terminal:
    """Listens to a run: streams the answer, shows progress bars and what the checks found.

    Args:
        stream: print the answer as it comes (with `n` > 1 it is printed whole at the end instead).
        quiet: no progress, no notes.
    """

    def __init__(self, *, stream: bool = True, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress(event)
            return
        self.close()
        if isinstance(event, Generated) and self._stream:
            sys.stdout.write(event.chunk.text)
            sys.stdout.flush()
        elif isinstance(event, Noted) and not self._quiet:
            note(event.text)
        elif isinstance(event, Withdrawn):
            typer.secho(
                "\n"
                + say(f"Withdrawn by the check {event.verdict.check!r}.", f"已被检查 {event.verdict.check!r} 撤回。"),
                fg="red",
                err=True,
            )
        elif isinstance(event, Checked) and event.verdict.action != "allow" and not self._quiet:
            rules = ", ".join(sorted({finding.rule for finding in event.verdict.findings}))
            note(f"[{event.verdict.check}] {event.verdict.stage}: {event.verdict.action} ({rules})")
        elif isinstance(event, ArtifactReady) and self._stream:
            sys.stdout.write("\n")
            sys.stdout.flush()

    def close(self) -> None:
        """Ends the bars, so that text can follow."""
        if self._bars is not None:
            self._bars.stop()
            self._bars, self._tasks = None, {}

    def _progress(self, event: Progress) -> None:
        if self._quiet or not sys.stderr.isatty():
            if not self._quiet and event.what not in self._tasks:
                self._tasks[event.what] = None
                note(event.what)
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        if self._bars is None:
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn() if event.unit == "bytes" else TextColumn("{task.percentage:>3.0f}%"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        if event.what not in self._tasks:
            self._tasks[event.what] = self._bars.add_task(event.what, total=event.total)
        self._bars.update(self._tasks[event.what], completed=event.done, total=event.total)
