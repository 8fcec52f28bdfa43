"""The data card: what is in a dataset, under which licences, what was left out and why, and its hash."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkseal.catalog.verify import hash_file
from inkseal.core.types import Closed, Sha256
from inkseal.workshop.data.archives import PinnedArchive
from inkseal.workshop.data.rows import Row, is_coloured

FORMAT = 2
ROWS, PIXELS, TEXT, CARD, CARD_TEXT = "rows.jsonl", "pictures.safetensors", "text.safetensors", "card.json", "CARD.md"
DATA_FILES = (ROWS, PIXELS, TEXT)
SHARE_ALIKE = frozenset({"CC-BY-SA-4.0"})

LIMITS = (
    "Emoji and clip art only: no photographs, no scenes, 64 by 64 pixels over white.",
    "Chinese captions of emoji are published names. Those of clip art name a known thing in the English title, or only "
    "the folder it lay in; titles without either have no Chinese caption.",
    "Titles and keywords of clip art are their authors' own words and are not proofread.",
    "Skin tones, genders, flags and letters are thinned out on purpose: a model learns them poorly from this set.",
    "Some drawings show products, characters or emblems that are trademarks of others.",
    "Copies of training pictures in another colour (`coloured`) have one hue throughout, leaves and wheels included.",
    "People are drawn as their artists drew them, stereotypes of professions and nations included.",
    "Vectors of captions are those of one embedding model on one kind of processor; others may differ in the last bit.",
)
LIMITS_ZH = (
    "只有表情符号与剪贴画：没有照片，没有场景；64×64 像素，白底。",
    "表情的中文描述是公布的名称。剪贴画的中文描述只来自英文标题中认出的事物，或其所在的文件夹；两者皆无的没有中文描述。",
    "剪贴画的标题与关键词是作者自己写的，未经校对。",
    "有意减少了肤色、性别、旗帜与字母：模型从这组数据中学不好它们。",
    "有些图画的产品、角色或徽标是他人的商标。",
    "训练图片的变色副本（coloured）通体只有一种色调，叶子与车轮也不例外。",
    "人物按画师的画法呈现，包括对职业与民族的刻板印象。",
    "描述的向量出自同一嵌入模型与同一类处理器；换一类处理器，末位可能不同。",
)


class Card(Closed):
    """The facts of one dataset."""

    format: int = FORMAT
    name: str
    sha256: Sha256
    """Of the sorted lines `name:sha256` of the data files."""
    files: dict[str, Sha256]
    num_pictures: int
    num_coloured: int
    """Copies of training pictures in another colour; in no other count but those of captions and texts."""
    num_captions: int
    num_texts: int
    num_concepts: int
    by_split: dict[str, int]
    by_licence: dict[str, int]
    by_collection: dict[str, int]
    by_style: dict[str, int]
    captions_by_language: dict[str, int]
    captions_by_origin: dict[str, int]
    """Pictures by language and where their captions come from, such as "zh matched"."""
    left_out: dict[str, dict[str, int]]
    """Collection → reason → how many."""
    missing: dict[str, str]
    """Optional collection → why it could not be had."""
    attributions: dict[str, str]
    archives: dict[str, PinnedArchive]
    embedding: dict[str, str]
    limits: tuple[str, ...] = LIMITS
    limits_zh: tuple[str, ...] = LIMITS_ZH


def hash_of(files: Mapping[str, str]) -> str:
    """Returns one hash for the data files of a dataset."""
    lines = "\n".join(f"{name}:{files[name]}" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def make_card(
    name: str,
    folder: Path,
    rows: Sequence[Row],
    num_captions: int,
    num_texts: int,
    *,
    left_out: Mapping[str, Mapping[str, int]],
    missing: Mapping[str, str],
    archives: Mapping[str, PinnedArchive],
    embedding: Mapping[str, str],
) -> Card:
    """Returns the card of the data files that lie in `folder`."""
    files = {file: hash_file(folder / file) for file in DATA_FILES}
    drawn = [row for row in rows if not is_coloured(row)]
    languages = Counter(dict.fromkeys(("en", "zh"), 0))
    for row in rows:
        for language, captions in row.captions.items():
            languages[language] += len(captions)
    return Card(
        name=name,
        sha256=hash_of(files),
        files=files,
        num_pictures=len(drawn),
        num_coloured=len(rows) - len(drawn),
        num_captions=num_captions,
        num_texts=num_texts,
        num_concepts=len({row.concept for row in drawn}),
        by_split=_counts(row.split for row in drawn),
        by_licence=_counts(row.licence for row in drawn),
        by_collection=_counts(row.collection for row in drawn),
        by_style=_counts(row.style for row in drawn),
        captions_by_language=dict(languages),
        captions_by_origin=_counts(f"{k} {origin}" for row in rows for k, origin in row.caption_origin.items()),
        left_out={key: dict(sorted(reasons.items())) for key, reasons in left_out.items() if reasons},
        missing=dict(missing),
        attributions={row.collection: row.attribution for row in rows},
        archives=dict(archives),
        embedding=dict(embedding),
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def card_text(card: Card) -> str:
    """Returns the card for people, in Markdown."""
    shown: list[str] = [
        f"# Dataset `{card.name}`\n",
        f"{card.num_pictures:,} pictures of {card.num_concepts:,} concepts, {card.num_coloured:,} copies of them in "
        f"another colour, {card.num_captions:,} captions "
        f"({', '.join(f'{count:,} {key}' for key, count in card.captions_by_language.items())}), "
        f"{card.num_texts:,} different texts.\n",
        f"SHA-256 of the data: `{card.sha256}`\n",
        f"Captions embedded by `{card.embedding.get('model')}`, SHA-256 `{card.embedding.get('sha256')}`.\n",
    ]
    for title, counts in (
        ("Splits", card.by_split),
        ("Licences", card.by_licence),
        ("Styles", card.by_style),
        ("Where captions come from", card.captions_by_origin),
    ):
        shown.append(_table(title, ("", "pictures"), [(key, f"{count:,}") for key, count in counts.items()]))
    shown.append(
        _table(
            "Collections",
            ("collection", "pictures", "attribution"),
            [(key, f"{count:,}", card.attributions[key]) for key, count in card.by_collection.items()],
        )
    )
    reasons = [(key, why, f"{n:,}") for key, found in card.left_out.items() for why, n in found.items()]
    shown.append(_table("Left out", ("collection", "reason", "pictures"), reasons))
    if card.missing:
        shown.append(_table("Could not be had", ("collection", "why"), sorted(card.missing.items())))
    rows = [(f"{a.package} {a.version}", a.source, f"`{a.sha256}`") for a in card.archives.values()]
    shown.append(_table("Archives", ("package", "registry", "SHA-256"), rows))
    shown.append("## Limits\n\n" + "\n".join(f"- {limit}" for limit in card.limits + card.limits_zh) + "\n")
    return "\n".join(shown)


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"## {title}\n", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def card_json(card: Card) -> bytes:
    """Returns the card for programs."""
    facts: dict[str, Any] = card.model_dump(mode="json")
    return (json.dumps(facts, ensure_ascii=False, indent=2) + "\n").encode()
