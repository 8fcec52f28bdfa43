"""Says of a file or a pasted text which marks it carries, whether they hold, and whether it was made here."""

from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.core.language import say
from inkseal.core.protocols import EmbeddingEngine, Found, Likeness
from inkseal.core.types import Closed
from inkseal.modalities import modalities
from inkseal.store import artifacts
from inkseal.studio.provenance import fingerprints
from inkseal.studio.provenance.fingerprints import Match
from inkseal.studio.provenance.manifest import SignedManifest
from inkseal.studio.provenance.marks.visible import is_label
from inkseal.studio.provenance.sealed_file import writer_for
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.signer import Issuer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_BYTES = 256 << 20
LayerState = Literal["valid", "changed", "present", "absent"]
Relation = Literal["exact", "edited", "similar", "not_found"]
Standing = Literal["trusted", "changed", "marks_removed", "unknown"]


class Layer(Closed):
    """One line of defence: a mark in the file, or a record here.

    Attributes:
        name: a mark's name; of our own records `manifest`, `ledger`, and `export` (this very file was written here).
        state: "present" means there is nothing to check it by.
        changed: what of it is not as it was: seal, text, labels, metadata, layout, file, or a field of the record.
        issuer: whose signature holds, where there is one.
    """

    name: str
    state: LayerState
    changed: tuple[str, ...] = ()
    issuer: Issuer | None = None
    artifact_id: str | None = None
    details: dict[str, Any] = {}


class Verification(Closed):
    """What is known of the examined bytes.

    Attributes:
        relation: to what was recorded here. "similar" says nothing of where it was made.
        artifact_id: the recorded artifact that it is, or is an edited copy of.
        deleted: that artifact's content was deleted here.
    """

    name: str
    media_type: str
    sha256: str
    layers: tuple[Layer, ...]
    relation: Relation
    artifact_id: str | None = None
    matches: tuple[Match, ...] = ()
    withdrawn: bool = False
    deleted: bool = False
    summary: str = ""

    @property
    def intact(self) -> bool:
        """True when a mark holds and nothing was found changed."""
        states = {layer.state for layer in self.layers}
        return "valid" in states and "changed" not in states

    @property
    def standing(self) -> Standing:
        """All of it in a word, no stronger than what was found.

        "trusted": whole, and sealed by somebody known here. "changed": a mark does not hold, or it is a changed copy of
        something recorded here. "marks_removed": the words of something recorded here, without any mark that holds.
        "unknown": all else, also what an unknown issuer sealed.
        """
        known = any(layer.state == "valid" and layer.issuer and layer.issuer.kind != "unknown" for layer in self.layers)
        if self.relation == "edited" or any(layer.state == "changed" for layer in self.layers):
            return "changed"
        if known:
            return "trusted"
        return "marks_removed" if self.relation == "exact" else "unknown"

    def layer(self, name: str) -> Layer:
        """Returns the finding of one layer."""
        return next(layer for layer in self.layers if layer.name == name)


def verify(
    sealer: Sealer,
    data: bytes,
    *,
    name: str = "",
    media_type: str = "",
    embedder: EmbeddingEngine | None = None,
    owner: str | None = None,
) -> Verification:
    """Examines a file, or a pasted text as its UTF-8 bytes.

    Args:
        sealer: the installation whose records and known issuers are asked.
        data: all bytes.
        name: the file's name, to tell its format by; the content is looked at first.
        media_type: the format, when the caller knows.
        embedder: finds texts of like meaning as well; they are only ever called similar.
        owner: whose artifacts a likeness may name; anybody's when absent. A seal in the file is read in any case.

    Raises:
        InvalidRequest: there is nothing, or too much, to examine.
    """
    if not data or len(data) > MAX_BYTES:
        raise InvalidRequest(say("There is nothing to verify.", "没有可验证的内容。") if not data else _too_large())
    if data.startswith(b'{"manifest":'):
        return _manifest_file(sealer, data, name)
    kind = media_type or sniff(data, name)
    layers = [_mark_layer(mark.name, mark.find(data, kind)) for mark in sealer.marks()]
    claimed = next((layer.artifact_id for layer in layers if layer.artifact_id and layer.state == "valid"), None)
    with sealer.store.reading() as session:
        sealed_here = _sealed_here(session, layers)
        if sealed_here:
            relation, matches = "exact", [sealed_here]
        else:
            relation, matches = _look_up(sealer, session, bare_text(data, kind), embedder, owner)
        found = matches[0].artifact_id if relation in ("exact", "edited") else None
        subject = found or claimed
        if subject:
            layers += _record_layers(sealer, session, subject, layers)
            layers.append(_export_layer(sealer, session, subject, sha256(data).hexdigest(), layers))
        state = artifacts.row(session, found).state if found else ""
    result = Verification(
        name=name,
        media_type=kind,
        sha256=sha256(data).hexdigest(),
        layers=tuple(layers),
        relation=relation,
        artifact_id=found,
        matches=tuple(matches),
        withdrawn=state == "withdrawn",
        deleted=state == "deleted",
    )
    text = f"{_origin(result)} {_findings(result.layers)}".strip()
    return result.model_copy(update={"summary": text})


