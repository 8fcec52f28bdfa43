"""`inkseal verify FILE|-`: which marks a file or text carries, whether they hold, and whether it was made here."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import print_json
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

app = typer.Typer(add_completion=False)

EXIT_CHANGED = 10
EXIT_UNKNOWN = 11


@app.command(
    help=say("Check a file's or a text's marks and whether it was made here.", "检查文件或文本的标识及其来源。")
)
def verify(
    file: Annotated[
        str, typer.Argument(help=say("A file, or - for text on standard input.", "文件；- 表示标准输入。"))
    ],
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.studio.studio import Studio

    states = {
        "valid": say("valid", "有效"),
        "changed": say("changed", "已更改"),
        "present": say("present", "存在"),
    }
    data = _read(file)
    with Studio.open(read_only=True) as studio:
        found = studio.verify(data, name="" if file == "-" else Path(file).name)
    changed = any(layer.state == "changed" for layer in found.layers) or found.relation == "edited"
    known = found.intact or found.relation in ("exact", "copy", "edited")
    if as_json:
        print_json(found.model_dump(mode="json") | {"intact": found.intact})
    else:
        typer.echo(found.summary)
        for layer in found.layers:
            if layer.state == "absent":
                continue
            colour = {"valid": "green", "changed": "red"}.get(layer.state, "yellow")
            what = f" ({', '.join(layer.changed)})" if layer.changed else ""
            issuer = f" · {layer.issuer.kind}: {layer.issuer.name}" if layer.issuer else ""
            typer.echo(
                f"  {layer.name}: " + typer.style(states.get(layer.state, layer.state), fg=colour) + what + issuer
            )
    if changed:
        raise typer.Exit(EXIT_CHANGED)
    if not known:
        raise typer.Exit(EXIT_UNKNOWN)


def _read(file: str) -> bytes:
    from inkseal.studio.provenance.verify import MAX_BYTES

    if file == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)  # one more than is looked at: whoever verifies refuses it
    except OSError as error:
        raise InvalidRequest(
            say(f"{file!r} cannot be read: {error.strerror}.", f"无法读取 {file!r}：{error.strerror}。"),
            fix=say("Give a file, or - for standard input.", "请给出文件，或用 - 表示标准输入。"),
        ) from None
