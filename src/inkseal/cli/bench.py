"""`inkseal bench`: how fast a model is on this machine."""

import time
from typing import Annotated

import typer

from inkseal.cli._output import Terminal, print_json, size_text
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Measure a model's speed on this machine.", "测量模型在本机的速度。"))
def bench(
    model: Annotated[str, typer.Option(help=say("Name of the model.", "模型名称。"))] = "default",
    rounds: Annotated[int, typer.Option(min=1, max=20, help=say("Measurements of each kind.", "每项测量次数。"))] = 3,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    import psutil

    from inkseal.core.protocols import GenerativeEngine
    from inkseal.studio.generate.speed import measure
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio:
        local = studio.engines.local_model(model)
        begin = time.perf_counter()
        terminal = Terminal(quiet=as_json)
        with studio.engines.lease(local, "generate", terminal) as engine:
            terminal.close()
            load_seconds = time.perf_counter() - begin
            assert isinstance(engine, GenerativeEngine)
            speed = measure(engine, rounds)
            memory = psutil.Process().memory_info().rss
    facts = {"model": local.name, "load_seconds": round(load_seconds, 2), "memory_bytes": memory}
    if as_json:
        print_json(facts | speed.model_dump())
        return
    rows = [
        (say("load", "加载"), f"{load_seconds:.1f} s"),
        (say("memory", "内存"), size_text(memory)),
        (say("prompt, 512 tokens", "提示词（512 词元）"), f"{speed.prefill:.0f} {say('tokens/s', '词元/秒')}"),
        (say("answer", "答案"), f"{speed.decode:.1f} {say('tokens/s', '词元/秒')}"),
        (say("8 answers at once", "8 个答案同时"), f"{speed.at_once:.1f} {say('tokens/s', '词元/秒')}"),
        (say("first token", "首个词元"), f"{speed.first_token_seconds:.2f} s"),
        (
            say("first token, same prompt again", "首个词元（相同提示词）"),
            f"{speed.repeated_first_token_seconds:.3f} s",
        ),
    ]
    for name, value in rows:
        typer.echo(f"{name}: {value}")
