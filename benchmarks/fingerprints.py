"""Measures how well text fingerprints tell copies from independent answers, and writes the table into the docs.

    python benchmarks/fingerprints.py [ANSWERS.jsonl …] [--embedding FOLDER] [--write]

For every prompt the first answer is on record. Its edited copies, a rewording by the model, and further answers to the
same prompt (other seeds) are looked up. A false claim is an independent answer called "exact" or "edited copy".
Thresholds are chosen on the prompts with an even number and reported on those with an odd one as well.
"""

import argparse
import json
import random
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from inkseal.modalities.text import Text, shingles
from inkseal.modalities.text.blocks import shown

DATA = Path(__file__).parent / "data" / "fingerprints"
PAGE = Path(__file__).parent.parent / "docs" / "reference" / "fingerprints.md"
RELATIONS = ("exact", "edited", "similar", "different")
_SENTENCE = re.compile(r"[^。！？.!?\n]*[。！？.!?\n]+|[^。！？.!?\n]+$")
_UNIT = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+|[\W_]")
OTHER = {
    "zh": "会议记录：本周三上午讨论了下季度的采购安排，财务部提出三点意见，后勤组负责核对库存并在周五前汇总。",
    "en": "Minutes of Wednesday: the committee went through next quarter's orders, finance raised three objections, "
    "and the stores will count what is left and report before Friday. ",
}
SYNONYMS = {
    "zh": [
        ("可以", "能够"),
        ("非常", "十分"),
        ("重要", "关键"),
        ("帮助", "有助于"),
        ("我们", "大家"),
        ("使用", "采用"),
    ],
    "en": [("can", "may"), ("very", "quite"), ("important", "essential"), ("help", "assist"), ("people", "folks")],
}
Edit = Callable[[str, str, random.Random], str]


def _units(text: str) -> list[str]:
    return _UNIT.findall(text)


def _delete(text: str, language: str, rng: random.Random) -> str:
    return "".join(unit for unit in _units(text) if rng.random() > 0.1)


def _insert(text: str, language: str, rng: random.Random) -> str:
    words = list("的了在是也") if language == "zh" else ["also ", "really ", "then ", "so "]
    return "".join(unit + (rng.choice(words) if rng.random() < 0.1 else "") for unit in _units(text))


def _replace(text: str, language: str, rng: random.Random) -> str:
    units = _units(text)
    return "".join(rng.choice(units) if rng.random() < 0.1 and unit.isalnum() else unit for unit in units)


def _reorder(text: str, language: str, rng: random.Random) -> str:
    sentences = _SENTENCE.findall(text)
    rng.shuffle(sentences)
    return "".join(sentences)


def _synonyms(text: str, language: str, rng: random.Random) -> str:
    for old, new in SYNONYMS[language]:
        text = text.replace(old, new)
    return text + ("。" if language == "zh" else ".")


def _punctuation(text: str, language: str, rng: random.Random) -> str:
    return "".join(c if c.isalnum() else " " for c in text)


def _width(text: str, language: str, rng: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text.upper())


