"""`inkseal show ID`: an artifact and its story: model, licence, seed, checks, usage."""

from typing import Annotated

import typer

from inkseal.cli._output import note, print_json
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Show an artifact and how it was made.", "显示作品及其生成经过。"))
def show(
    artifact_id: Annotated[str, typer.Argument(metavar="ID", help=say("The artifact.", "作品编号。"))],
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio:
        signed = studio.manifest(artifact_id)
        withdrawn = signed.manifest.withdrawn
        content = b"" if withdrawn else studio.content(artifact_id)
    if as_json:
        print_json(signed.model_dump(mode="json"))
        return
    made = signed.manifest
    rows = [
        (say("made", "生成于"), made.created_at.isoformat()),
        (say("model", "模型"), f"{made.model.name} ({made.model.licence})" if made.model else ""),
        (
            "SHA-256",
            (made.model.sha256 or say("unknown: a provider's model", "未知：由服务商提供")) if made.model else "",
        ),
        (say("backend", "后端"), made.backend.name if made.backend else ""),
        (say("seed", "种子"), str(made.seed)),
        (say("checks", "检查"), ", ".join(f"{v.check} {v.stage}: {v.action}" for v in made.verdicts)),
        (say("tokens", "词元"), f"{made.usage.prompt_tokens} + {made.usage.completion_tokens}"),
        (say("parents", "来源"), ", ".join(made.parents)),
    ]
    for name, value in rows:
        note(f"{name}: {value}")
    if withdrawn:
        note(say(f"withdrawn by {withdrawn.check}", f"已被 {withdrawn.check} 撤回"))
    typer.echo(content.decode("utf-8", "replace"))
