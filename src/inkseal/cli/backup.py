"""`inkseal backup`: records, artifacts, keys and settings in one file."""

from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import Terminal, note, print_json, size_text
from inkseal.cli._signals import interruptible
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(
    help=say("Copy records, artifacts, keys and settings into one file.", "将记录、作品、密钥和设置备份到一个文件。")
)
def backup(
    target: Annotated[Path, typer.Argument(help=say("The new file (.zip).", "新文件（.zip）。"))],
    models: Annotated[bool, typer.Option("--models", help=say("Include the models.", "包含模型。"))] = False,
    allow_damaged: Annotated[
        bool,
        typer.Option(
            "--allow-damaged", help=say("Keep the rest when contents are damaged.", "内容损坏时备份其余部分。")
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.core.config import load_settings
    from inkseal.store.backup import write_backup

    terminal = Terminal(quiet=as_json)
    with interruptible() as cancel:
        made = write_backup(
            load_settings().data_dir,
            target,
            include_models=models,
            allow_damaged=allow_damaged,
            on_event=terminal,
            cancel=cancel,
        )
    terminal.close()
    if as_json:
        facts = {"path": str(target), "num_files": len(made.members), "size_bytes": made.size_bytes}
        print_json(facts | {"damaged": made.damaged})
        return
    typer.echo(f"{target} ({size_text(made.size_bytes)})")
    note(say("It holds private keys: keep it as you keep them.", "其中含有私钥，请妥善保管。"))
