"""Seals what the studio makes: manifest, signature, fingerprints and ledger entry, in the caller's one transaction."""

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.core.language import say
from inkseal.core.protocols import Backend, LocalModel, Mark
from inkseal.core.types import Artifact, FinishReason, Regime, Request, Usage, Verdict
from inkseal.core.versions import version
from inkseal.formats.watermarks import key_id
from inkseal.modalities import modalities
from inkseal.store import artifacts, listing
from inkseal.store.store import Store
from inkseal.studio.provenance.ledger import Entry, Kind, Ledger
from inkseal.studio.provenance.manifest import (
    RESULT,
    AppFacts,
    BackendFacts,
    Manifest,
    ModelFacts,
    SignedManifest,
    Withdrawal,
    iso,
    keyed_digest,
    prompt_text,
    request_facts,
)
from inkseal.studio.provenance.marks import marks
from inkseal.studio.provenance.regimes import requirements
from inkseal.studio.provenance.signer import Signature, Signer, decode, encode
from inkseal.studio.provenance.trust import Trust

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LAYERS = ("visible", "watermark", "metadata", "signed")
"""The order in which marks are put on: what signs all bytes comes last."""


class Sealer:
    """The keys, the ledger and the rules of one installation."""

    def __init__(self, store: Store, *, regime: Regime = "both", producer: str = "") -> None:
        self.store = store
        self.regime: Regime = regime
        self.producer = producer
        self.trust = Trust(store.data_dir)
        self.signer = Signer(self.trust)
        self.ledger = Ledger(self.signer, store.data_dir)

    def marks(self) -> list[Mark]:
        """Returns every kind of mark, in the order they are put on."""
        return sorted((kind(signer=self.signer) for kind in marks.values()), key=lambda m: LAYERS.index(m.layer))

    def manifest(
        self,
        artifact: Artifact,
        *,
        content: bytes | None = None,
        request: Request | None = None,
        seed: int | None = None,
        model: LocalModel | None = None,
        backend: Backend | None = None,
        app: AppFacts | None = None,
        verdicts: tuple[Verdict, ...] = (),
        usage: Usage | None = None,
        finish_reason: FinishReason | None = None,
        withdrawn: Withdrawal | None = None,
    ) -> Manifest:
        """Returns the facts of an artifact that is about to be sealed.

        Args:
            artifact: with its hash and size.
            content: what was made, for its fingerprints; None when it is not kept.
            request: as it came from the user; its words become a keyed digest.
            seed: the seed that was used, when the request left it open.
            app: the app that asked, if one did.
            model, backend, verdicts, usage, finish_reason: what is known of the run.
            withdrawn: why it was taken back, and how much had been shown.
        """
        secret = self.trust.prompt_secret()
        regime: Regime = (request.regime if request else None) or self.regime
        usage = usage or Usage()
        return Manifest(
            artifact_id=artifact.id,
            modality=artifact.modality,
            media_type=artifact.media_type,
            content_sha256=artifact.sha256,
            size_bytes=artifact.size_bytes,
            fingerprints=_print_hashes(artifact, content),
            created_at=artifact.created_at,
            inkseal_version=version("inkseal"),
            model=_model_facts(model),
            backend=BackendFacts(name=backend.name, facts=backend.facts()) if backend else None,
            app=app,
            request=request_facts(request, secret) if request else {},
            seed=request.seed if request and request.seed is not None else seed,
            prompt=keyed_digest(secret, prompt_text(request)) if request else None,
            verdicts=verdicts,
            parents=artifact.parents,
            usage=usage,
            finish_reason=finish_reason,
            regime=regime,
            requirements=requirements(
                regime,
                modality=artifact.modality,
                layers=self._layers(artifact.media_type) | self.engine_layers(usage),
                num_tokens=usage.completion_tokens or None,
                producer=self.producer,
            ),
            withdrawn=withdrawn,
        )

    def _layers(self, media_type: str) -> frozenset[str]:
        """Returns what an export in the artifact's own format will have."""
        names = {mark.layer for mark in self.marks() if mark.supports(media_type)}
        return frozenset(names | {"record"} | ({"signed"} if "metadata" in names else set()))

    def engine_layers(self, usage: Usage) -> frozenset[str]:
        """Returns the layers that the engine put in: a watermark counts when it has this installation's key."""
        named = usage.reported.get("watermark_key")
        if not named or not self.trust.has_watermark_secret or named != key_id(self.trust.watermark_secret()):
            return frozenset()
        return frozenset({"watermark"})

    def seal(self, manifest: Manifest) -> SignedManifest:
        """Signs the manifest with the certificate in force."""
        return SignedManifest(manifest=manifest, signature=self.signer.sign(manifest.canonical()))

    def record(
        self,
        session: "Session",
        artifact: Artifact,
        content: bytes,
        signed: SignedManifest,
    ) -> Entry:
        """Writes manifest, fingerprints and ledger entry; all there, or none, when the transaction ends.

        The artifact's own row must be in the session already (`store.artifacts.add`). Call `committed` afterwards.
        """
        from inkseal.store.records import ManifestRow

        manifest = signed.manifest
        body = manifest.canonical()
        digest = sha256(body).hexdigest()
        session.add(
            ManifestRow(
                artifact_id=artifact.id,
                sha256=digest,
                body=body,
                signature=decode(signed.signature.value),
                chain=decode(signed.signature.certificate),
            )
        )
        if manifest.withdrawn is None:
            modality = modalities[artifact.modality]()
            prints = modality.fingerprint(content)
            artifacts.add_fingerprints(session, artifact.id, prints, modality.bands(prints))
        app = manifest.app
        names = (app.name, "" if app.step == RESULT else app.step) if app else ()
        listing.note_facts(session, artifact.id, manifest.regime, manifest.verdicts, *names)
        kind: Kind = "artifact_withdrawn" if manifest.withdrawn else "artifact_sealed"
        return self.ledger.append(session, kind, _entry_facts(manifest, digest))

    def committed(self) -> None:
        """Signs the ledger's new length, after the transaction is on the disk."""
        with self.store.reading() as session:
            self.ledger.write_head(session)

    def note(self, kind: Kind, body: Mapping[str, Any]) -> Entry:
        """Writes one ledger entry in a transaction of its own."""
        with self.store.transaction() as session:
            entry = self.ledger.append(session, kind, body)
        self.committed()
        return entry

    def load(self, session: "Session", artifact_id: str) -> SignedManifest:
        """Returns the manifest of an artifact after checking its hash and signature.

        Raises:
            UnknownName: there is none.
            TrustError: it was changed, or not signed by this installation.
        """
        from sqlalchemy import text

        # As bytes, whatever type somebody may have given them.
        columns = ", ".join(f"CAST({name} AS BLOB)" for name in ("sha256", "body", "signature", "chain"))
        query = text(f"SELECT {columns} FROM manifests WHERE artifact_id = :id")  # noqa: S608 - constants only
        row = session.execute(query, {"id": artifact_id}).first()
        if row is None:
            raise UnknownName("manifest", artifact_id, ())
        digest, body, value, chain = (bytes(column or b"") for column in row)
        signature = Signature(value=encode(value), certificate=encode(chain))
        try:
            manifest = Manifest.model_validate_json(body)
            issuer = self.signer.check(body, signature, manifest.created_at)
            whole = manifest.sha256.encode() == digest and manifest.canonical() == body
        except (TrustError, InvalidRequest, ValueError) as error:
            raise _changed(artifact_id) from error
        if issuer.kind != "self" or not whole or manifest.artifact_id != artifact_id:
            raise _changed(artifact_id)
        return SignedManifest(manifest=manifest, signature=signature)


