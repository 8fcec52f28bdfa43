"""The root command: finds the command files, and imports one only when it is called or listed."""

import os
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import inkseal.cli
from inkseal.core.language import detect_language, say


class LazyCommands(TyperGroup):
    """A group whose commands are the files of this folder that have no leading underscore."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(m.name for m in pkgutil.iter_modules(inkseal.cli.__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in self.list_commands(ctx):
            return None
        command = typer.main.get_command(import_module(f"inkseal.cli.{name}").app)
        command.name = name
        return command


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"inkseal {version('inkseal')}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=say(
        "Inkseal makes texts and pictures on your own machine, and checks, labels, signs and records what it makes.",
        "墨印：在你自己的机器上用模型生成内容，并对每个结果做检查、标识、签名和留痕。",
    ),
)


@app.callback()
def root(
    data_dir: Annotated[
        Path | None,
        typer.Option(help=say("Where models and records live (INKSEAL_DATA_DIR).", "模型与记录所在的文件夹。")),
    ] = None,
    language: Annotated[str | None, typer.Option(help=say("zh or en.", "zh 或 en。"))] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=say("Print the version.", "显示版本。"))
    ] = False,
) -> None:
    if data_dir is not None:
        os.environ["INKSEAL_DATA_DIR"] = str(data_dir.expanduser().absolute())
    if language is not None:
        os.environ["INKSEAL_LANGUAGE"] = language
    else:
        os.environ.setdefault("INKSEAL_LANGUAGE", detect_language())
