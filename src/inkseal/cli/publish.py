"""`inkseal publish`: makes a served model of finished runs, and proves that it answers as it was trained."""

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from inkseal.cli._output import Terminal, note, print_json, size_text
from inkseal.cli._signals import interruptible
from inkseal.core.language import say

if TYPE_CHECKING:
    from inkseal.workshop.publish.picture import Published

app = typer.Typer(add_completion=False)


@app.command(
    help=say(
        "Publish finished runs as a model. It is refused unless it answers as it was trained. Needs torch; "
        "the model does not.",
        "把训练好的运行发布为模型；与训练结果不一致则拒绝。发布时需要 torch，使用模型时不需要。",
    )
)
def publish(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help=say(
                "Runs, such as picture-flow picture-encoder; with runs that a flow began with, the mean of all.",
                "运行名称，例如 picture-flow picture-encoder；若同时写出流匹配运行所继续的运行，则取其权重的平均。",
            ),
        ),
    ],
    name: Annotated[str, typer.Option(help=say("Name of the model.", "模型名称。"))] = "my-picture",
    guidance: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=20,
            help=say(
                "How closely its pictures follow prompts unless asked; the recipe's when absent.",
                "默认情况下图片贴合提示词的程度；缺省时取配方中的值。",
            ),
        ),
    ] = None,
    autoguidance: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=2,
            help=say(
                "How far pictures are led away from what the sketch alone would draw; the recipe's when absent.",
                "图片远离草图网络单独所画结果的程度；缺省时取配方中的值。",
            ),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.core.config import load_settings
    from inkseal.workshop.publication import publish_runs

    asked = {"guidance": guidance, "autoguidance": autoguidance}
    sampling = {key: value for key, value in asked.items() if value is not None}
    terminal = Terminal(quiet=as_json)
    with interruptible(signal.SIGTERM) as cancel:
        published = publish_runs(
            runs, load_settings().data_dir, name, sampling=sampling, on_event=terminal, cancel=cancel
        )
    terminal.close()
    if as_json:
        print_json(published.model_dump(mode="json"))
    else:
        _tell(published)


def _tell(published: "Published") -> None:
    typer.echo(str(published.folder))
    for parity in published.parity:
        limit = f"{parity.tolerance * parity.scale:.2g}"
        largest = f"{parity.max_error:.2g}"
        note(
            say(
                f"{parity.network}: largest error {largest}, refused above {limit}",
                f"{parity.network}：最大误差 {largest}，上限 {limit}",
            )
        )
    note(size_text(published.card.size_bytes))
