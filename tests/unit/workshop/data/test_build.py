"""The whole build on a small registry of its own: what comes in, what stays out, and what the card says."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from archive_maker import make_tgz
from inkseal.core.errors import Cancelled, FetchFailed, InvalidRequest, StoreError, UnknownName
from inkseal.core.events import Noted, Progress, ignore
from inkseal.formats.text_condition import assemble_condition, condition_texts
from inkseal.workshop.data import archives, rows
from inkseal.workshop.data import build as builder
from inkseal.workshop.data.archives import PinnedArchive
from inkseal.workshop.data.card import SHARE_ALIKE, card_text
from inkseal.workshop.data.icon_set import IconSet
from inkseal.workshop.data.pictures import PictureSet
from inkseal.workshop.data.rows import is_coloured

pytest.importorskip("resvg_py")
NUM = 60


def _emojibase() -> dict[str, bytes]:
    rows: dict[str, list[dict[str, Any]]] = {"en": [], "zh": []}
    for n in range(NUM):
        code = f"{0x1F400 + n:X}"
        rows["en"].append({"hexcode": code, "label": f"beast {_word(n)}", "tags": ["wild"], "group": 3, "subgroup": 34})
        rows["zh"].append({"hexcode": code, "label": f"野兽{n}", "tags": ["野"], "group": 3, "subgroup": 34})
    groups = {"groups": {"3": "animals-nature"}, "subgroups": {"34": "animal-mammal"}}
    tables: dict[str, Any] = {f"package/{key}/data.json": found for key, found in rows.items()}
    tables["package/meta/groups.json"] = groups
    tables["package/meta/unicode-names.json"] = {}
    for name in ("emojibase", "github", "iamcal"):
        tables[f"package/en/shortcodes/{name}.json"] = {}
    return {name: json.dumps(table).encode() for name, table in tables.items()}


def _word(n: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(n))


def _icons(seed: int) -> dict[str, bytes]:
    generator = np.random.default_rng(seed)
    icons = {}
    for n in range(NUM):
        boxes = generator.integers(0, 12, (6, 2))
        colours = generator.integers(0, 200, (6, 3))
        body = "".join(
            f'<rect x="{x}" y="{y}" width="4" height="4" fill="rgb({r},{g},{b})"/>'
            for (x, y), (r, g, b) in zip(boxes.tolist(), colours.tolist(), strict=True)
        )
        icons[f"beast-{_word(n)}"] = {"body": body}
    icons["beast-blank"] = {"body": ""}
    return {"package/icons.json": json.dumps({"icons": icons, "width": 16, "height": 16}).encode()}


class Free(IconSet):
    name: ClassVar[str] = "free"
    style: ClassVar[str] = "noto"
    archive: ClassVar[str] = "free"
    licence: ClassVar[str] = "MIT"
    attribution: ClassVar[str] = "Free, © A"


class Named(Free):
    name: ClassVar[str] = "named"
    style: ClassVar[str] = "twemoji"
    archive: ClassVar[str] = "named"
    licence: ClassVar[str] = "CC-BY-4.0"
    attribution: ClassVar[str] = "Named, © B, CC BY 4.0"


class Alike(Free):
    name: ClassVar[str] = "alike"
    style: ClassVar[str] = "openmoji"
    archive: ClassVar[str] = "alike"
    licence: ClassVar[str] = "CC-BY-SA-4.0"
    attribution: ClassVar[str] = "Alike, © C, CC BY-SA 4.0"
    share_alike: ClassVar[bool] = True


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A datasets folder whose archives were fetched before."""
    folder = tmp_path / "datasets"
    kept = folder / ".archives"
    kept.mkdir(parents=True)
    cldr = json.dumps({"annotations": {"annotations": {}}}).encode()
    contents = {
        "emojibase": _emojibase(),
        "cldr-annotations": {f"package/annotations/{key}/annotations.json": cldr for key in ("en", "zh")},
        "free": _icons(1),
        "named": _icons(2),
        "alike": _icons(3),
    }
    table = {}
    for name, members in contents.items():
        path = make_tgz(kept / f"{name}.tgz", members)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        table[name] = PinnedArchive(
            source="npm", package=name, version="1.0.0", file=path.name, size_bytes=size, sha256=digest
        )
    monkeypatch.setattr(archives, "pinned_archives", lambda: table)
    monkeypatch.setattr(builder, "pinned_archives", lambda: table)
    monkeypatch.setattr(builder, "collections", {"free": Free, "named": Named, "alike": Alike})
    monkeypatch.setattr(builder, "DATASETS", {"pictures": (False, 50), "pictures_share_alike": (True, 1)})
    return folder


def _embed(texts: Sequence[str]) -> np.ndarray:
    rows = [np.frombuffer(hashlib.sha512(text.encode()).digest(), np.uint8).astype(np.float32) for text in texts]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def _build(datasets: Path, name: str = "pictures", **options: Any) -> PictureSet:
    options = {"on_event": ignore, "cancel": threading.Event(), "offline": True} | options
    builder.build(name, datasets, _embed, {"model": "m", "sha256": "0" * 64}, **options)
    return PictureSet.open(datasets / name)


