"""`inkseal app`: applications with a form, run, copied, changed and shared as files."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkseal.cli._output import Terminal, note, print_json
from inkseal.cli._signals import interruptible
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import current_language, say

if TYPE_CHECKING:
    from inkseal.apps.definition import AppFile
    from inkseal.apps.events import AppEvent, AppResult
    from inkseal.apps.shelf import Shelf

app = typer.Typer(
    no_args_is_help=True,
    help=say("List, run, copy, share and check applications.", "查看、运行、复制、分享和检查应用。"),
)

Json = Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))]
Name = Annotated[str, typer.Argument(help=say("The app's name.", "应用名称。"))]
File = Annotated[Path, typer.Argument(help=say("A TOML file.", "TOML 文件。"))]
MAX_VALUE_BYTES = 4_000_000
_COMMA = re.compile(r"(?<!\d),|,(?!\d)|，")


def _shelf() -> "Shelf":
    from inkseal.apps.shelf import Shelf
    from inkseal.core.config import load_settings

    return Shelf(load_settings().data_dir)


@app.command("list", help=say("List the apps.", "列出应用。"))
def list_apps(as_json: Json = False) -> None:
    shelf = _shelf()
    files = shelf.all()
    if as_json:
        print_json([_facts(file) for file in files])
        return
    for file in files:
        mark = "*" if file.own else " "
        typer.echo(f"{mark} {file.app.name:22} {file.app.title}  —  {file.app.description}")
    for name, why in shelf.broken().items():
        note(f"✗ {name}: {why}")


def _facts(file: "AppFile") -> dict[str, Any]:
    found = {"name": file.app.name, "category": file.app.category, "own": file.own, "sha256": file.sha256}
    return found | {"title": str(file.app.title), "description": str(file.app.description)}


@app.command(help=say("Show an app: its form, steps, rules and samples.", "显示应用的表单、步骤、规则和示例。"))
def show(name: Name, as_json: Json = False) -> None:
    from inkseal.apps.fields import form

    file = _shelf().get(name)
    spec = file.app
    if as_json:
        samples = [sample.model_dump(mode="json") for sample in spec.samples]
        print_json(_facts(file) | {"form": form(spec.fields), "samples": samples})
        return
    typer.secho(f"{spec.title}  ({spec.name})", bold=True)
    typer.echo(str(spec.description))
    if spec.help is not None:
        typer.echo(str(spec.help))
    for field in spec.fields:
        default = "" if field.default is None else f" [{field.default}]"
        choices = " " + "|".join(choice.value for choice in field.choices) if field.choices else ""
        need = "" if field.required else say(" (may be left out)", "（可省略）")
        typer.echo(f"  {field.name}: {field.title} · {field.type}{choices}{default}{need}")
    typer.echo(say("Steps: ", "步骤：") + " → ".join(str(step.title or step.name) for step in spec.steps))
    typer.echo(say("Rules: ", "规则：") + ", ".join(rule.kind for rule in spec.rules))
    if spec.notice is not None:
        note(str(spec.notice))


@app.command(
    help=say("Run an app: fields as NAME=VALUE, or NAME=@FILE.", "运行应用：字段写成 名称=值，或 名称=@文件。")
)
def run(
    name: Name,
    values: Annotated[
        list[str] | None, typer.Argument(help=say("Fields: NAME=VALUE or NAME=@FILE.", "字段：名称=值 或 名称=@文件。"))
    ] = None,
    form_file: Annotated[
        Path | None, typer.Option("--form", help=say("JSON file with the fields.", "含字段的 JSON 文件。"))
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help=say("Begin with this sample.", "从第几个示例开始。"))
    ] = None,
    language: Annotated[
        str | None, typer.Option("--in", metavar="zh|en", help=say("Language of the result.", "结果的语言。"))
    ] = None,
    model: Annotated[str, typer.Option(help=say("Name of the model.", "模型名称。"))] = "default",
    seed: Annotated[
        int, typer.Option(min=0, help=say("Same seed, same result; 0 draws one.", "随机种子；0 为随机。"))
    ] = 0,
    timeout_seconds: Annotated[float, typer.Option(min=1, help=say("Longest time.", "最长时间（秒）。"))] = 900,
    out: Annotated[
        Path | None, typer.Option(help=say("Export the result to this file.", "将结果导出到该文件。"))
    ] = None,
    as_json: Json = False,
) -> None:
    from inkseal.apps.runner import run_app
    from inkseal.apps.work import Options
    from inkseal.studio.provenance.export import format_of
    from inkseal.studio.studio import Studio

    file = _shelf().get(name)
    chosen = _language(language)
    given = _form(file, values or [], form_file, sample, chosen)
    listener = _Steps(quiet=as_json)
    if out is not None:
        format_of("text", out)
    with Studio.open() as studio, interruptible() as cancel:
        options = Options(model=model, seed=seed, timeout_seconds=timeout_seconds)
        result = run_app(studio, file, given, listener, cancel, language=chosen, options=options)
        report = studio.export(result.artifact.id, out) if out is not None else None
    if as_json:
        exports = [report.model_dump(mode="json")] if report is not None else []
        print_json(result.model_dump(mode="json") | {"exports": exports})
        return
    _print(result)
    if report is not None:
        note(f"→ {report.path}")


def _print(result: "AppResult") -> None:
    if result.label:
        typer.secho(result.label, dim=True, err=True)
    typer.echo(result.text)
    for problem in result.problems:
        note(say("not met: ", "未满足：") + problem)
    if result.notice:
        note(result.notice)
    tokens, seconds = result.usage.completion_tokens, result.usage.total_seconds
    note(
        say(
            f"sealed {result.artifact.id} · {tokens} tokens, {seconds:.1f} s",
            f"已封印 {result.artifact.id} · {tokens} 词元，{seconds:.1f} 秒",
        )
    )


@app.command(help=say("Copy an app to change it.", "复制应用以便修改。"))
def copy(name: Name, new_name: Annotated[str, typer.Argument(help=say("The copy's name.", "副本名称。"))]) -> None:
    file = _shelf().copy(name, new_name)
    typer.echo(say(f"{file.app.name} is yours to change: ", f"{file.app.name} 已复制，可修改：") + str(_path(new_name)))


@app.command("import", help=say("Take in an app from a file.", "从文件导入应用。"))
def import_app(
    path: File,
    replace: Annotated[
        bool, typer.Option(help=say("Replace one's own app of that name.", "替换同名的自有应用。"))
    ] = False,
) -> None:
    file = _shelf().save(_read(path), replace=replace)
    typer.echo(say(f"{file.app.name} is here.", f"{file.app.name} 已导入。"))


@app.command(help=say("Write an app to a file, to be shared.", "将应用写入文件以便分享。"))
def export(name: Name, path: File) -> None:
    from inkseal.store.durable import write_whole

    write_whole(path.expanduser().absolute(), _shelf().get(name).toml.encode(), 0o644)
    typer.echo(str(path))


@app.command(help=say("Check an app's file without taking it in.", "检查应用文件，不导入。"))
def check(path: File) -> None:
    from inkseal.apps.definition import read_app

    spec = read_app(_read(path), own=True).app
    fields, steps, cases = len(spec.fields), len(spec.steps), len(spec.cases)
    typer.echo(
        say(
            f"{spec.name} is in order: {fields} fields, {steps} steps, {cases} cases.",
            f"{spec.name} 无误：{fields} 个字段、{steps} 个步骤、{cases} 个用例。",
        )
    )


@app.command(help=say("Delete an app of one's own.", "删除自有应用。"))
def delete(name: Name) -> None:
    _shelf().delete(name)
    typer.echo(say("Deleted.", "已删除。"))


class _Steps:
    """Says which step is at work, and what an answer lacks; the words themselves come at the end."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = Terminal(stream=False, quiet=quiet)

    def __call__(self, event: "AppEvent") -> None:
        from inkseal.apps.events import AnswerJudged, AppFailed, AppFinished, AppStarted, StepFinished, StepStarted

        if isinstance(event, StepStarted):
            again = say(f" (attempt {event.attempt})", f"（第 {event.attempt} 次）") if event.attempt > 1 else ""
            item = f" {event.item}/{event.num_items}" if event.item is not None else ""
            self._say(f"· {event.title}{item}{again}")
        elif isinstance(event, AnswerJudged):
            for problem in event.problems:
                self._say(f"    {problem}")
        elif not isinstance(event, AppStarted | StepFinished | AppFinished | AppFailed):
            self._terminal(event)

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._terminal.close()
            note(text)


