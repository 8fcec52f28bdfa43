"""What is said of a published picture model: the card for programs, and a page for people in both languages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inkseal.catalog.card import Card, CardFile, Licence, PictureProfile, Profile, TrainedOn, Words
from inkseal.formats.picture_model import PictureModel
from inkseal.formats.picture_styles import picture_styles
from inkseal.workshop.data.card import Card as DataCard
from inkseal.workshop.publish.parity import Parity
from inkseal.workshop.publish.picture_sources import PictureSources, scores_of
from inkseal.workshop.train.run_log import spent

WEIGHTS_LICENCE = "Apache-2.0"
LIMITS_EN = (
    "Draws single emoji, icons and clip art over white, 64 pixels wide; larger ones are enlarged, not drawn finer. "
    "No photographs, scenes, letters or likenesses of people. It counts and places things poorly, and mostly fails to "
    "draw what it never saw."
)
LIMITS_ZH = (
    "只画白底上的单个表情、图标与剪贴画，原生 64 像素；更大的尺寸由放大得到，不增加细节。不能画照片、场景、文字或真人；"
    "对数量与位置把握较差，未见过的事物大多画不出来。"
)

_AVERAGED = (
    "Losses, curves and sheet are those of `{0}` alone, before the mean. · "
    "损失、曲线与样张是 `{0}` 自身的，取平均之前。\n"
)


def make_card(name: str, files: Sequence[CardFile], data: DataCard, facts: PictureModel) -> Card:
    """Returns the catalog card."""
    return Card(
        name=name,
        task="generate",
        modality="image",
        format="openvino",
        title=Words(en=f"Inkseal pictures ({name})", zh=f"墨印图片模型（{name}）"),
        description=Words(
            en=f"Draws emoji, icons and clip art from Chinese and English prompts. Trained by a recipe of this "
            f"repository on {data.by_split['train']:,} of {data.num_pictures:,} licensed pictures.",
            zh=f"按中英文提示词绘制表情、图标与剪贴画。由本项目的配方用 {data.num_pictures:,} 张有许可的图片中的 "
            f"{data.by_split['train']:,} 张训练而成。",
        ),
        limits=Words(en=LIMITS_EN, zh=LIMITS_ZH),
        licence=Licence(upstream=WEIGHTS_LICENCE, own=True),
        data=TrainedOn(name=data.name, sha256=data.sha256, licences=data.by_licence, credits=data.attributions),
        languages=("zh", "en"),
        parameters=facts.parameters,
        profile=Profile(
            chat=False,
            tools=False,
            json_answers=False,
            picture=PictureProfile(
                side_px=facts.side_px,
                styles=facts.styles,
                steps=facts.steps,
                guidance=facts.guidance,
                autoguidance=facts.autoguidance,
                solver=facts.solver,
            ),
        ),
        files=tuple(files),
        sources=({"source": "folder"},),
    )


def page(name: str, sources: PictureSources, data: DataCard, facts: PictureModel, parity: Sequence[Parity]) -> str:
    """Returns the model's page in Markdown."""
    logs = sources.logs
    scores = {key: value for log in logs.values() for key, value in scores_of(log).items()}
    taken = [*sources.beginnings, sources.facts]
    told = picture_styles()
    styles = [
        (style, told[style]["en"], told[style]["zh"]) if style in told else (style,) * 3 for style in facts.styles
    ]
    rows = [
        ("weights · 参数", f"{facts.parameters:,}, {WEIGHTS_LICENCE}"),
        ("picture · 图片", f"{facts.side_px} × {facts.side_px}"),
        (
            "steps, guidance, autoguidance, solver · 步数、引导、自引导、求解器",
            f"{facts.steps}, {facts.guidance:g}, {facts.autoguidance:g}, {facts.solver}",
        ),
        ("prompts read by · 提示词编码", f"{facts.embedding}, `{facts.embedding_sha256}`"),
        ("trained · 训练", ", ".join(map(_taken, taken))),
        *([("mean of the weights of · 权重平均", ", ".join(sources.averaged))] if sources.averaged else []),
        ("training time, energy · 训练用时、能耗", "; ".join(map(_spent, logs, logs.values()))),
        ("data · 数据", f"`{data.sha256}` ({data.name}, {data.num_pictures:,})"),
        *_earlier_data(sources, data.sha256),
        ("copies in one colour · 染色副本", f"{data.num_coloured:,}"),
    ]
    if facts.search is not None:
        found = facts.search
        told_search = f"{found.recall:.1%}, {found.alarms:.2%} ({found.num_pictures:,}, cosine ≥ {found.cosine:g})"
        rows.append(("found by its caption, by another's · 按自己的描述找到，按他人的描述找到", told_search))
    errors = [(p.network, f"{p.max_error:.2g}", f"{p.mean_error:.2g}", f"{p.tolerance * p.scale:.2g}") for p in parity]
    credits = [(key, f"{count:,}", data.attributions.get(key, "")) for key, count in data.by_collection.items()]
    return "\n".join(
        (
            f"# {name}\n",
            _table(("", ""), rows),
            f"## Limits · 局限\n\n{LIMITS_EN}\n\n{LIMITS_ZH}\n",
            *(f"- {limit}" for limit in data.limits + data.limits_zh),
            "",
            "## Held-out scores · 留出集得分\n",
            *([_AVERAGED.format(sources.flow.name)] if sources.averaged else []),
            _table(
                ("score · 项目", "value · 值"),
                [(key.removeprefix("held_out_"), f"{v:.4g}") for key, v in scores.items()],
            ),
            "## Served as trained · 部署与训练一致\n",
            _table(
                ("network · 网络", "largest error · 最大误差", "mean error · 平均误差", "refused above · 上限"), errors
            ),
            "## Styles · 风格\n",
            _table(("name · 名称", "English", "中文"), styles),
            "## Licences of the data · 数据许可\n",
            _table(
                ("licence · 许可", "pictures · 图片"), [(key, f"{count:,}") for key, count in data.by_licence.items()]
            ),
            _table(("collection · 来源", "pictures · 图片", "credit · 署名"), credits),
        )
    )


def _earlier_data(sources: PictureSources, present: str) -> list[tuple[str, str]]:
    """Returns a row with the datasets that earlier runs saw, unless they saw the present one."""
    seen = {told["recipe"]["name"]: told.get("data_sha256") for told in sources.beginnings}
    others = [f"`{sha256 or '–'}` ({name})" for name, sha256 in seen.items() if sha256 != present]
    return [("data of earlier runs · 先前运行的数据", ", ".join(others))] if others else []


def _taken(run: Mapping[str, Any]) -> str:
    """Returns the steps of a run, and how many examples each had."""
    return f"{run['step']:,} × {run['recipe']['batch']} (`{run['recipe']['name']}`)"


def _spent(name: str, log: Path) -> str:
    """Returns hours and megajoules of a run, with – for what nobody knows."""
    took = spent(log)
    seconds = "–" if took.seconds is None else f"{took.seconds / 3600:.3g} h"
    energy = "–"
    if took.energy is not None:
        energy = f"{took.energy.energy_joules / 1e6:.3g} MJ ({took.energy.kind}: {took.energy.formula})"
    return f"`{name}` {seconds}, {energy}"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows)]) + "\n"