def test_pictures_rows_and_captions_belong_together(datasets: Path) -> None:
    found = _build(datasets)
    assert found.card.num_pictures == 2 * NUM
    assert found.card.num_coloured == len(found.places("train")) / 2
    assert len(found.rows) == len(found.pixels) == found.card.num_pictures + found.card.num_coloured
    for place in (0, 17, 2 * NUM - 1, len(found.rows) - 1):
        row = found.rows[place]
        captions = [(key, text) for key in ("en", "zh") for text in row.captions[key]]
        numbers = found.captions_of(place)
        assert len(numbers) == len(captions)
        assert found.caption_row[numbers].tolist() == [place] * len(captions)
        assert found.caption_language[numbers].tolist() == [int(key == "zh") for key, _ in captions]
        trained = found.conditions(numbers)
        for number, (_, text) in enumerate(captions):
            texts = condition_texts(text)
            served = assemble_condition(texts, dict(zip(texts, _embed(texts), strict=True)))
            assert np.array_equal(served, trained[number])


def test_concepts_are_held_out_in_every_style(datasets: Path) -> None:
    found = _build(datasets)
    held_out = {row.concept for row in found.rows if row.split == "held_out"}
    assert held_out
    assert all((row.split == "held_out") == (row.concept in held_out) for row in found.rows)
    places = [set(found.places(split).tolist()) for split in rows.SPLITS]
    assert set.union(*places) == set(range(len(found.rows)))
    assert sum(map(len, places)) == len(found.rows)


def test_licences_are_whole_and_share_alike_is_apart(datasets: Path) -> None:
    found, alike = _build(datasets), _build(datasets, "pictures_share_alike")
    assert found.card.by_licence == {"CC-BY-4.0": NUM, "MIT": NUM}
    assert not SHARE_ALIKE & set(found.card.by_licence)
    assert set(alike.card.by_licence) == {"CC-BY-SA-4.0"}
    for row in (*found.rows, *alike.rows):
        assert row.licence
        assert row.attribution == found.card.attributions.get(row.collection, Alike.attribution)
        assert row.archive
        assert row.member
    text = card_text(found.card)
    assert Named.attribution in text
    assert found.card.sha256 in text


def test_copies_in_another_colour_stand_behind_the_pictures_and_are_only_for_training(datasets: Path) -> None:
    found = _build(datasets)
    copies = found.rows[2 * NUM :]
    assert copies
    originals = {row.id: place for place, row in enumerate(found.rows[: 2 * NUM])}
    for place, row in enumerate(copies, 2 * NUM):
        original, _, colour = row.id.rpartition("+")
        assert is_coloured(row)
        assert row.split == found.rows[originals[original]].split == "train"
        assert row.captions["en"][0] == f"{colour} {found.rows[originals[original]].captions['en'][0]}"
        assert not np.array_equal(found.pixels[place], found.pixels[originals[original]])
    assert not any(map(is_coloured, found.rows[: 2 * NUM]))


def test_the_card_counts_what_was_left_out(datasets: Path) -> None:
    assert _build(datasets).card.left_out == {"free": {"unknown_name": 1}, "named": {"unknown_name": 1}}


def test_a_rebuild_is_the_same_and_draws_and_embeds_nothing(datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _build(datasets).card
    monkeypatch.setattr("inkseal.workshop.data.rendering.Child", None)
    monkeypatch.setattr(f"{__name__}._embed", None)
    assert _build(datasets).card == first


def test_what_cannot_be_had_is_noted_and_too_little_is_an_error(datasets: Path) -> None:
    (datasets / ".archives" / "named.tgz").unlink()
    events: list[Any] = []
    found = _build(datasets, on_event=events.append)
    assert list(found.card.missing) == ["named"]
    assert any(isinstance(event, Noted) and "named" in event.text for event in events)
    assert any(isinstance(event, Progress) for event in events)
    (datasets / ".archives" / "free.tgz").unlink()
    with pytest.raises(FetchFailed, match="Only 0 pictures"):
        _build(datasets)
    assert PictureSet.open(datasets / "pictures").card == found.card


def test_a_changed_archive_is_not_used(datasets: Path) -> None:
    path = datasets / ".archives" / "emojibase.tgz"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(FetchFailed):
        _build(datasets)


@pytest.mark.parametrize("stop_after", [1, 4, 6])
def test_a_cancel_leaves_no_half_dataset(stop_after: int, datasets: Path) -> None:
    cancel = threading.Event()
    seen: list[Any] = []

    def count(event: Any) -> None:
        seen.append(event)
        if len(seen) >= stop_after:
            cancel.set()

    with pytest.raises(Cancelled):
        _build(datasets, on_event=count, cancel=cancel)
    assert not (datasets / "pictures").exists()
    assert not (datasets / ".pictures.building").exists()


@pytest.mark.parametrize("name", ["rows.jsonl", "pictures.safetensors", "text.safetensors"])
def test_a_changed_byte_is_found_and_named(datasets: Path, name: str) -> None:
    _build(datasets)
    path = datasets / "pictures" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=name):
        PictureSet.open(datasets / "pictures")


def test_what_is_not_there_says_how_to_build_it(datasets: Path) -> None:
    with pytest.raises(InvalidRequest, match="inkseal data build pictures"):
        PictureSet.open(datasets / "pictures")
    with pytest.raises(UnknownName):
        _build(datasets, "photographs")


def test_arrays_cannot_be_written(datasets: Path) -> None:
    found = _build(datasets)
    with pytest.raises(ValueError):
        found.pixels[0, 0, 0, 0] = 1
    with pytest.raises(InvalidRequest):
        found.places("test")  # type: ignore[arg-type]


def test_reading_loads_no_torch_and_no_renderer() -> None:
    code = "import sys, inkseal.workshop.data.pictures; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "resvg_py", "PIL"} & set(loaded)
