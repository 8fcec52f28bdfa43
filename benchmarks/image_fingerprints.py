"""Measures how well fingerprints of pictures tell copies from independent pictures, and writes the table into the docs.

    python benchmarks/image_fingerprints.py PICTURES [--side 64] [--recorded 1000] [--examined 100] [--write]

PICTURES is the folder that `inkseal data build pictures` made. Some pictures are on record, and copies of them are
looked up through the real index. As many other pictures of the same sets are compared with every recorded one, which is
stricter than the index. A false claim is a picture that is not on record and is called "exact" or "copy".
"""

import argparse
import io
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inkseal.core.types import Artifact, new_id, now
from inkseal.modalities.image import Image as Pictures
from inkseal.modalities.image import look
from inkseal.modalities.image.label_strip import with_strip
from inkseal.modalities.image.reading import to_png
from inkseal.store import artifacts
from inkseal.store.store import Store
from inkseal.studio.provenance import fingerprints
from inkseal.workshop.data.pictures import PictureSet
from inkseal.workshop.data.rows import is_coloured

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "image-fingerprints.md"
RESULTS = Path(__file__).parent / "results" / "image_fingerprints.json"
LABEL = ["AI-generated (AI生成)"]
RELATIONS = ("exact", "copy", "similar", "different")
SIDES_PX = (64, 256)
OTHER_LABELLED = "another picture, labelled, JPEG 60"
NEAREST = 5
Picture = Image.Image
Edit = Callable[[Picture], Picture]


def saved(picture: Picture, kind: str, **options: Any) -> Picture:
    """Returns the picture as a file of the kind gives it back."""
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return Image.open(io.BytesIO(target.getvalue())).convert("RGB")


def resized(picture: Picture, by: float) -> Picture:
    return picture.resize((round(picture.width * by), round(picture.height * by)), Image.Resampling.LANCZOS)


def jpeg(picture: Picture) -> Picture:
    return saved(picture, "JPEG", quality=60)


def labelled(picture: Picture) -> Picture:
    return with_strip(picture, LABEL)


