"""Says of a file or a pasted text which marks it carries, whether they hold, and whether it was made here."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.core.language import say
from inkseal.core.protocols import EmbeddingEngine, Mark
from inkseal.core.types import Closed, Found, Likeness
from inkseal.runtime.memory import giving_back
from inkseal.store import artifacts
from inkseal.studio.provenance.fingerprints import Match
from inkseal.studio.provenance.lookup import Relation, bare_text, look_up, sniff
from inkseal.studio.provenance.manifest import SignedManifest
from inkseal.studio.provenance.opened_file import OpenedFile
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.signer import Issuer
from inkseal.studio.provenance.text_watermark import FALSE_ALARMS, WatermarkFinding, find_watermark

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_BYTES = 256 << 20
LayerState = Literal["valid", "changed", "present", "absent"]
Standing = Literal["trusted", "changed", "marks_removed", "unknown"]


class Layer(Closed):
    """One line of defence: a mark in the file, or a record here.

    Attributes:
        name: a mark's name; of our own records `manifest`, `ledger`, and `export` (this very file was written here);
            `watermark` where there was a text to look for one in.
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
        something recorded here. "marks_removed": words or look of something recorded here, no mark that holds.
        "unknown": all else, also what an unknown issuer sealed.
        """
        known = any(layer.state == "valid" and layer.issuer and layer.issuer.kind != "unknown" for layer in self.layers)
        if self.relation == "edited" or any(layer.state == "changed" for layer in self.layers):
            return "changed"
        if known:
            return "trusted"
        return "marks_removed" if self.relation in ("exact", "copy") else "unknown"

    def layer(self, name: str) -> Layer:
        """Returns the finding of one layer."""
        return next(layer for layer in self.layers if layer.name == name)


@giving_back
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
    file = OpenedFile(data, media_type or sniff(data, name))
    words = None if file.media_type.startswith("image/") else bare_text(file)
    layers = [_mark_layer(mark.name, _find(mark, file)) for mark in sealer.marks()]
    watermark = find_watermark(sealer.trust, sealer.store.data_dir, words or "")
    if watermark is not None:
        layers.append(_watermark_layer(watermark))
    claimed = next((layer.artifact_id for layer in layers if layer.artifact_id and layer.state == "valid"), None)
    with sealer.store.reading() as session:
        sealed_here = _sealed_here(session, layers)
        if sealed_here:
            relation, matches = "exact", [sealed_here]
        else:
            relation, matches = _look_up(sealer, session, file, layers, embedder, owner)
        found = matches[0].artifact_id if relation in ("exact", "copy", "edited") else None
        subject = found or claimed
        if subject:
            layers += _record_layers(sealer, session, subject, layers)
            layers.append(_export_layer(sealer, session, subject, sha256(data).hexdigest(), layers))
        state = artifacts.row(session, found).state if found else ""
    result = Verification(
        name=name,
        media_type=file.media_type,
        sha256=sha256(data).hexdigest(),
        layers=tuple(layers),
        relation=relation,
        artifact_id=found,
        matches=tuple(matches),
        withdrawn=state == "withdrawn",
        deleted=state == "deleted",
    )
    said = [_origin(result), _findings(result.layers)]
    if watermark is not None and (watermark.found or relation in ("similar", "not_found")):
        said.append(watermark.sentence())
    return result.model_copy(update={"summary": " ".join(filter(None, said))})


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


def _find(mark: Mark, file: OpenedFile) -> Found | None:
    find_in = getattr(mark, "find_in", None)
    found: Found | None = find_in(file) if find_in else mark.find(file.data, file.media_type)
    return found


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


def _watermark_layer(finding: WatermarkFinding) -> Layer:
    details = {**finding.best.model_dump(), "p_value": finding.p_value, "num_tests": finding.num_tests}
    details |= {"false_alarms": FALSE_ALARMS, "key_id": finding.key_id, "tokenizer": finding.model}
    return Layer(name="watermark", state="present" if finding.found else "absent", details=details)


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
    sealer: Sealer,
    session: "Session",
    file: OpenedFile,
    layers: list[Layer],
    embedder: EmbeddingEngine | None,
    owner: str | None,
) -> tuple[Relation, list[Match]]:
    try:
        return look_up(sealer, session, file, embedder, owner)
    except InvalidRequest:
        # That marks are broken is said also of what cannot be opened any more.
        if any(layer.state == "changed" for layer in layers):
            return "not_found", []
        raise


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
    is_picture = result.media_type.startswith("image/")
    if result.relation in ("exact", "copy") and not sealed and is_picture:
        return _picture_origin(result)
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


def _picture_origin(result: Verification) -> str:
    same = result.relation == "exact"
    how_en = "every pixel is the same" if same else "compressed, resized or in another format"
    how_zh = "像素完全相同" if same else "经过压缩、缩放或格式转换"
    return say(
        f"Made here, marks removed: it looks the same as artifact {result.artifact_id} on record here ({how_en}).",
        f"由本机生成，但标识已被去除：与本机记录的作品 {result.artifact_id} 外观相同（{how_zh}）。",
    )


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
