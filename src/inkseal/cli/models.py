"""`inkseal models`: what there is, what is here, and how to bring or remove it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkseal.cli._output import Terminal, note, print_json, size_text
from inkseal.cli._signals import interruptible
from inkseal.core.language import say

if TYPE_CHECKING:
    from inkseal.catalog.card import Card
    from inkseal.catalog.catalog import Catalog, Entry

app = typer.Typer(
    no_args_is_help=True, help=say("List, fetch, import and remove models.", "查看、获取、导入和删除模型。")
)

Json = Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))]
Name = Annotated[str, typer.Argument(help=say("Name or alias of a model.", "模型名称或别名。"))]


def _catalog() -> "Catalog":
    from inkseal.catalog.catalog import Catalog
    from inkseal.core.config import load_settings

    return Catalog.of(load_settings())


def _facts(entry: "Entry") -> dict[str, Any]:
    return entry.model_dump(mode="json") | {"here": entry.installed is not None}


@app.command("list", help=say("List known models and those that are here.", "列出已知模型及本机已有的模型。"))
def list_models(as_json: Json = False) -> None:
    from rich.console import Console
    from rich.table import Table

    from inkseal.catalog.providers import remote_facts

    catalog = _catalog()
    entries = catalog.list()
    remote = [remote_facts(model) for _, model in sorted(catalog.remote.items())]
    if as_json:
        print_json([*map(_facts, entries), *(facts | {"here": False} for facts in remote)])
        return
    table = Table(box=None)
    for head in (
        say("name", "名称"),
        say("also", "别名"),
        say("task", "任务"),
        say("size", "大小"),
        say("here", "本机"),
    ):
        table.add_column(head)
    table.add_column(say("licence", "许可"), overflow="fold")
    for entry in entries:
        card = entry.card
        here = "✓" if entry.installed else "✗ " + entry.problem if entry.problem else ""
        size = size_text(card.size_bytes)
        table.add_row(card.name, " ".join(card.aliases), card.task, size, here, str(card.licence))
    for facts in remote:
        at = say(f"at {facts['provider']}", f"在 {facts['provider']}")
        table.add_row(facts["name"], "", facts["task"], "", at, facts["licence"])
    Console().print(table)


@app.command(help=say("Show a model's card: licence, sources, hashes, limits.", "显示模型卡：许可、来源、哈希、局限。"))
def show(name: Name, as_json: Json = False) -> None:
    from inkseal.catalog.providers import remote_facts

    catalog = _catalog()
    if name in catalog.remote:
        _show_remote(remote_facts(catalog.remote[name]), as_json)
        return
    entry = catalog.show(name)
    if as_json:
        print_json(_facts(entry))
        return
    card = entry.card
    typer.secho(f"{card.title}  ({card.name})", bold=True)
    typer.echo(str(card.description))
    rows = [
        (say("licence", "许可"), str(card.licence)),
        (say("task", "任务"), card.task),
        (say("languages", "语言"), ", ".join(card.languages)),
        *_abilities(card),
        *_data(card),
        (say("limits", "局限"), str(card.limits)),
        (say("sources", "来源"), ", ".join(str(source["source"]) for source in card.sources)),
        *((file.name, f"{size_text(file.size_bytes)}  sha256 {file.sha256}") for file in card.files),
        (say("here", "本机"), entry.problem or say(*(("yes", "有") if entry.installed else ("no", "无")))),
    ]
    for key, value in rows:
        typer.echo(f"  {key}: {value}")


def _data(card: "Card") -> list[tuple[str, str]]:
    """Returns what a model of our own was trained on, and who must be named for it."""
    if card.data is None:
        return []
    licences = ", ".join(f"{licence} ({count:,})" for licence, count in card.data.licences.items())
    return [
        (say("trained on", "训练数据"), f"{card.data.name}  sha256 {card.data.sha256}"),
        (say("licences of the data", "数据许可"), licences),
        *((say(f"credit for {name}", f"{name} 署名"), text) for name, text in card.data.credits.items()),
    ]


def _abilities(card: "Card") -> list[tuple[str, str]]:
    """Returns how much a text model reads, or what a picture model draws."""
    picture = card.profile.picture
    if picture is None:
        return [(say("context", "上下文"), say(f"{card.context_tokens} tokens", f"{card.context_tokens} 词元"))]
    own = f"{picture.steps}, {picture.guidance:g}, {picture.autoguidance:g}, {picture.solver}"
    return [
        (say("picture", "图片"), f"{picture.side_px} × {picture.side_px}"),
        (say("styles", "风格"), ", ".join(picture.styles)),
        (say("steps, guidance, autoguidance, solver", "步数、引导、自引导、求解器"), own),
    ]


def _show_remote(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts | {"here": False})
        return
    typer.secho(facts["name"], bold=True)
    unknown = say("unknown", "未知")
    for key, value in (
        (say("provider", "服务商"), facts["provider"]),
        (say("licence", "许可"), facts["licence"]),
        (say("task", "任务"), facts["task"]),
        (say("context", "上下文"), facts["context_tokens"] or unknown),
        ("SHA-256", say("none: nobody here can prove the weights", "无：此处无法证明权重")),
    ):
        typer.echo(f"  {key}: {value}")


@app.command(
    help=say(
        "Fetch a model by name, or OWNER/REPOSITORY from the hub.", "按名称获取模型，或从模型库获取 OWNER/REPOSITORY。"
    )
)
def pull(
    name: Name,
    folder: Annotated[
        Path | None, typer.Option(help=say("Look into this folder first.", "先在该文件夹中查找。"))
    ] = None,
    offline: Annotated[bool, typer.Option(help=say("Do not touch the network.", "不访问网络。"))] = False,
    file: Annotated[str, typer.Option(help=say("Which GGUF of a hub repository.", "模型库中的哪个 GGUF。"))] = "",
) -> None:
    from inkseal.core.config import load_settings
    from inkseal.core.errors import FetchFailed
    from inkseal.formats.validate import validate

    offline = offline or load_settings().offline
    if offline and "/" in name:
        raise FetchFailed(say(f"{name!r} is on the hub, and this is offline.", f"{name!r} 在模型库中，而当前为离线。"))
    catalog = _catalog()
    card = catalog.adopt(name, file=file) if "/" in name else catalog.card(name)
    note(f"{card.title} · {size_text(card.size_bytes)} · {say('licence', '许可')}: {card.licence}")
    terminal = Terminal()
    with interruptible() as cancel:
        model = catalog.pull(
            card.name,
            on_event=terminal,
            cancel=cancel,
            offline=offline,
            folder=folder,
            validate=validate,
        )
    terminal.close()
    typer.echo(say(f"{model.name} is here and verified.", f"{model.name} 已就绪并通过校验。"))


@app.command(
    "import", help=say("Import a GGUF file or a model folder of your own.", "导入自己的 GGUF 文件或模型文件夹。")
)
def import_model(
    path: Annotated[Path, typer.Argument(help=say("File or folder.", "文件或文件夹。"))],
    name: Annotated[str, typer.Option(help=say("What to call it.", "名称。"))] = "",
    licence: Annotated[str, typer.Option(help=say("Its licence, as you know it.", "许可。"))] = "",
) -> None:
    from inkseal.formats.validate import validate

    terminal = Terminal()
    with interruptible() as cancel:
        model = _catalog().bring(path, name, validate=validate, licence=licence, on_event=terminal, cancel=cancel)
    terminal.close()
    typer.echo(say(f"{model.name} is here.", f"{model.name} 已导入。"))


@app.command(help=say("Remove a model's files from this machine.", "从本机删除模型文件。"))
def remove(name: Name) -> None:
    removed = _catalog().remove(name)
    typer.echo(say("Removed.", "已删除。") if removed else say("It was not here.", "本机没有该模型。"))