EDITS: dict[str, Edit] = {
    "PNG without its metadata": lambda picture: picture,
    "JPEG 60": jpeg,
    "WEBP 80": lambda picture: saved(picture, "WEBP", quality=80),
    "half the size": lambda picture: resized(picture, 0.5),
    "twice the size": lambda picture: resized(picture, 2),
    "half the size, JPEG 60": lambda picture: jpeg(resized(picture, 0.5)),
    "labelled export, JPEG 60": lambda picture: jpeg(labelled(picture)),
    "labelled export, half the size, JPEG 60": lambda picture: jpeg(resized(labelled(picture), 0.5)),
    "labelled export, twice the size, JPEG 60": lambda picture: jpeg(resized(labelled(picture), 2)),
    "a tenth cut off at each side": lambda picture: picture.crop(
        (picture.width // 10, picture.height // 10, picture.width * 9 // 10, picture.height * 9 // 10)
    ),
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


class Dataset:
    """The pictures of a dataset's folder, one at a time, without their copies in other colours."""

    def __init__(self, folder: Path) -> None:
        found = PictureSet.open(folder)
        self._pixels = found.pixels
        self._places = [place for place, row in enumerate(found.rows) if not is_coloured(row)]

    def __len__(self) -> int:
        return len(self._places)

    def picture(self, number: int, side_px: int) -> Picture:
        """Returns a picture [64 px], made larger as the studio's upscaler would where a larger one is asked for."""
        found = Image.fromarray(np.ascontiguousarray(self._pixels[self._places[number]].transpose(1, 2, 0)))
        return found if side_px == found.width else found.resize((side_px, side_px), Image.Resampling.LANCZOS)


def record(store: Store, data: Dataset, numbers: list[int], side_px: int) -> dict[str, int]:
    """Puts the pictures on record; returns artifact id → number."""
    modality, ids = Pictures(), {}
    with store.transaction() as session:
        for number in numbers:
            content = to_png(data.picture(number, side_px))
            digest, size = store.blobs.put(content)
            facts = {"modality": "image", "media_type": "image/png", "sha256": digest, "size_bytes": size}
            artifact = Artifact(id=new_id(), created_at=now(), **facts)
            prints = modality.fingerprint(content)
            artifacts.add(session, artifact)
            artifacts.add_fingerprints(session, artifact.id, prints, modality.bands(prints))
            ids[artifact.id] = number
    return ids


def examine(store: Store, cases: Iterator[tuple[str, int, Picture]], ids: dict[str, int]) -> dict[str, Counter[str]]:
    """Returns for each kind of case how often each relation was found; "wrong" counts claims of another picture."""
    modality, counts, begun, total = Pictures(), {}, time.perf_counter(), 0
    with store.reading() as session:
        for kind, number, picture in cases:
            matches = fingerprints.find(session, modality, look.fingerprint(picture), limit=1)
            relation = matches[0].likeness.relation if matches else "different"
            counter = counts.setdefault(kind, Counter())
            counter[relation] += 1
            if relation in ("exact", "copy") and ids[matches[0].artifact_id] != number:
                counter["wrong"] += 1
            total += 1
    counts["milliseconds"] = Counter({"each": round(1000 * (time.perf_counter() - begun) / max(1, total))})
    return counts


def compare(data: Dataset, others: list[int], recorded: list[int], side_px: int) -> dict[str, Counter[str]]:
    """Returns what pictures that are not on record would be called, compared with the nearest of all recorded ones."""
    known = [look.fingerprint(data.picture(number, side_px)) for number in recorded]
    views = np.stack([_levels(prints["look"]) for prints in known])
    counts: dict[str, Counter[str]] = {}
    for number in others:
        picture = data.picture(number, side_px)
        for kind, seen in (("another picture", picture), (OTHER_LABELLED, jpeg(labelled(picture)))):
            prints = look.fingerprint(seen)
            starts = range(0, len(prints["look"]), look.LOOK_BYTES)
            far = [np.square(views - _levels(prints["look"][start:])).mean(axis=1) for start in starts]
            near = np.argsort(np.min(far, axis=0))[:NEAREST]
            found = {look.likeness(prints, known[int(place)]).relation for place in near}
            counts.setdefault(kind, Counter())[next(name for name in RELATIONS if name in found)] += 1
    return counts


def _levels(view: bytes) -> Any:
    return np.frombuffer(view, np.uint8, look.LOOK_BYTES - 2, offset=2).astype(np.float32)


def measure(data: Dataset, num_recorded: int, num_examined: int, side_px: int) -> dict[str, Counter[str]]:
    """Returns the counts for recorded pictures of one size."""
    chosen = random.Random(5).sample(range(len(data)), 2 * num_recorded)
    recorded, others = chosen[:num_recorded], chosen[num_recorded:]

    def cases() -> Iterator[tuple[str, int, Picture]]:
        for number in recorded[:num_examined]:
            for kind, edit in EDITS.items():
                yield kind, number, edit(data.picture(number, side_px))

    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "data") as store:
        found = examine(store, cases(), record(store, data, recorded, side_px))
    return found | compare(data, others, recorded, side_px) | {"recorded": Counter({"num": num_recorded})}


def table(counts: dict[str, Counter[str]]) -> str:
    lines = ["| what it is | pictures | exact | copy | similar | not found | of these, named another |"]
    lines.append("|---|---|---|---|---|---|---|")
    for kind, counter in counts.items():
        if kind not in ("milliseconds", "recorded"):
            cells = " | ".join(str(counter[name]) for name in (*RELATIONS, "wrong"))
            lines.append(f"| {kind} | {sum(counter[name] for name in RELATIONS)} | {cells} |")
    return "\n".join(lines)


def page(found: dict[int, dict[str, Counter[str]]]) -> str:
    sections = []
    for side_px, counts in sorted(found.items()):
        other = counts["another picture"] + counts[OTHER_LABELLED]
        false, total = other["exact"] + other["copy"], sum(other[name] for name in RELATIONS)
        sections.append(
            f"## Pictures of {side_px} × {side_px} pixels\n\n"
            f"{counts['recorded']['num']} on record, as many others. "
            f"False claims about pictures that are not on record: **{false} of {total}** "
            f"**({100 * false / total:.2f} %)**. "
            f"One look-up took {counts['milliseconds']['each']} ms.\n\n{table(counts)}\n"
        )
    tables = "\n".join(sections)
    return f"""# Fingerprints of pictures: what they can tell

Made by `python benchmarks/image_fingerprints.py PICTURES --write` from the emoji, icons and clip art of
`inkseal data build pictures`, drawn by chance. Some are on record; others of the same sets are not, and are
compared with each recorded one. Such small drawings in few styles are the hardest case: many are meant to
look alike. Those of 256 pixels are the same drawings made larger.

A claim that a picture was made here is "exact" (every pixel) or "copy": its view of {look.LUMA_CELLS} ×
{look.LUMA_CELLS} cells differs by at most {look.COPY_MEAN} levels of 255 (root mean square), and by at most
{look.COPY_WORST} in its worst sixteenth. "Similar" never says where a picture was made.

{tables}
What it mostly does not find: crops, mirror images, turned or painted-over pictures; and of the smallest pictures some
that were made smaller still. A copy of a labelled export is looked up without its label strip.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--side", type=int, choices=SIDES_PX, action="append", help="only this size; both when absent")
    parser.add_argument("--recorded", type=int, default=400)
    parser.add_argument("--examined", type=int, default=16)
    parser.add_argument("--write", action="store_true", help="write results, and the page in docs/reference")
    options = parser.parse_args()
    data = Dataset(options.pictures)
    for side_px in options.side or SIDES_PX:
        counts = measure(data, options.recorded, options.examined, side_px)
        print(table(counts))
        if options.write:
            kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
            RESULTS.write_text(json.dumps(kept | {str(side_px): counts}, indent=1) + "\n", encoding="utf-8")
    if options.write:
        every = json.loads(RESULTS.read_text("utf-8"))
        found = {int(side): {kind: Counter(each) for kind, each in counts.items()} for side, counts in every.items()}
        PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
