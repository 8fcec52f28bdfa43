"""`inkseal data`: builds licensed datasets and shows their cards."""

from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import Terminal, note, print_json
from inkseal.cli._signals import interruptible
from inkseal.core.language import say

app = typer.Typer(no_args_is_help=True, help=say("Build and show licensed datasets.", "构建和查看有许可的数据集。"))

Name = Annotated[str, typer.Argument(help=say("Name of a dataset, such as `pictures`.", "数据集名称，如 pictures。"))]
Json = Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))]


def _folder(name: str) -> Path:
    from inkseal.core.config import load_settings
    from inkseal.core.errors import UnknownName
    from inkseal.workshop.data.build import DATASETS

    if name not in DATASETS:
        raise UnknownName(say("dataset", "数据集"), name, DATASETS)
    return load_settings().data_dir / "datasets" / name


@app.command("list", help=say("List datasets, and say which are here.", "列出可构建与已有的数据集。"))
def list_datasets(as_json: Json = False) -> None:
    from inkseal.workshop.data.build import DATASETS
    from inkseal.workshop.data.card import CARD

    here = {name: (_folder(name) / CARD).exists() for name in DATASETS}
    if as_json:
        print_json(here)
        return
    for name, is_here in here.items():
        typer.echo(f"{name}  {say('here', '已有') if is_here else say('not built', '未构建')}")


@app.command(help=say("Fetch, clean and build a dataset.", "获取、清洗并构建数据集。"))
def build(
    name: Name,
    offline: Annotated[bool, typer.Option(help=say("Use what was fetched before.", "仅使用已获取的归档。"))] = False,
    as_json: Json = False,
) -> None:
    from inkseal.studio.studio import Studio
    from inkseal.workshop.data.build import build as build_dataset
    from inkseal.workshop.data.card import card_json

    terminal = Terminal(quiet=as_json)
    with Studio.open() as studio, interruptible() as cancel:
        offline = offline or studio.settings.offline
        model = studio.catalog.pull("embedding", on_event=terminal, cancel=cancel, offline=offline)
        card = build_dataset(
            name,
            studio.settings.data_dir / "datasets",
            studio.embed,
            {"model": model.name, "sha256": model.sha256},
            on_event=terminal,
            cancel=cancel,
            offline=offline,
        )
    terminal.close()
    if as_json:
        typer.echo(card_json(card).decode(), nl=False)
        return
    pictures, captions = f"{card.num_pictures:,}", f"{card.num_captions:,}"
    typer.echo(
        say(f"{name}: {pictures} pictures, {captions} captions.", f"{name}：{pictures} 张图，{captions} 条说明。")
    )
    note(f"SHA-256 {card.sha256}")


@app.command(help=say("Prove a dataset by its hashes and show its card.", "校验数据集并显示其数据卡。"))
def show(name: Name, as_json: Json = False) -> None:
    from inkseal.workshop.data.card import card_json, card_text
    from inkseal.workshop.data.pictures import PictureSet

    card = PictureSet.open(_folder(name)).card
    typer.echo(card_json(card).decode() if as_json else card_text(card), nl=False)
