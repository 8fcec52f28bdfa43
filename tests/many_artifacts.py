"""Fills a data folder with thousands of artifacts: some sealed as the story does it, the rest only recorded."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from inkseal import TextRequest
from inkseal.core.types import Artifact, Usage, Verdict, new_id, now
from inkseal.modalities import modalities
from inkseal.store import artifacts, words
from inkseal.store.records import ArtifactRow
from inkseal.store.store import Store
from inkseal.studio.provenance.sealer import Sealer

OPENINGS = ("The heron waits", "A bridge of stone", "Seven lanterns", "茶马古道上的马帮", "江南的雨季", "墨与纸的故事")
PLACES = ("by the river", "in the old town", "under the snow", "在山谷里", "在清晨的市集", "在图书馆")
ENDINGS = (
    "and nobody speaks.",
    "until the light goes.",
    "for a hundred years.",
    "直到灯火熄灭。",
    "没有人说话。",
    "像一封旧信。",
)
MODELS = ("echo", "qwen2.5-coder-1.5b-instruct", "smollm2-135m-instruct")


def fill(data_dir: Path, num: int, *, num_sealed: int = 100, owner: str = "", seed: int = 1) -> list[str]:
    """Records `num` short texts, the oldest first; returns their ids.

    The newest `num_sealed` have manifests, ledger entries and contents of their own. The others have the content and
    the facts of one of these: they can be listed, searched and opened, not verified.
    """
    num_sealed = min(num, num_sealed)
    with Store.open(data_dir) as store:
        sealer = Sealer(store)
        sealed = _seal(sealer, num_sealed, owner, seed)
        sealer.committed()
        with store.transaction() as session:
            rows = session.execute(select(ArtifactRow).where(ArtifactRow.id.in_(sealed))).scalars().all()
            plain = _record(session, [_facts(row) for row in rows], num - num_sealed, seed)
    return plain + sealed


def _record(session: Session, like: list[dict[str, Any]], num: int, seed: int) -> list[str]:
    """Adds rows that are older than all others, in bulk."""
    modality = modalities["text"]()
    first = now() - timedelta(minutes=num)
    rows, texts = [], []
    for number in range(num):
        moment = first + timedelta(minutes=number)
        stamp = f"00{int(moment.timestamp() * 1000):011x}{number:013x}"
        title = _title(random.Random(f"{seed}:plain:{number}"), number, seed)
        facts = like[number % len(like)] | {"id": stamp, "created_at": moment, "title": title}
        rows.append(facts | {"model": MODELS[number % 3]})
        texts.append({"n": 1_000_000 + number, "id": stamp, "text": modality.words(title.encode())})
    if not rows:
        return []
    session.execute(insert(ArtifactRow), rows)
    session.execute(text("INSERT INTO worded (number, artifact_id) VALUES (:n, :id)"), texts)
    session.execute(text("INSERT INTO words (rowid, text) VALUES (:n, :text)"), texts)
    return [row["id"] for row in rows]


def _facts(row: ArtifactRow) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in ArtifactRow.__table__.columns}


def _title(rng: random.Random, number: int, seed: int) -> str:
    return f"{rng.choice(OPENINGS)} {rng.choice(PLACES)} {rng.choice(ENDINGS)} No. {number} of {seed}"


def _seal(sealer: Sealer, num: int, owner: str, seed: int) -> list[str]:
    made: list[str] = []
    modality = modalities["text"]()
    with sealer.store.transaction() as session:
        for number in range(num):
            rng = random.Random(f"{seed}:{number}")
            title = _title(rng, number, seed)
            content = (title + "\n\n" + "。".join(rng.choice(PLACES) for _ in range(12))).encode()
            parents = tuple(made[-1:]) if number % 5 == 4 else ()
            artifact = _artifact(sealer, content, title, parents)
            verdict = Verdict(
                check="sensitive_terms", version="1", stage="result", action="flag" if number % 50 == 7 else "allow"
            )
            manifest = sealer.manifest(
                artifact,
                content=content,
                request=TextRequest.of(title, seed=number),
                verdicts=(verdict,),
                usage=Usage(prompt_tokens=9, completion_tokens=80),
                finish_reason="stop",
            )
            artifacts.add(session, artifact, model=MODELS[number % 3], owner=owner)
            sealer.record(session, artifact, content, sealer.seal(manifest))
            words.index(session, artifact.id, modality.words(content))
            made.append(artifact.id)
    return made


def _artifact(sealer: Sealer, content: bytes, title: str, parents: tuple[str, ...]) -> Artifact:
    sha256, size_bytes = sealer.store.blobs.put(content)
    return Artifact(
        id=new_id(),
        modality="text",
        media_type="text/markdown",
        sha256=sha256,
        size_bytes=size_bytes,
        created_at=now(),
        title=title,
        parents=parents,
    )
