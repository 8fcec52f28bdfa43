"""`inkseal delete ID`: removes an artifact's content, and says what stays and why."""

from typing import Annotated

import typer

from inkseal.cli._output import print_json
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Delete an artifact; the ledger keeps that it was there.", "删除作品；账本保留其曾存在的记录。"))
def delete(
    artifact_id: Annotated[str, typer.Argument(metavar="ID", help=say("The artifact.", "作品编号。"))],
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help=say("Only say what would go and what would stay.", "只说明将删与将留之物。")),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=dry_run) as studio:
        account = studio.deleter.account(artifact_id) if dry_run else studio.deleter.delete(artifact_id)
    if as_json:
        print_json(account.model_dump(mode="json"))
        return
    typer.echo(say("Would go:", "将删除：") if account.deleted_at is None else say("Gone:", "已删除："))
    for item in account.removed:
        typer.echo(f"  – {item.text}")
    typer.echo(say("Stays:", "保留："))
    for item in account.remains:
        typer.echo(f"  + {item.text}")
