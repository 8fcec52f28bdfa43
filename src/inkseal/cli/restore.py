"""`inkseal restore`: a backup into an empty data folder."""

from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import Terminal
from inkseal.cli._signals import interruptible
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Put a backup into an empty data folder.", "将备份恢复到空的数据文件夹。"))
def restore(file: Annotated[Path, typer.Argument(help=say("A file made by `inkseal backup`.", "备份文件。"))]) -> None:
    from inkseal.core.config import default_data_dir
    from inkseal.store.restore import restore_backup

    terminal = Terminal()
    with interruptible() as cancel:
        made = restore_backup(file, default_data_dir(), on_event=terminal, cancel=cancel)
    terminal.close()
    typer.echo(
        say(
            f"Restored {len(made.members)} files into {default_data_dir()}.",
            f"已将 {len(made.members)} 个文件恢复到 {default_data_dir()}。",
        )
    )