def _manifest_file(sealer: Sealer, data: bytes, name: str) -> Verification:
    """Examines a signed manifest that was exported beside a file."""
    layer = Layer(name="manifest", state="changed", changed=("manifest",))
    try:
        signed = SignedManifest.model_validate_json(data)
        manifest = signed.manifest
        issuer = sealer.signer.check(manifest.canonical(), signed.signature, manifest.created_at)
        if signed.to_json() == data:
            details = {"content_sha256": manifest.content_sha256, "manifest_sha256": manifest.sha256}
            layer = Layer(
                name="manifest", state="valid", issuer=issuer, artifact_id=manifest.artifact_id, details=details
            )
    except (InvalidRequest, TrustError, ValueError):
        pass
    result = Verification(
        name=name,
        media_type="application/json",
        sha256=sha256(data).hexdigest(),
        layers=(layer,),
        relation="not_found",
    )
    return result.model_copy(update={"summary": _findings(result.layers)})


def sniff(data: bytes, name: str = "") -> str:
    """Returns the media type by the content, and by the name where the content leaves it open."""
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if data[:1024].find(b"%PDF-") >= 0:
        return "application/pdf"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    suffix = PurePath(name).suffix.lower()
    for modality in modalities.values():
        for writer in modality().writers().values():
            if writer.suffix == suffix:
                return writer.media_type
    return "text/markdown" if start.startswith(b"---\n") else "text/plain"


def bare_text(data: bytes, media_type: str) -> str | None:
    """Returns the words of a file without our labels; None when it holds no text that can be read."""
    writer = writer_for(media_type)
    try:
        content = writer.read(data).content if writer else data
    except InvalidRequest:
        content = data
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None
    while lines and (not lines[0].strip() or is_label(lines[0])):
        lines.pop(0)
    while lines and (not lines[-1].strip() or is_label(lines[-1])):
        lines.pop()
    return "\n".join(lines)


def _mark_layer(name: str, found: Found | None) -> Layer:
    if found is None:
        return Layer(name=name, state="absent")
    details = dict(found.details)
    issuer = details.pop("issuer", None)
    return Layer(
        name=name,
        state=_state(found.state),
        changed=tuple(details.pop("changed", ())),
        issuer=Issuer.model_validate(issuer) if issuer else None,
        artifact_id=found.artifact_id,
        details=details | {k: v for k in ("content_sha256", "manifest_sha256") if (v := getattr(found, k))},
    )


def _state(state: str) -> LayerState:
    states: dict[str, LayerState] = {"valid": "valid", "changed": "changed", "present": "present"}
    return states[state]


def _sealed_here(session: "Session", layers: list[Layer]) -> Match | None:
    """Returns the recorded artifact whose own seal is whole in this file; no fingerprint can tell more."""
    for layer in layers:
        content = layer.details.get("content_sha256")
        if layer.state != "valid" or layer.issuer is None or layer.issuer.kind != "self" or not content:
            continue
        if any(artifact.id == layer.artifact_id for artifact in artifacts.by_content(session, content)):
            likeness = Likeness(relation="exact", shared=1.0, num_shared=0)
            return Match(artifact_id=str(layer.artifact_id), likeness=likeness)
    return None


def _look_up(
    sealer: Sealer, session: "Session", text: str | None, embedder: EmbeddingEngine | None, owner: str | None
) -> tuple[Relation, list[Match]]:
    """Returns the best relation to anything recorded, and the artifacts concerned."""
    if text is None or not text.strip():
        return "not_found", []
    modality = modalities["text"]()
    prints = modality.fingerprint(text.encode())
    sense = fingerprints.sense(embedder, text) if embedder is not None else None
    found = fingerprints.find(session, modality, prints, sense=sense, owner=owner)
    matches = [match for match in found if _vouched(sealer, session, match)]
    best = matches[0].likeness.relation if matches else "different"
    return ("not_found" if best == "different" else best), matches


