"""Builds a picture dataset: fetch → choose → draw → clean → split → colour → embed → describe.

One folder, whole or absent.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import FetchFailed, UnknownName
from inkseal.core.events import Listener, Noted, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Collection
from inkseal.formats.safetensors_writer import write_safetensors
from inkseal.store.durable import make_folder, write_whole
from inkseal.workshop.data.archives import fetch_archive, pinned_archives
from inkseal.workshop.data.card import CARD, CARD_TEXT, PIXELS, ROWS, TEXT, Card, card_json, card_text, make_card
from inkseal.workshop.data.collections import collections
from inkseal.workshop.data.coloured import with_colours
from inkseal.workshop.data.duplicates import repeats
from inkseal.workshop.data.folder import forget_unused, replacing
from inkseal.workshop.data.lexicon import Lexicon
from inkseal.workshop.data.rendering import SIZE_PX, render_all
from inkseal.workshop.data.rows import Row, split_of
from inkseal.workshop.data.select import Chosen, choose, drop_undrawn
from inkseal.workshop.data.texts import Embed, caption_tensors

DATASETS: dict[str, tuple[bool, int]] = {"pictures": (False, 8000), "pictures_share_alike": (True, 1)}
"""Name → of share-alike collections or of the others, and how many pictures it must have to be worth its name."""
_TABLES = ("emojibase", "cldr-annotations")
_FREEST_FIRST = ("LicenseRef-Public-Domain", "CC0-1.0", "Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-SA-4.0")


@dataclass
class _Gathered:
    """What the collections gave, before duplicates are taken out."""

    lexicon: Lexicon
    rows: list[Row] = field(default_factory=list)
    pixels: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    archives: list[str] = field(default_factory=lambda: list(_TABLES))


def build(
    name: str,
    datasets: Path,
    embed: Embed,
    embedding: Mapping[str, str],
    *,
    on_event: Listener,
    cancel: Cancel,
    offline: bool = False,
) -> Card:
    """Builds the dataset into `datasets/name`, replacing an earlier one only when it is whole.

    Args:
        name: of DATASETS.
        datasets: the folder of all datasets; archives, drawings and vectors are kept in it for the next time.
        embed: texts → (B, D) unit vectors.
        embedding: `model` and `sha256` of what embeds.
        offline: use kept archives only.

    Raises:
        UnknownName: there is no such dataset.
        FetchFailed: too much is missing.
        Cancelled, NotEnoughSpace: what was fetched, drawn and embedded so far is kept.
    """
    if name not in DATASETS:
        raise UnknownName(say("dataset", "数据集"), name, DATASETS)
    archives, kept = datasets / ".archives", datasets / ".kept"
    make_folder(kept)
    with replacing(datasets / name) as folder:
        gathered = _gather(name, archives, kept, on_event, cancel, offline)
        rows, pixels = _without_repeats(gathered, on_event)
        if len(rows) < DATASETS[name][1]:
            raise FetchFailed(
                say(
                    f"Only {len(rows):,} pictures of {DATASETS[name][1]:,} came together.",
                    f"只收集到 {len(rows):,} 张图片，至少需要 {DATASETS[name][1]:,} 张。",
                ),
                fix=" ".join(f"{key}: {why}" for key, why in gathered.missing.items()),
            )
        rows, pixels = with_colours(rows, pixels, gathered.lexicon)
        tensors, texts = caption_tensors(rows, embed, embedding["sha256"], kept=kept, on_event=on_event, cancel=cancel)
        write_whole(folder / ROWS, "".join(row.model_dump_json() + "\n" for row in rows).encode())
        write_safetensors(folder / PIXELS, {"pixels": pixels})
        write_safetensors(folder / TEXT, tensors)
        pinned = pinned_archives()
        card = make_card(
            name,
            folder,
            rows,
            len(tensors["captions"]),
            len(texts),
            left_out=gathered.left_out,
            missing=gathered.missing,
            archives={key: pinned[key] for key in gathered.archives},
            embedding=embedding,
        )
        write_whole(folder / CARD_TEXT, card_text(card).encode())
        write_whole(folder / CARD, card_json(card))
    forget_unused(kept)
    return card


def _gather(name: str, archives: Path, kept: Path, on_event: Listener, cancel: Cancel, offline: bool) -> _Gathered:
    tables = [fetch_archive(table, archives, on_event, cancel, offline=offline) for table in _TABLES]
    gathered = _Gathered(Lexicon.read(tables[0], tables[1], cancel))
    wanted = [kind for kind in collections.values() if kind.share_alike == DATASETS[name][0]]
    for kind in sorted(wanted, key=lambda kind: (_FREEST_FIRST.index(kind.licence), kind.name)):
        collection: Collection = kind()
        try:
            archive = fetch_archive(collection.archive, archives, on_event, cancel, offline=offline)
        except FetchFailed as error:
            gathered.missing[collection.name] = error.what
            on_event(Noted(text=say(f"Left out: {collection.name}: {error}", f"未包含 {collection.name}：{error}")))
            continue
        chosen = choose(collection.read(archive, cancel), collection, gathered.lexicon)
        rendered = render_all(
            chosen.drawings, what=collection.name, crop=collection.crop, kept=kept, on_event=on_event, cancel=cancel
        )
        drawn, pixels = drop_undrawn(chosen, rendered)
        gathered.rows += _rows(collection, drawn)
        gathered.pixels.append(pixels)
        gathered.left_out[collection.name] = drawn.left_out
        gathered.archives.append(collection.archive)
    return gathered


def _rows(collection: Collection, chosen: Chosen) -> list[Row]:
    rows = []
    for drawing, wording in zip(chosen.drawings, chosen.wordings, strict=True):
        row_id = f"{collection.name}/{drawing.member.rpartition('#')[2]}"
        rows.append(
            Row(
                id=row_id,
                concept=wording.concept,
                split=split_of(wording.concept, row_id),
                style=collection.style,
                collection=collection.name,
                licence=collection.licence,
                attribution=collection.attribution,
                author=drawing.author,
                archive=pinned_archives()[collection.archive].file,
                member=drawing.member,
                captions=dict(wording.captions),
                caption_origin=dict(wording.origin),
            )
        )
    return rows


def _without_repeats(gathered: _Gathered, on_event: Listener) -> tuple[list[Row], npt.NDArray[np.uint8]]:
    what = say("near-duplicates", "近似重复")
    on_event(Progress(what=what, done=0, total=1))
    empty = np.zeros((0, 3, SIZE_PX, SIZE_PX), np.uint8)
    pixels = np.concatenate([empty, *gathered.pixels])
    gathered.pixels.clear()
    repeated = repeats(pixels, [row.concept for row in gathered.rows])
    for place in repeated:
        gathered.left_out[gathered.rows[place].collection]["near_duplicate"] += 1
    left = [place for place in range(len(pixels)) if place not in repeated]
    on_event(Progress(what=what, done=1, total=1))
    return [gathered.rows[place] for place in left], pixels[left]