def _third(text: str, language: str, rng: random.Random) -> str:
    start = rng.randrange(max(1, len(text) * 2 // 3))
    return text[start : start + len(text) // 3]


def _within(text: str, language: str, rng: random.Random) -> str:
    return OTHER[language] * 3 + text + OTHER[language] * 3


def _half_within(text: str, language: str, rng: random.Random) -> str:
    return OTHER[language] * 2 + text[len(text) // 4 : len(text) * 3 // 4] + OTHER[language] * 2


EDITS: dict[str, Edit] = {
    "punctuation and spaces only": _punctuation,
    "capitals and full width": _width,
    "a tenth of the words deleted": _delete,
    "a tenth of the words inserted": _insert,
    "a tenth of the words replaced": _replace,
    "sentences in another order": _reorder,
    "synonyms": _synonyms,
    "a third of it": _third,
    "within another text": _within,
    "half of it within another text": _half_within,
}
SPELLING_ONLY = {"punctuation and spaces only", "capitals and full width"}


class Case(NamedTuple):
    """A text to be looked up, and what it is."""

    number: int
    language: str
    kind: str
    text: str


def read(paths: list[Path]) -> list[dict[str, Any]]:
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines]


def cases(rows: list[dict[str, Any]]) -> Iterator[Case]:
    """Yields edits, the rewording and the independent answers of every prompt."""
    for number, row in enumerate(rows):
        rng, first, language = random.Random(number), row["answers"][0], row["language"]
        for kind, edit in EDITS.items():
            yield Case(number, language, kind, edit(first, language, rng))
        yield Case(number, language, "reworded by the model", row["reworded"])
        for answer in row["answers"][1:]:
            yield Case(number, language, "independent answer", answer)


def relation(shared: float, num_shared: int, same_letters: bool) -> str:
    if same_letters:
        return "exact" if num_shared >= shingles.MIN_NUM_SHARED else "similar"
    if shared >= shingles.MIN_SHARED and num_shared >= shingles.MIN_NUM_SHARED:
        return "edited"
    return "similar" if shared >= shingles.SIMILAR_SHARED else "different"


def measure(rows: list[dict[str, Any]]) -> list[tuple[Case, float, int, bool]]:
    """Returns each case with its shared part, the number shared, and whether all letters agree."""
    originals = [shown(row["answers"][0]) for row in rows]
    prints = [(shingles.fingerprint(text), shingles.exact(text)) for text in originals]
    found = []
    for case in cases(rows):
        text = shown(case.text)
        shared, num_shared = shingles.common(shingles.fingerprint(text), prints[case.number][0])
        found.append((case, shared, num_shared, shingles.exact(text) == prints[case.number][1]))
    return found


def choose(found: list[tuple[Case, float, int, bool]]) -> None:
    """Prints false claims and recall on the even prompts for a grid of thresholds."""
    even = [item for item in found if item[0].number % 2 == 0]
    print("min_shared min_num  false%  recall% (edits)")
    for min_shared in (0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        for min_num in (4, 6, 8, 10, 12):
            claims = [(c, (s >= min_shared or same) and n >= min_num) for c, s, n, same in even]
            false = [claim for c, claim in claims if c.kind == "independent answer"]
            right = [claim for c, claim in claims if c.kind in EDITS]
            print(f"{min_shared:10} {min_num:7} {_percent(false):>7} {_percent(right):>7}")


def _percent(values: list[bool]) -> str:
    return f"{100 * sum(values) / max(1, len(values)):.2f}"


def table(found: list[tuple[Case, float, int, bool]]) -> str:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for case, shared, num_shared, same in found:
        counts[case.kind, case.language][relation(shared, num_shared, same)] += 1
    lines = [
        "| what it is | language | texts | exact | edited copy | similar | not found |",
        "|---|---|---|---|---|---|---|",
    ]
    for (kind, language), counter in counts.items():
        cells = " | ".join(str(counter[name]) for name in RELATIONS)
        lines.append(f"| {kind} | {language} | {counter.total()} | {cells} |")
    return "\n".join(lines)


def false_claims(found: list[tuple[Case, float, int, bool]]) -> tuple[int, int]:
    names = [relation(s, n, same) for c, s, n, same in found if c.kind == "independent answer"]
    return sum(name in ("exact", "edited") for name in names), len(names)


def through_the_store(rows: list[dict[str, Any]]) -> tuple[int, int, float]:
    """Records every first answer, looks all cases up in the whole index, and counts claims of a wrong original.

    Returns:
        Cases looked up, claims that name another prompt's answer, and seconds per look-up.
    """
    import time

    from inkseal.core.types import Artifact, new_id, now
    from inkseal.store import artifacts
    from inkseal.store.store import Store
    from inkseal.studio.provenance import fingerprints

    modality = Text()
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "data") as store:
        ids: dict[str, int] = {}
        with store.transaction() as session:
            for number, row in enumerate(rows):
                content = row["answers"][0].encode()
                digest, size = store.blobs.put(content)
                facts = {"modality": "text", "media_type": "text/markdown", "sha256": digest, "size_bytes": size}
                artifact = Artifact(id=new_id(), created_at=now(), **facts)
                ids[artifact.id] = number
                prints = modality.fingerprint(content)
                artifacts.add(session, artifact)
                artifacts.add_fingerprints(session, artifact.id, prints, modality.bands(prints))
        wrong, every = 0, list(cases(rows))
        start = time.perf_counter()
        with store.reading() as session:
            for case in every:
                for match in fingerprints.find(session, modality, modality.fingerprint(case.text.encode()), limit=1):
                    claimed = match.likeness.relation in ("exact", "edited")
                    wrong += claimed and ids[match.artifact_id] != case.number
        return len(every), wrong, (time.perf_counter() - start) / len(every)


def page(rows: list[dict[str, Any]], found: list[tuple[Case, float, int, bool]]) -> str:
    odd = [item for item in found if item[0].number % 2]
    false_all, all_independent = false_claims(found)
    false_odd, odd_independent = false_claims(odd)
    num_cases, wrong, seconds = through_the_store(rows)
    models = ", ".join(sorted({row["model"] for row in rows}))
    return f"""# Text fingerprints: what they can tell

Made by `python benchmarks/fingerprints.py --write` from {len(rows)} prompts in Chinese and English, each answered
several times with different seeds at the default temperature by {models}.
The first answer is on record. "Reworded" means that the model was asked to say the same in other words (a small
model often repeats the text instead); all other edits are made by program.

A claim that a text was made here is "exact" or "edited copy". It needs at least {shingles.MIN_NUM_SHARED} shared runs
and {shingles.MIN_SHARED:.0%} of the shorter text's runs. False claims about independent answers to the same prompts:
**{false_all} of {all_independent} ({100 * false_all / all_independent:.2f} %)**; on the odd prompts alone, which were
not used to choose the thresholds, {false_odd} of {odd_independent} ({100 * false_odd / max(1, odd_independent):.2f} %).

Looked up in an index of all {len(rows)} recorded answers, {num_cases} texts led to {wrong} claims that name the answer
to another prompt; one look-up took {1000 * seconds:.1f} ms.

{table(found)}

What it does not find: a text put into other words or another language shares no runs and is at most "similar" by its
meaning, which never says where it was made. A rewording that keeps most sentences is an edited copy, and is called one.
Answers of a sentence or two are alike by accident and are only called similar, even when they are equal.
"""


def common_page(rows: list[dict[str, Any]]) -> str:
    """Returns what happens with questions that have one usual answer; these are not in the figures above."""
    if not rows:
        return ""
    false, total = false_claims(measure(rows))
    return f"""
## Questions with one usual answer

Code for textbook tasks, formulas, quotations and one-line translations: {len(rows)} prompts, {total} independent
answers by the same model. **{false} of {total}** were long and alike enough to be called exact or an edited copy. No
fingerprint can tell these apart: for such texts "made here" means only that the same words are on record here.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("answers", type=Path, nargs="*")
    parser.add_argument("--write", action="store_true", help="write the page in docs/reference")
    options = parser.parse_args()
    every = read(options.answers or sorted(DATA.glob("*.jsonl")))
    rows = [row for row in every if not row.get("common")]
    found = measure(rows)
    choose(found)
    text = page(rows, found) + common_page([row for row in every if row.get("common")])
    print(text)
    if options.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
