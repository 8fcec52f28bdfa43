"""The end of the story: seals what was made and records how every run ended."""

import json
import logging
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import InksealError
from inkseal.core.protocols import Modality
from inkseal.core.types import Artifact, new_id, now
from inkseal.modalities import modalities
from inkseal.modalities.text.segmentation import segment
from inkseal.store import artifacts, words
from inkseal.studio.draft import Draft
from inkseal.studio.provenance.manifest import SignedManifest, Withdrawal, request_facts
from inkseal.studio.provenance.sealer import Sealer

if TYPE_CHECKING:
    from inkseal.studio.story import Run

log = logging.getLogger(__name__)

TITLE_CHARS = 60


class Recorder:
    """Writes artifacts, manifests, ledger entries and runs.

    Args:
        sealer: keys, ledger and labelling regime of the installation.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._store = sealer.store

    def close_broken_runs(self) -> None:
        """Records that runs of an earlier process, which a crash left open, did not end."""
        from sqlalchemy import update

        from inkseal.store.records import RunRow

        broken = update(RunRow).where(RunRow.status == "running").values(status="interrupted")
        with self._store.transaction() as session:
            session.execute(broken)

    def begin(self, run: "Run") -> None:
        """Records that the run began; a crash leaves it as "running", which the next start can see."""
        from inkseal.store.records import RunRow

        self._sealer.trust.identity()  # what could not be signed need not be made
        facts = request_facts(run.original, self._sealer.trust.prompt_secret())
        with self._store.transaction() as session:
            row = RunRow(id=run.id, request=json.dumps(facts), status="running", started_at=now(), owner=run.owner)
            session.add(row)

    def seal(self, run: "Run") -> list[Artifact]:
        """Seals every result that is left, and records those that were withdrawn, in one transaction.

        Returns:
            The artifacts of the results that are left, in order. The first has the run's id.
        """
        modality = modalities[run.request.modality]()
        made = [self._draft_artifact(run, modality, number, draft) for number, draft in enumerate(run.drafts)]
        ready = [
            (artifact, content, self._sign(run, draft, artifact, content))
            for draft, (artifact, content) in zip(run.drafts, made, strict=True)
        ]
        with self._store.transaction() as session:
            for draft, (artifact, content, signed) in zip(run.drafts, ready, strict=True):
                withdrawn = signed.manifest.withdrawn is not None
                model = run.model.name if run.model else ""
                state: artifacts.State = "withdrawn" if withdrawn else "active"
                artifacts.add(session, artifact, model=model, state=state, owner=run.owner)
                self._sealer.record(session, artifact, content, signed)
                if not withdrawn:
                    self._keep(artifact, content)
                    found_by = " ".join(segment(asked_for(run))) if draft.data else modality.words(content)
                    words.index(session, artifact.id, found_by)
            self._finish(session, run, "finished")
        self._sealer.committed()
        return [artifact for artifact, _, signed in ready if signed.manifest.withdrawn is None]

    def fail(self, run: "Run", error: InksealError) -> None:
        """Records why the run ended, and of results that were withdrawn how much had been shown; of the others nothing.

        What cannot be recorded of those that were withdrawn is logged: it must not hide why the run ended.
        """
        run.drafts = [draft for draft in run.drafts if draft.blocked is not None]  # nobody checked the others whole
        try:
            if run.drafts:
                self.seal(run)
        except Exception as sealing:  # noqa: BLE001 - the end of the job; its words may name what was made
            log.warning("what the run %s withdrew could not be recorded: %s", run.id, type(sealing).__name__)
        with self._store.transaction() as session:
            self._finish(session, run, "failed", error.code)

    def _draft_artifact(self, run: "Run", modality: Modality, number: int, draft: Draft) -> tuple[Artifact, bytes]:
        content = modality.assemble(draft.chunks)
        # The words of a withdrawn result are not kept; its record says that there was one.
        digest = sha256(content).hexdigest() if draft.blocked else self._store.blobs.put(content)[0]
        artifact = Artifact(
            id=run.id if number == 0 else new_id(),
            modality=modality.name,
            media_type=modality.media_type,
            sha256=digest,
            size_bytes=len(content),
            created_at=now(),
            title="" if draft.blocked else _title(asked_for(run) if draft.data else draft.text),
            parents=run.request.parents,
        )
        return artifact, content

    def _keep(self, artifact: Artifact, content: bytes) -> None:
        # Somebody may have deleted the same content since it was stored; while this transaction runs, nobody can.
        if artifact.sha256 not in self._store.blobs:
            self._store.blobs.put(content)

    def _sign(self, run: "Run", draft: Draft, artifact: Artifact, content: bytes) -> SignedManifest:
        withdrawn = None
        if draft.blocked is not None:
            withdrawn = Withdrawal(check=draft.blocked.check, num_chars_shown=draft.gate.num_chars_shown)
        manifest = self._sealer.manifest(
            artifact,
            content=None if draft.blocked else content,
            request=run.original,
            seed=run.request.seed,
            model=run.model,
            backend=run.backend,
            app=run.app,
            verdicts=tuple(run.verdicts),
            usage=run.usage,
            finish_reason=draft.finish_reason,
            withdrawn=withdrawn,
        )
        return self._sealer.seal(manifest)

    def _finish(self, session: Any, run: "Run", status: str, error: str | None = None) -> None:
        from inkseal.store.records import RunRow

        row = session.get(RunRow, run.id)
        row.status, row.error, row.finished_at = status, error, now()
        row.usage = run.usage.model_dump_json()


def _title(text: str) -> str:
    first = next((line.strip("#*> \t") for line in text.splitlines() if line.strip("#*> \t")), "")
    return first if len(first) <= TITLE_CHARS else first[: TITLE_CHARS - 1] + "…"


def asked_for(run: "Run") -> str:
    """Returns the words that a picture was asked for with, as the engine got them: what was redacted stays so."""
    said = [message.text for message in run.request.messages if message.role == "user"]
    return said[-1] if said else run.request.messages[-1].text
