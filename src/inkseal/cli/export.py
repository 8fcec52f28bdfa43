"""`inkseal export ID FILE`: an artifact as a labelled, sealed file."""

from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import note, print_json, size_text
from inkseal.core.language import say
from inkseal.core.types import Regime

app = typer.Typer(add_completion=False)


@app.command(help=say("Write an artifact to a file with its labels.", "将作品导出为带标识的文件。"))
def export(
    artifact_id: Annotated[str, typer.Argument(metavar="ID", help=say("The artifact.", "作品编号。"))],
    path: Annotated[Path, typer.Argument(help=say("The file; its suffix names the format.", "文件，后缀决定格式。"))],
    regime: Annotated[Regime | None, typer.Option(help=say("cn, eu or both.", "cn、eu 或 both。"))] = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=say("No labels; NAME agrees, and it is logged.", "不加标识；由 NAME 同意并记录。")
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.studio.studio import Studio

    with Studio.open() as studio:
        report = studio.export(artifact_id, path, regime=regime, agreed_by=unlabelled)
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    typer.echo(
        f"{report.path} ({size_text(report.size_bytes)}; {', '.join(report.marks) or say('no marks', '无标识')})"
    )
    for requirement in report.unmet:
        note(say("not met: ", "未满足：") + f"{requirement.regime} {requirement.id}: {requirement.reason}")
