"""What is known of one artifact, as a closed document with one canonical form.

It holds no words of the prompt or of the result: positions, counts and keyed digests only, because exports carry it.
"""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, field_serializer, field_validator

from inkseal.core.types import ArtifactId, Closed, FinishReason, Regime, Request, Sha256, Usage, Verdict
from inkseal.studio.provenance.canonical import canonical_json
from inkseal.studio.provenance.signer import Signature

_PLAIN_TEXT_FIELDS = frozenset({"modality", "model", "regime", "solver", "style", "watermark"})
"""Request fields whose text is a name, not somebody's words."""


class ModelFacts(Closed):
    """The weights that made the artifact; of a provider's model, who says so and where, and no hash."""

    name: str
    sha256: Sha256 | None
    licence: str
    format: str
    provider: dict[str, str] | None = Field(None, exclude_if=lambda value: value is None)
    """`name`, `base_url` and `model`, as they stand in the settings."""


class BackendFacts(Closed):
    """The code that ran the weights, with what else decides its results: versions and config."""

    name: str
    facts: dict[str, Any] = {}


class KeyedDigest(Closed):
    """HMAC-SHA256 under a secret of this installation.

    A plain hash of a short prompt would be found by trying likely prompts; this one can be confirmed only here.
    """

    algorithm: Literal["HMAC-SHA256"] = "HMAC-SHA256"
    key_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    value: Sha256


RESULT = "result"
"""What is composed of an app's steps is called beside them."""


class AppFacts(Closed):
    """The app that asked for the artifact, by name and the hash of its file, and which of its steps this is."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    sha256: Sha256
    step: str
    """A step's name, or `result` for what was composed of the steps' answers."""


class Withdrawal(Closed):
    """A result that was taken back; what had already been shown is said, not hidden."""

    check: str
    num_chars_shown: int = Field(ge=0)


class Requirement(Closed):
    """One thing a labelling regime asks for, and whether this artifact or file has it."""

    id: str
    regime: Literal["cn", "eu"]
    layer: str
    met: bool
    reason: str
    source: str


class Manifest(Closed):
    """The facts of one artifact."""

    version: Literal[1] = 1
    artifact_id: ArtifactId
    modality: str
    media_type: str
    content_sha256: Sha256
    size_bytes: int = Field(ge=0)
    fingerprints: dict[str, Sha256] = {}
    """SHA-256 of each fingerprint, so that a claim "made here" rests on something signed."""
    created_at: datetime
    inkseal_version: str
    model: ModelFacts | None = None
    backend: BackendFacts | None = None
    app: AppFacts | None = Field(None, exclude_if=lambda value: value is None)
    request: dict[str, Any] = {}
    seed: int | None = None
    prompt: KeyedDigest | None = None
    verdicts: tuple[Verdict, ...] = ()
    parents: tuple[ArtifactId, ...] = ()
    usage: Usage = Usage()
    finish_reason: FinishReason | None = None
    regime: Regime = "none"
    requirements: tuple[Requirement, ...] = ()
    withdrawn: Withdrawal | None = None

    @field_validator("created_at")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("created_at needs a time zone")
        return value

    @field_validator("verdicts")
    @classmethod
    def _positions_only(cls, value: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        return tuple(
            verdict.model_copy(
                update={"findings": tuple(f.model_copy(update={"replacement": None}) for f in verdict.findings)}
            )
            for verdict in value
        )

    @field_serializer("created_at")
    def _iso(self, value: datetime) -> str:
        return iso(value)

    def canonical(self) -> bytes:
        """Returns the bytes that are hashed and signed."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def sha256(self) -> str:
        return sha256(self.canonical()).hexdigest()


class SignedManifest(Closed):
    """A manifest and the signature beside it; the signature covers `manifest.canonical()`."""

    manifest: Manifest
    signature: Signature

    def to_json(self) -> bytes:
        """Returns the canonical bytes of both, as they are stored and as sidecar files hold them."""
        return canonical_json(self.model_dump(mode="json"))


def iso(moment: datetime) -> str:
    """Returns a moment as ISO 8601 in UTC with milliseconds, always of one form."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def keyed_digest(secret: bytes, text: str) -> KeyedDigest:
    """Returns HMAC-SHA256 of the text; the key is named by a hash of itself.

    Source: RFC 2104.
    """
    key_id = sha256(b"inkseal prompt key" + secret).hexdigest()[:16]
    return KeyedDigest(key_id=key_id, value=hmac.new(secret, text.encode("utf-8"), "sha256").hexdigest())


def prompt_text(request: Request) -> str:
    """Returns the conversation in the form that is digested: roles, origins, texts and artifacts, in order."""
    turns = [
        [m.role, [[p.origin.value, p.text, p.artifact or ""] for p in m.parts], [c.model_dump() for c in m.tool_calls]]
        for m in request.messages
    ]
    return canonical_json(turns).decode("utf-8")


def request_facts(request: Request, secret: bytes) -> dict[str, Any]:
    """Returns the parameters of a request without anybody's words.

    Numbers and switches stay as they are. Free text (stop strings, schemas, tool descriptions) becomes its keyed
    digest, so that two runs can still be compared.
    """
    left_out = {"messages", "seed", "parents"}
    return {name: _fact(name, value, secret) for name, value in request if name not in left_out}


def _fact(name: str, value: Any, secret: bytes) -> Any:
    """Returns a parameter without words: names of fields are ours, names inside free mappings are somebody's."""
    if isinstance(value, BaseModel):
        return {field: _fact(field, inner, secret) for field, inner in value}
    if isinstance(value, str) and name not in _PLAIN_TEXT_FIELDS:
        return {"digest": keyed_digest(secret, value).value}
    if isinstance(value, dict) and value:
        plain = {str(key): inner for key, inner in value.items()}
        return {"digest": keyed_digest(secret, canonical_json(plain).decode()).value}
    if isinstance(value, tuple | list):
        return [_fact(name, item, secret) for item in value]
    return value
