"""OpenAI's content provenance check, answered by `verify`: marks in the file and records of this installation."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, File, Request, UploadFile

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.serve.bridge import placed
from inkseal.serve.callers import Creator
from inkseal.serve.routes._openai_fields import ERRORS
from inkseal.serve.routes._protocol import FieldError, ProtocolRoute
from inkseal.studio.provenance.verify import Layer, Verification
from inkseal.studio.studio import Studio

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
UPLOADS = frozenset({"/v1/content_provenance_checks"})


@router.post("/content_provenance_checks", response_model=dict[str, Any])
async def create(file: Annotated[UploadFile, File()], http: Request, caller: Creator) -> dict[str, Any]:
    """Says which signed marks a file carries and whether they hold."""
    data = await file.read()
    return await placed(http, caller, _checked, http.app.state.studio, data, file.filename or "", caller.sees)


def _checked(studio: Studio, data: bytes, name: str, owner: str | None) -> dict[str, Any]:
    try:
        found = studio.verify(data, name, owner=owner)
    except InvalidRequest as error:
        raise FieldError(str(error), param="file") from None
    made = _made(studio, found, owner)
    layer = found.layer("c2pa") if any(each.name == "c2pa" for each in found.layers) else None
    state = _state(layer) if layer is not None else "not_present"
    result = {
        "type": "c2pa",
        "outcome": "detected" if state != "not_present" else "not_detected",
        "validation_state": state,
        "issuer": layer.issuer.name if layer is not None and layer.issuer else None,
        "model": made.get("model") if state in ("trusted", "valid") else None,
        "generated_at": made.get("generated_at") if state in ("trusted", "valid") else None,
    }
    return {
        "object": "content_provenance_check",
        "created_at": int(time.time()),
        "results": [result],
        "inkseal": {
            # Whether a text is like somebody else's is theirs to know.
            "summary": found.summary if made or owner is None else "",
            "relation": found.relation if made or owner is None else "not_found",
            "artifact": found.artifact_id if made else None,
            "layers": [{"name": each.name, "state": each.state, "changed": each.changed} for each in _own(found, made)],
        },
    }


def _own(found: Verification, made: dict[str, Any]) -> list[Layer]:
    records = ("manifest", "ledger", "export")
    return [layer for layer in found.layers if made or layer.name not in records]


def _made(studio: Studio, found: Verification, owner: str | None) -> dict[str, Any]:
    """Returns what the record says of an artifact of the caller's; nothing of those of others."""
    if found.artifact_id is None:
        return {}
    try:
        manifest = studio.manifest(found.artifact_id, owner=owner).manifest
    except (UnknownName, TrustError):
        return {}
    model = manifest.model.name if manifest.model else None
    return {"model": model, "generated_at": manifest.created_at.isoformat().replace("+00:00", "Z")}


def _state(layer: Layer) -> str:
    if layer.state == "absent":
        return "not_present"
    if layer.state == "changed":
        return "invalid"
    return "trusted" if layer.issuer is not None and layer.issuer.kind in ("self", "known") else "valid"
