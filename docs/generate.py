"""Writes docs/reference/ from the code: commands, plug-ins, settings, errors, exit codes.

`--check` writes nothing and fails when a page differs from the code.
"""

import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

os.environ["INKSEAL_LANGUAGE"] = "en"
os.environ["COLUMNS"] = "100"

import inkseal.core.errors as errors
from inkseal.core.config import Settings

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; edit the code instead. -->\n\n"


def first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").split("\n", 1)[0]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def commands() -> str:
    import typer

    from inkseal.cli._group import app

    def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        if hasattr(command, "list_commands"):
            for name in command.list_commands(None):
                yield from walk(command.get_command(None, name), f"{path} {name}")
        else:
            yield path, command

    pages = []
    for path, command in walk(typer.main.get_command(app), "inkseal"):
        rows = [
            (
                " ".join(f"`{o}`" for o in parameter.opts),
                str(getattr(parameter, "help", None) or ""),
            )
            for parameter in command.params
            if parameter.name != "help"
        ]
        text = (command.help or "").strip()
        pages.append(f"## `{path}`\n\n{text}\n\n" + (table(("option", "meaning"), rows) if rows else ""))
    return "# Commands\n\n" + NOTE + "\n".join(pages)


def plugins() -> str:
    from inkseal.apps.computations import computations
    from inkseal.apps.rules import rules
    from inkseal.apps.steps import steps
    from inkseal.catalog.sources import sources
    from inkseal.formats.watermarks import watermarks
    from inkseal.measure.metrics import metrics
    from inkseal.modalities import modalities
    from inkseal.modalities.image.writers import writers as image_writers
    from inkseal.modalities.text.writers import writers
    from inkseal.studio.generate.backends import backends
    from inkseal.studio.generate.diffusion.solvers import solvers
    from inkseal.studio.guard.checks import checks
    from inkseal.studio.provenance.marks import marks
    from inkseal.workshop.data.collections import collections
    from inkseal.workshop.train.objectives import objectives

    text = "# Plug-ins\n\n" + NOTE
    for title, registry in (
        ("Backends", backends),
        ("Checks", checks),
        ("Marks", marks),
        ("Text watermarks", watermarks),
        ("Modalities", modalities),
        ("Text formats", writers),
        ("Picture formats", image_writers),
        ("Model sources", sources),
        ("Collections of pictures", collections),
        ("Solvers", solvers),
        ("Training objectives", objectives),
        ("Metrics", metrics),
        ("Steps of apps", steps),
        ("Rules of apps", rules),
        ("Computations of apps", computations),
    ):
        rows = [(f"`{name}`", first_line(registry[name])) for name in registry]
        text += f"## {title}\n\n" + table(("name", "what it does"), rows) + "\n"
        for name in registry:
            config = getattr(registry[name], "config", None)
            if config is not None and config.model_fields and not title.endswith(" of apps"):  # the guide has theirs
                text += f"### Config of `{name}`\n\n" + fields(config) + "\n"
    return text


def fields(model: Any) -> str:
    rows = []
    for name, field in model.model_fields.items():
        kind = kind_of(field.annotation)
        default = "" if field.is_required() else shown(field.get_default(call_default_factory=True))
        rows.append((f"`{name}`", f"`{kind}`", f"`{default}`" if default else "", field.description or ""))
    return table(("field", "type", "default", "meaning"), rows)


def kind_of(annotation: Any) -> str:
    """Returns a type as one reads it: without what validates it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(inner[0])
    if origin in (Union, UnionType):
        return " | ".join(map(kind_of, inner))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, inner))}]"
    if annotation is type(None):
        return "None"
    if inner:
        shown_inner = ", ".join("..." if each is ... else kind_of(each) for each in inner)
        return f"{getattr(origin, '__name__', origin)}[{shown_inner}]"
    return str(getattr(annotation, "__name__", annotation))


def shown(value: Any) -> str:
    return "{" + ", ".join(map(repr, sorted(value))) + "}" if isinstance(value, set | frozenset) else repr(value)


def settings() -> str:
    return "# Settings\n\n" + NOTE + f"{first_line(Settings)}\n\n" + fields(Settings)


def error_tree() -> str:
    tree = (errors.__doc__ or "").split("\n\n", 1)[1]
    classes = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, errors.InksealError)]
    codes = sorted({(c.exit_code, c.__name__) for c in classes if "exit_code" in vars(c)})
    rows = [("0", "all went well")] + [(str(code), name) for code, name in codes]
    rows += [("10", "`verify`: something was changed"), ("11", "`verify`: not known here")]
    return (
        "# Errors and exit codes\n\n"
        + NOTE
        + f"```text\n{tree.rstrip()}\n```\n\n"
        + table(("exit code", "error"), rows)
    )


PAGES = {"commands.md": commands, "plugins.md": plugins, "settings.md": settings, "errors.md": error_tree}


def main() -> int:
    stale = []
    for name, page in PAGES.items():
        text, path = page(), HERE / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            HERE.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/reference/{name} differs from the code: run `make docs`")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
