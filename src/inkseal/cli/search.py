"""`inkseal search WORDS`: finds what was made, in Chinese and English."""

from typing import Annotated

import typer

from inkseal.cli._output import print_json
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Find artifacts by words; the newest without any.", "按词查找作品；不给词则列出最新的。"))
def search(
    query: Annotated[list[str] | None, typer.Argument(help=say("Words.", "词。"))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=say("How many.", "条数。"))] = 20,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio:
        found = studio.search(" ".join(query or ()), limit)
    if as_json:
        print_json([artifact.model_dump(mode="json") for artifact in found])
        return
    for artifact in found:
        typer.echo(f"{artifact.id}  {artifact.created_at:%Y-%m-%d %H:%M}  {artifact.title}")
