"""`inkseal collections`: named sets of artifacts."""

from typing import Annotated

import typer

from inkseal.cli._output import print_json
from inkseal.core.language import say

app = typer.Typer(no_args_is_help=True, help=say("Put artifacts into named sets.", "将作品归入收藏夹。"))

Json = Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))]
Id = Annotated[str, typer.Argument(metavar="ID", help=say("The collection.", "收藏夹编号。"))]
ArtifactIds = Annotated[list[str], typer.Argument(metavar="ARTIFACT", help=say("Artifacts.", "作品编号。"))]


@app.command("list", help=say("List the collections.", "列出收藏夹。"))
def list_collections(as_json: Json = False) -> None:
    from inkseal.store import collections
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio, studio.store.reading() as session:
        found = collections.listed(session)
    if as_json:
        print_json([collection.model_dump(mode="json") for collection in found])
        return
    for collection in found:
        typer.echo(f"{collection.id}  {collection.num_artifacts:6}  {collection.name}")


@app.command(help=say("Make a collection and print its id.", "新建收藏夹并输出其编号。"))
def create(name: Annotated[str, typer.Argument(help=say("Its name.", "名称。"))]) -> None:
    from inkseal.store import collections
    from inkseal.studio.studio import Studio

    with Studio.open() as studio, studio.store.transaction() as session:
        typer.echo(collections.create(session, name).id)


@app.command(help=say("Put artifacts in.", "放入作品。"))
def add(collection_id: Id, artifact_ids: ArtifactIds) -> None:
    from inkseal.store import collections
    from inkseal.studio.studio import Studio

    with Studio.open() as studio, studio.store.transaction() as session:
        for artifact_id in artifact_ids:
            collections.put_in(session, collection_id, artifact_id)


@app.command(help=say("Take artifacts out.", "取出作品。"))
def take(collection_id: Id, artifact_ids: ArtifactIds) -> None:
    from inkseal.store import collections
    from inkseal.studio.studio import Studio

    with Studio.open() as studio, studio.store.transaction() as session:
        for artifact_id in artifact_ids:
            collections.take_out(session, collection_id, artifact_id)


@app.command(help=say("Remove a collection; its artifacts stay.", "删除收藏夹；作品保留。"))
def remove(collection_id: Id) -> None:
    from inkseal.store import collections
    from inkseal.studio.studio import Studio

    with Studio.open() as studio, studio.store.transaction() as session:
        collections.remove(session, collection_id)
