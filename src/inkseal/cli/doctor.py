"""`inkseal doctor`: what is installed, what is missing, how fast this machine is, and what to do."""

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

import typer

from inkseal.cli._output import print_json, size_text
from inkseal.core.errors import InksealError
from inkseal.core.language import say

app = typer.Typer(add_completion=False)

State = Literal["ok", "warn", "bad"]
SIGNS: dict[State, tuple[str, str]] = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "bad": ("✗", "red")}


@app.command(
    help=say("Say what is installed and missing, how fast this machine is, what to do.", "检查安装、缺失与速度。")
)
def doctor(as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False) -> None:
    rows = [*_machine(), *_packages(), *_records(), *_models()]
    if as_json:
        print_json([{"state": state, "what": what, "value": value, "fix": fix} for state, what, value, fix in rows])
    else:
        for state, what, value, fix in rows:
            sign, colour = SIGNS[state]
            typer.echo(typer.style(f"{sign} ", fg=colour) + f"{what}: {value}")
            if fix:
                typer.secho(f"    → {fix}", dim=True)
    if any(state == "bad" for state, *_ in rows):
        raise typer.Exit(1)


Row = tuple[State, str, Any, str]


def _machine() -> Iterator[Row]:
    from inkseal.runtime.device import describe
    from inkseal.runtime.energy import EnergyMeter
    from inkseal.runtime.speed import memory_bandwidth

    device = describe()
    yield "ok", "Python", sys.version.split()[0], ""
    sets = " ".join(device.instruction_sets)
    yield "ok", say("processor", "处理器"), f"{device.processor}, {device.num_cores} × ({sets})", ""
    free, total = size_text(device.available_bytes), size_text(device.memory_bytes)
    yield "ok", say("memory", "内存"), say(f"{free} free of {total}", f"可用 {free}，共 {total}"), ""
    rate = memory_bandwidth()
    bound = say(
        f"{rate / 1e9:.0f} GB/s (at most {rate / 1e9:.0f} tokens/s from a 1 GB model)",
        f"{rate / 1e9:.0f} GB/秒（1 GB 的模型最快约 {rate / 1e9:.0f} 词元/秒）",
    )
    yield "ok", say("memory speed", "内存速度"), bound, ""
    measured = EnergyMeter().stop() is not None
    shown = say("measured (RAPL)", "可测量（RAPL）") if measured else say("unknown on this machine", "本机无法测量")
    yield "ok", say("energy", "能耗"), shown, ""


def _packages() -> Iterator[Row]:
    wanted = {"openvino-genai": "", "c2pa-python": "", "cryptography": "", "fpdf2": "", "xllamacpp": "llama"}
    for name, extra in wanted.items():
        try:
            yield "ok", name, version(name), ""
        except PackageNotFoundError:
            state: State = "warn" if extra else "bad"
            install = f"pip install 'inkseal[{extra}]'" if extra else "pip install inkseal"
            yield state, name, say("not installed", "未安装"), install


def _records() -> Iterator[Row]:
    from inkseal.core.config import load_settings
    from inkseal.studio.studio import Studio

    what = say("data folder", "数据文件夹")
    try:
        folder = load_settings().data_dir
        with Studio.open(read_only=True) as studio:
            report = studio.verify_ledger()
    except InksealError as error:
        yield "bad", what, error.what, error.fix
        return
    free = shutil.disk_usage(folder).free
    yield ("ok" if free > 2e9 else "warn"), what, f"{folder} ({say('free', '可用')} {size_text(free)})", ""
    if report.valid:
        yield (
            "ok",
            say("ledger", "账本"),
            say(f"{report.num_entries} entries, whole", f"{report.num_entries} 条，完整"),
            "",
        )
    else:
        yield "bad", say("ledger", "账本"), say("does not add up", "不一致"), "inkseal ledger verify"


def _models() -> Iterator[Row]:
    from inkseal.catalog.catalog import Catalog
    from inkseal.core.config import load_settings

    catalog = Catalog.of(load_settings())
    for entry in catalog.list():
        name, size = entry.card.name, size_text(entry.card.size_bytes)
        if entry.problem:
            yield "bad", name, entry.problem, f"inkseal models remove {name}"
        elif entry.installed:
            yield "ok", name, size, ""
        else:
            wanted = {"default", "embedding"} & set(entry.card.aliases)
            fix = f"inkseal models pull {name}"
            yield ("warn" if wanted else "ok"), name, say(f"not here ({size})", f"本机没有（{size}）"), fix
