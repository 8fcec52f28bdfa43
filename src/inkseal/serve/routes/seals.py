"""What stands behind a result, proved when it is asked for, in words that a person can read."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from inkseal.apps.shelf import Shelf
from inkseal.core.errors import InksealError, TrustError, UnknownName
from inkseal.core.language import current_language, say
from inkseal.core.types import Action, Artifact, Closed, Stage, Verdict
from inkseal.modalities import modalities
from inkseal.serve.callers import AnyCaller
from inkseal.store import artifacts
from inkseal.studio.guard.explain import explain
from inkseal.studio.provenance.ledger import Problem
from inkseal.studio.provenance.manifest import RESULT, AppFacts, ModelFacts, SignedManifest
from inkseal.studio.provenance.regimes import visible_wordings
from inkseal.studio.provenance.signer import Issuer
from inkseal.studio.studio import Studio

router = APIRouter(prefix="/api/v1/artifacts", tags=["artifacts"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The artifact.")]


class CheckWords(Closed):
    """What one check said, in the language of the request."""

    check: str
    stage: Stage
    action: Action
    words: str
    seconds: float


class ModelWords(Closed):
    """What the catalogue says of the model; `same` when its weights here are still those that made the artifact."""

    name: str
    title: str
    description: str
    limits: str
    licence: str
    same: bool | None


class AppWords(Closed):
    """The app that asked for it; `same` when its file is still the one that did, None when it is not here."""

    name: str
    title: str
    sha256: str
    step: str
    """In the words of the file while it is the same; empty for the result of all steps."""
    same: bool | None


class Parent(Closed):
    """Something the artifact was made from; no more than its id where the caller may not see it."""

    id: str
    artifact: Artifact | None = None


class ExportFormat(Closed):
    """A kind of file that the artifact can be saved as, with its labels."""

    name: str
    suffix: str
    media_type: str


class SealReport(Closed):
    """What a seal vouches for.

    Attributes:
        intact: content, manifest, signature and the record's entry were compared just now, and agree.
        signed_by: whose signature holds; None when it does not.
        broken: what does not agree.
    """

    artifact: Artifact
    state: str
    label: str
    intact: bool
    signed_by: Issuer | None
    broken: tuple[str, ...]
    record: tuple[Problem, ...]
    checks: tuple[CheckWords, ...]
    model: ModelWords | None
    app: AppWords | None
    parents: tuple[Parent, ...]
    formats: tuple[ExportFormat, ...]
    manifest: SignedManifest | None


@router.get("/{artifact_id}/seal", summary="The seal of an artifact, opened and proved")
def show(artifact_id: Id, request: Request, caller: AnyCaller) -> SealReport:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        row = artifacts.row(session, artifact_id, owner=caller.sees)
        artifact = artifacts.get(session, artifact_id)
        signed = _signed(studio, session, artifact_id)
        digest = signed.manifest.sha256 if signed else ""
        record = tuple(studio.sealer.ledger.check_artifact(session, artifact_id, digest))
        parents = tuple(_parent(session, parent, caller.sees) for parent in artifact.parents)
    broken = (
        *(() if signed else ("manifest",)),
        *(() if row.state != "active" or _has_content(studio, artifact, signed) else ("content",)),
        *(("record",) if record else ()),
    )
    manifest = signed.manifest if signed else None
    return SealReport(
        artifact=artifact,
        state=row.state,
        label=" · ".join(visible_wordings(manifest.regime, current_language())) if manifest else "",
        intact=not broken,
        signed_by=_issuer(studio, signed),
        broken=broken,
        record=record,
        checks=tuple(_words(verdict) for verdict in (manifest.verdicts if manifest else ())),
        model=_model(studio, manifest.model) if manifest and manifest.model else None,
        app=_app(studio, manifest.app, caller.owner) if manifest and manifest.app else None,
        parents=parents,
        formats=_formats(artifact.modality) if row.state == "active" else (),
        manifest=signed,
    )


def _signed(studio: Studio, session: Any, artifact_id: str) -> SignedManifest | None:
    try:
        return studio.sealer.load(session, artifact_id)
    except (TrustError, UnknownName):
        return None


def _issuer(studio: Studio, signed: SignedManifest | None) -> Issuer | None:
    if signed is None:
        return None
    manifest = signed.manifest
    return studio.sealer.signer.check(manifest.canonical(), signed.signature, manifest.created_at)


def _has_content(studio: Studio, artifact: Artifact, signed: SignedManifest | None) -> bool:
    try:
        studio.store.blobs.get(artifact.sha256)  # it is hashed as it is read
    except InksealError:
        return False
    return signed is None or signed.manifest.content_sha256 == artifact.sha256


def _parent(session: Any, parent_id: str, owner: str | None) -> Parent:
    try:
        return Parent(id=parent_id, artifact=artifacts.get(session, parent_id, owner=owner))
    except UnknownName:
        return Parent(id=parent_id)


def _words(verdict: Verdict) -> CheckWords:
    is_rule = verdict.check.startswith("app.")
    return CheckWords(
        check=verdict.check,
        stage=verdict.stage,
        action=verdict.action,
        words=_rule_words(len(verdict.findings)) if is_rule else explain(verdict),
        seconds=verdict.seconds,
    )


def _rule_words(num_unmet: int) -> str:
    if not num_unmet:
        return say("met", "符合")
    return say(f"not met ({num_unmet})", f"有 {num_unmet} 处不符合")


def _app(studio: Studio, facts: AppFacts, owner: str) -> AppWords:
    step = "" if facts.step == RESULT else facts.step
    told = {"name": facts.name, "title": facts.name, "sha256": facts.sha256, "step": step, "same": None}
    try:
        file = Shelf(studio.settings.data_dir, owner).get(facts.name)
    except InksealError:
        return AppWords(**told)
    same = file.sha256 == facts.sha256
    titles = {one.name: str(one.title or one.name) for one in file.app.steps} if same else {}
    return AppWords(**told | {"title": str(file.app.title), "step": titles.get(step, step), "same": same})


def _model(studio: Studio, facts: ModelFacts) -> ModelWords | None:
    try:
        card = studio.catalog.show(facts.name).card
    except InksealError:
        return None
    try:
        here = studio.catalog.local(facts.name, verify=False).sha256
    except InksealError:
        here = None
    return ModelWords(
        name=card.name,
        title=str(card.title),
        description=str(card.description),
        limits=str(card.limits),
        licence=str(card.licence),
        same=None if here is None or facts.sha256 is None else here == facts.sha256,
    )


def _formats(modality: str) -> tuple[ExportFormat, ...]:
    writers = modalities[modality]().writers()
    return tuple(
        ExportFormat(name=name, suffix=writer.suffix, media_type=writer.media_type) for name, writer in writers.items()
    )