def _vouched(sealer: Sealer, session: "Session", match: Match) -> bool:
    """False when the recorded fingerprints are not those that the signed manifest names: somebody put them there."""
    try:
        signed = sealer.load(session, match.artifact_id).manifest.fingerprints
    except (TrustError, UnknownName):
        return True  # the layers say what is wrong with the record
    recorded = fingerprints.recorded(session, match.artifact_id)
    return all(sha256(recorded.get(kind, b"")).hexdigest() == digest for kind, digest in signed.items())


def _record_layers(sealer: Sealer, session: "Session", artifact_id: str, marks: list[Layer]) -> list[Layer]:
    """Returns how our own records of an artifact stand: its manifest and its ledger entry."""
    claims = {layer.details["manifest_sha256"] for layer in marks if "manifest_sha256" in layer.details}
    try:
        manifest = sealer.load(session, artifact_id).manifest
    except UnknownName:
        return [Layer(name="manifest", state="absent"), Layer(name="ledger", state="absent")]
    except TrustError:
        recorded, state = "", "changed"
    else:
        recorded = manifest.sha256
        state = "valid" if not claims or recorded in claims else "changed"
    problems = sealer.ledger.check_artifact(session, artifact_id, recorded)
    return [
        Layer(
            name="manifest",
            state=_state(state),
            changed=("manifest",) if state == "changed" else (),
            artifact_id=artifact_id,
        ),
        Layer(
            name="ledger",
            state="changed" if problems else "valid",
            changed=tuple(problem.field for problem in problems),
            artifact_id=artifact_id,
            details={"problems": [problem.model_dump() for problem in problems]} if problems else {},
        ),
    ]


def _export_layer(sealer: Sealer, session: "Session", artifact_id: str, digest: str, others: list[Layer]) -> Layer:
    """Returns whether exactly this file was exported here.

    When every mark holds and yet the file is not one of those, a byte was changed that no mark covers (such as the
    padding inside Content Credentials).
    """
    exported = sealer.ledger.exports(session, artifact_id)
    if digest in exported:
        return Layer(name="export", state="valid", artifact_id=artifact_id)
    sealed_here = any(layer.state == "valid" and layer.issuer and layer.issuer.kind == "self" for layer in others)
    broken = any(layer.state == "changed" for layer in others)
    if exported and sealed_here and not broken:
        return Layer(name="export", state="changed", changed=("file",), artifact_id=artifact_id)
    return Layer(name="export", state="absent")


def _origin(result: Verification) -> str:
    """Returns in a sentence where a content comes from, no stronger than what was found."""
    best = result.matches[0] if result.matches else None
    sealed = any(layer.state == "valid" and layer.issuer and layer.issuer.kind == "self" for layer in result.layers)
    if result.relation == "exact" and not sealed:
        # Without a seal only the words agree, and a question with one usual answer gets the same from many.
        return say(
            f"The same words are on record here as artifact {result.artifact_id}.",
            f"与本机记录的作品 {result.artifact_id} 文字相同。",
        )
    if result.relation == "exact":
        return say(f"Made here: this is artifact {result.artifact_id}.", f"由本机生成：即作品 {result.artifact_id}。")
    if result.relation == "edited" and best:
        share = round(best.likeness.shared * 100)
        return say(
            f"An edited copy or excerpt of artifact {result.artifact_id} on record here ({share} % of runs match).",
            f"是本机记录的作品 {result.artifact_id} 的改动副本或节选（{share}% 片段相同）。",
        )
    if result.relation == "similar" and best:
        return say(
            f"Similar to artifact {best.artifact_id}; that does not show where it was made.",
            f"与作品 {best.artifact_id} 相似；但不能据此认定其来源。",
        )
    return say("Nothing recorded here resembles it.", "本机记录中没有与之相似的内容。")


def _findings(layers: tuple[Layer, ...]) -> str:
    """Returns whose signatures hold, and what was changed."""
    found = [_signed_by(layer.name, layer.issuer) for layer in layers if layer.state == "valid" and layer.issuer]
    broken = [f"{layer.name} ({', '.join(layer.changed)})" for layer in layers if layer.state == "changed"]
    if broken:
        found.append(say(f"Changed: {'; '.join(broken)}.", f"被改动：{'；'.join(broken)}。"))
    return " ".join(found)


def _signed_by(name: str, issuer: Issuer) -> str:
    if issuer.kind == "self":
        return say(f"{name}: valid, sealed by this installation.", f"{name}：有效，由本机封印。")
    if issuer.kind == "known":
        return say(f"{name}: valid, known issuer {issuer.name!r}.", f"{name}：有效，已知颁发者 {issuer.name!r}。")
    return say(f"{name}: valid, unknown issuer.", f"{name}：有效，未知颁发者。")


def _too_large() -> str:
    return say(f"Larger than {MAX_BYTES >> 20} MB.", f"超过 {MAX_BYTES >> 20} MB。")
