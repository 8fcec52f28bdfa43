"""`inkseal search WORDS`: finds what was made, in Chinese and English, by words or by meaning."""

from typing import Annotated

import typer

from inkseal.cli._output import note, print_json
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Find artifacts by words; the newest without any.", "按词查找作品；不给词则列出最新的。"))
def search(
    query: Annotated[list[str] | None, typer.Argument(help=say("Words.", "词。"))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=say("How many.", "条数。"))] = 20,
    meaning: Annotated[
        bool, typer.Option("--meaning", help=say("By meaning, across languages.", "按语义查找，可跨语言。"))
    ] = False,
    collection: Annotated[str, typer.Option(metavar="ID", help=say("In a collection.", "限定收藏夹。"))] = "",
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.store.listing import Filters
    from inkseal.studio.gallery import By
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio:
        filters = Filters(collection=collection)
        by: By = "meaning" if meaning else "words"
        found = studio.gallery.page(filters, " ".join(query or ()), by, limit=limit)
    if as_json:
        print_json([artifact.model_dump(mode="json") for artifact in found.artifacts])
        return
    for artifact in found.artifacts:
        score = "" if artifact.score is None else f"{artifact.score:.2f}  "
        typer.echo(f"{artifact.id}  {artifact.created_at:%Y-%m-%d %H:%M}  {score}{artifact.title}")
    if found.num_unread:
        note(
            say(
                f"{found.num_unread} contents were not read yet; search again to read more.",
                f"还有 {found.num_unread} 个内容尚未读入；再次查找会继续。",
            )
        )
