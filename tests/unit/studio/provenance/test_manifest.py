import json
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from inkseal.core.errors import TrustError
from inkseal.core.types import Artifact, Finding, Verdict
from inkseal.modalities.text.request import Constraint, TextRequest, ToolSpec
from inkseal.studio.provenance.manifest import Manifest, keyed_digest, prompt_text, request_facts
from inkseal.studio.provenance.sealer import Sealer

Record = Callable[..., Artifact]


def test_holds_no_words_of_prompt_or_result(sealer: Sealer, record: Record) -> None:
    artifact = record(sealer)
    request = TextRequest.of(
        "a secret prompt",
        system="a secret system",
        stop=("secret stop",),
        tools=(ToolSpec(name="secret_tool", description="secret description"),),
        constraint=Constraint(regex="secret regex"),
    )
    finding = Finding(rule="phone", category="personal", start=3, end=14, replacement="secret replacement")
    verdict = Verdict(check="personal_data", version="1", stage="prompt", action="redact", findings=(finding,))
    manifest = sealer.manifest(artifact, request=request, verdicts=(verdict,))
    text = manifest.canonical().decode()
    assert "secret" not in text
    assert "bridge" not in text
    assert '"start":3' in text


def test_the_prompt_digest_is_keyed_so_that_guessing_fails(sealer: Sealer, record: Record) -> None:
    guess = keyed_digest(bytes(32), prompt_text(TextRequest.of("Tell me about bridges")))
    with sealer.store.reading() as session:
        manifest = sealer.load(session, record(sealer).id).manifest
    assert manifest.prompt is not None
    assert manifest.prompt.value != guess.value
    mine = keyed_digest(sealer.trust.prompt_secret(), prompt_text(TextRequest.of("Tell me about bridges")))
    assert manifest.prompt == mine


def test_equal_parameters_have_equal_facts(sealer: Sealer) -> None:
    secret = sealer.trust.prompt_secret()
    first = request_facts(TextRequest.of("a", stop=("x",)), secret)
    assert first == request_facts(TextRequest.of("b", stop=("x",)), secret)
    assert first != request_facts(TextRequest.of("a", stop=("y",)), secret)
    assert first["sampling"]["temperature"] == 0.7


def test_is_closed_and_reads_back(sealer: Sealer, record: Record) -> None:
    with sealer.store.reading() as session:
        manifest = sealer.load(session, record(sealer).id).manifest
    assert Manifest.model_validate_json(manifest.canonical()) == manifest
    with pytest.raises(ValidationError):
        Manifest.model_validate({**manifest.model_dump(), "extra": 1})


def test_every_changed_byte_of_a_stored_manifest_is_found(sealer: Sealer, record: Record) -> None:
    from sqlalchemy import text

    artifact_id = record(sealer).id
    with sealer.store.reading() as session:
        body = bytes(session.execute(text("SELECT body FROM manifests")).scalar_one())
    for position in range(0, len(body), 13):
        changed = bytearray(body)
        changed[position] ^= 1
        with sealer.store.transaction() as session:
            session.execute(text("UPDATE manifests SET body = :b"), {"b": bytes(changed)})
        with sealer.store.reading() as session, pytest.raises(TrustError, match="was changed"):
            sealer.load(session, artifact_id)


def test_a_manifest_of_another_artifact_is_refused(sealer: Sealer, record: Record, sample: str) -> None:
    from sqlalchemy import text

    first, second = record(sealer), record(sealer, sample + "More.")
    with sealer.store.transaction() as session:
        session.execute(
            text(
                "UPDATE manifests SET (sha256, body, signature, chain) ="
                " (SELECT sha256, body, signature, chain FROM manifests WHERE artifact_id = :second)"
                " WHERE artifact_id = :first"
            ),
            {"first": first.id, "second": second.id},
        )
    with sealer.store.reading() as session, pytest.raises(TrustError, match=first.id):
        sealer.load(session, first.id)


def test_requirements_are_part_of_it(sealer: Sealer, record: Record) -> None:
    artifact = record(sealer, num_tokens=500)
    with sealer.store.reading() as session:
        body = json.loads(sealer.load(session, artifact.id).manifest.canonical())
    unmet = {r["id"] for r in body["requirements"] if not r["met"]}
    assert unmet == {"cn.producer", "eu.watermark"}


def test_a_manifest_that_another_installation_signed_is_refused(
    sealer: Sealer, make_sealer: Callable[[str], Sealer], record: Record
) -> None:
    from sqlalchemy import text

    from inkseal.studio.provenance.signer import decode

    artifact = record(sealer)
    with sealer.store.reading() as session:
        manifest = sealer.load(session, artifact.id).manifest
    forged = make_sealer("there").seal(manifest.model_copy(update={"seed": 99}))
    with sealer.store.transaction() as session:
        session.execute(
            text("UPDATE manifests SET sha256 = :h, body = :b, signature = :s, chain = :c"),
            {
                "h": forged.manifest.sha256,
                "b": forged.manifest.canonical(),
                "s": decode(forged.signature.value),
                "c": decode(forged.signature.certificate),
            },
        )
    with sealer.store.reading() as session, pytest.raises(TrustError, match="was changed"):
        sealer.load(session, artifact.id)