def _language(given: str | None) -> Any:
    chosen = given or current_language()
    if chosen not in ("zh", "en"):
        raise InvalidRequest(say(f"--in {chosen!r}: give zh or en.", f"--in {chosen!r}：请给出 zh 或 en。"))
    return chosen


def _form(
    file: "AppFile", given: list[str], form_file: Path | None, sample: int | None, language: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if sample is not None:
        samples = [one for one in file.app.samples if one.language == language]
        if sample > len(samples):
            raise InvalidRequest(say(f"There are {len(samples)} samples.", f"共有 {len(samples)} 个示例。"))
        found |= samples[sample - 1].values
    if form_file is not None:
        found |= _json(_read(form_file).decode("utf-8", "replace"), str(form_file))
    kinds = {field.name: field for field in file.app.fields}
    for pair in given:
        name, mark, text = pair.partition("=")
        if not mark:
            raise InvalidRequest(say(f"{pair[:60]!r}: write NAME=VALUE.", f"{pair[:60]!r}：请写成 名称=值。"))
        text = _read(Path(text[1:])).decode("utf-8-sig", "replace") if text.startswith("@") else text
        found[name] = _value(kinds[name].type, text) if name in kinds else text
    return found


def _value(kind: str, text: str) -> Any:
    if kind in ("number", "boolean", "json"):
        return _json(text, kind, whole=False)
    if kind == "list":
        return _items(text.strip())
    return text


def _items(text: str) -> Any:
    """Returns the items of a list: a JSON array, or one a line, or parted by commas; 1,204 stays whole."""
    if text.startswith("["):
        return _json(text, "list", whole=False)
    items = text.splitlines() if "\n" in text else _COMMA.split(text)
    return [item.strip() for item in items if item.strip()]


def _json(text: str, where: str, *, whole: bool = True) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(say(f"{where}: no JSON: {error}.", f"{where}：不是有效的 JSON：{error}。")) from None
    if whole and not isinstance(value, dict):
        raise InvalidRequest(say(f"{where}: no JSON object.", f"{where}：不是 JSON 对象。"))
    return value


def _read(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as stream:
            data = stream.read(MAX_VALUE_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(
            say(f"{path} cannot be read: {error.strerror}.", f"无法读取 {path}：{error.strerror}。")
        ) from None
    if len(data) > MAX_VALUE_BYTES:
        raise InvalidRequest(
            say(f"{path} is larger than {MAX_VALUE_BYTES} bytes.", f"{path} 超过 {MAX_VALUE_BYTES} 字节。")
        )
    return data


def _path(name: str) -> Path:
    from inkseal.core.config import load_settings

    return load_settings().data_dir / "apps" / f"{name}.toml"