def _changed(artifact_id: str) -> TrustError:
    return TrustError(
        say(f"The manifest of {artifact_id} was changed.", f"{artifact_id} 的清单被改动。"),
        fix=say("Restore the records from a backup: inkseal restore", "请从备份恢复记录：inkseal restore"),
    )


def _print_hashes(artifact: Artifact, content: bytes | None) -> dict[str, str]:
    if content is None:
        return {}
    prints = modalities[artifact.modality]().fingerprint(content)
    return {kind: sha256(value).hexdigest() for kind, value in prints.items()}


def _model_facts(model: LocalModel | None) -> ModelFacts | None:
    if model is None:
        return None
    if model.remote is None:
        return ModelFacts(name=model.name, sha256=model.sha256, licence=model.licence, format=model.format)
    remote = model.remote
    provider = {"name": remote.provider, "base_url": remote.settings.base_url, "model": remote.model}
    return ModelFacts(name=model.name, sha256=None, licence=model.licence, format=model.format, provider=provider)


def _entry_facts(manifest: Manifest, digest: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "artifact_id": manifest.artifact_id,
        "content_sha256": manifest.content_sha256,
        "manifest_sha256": digest,
        "modality": manifest.modality,
        "created_at": iso(manifest.created_at),
    }
    if manifest.withdrawn:
        facts["withdrawn"] = manifest.withdrawn.model_dump()
    return facts
