"""`inkseal generate MODALITY PROMPT`: one command for each modality, its options drawn from the request's schema."""

import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from inkseal.cli._options import fill, parameters
from inkseal.cli._output import Terminal, note, print_json, size_text
from inkseal.cli._signals import interruptible
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.protocols import Modality
from inkseal.core.types import Message
from inkseal.modalities import modalities

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help=say("Make something, check it, seal it, record it.", "生成内容，并检查、封印、留痕。"),
)


def _prompt(words: list[str] | None) -> str:
    """Returns the prompt from the arguments, or from standard input when there are none or only a dash."""
    given = words and words != ["-"]
    text = " ".join(words or ()) if given else "" if sys.stdin.isatty() else sys.stdin.read()
    if not text.strip():
        raise InvalidRequest(
            say("There is no prompt.", "没有提示词。"),
            fix=say("Give it as an argument or on standard input.", "请作为参数给出，或从标准输入传入。"),
        )
    return text


def _run(modality: type[Modality], prompt: list[str] | None, **options: Any) -> None:
    from inkseal.studio.provenance.export import format_of
    from inkseal.studio.studio import Studio

    out: Path | None = options.pop("out")
    as_json: bool = options.pop("json_output")
    system: str | None = options.pop("system", None)
    options |= _sides(options.pop("size", None))
    unlabelled: str | None = options.pop("unlabelled")
    turns = [Message.of("system", system)] if system else []
    request = fill(modality.request, options, messages=(*turns, Message.of("user", _prompt(prompt))))
    speaks = modality.media_type.startswith("text/")
    terminal = Terminal(stream=speaks and not as_json and request.n == 1, quiet=as_json)
    with Studio.open() as studio:
        label = studio.visible_label(request)
        if speaks and not as_json:
            # The label stands above the answer for a person, and beside the answer for a program behind a pipe.
            typer.secho(label, dim=True, err=not sys.stdout.isatty())
        for path in _paths(out, request.n):
            format_of(modality.name, path)  # a wrong suffix is said before the model works, not after
        with interruptible() as cancel:
            result = studio.run(request, on_event=terminal, cancel=cancel)
        terminal.close()
        reports = [
            studio.export(artifact.id, path, agreed_by=unlabelled)
            for artifact, path in zip(result.artifacts, _paths(out, len(result.artifacts)), strict=False)
        ]
    if as_json:
        print_json(result.model_dump(mode="json") | {"exports": [report.model_dump(mode="json") for report in reports]})
        return
    if speaks and request.n > 1:
        for number, text in enumerate(result.texts, 1):
            typer.echo(f"── {number} ──\n{text}")
    _closing_notes(result, reports, speaks)


def _closing_notes(result: Any, reports: list[Any], speaks: bool) -> None:
    usage = result.usage
    seconds = usage.total_seconds or 1e-9
    speed = f"{usage.completion_tokens / seconds:.1f}"
    cost = say(f"{usage.completion_tokens} tokens, {speed}/s", f"{usage.completion_tokens} 词元，{speed}/秒")
    if not speaks:
        cost = say(f"{seconds:.1f} s", f"{seconds:.1f} 秒")
    made = [artifact.id for artifact in result.artifacts]
    note(say(f"sealed {', '.join(made)} · {cost}", f"已封印 {'、'.join(made)} · {cost}"))
    if not speaks and not reports:
        note(say(f"Save it with: inkseal export {made[0]} FILE.png", f"保存：inkseal export {made[0]} 文件.png"))
    for report in reports:
        note(f"→ {report.path} ({size_text(report.size_bytes)})")
        for requirement in report.requirements:
            if not requirement.met:
                note(say("  not met: ", "  未满足：") + f"{requirement.regime} {requirement.id}: {requirement.reason}")


def _sides(size: str | None) -> dict[str, str]:
    """Returns width and height of `256` or `320x240`, to be read like options of those names."""
    if size is None:
        return {}
    width, _, height = size.lower().replace("×", "x").partition("x")
    return {"width_px": width.strip(), "height_px": (height or width).strip()}


def _paths(out: Path | None, count: int) -> list[Path]:
    if out is None:
        return []
    if count == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{number}") for number in range(1, count + 1)]


def _command(modality: type[Modality]) -> Any:
    """Returns a function whose signature is the request's fields, which is what typer reads."""

    def command(**values: Any) -> None:
        _run(modality, values.pop("prompt"), **values)

    own: dict[str, tuple[Any, Any]] = {
        "prompt": (
            Annotated[
                list[str] | None, typer.Argument(help=say("The prompt; - reads it.", "提示词；- 表示读标准输入。"))
            ],
            None,
        ),
        "out": (Annotated[Path | None, typer.Option(help=say("Export to this file.", "导出到该文件。"))], None),
        "json_output": (Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))], False),
        "unlabelled": (
            Annotated[
                str | None,
                typer.Option(
                    metavar="NAME",
                    help=say(
                        "Export without labels; NAME agrees, and it is logged.", "导出时不加标识；由 NAME 同意并记录。"
                    ),
                ),
            ],
            None,
        ),
    }
    if modality.media_type.startswith("text/"):
        own["system"] = (Annotated[str | None, typer.Option(help=say("System prompt.", "系统提示词。"))], None)
    if "width_px" in modality.request.model_fields:
        help_text = say("Width and height in pixels: 256 or 320x240.", "宽和高（像素）：256 或 320x240。")
        own["size"] = (Annotated[str | None, typer.Option(help=help_text)], None)
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in own.items()
    ]
    command.__signature__ = inspect.Signature([*extra, *parameters(modality.request)])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in (*extra, *parameters(modality.request))}
    return command


for _name in modalities:
    _modality = modalities[_name]
    _help = say(
        f"{_name.capitalize()} from a prompt: checked, labelled, signed, recorded.",
        f"由提示词生成内容（{_name}）：经检查、标识、签名、留痕。",
    )
    app.command(_name, help=_help)(_command(_modality))


@app.callback()
def root() -> None:
    """Keeps each modality a sub-command."""
