"""`inkseal train`: runs a recipe, or goes on with a run that was stopped or killed."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import Terminal, note, print_json
from inkseal.cli._signals import interruptible
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(
    help=say(
        "Train by a recipe. A run that was stopped goes on where it stood; Ctrl-C and SIGTERM stop it whole.",
        "按配方训练。中断的运行会从断点继续；Ctrl-C 与 SIGTERM 会在保存检查点后停止。",
    )
)
def train(
    recipe: Annotated[Path, typer.Argument(help=say("TOML file, as in recipes/.", "TOML 文件，见 recipes/。"))],
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help=say("Set aside what was begun, and begin anew.", "另存已有运行并重新开始（默认继续）。"),
        ),
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help=say("Instead of the recipe's.", "覆盖配方的线程数。"))
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help=say("Instead of the recipe's.", "覆盖配方的步数。"))] = None,
    nice: Annotated[
        int | None, typer.Option(min=0, max=19, help=say("Instead of the recipe's.", "覆盖配方的 nice 值。"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.core.config import load_settings
    from inkseal.workshop.runs import run_recipe
    from inkseal.workshop.train.recipe import read_recipe

    chosen = {"threads": threads, "steps": steps, "nice": nice}
    read = read_recipe(recipe)
    read = read.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    terminal = Terminal(quiet=as_json)
    with interruptible(signal.SIGTERM) as cancel:
        outcome = run_recipe(read, load_settings().data_dir, fresh=fresh, on_event=terminal, cancel=cancel)
    terminal.close()
    if outcome.process:  # the main process says it for all
        return
    if as_json:
        print_json(outcome.model_dump(mode="json"))
        return
    typer.echo(str(outcome.folder))
    if not outcome.finished:
        note(
            say(
                f"Stopped at step {outcome.step}; the same command goes on.",
                f"停在第 {outcome.step} 步；再次运行同一命令即可继续。",
            )
        )
