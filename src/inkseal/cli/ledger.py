"""`inkseal ledger`: the append-only record of what was made, exported and decided."""

import json
from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import print_json
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

app = typer.Typer(
    no_args_is_help=True, help=say("Show and verify the append-only record.", "查看并核验只增不改的账本。")
)
Json = Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))]


@app.command(help=say("Find any edit, removal or reordering.", "查找任何改动、删除或重排。"))
def verify(
    since: Annotated[
        Path | None, typer.Option(help=say("A head kept elsewhere (`ledger head`).", "另处保存的账本头。"))
    ] = None,
    as_json: Json = False,
) -> None:
    from inkseal.studio.provenance.ledger import Head
    from inkseal.studio.studio import Studio

    try:
        head = Head.model_validate_json(since.read_bytes()) if since else None
    except (OSError, ValueError) as error:
        raise InvalidRequest(say(f"{since} is not a ledger head.", f"{since} 不是账本头文件。")) from error
    with Studio.open(read_only=True) as studio:
        report = studio.verify_ledger(head)
    if as_json:
        print_json(report.model_dump(mode="json") | {"valid": report.valid})
    elif report.valid:
        typer.secho(say(f"{report.num_entries} entries, whole.", f"共 {report.num_entries} 条，完整。"), fg="green")
    else:
        for problem in report.problems:
            typer.secho(f"#{problem.seq} {problem.field}: {problem.reason}", fg="red")
    if not report.valid:
        raise typer.Exit(10)


@app.command(help=say("Show the entries.", "显示条目。"))
def show(
    after: Annotated[int, typer.Option(help=say("Start after this number.", "从该编号之后开始。"))] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=say("How many.", "条数。"))] = 50,
    as_json: Json = False,
) -> None:
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio, studio.store.reading() as session:
        entries = list(studio.sealer.ledger.entries(session, after=after, limit=limit))
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    for entry in entries:
        typer.echo(f"#{entry.seq} {entry.created_at} {entry.kind} {json.dumps(entry.body, ensure_ascii=False)}")


@app.command(
    help=say("Print the signed length of the record, to be kept elsewhere.", "输出签名的账本头，以便另处保存。")
)
def head() -> None:
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio, studio.store.reading() as session:
        typer.echo(studio.sealer.ledger.head(session).model_dump_json())
