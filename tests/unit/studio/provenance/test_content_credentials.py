import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkseal.core.types import Artifact
from inkseal.studio.provenance.export import export
from inkseal.studio.provenance.sealer import Sealer

Record = Callable[..., Artifact]


def read(sealer: Sealer, path: Path, anchors: str) -> tuple[str, dict[str, Any]]:
    """Reads as any other C2PA tool would: with the library's own reader and nothing of ours."""
    from c2pa import Context, Reader

    settings: dict[str, Any] = {"verify": {"verify_trust": True}}
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    with (
        Context.from_dict(settings) as context,
        Reader("application/pdf", io.BytesIO(path.read_bytes()), context=context) as reader,
    ):
        store = json.loads(reader.detailed_json())
        return str(reader.get_validation_state()), store


@pytest.fixture
def pdf(sealer: Sealer, record: Record, tmp_path: Path) -> Path:
    path = tmp_path / "a.pdf"
    export(sealer, record(sealer).id, path)
    return path


def test_trusted_with_our_authority_and_valid_without(sealer: Sealer, pdf: Path) -> None:
    assert read(sealer, pdf, sealer.trust.anchors(own_only=True))[0] == "Trusted"
    assert read(sealer, pdf, "")[0] == "Valid"


def test_what_the_conformance_rubric_asks(sealer: Sealer, pdf: Path) -> None:
    _, store = read(sealer, pdf, "")
    manifest = store["manifests"][store["active_manifest"]]
    claim = manifest["claim"]
    assert claim["claim_generator_info"]["specVersion"] == "2.4.0"
    created = json.dumps(claim["created_assertions"])
    assert "c2pa.actions.v2" in created
    actions = manifest["assertion_store"]["c2pa.actions.v2"]
    assert actions["allActionsIncluded"] is True
    assert actions["actions"][0]["action"] == "c2pa.created"
    assert actions["actions"][0]["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert not any("thumbnail" in label for label in manifest["assertion_store"])


def test_carries_the_facts_but_no_prompt(sealer: Sealer, pdf: Path) -> None:
    _, store = read(sealer, pdf, "")
    facts = store["manifests"][store["active_manifest"]]["assertion_store"]["org.inkseal.manifest"]
    assert facts["manifest"]["seed"] == 7
    assert facts["manifest"]["content_sha256"] == facts["content_sha256"]
    assert "Tell me" not in json.dumps(facts)


def test_stripping_the_credentials_leaves_the_seal(sealer: Sealer, pdf: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    from inkseal.studio.provenance.verify import verify

    writer = PdfWriter()
    for page in PdfReader(pdf).pages:
        writer.add_page(page)
    writer.write(pdf)
    result = verify(sealer, pdf.read_bytes())
    assert result.layer("c2pa").state == "absent"
    assert result.relation == "exact"
