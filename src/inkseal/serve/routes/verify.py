"""Says of an uploaded file which marks it carries, whether they hold, and whether it was made here."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from inkseal.core.types import Closed
from inkseal.serve.bridge import placed
from inkseal.serve.callers import AnyCaller
from inkseal.studio.provenance.verify import Standing, Verification

router = APIRouter(prefix="/api/v1", tags=["provenance"])
UPLOADS = frozenset({"/api/v1/verify"})
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Verified(Closed):
    """What is known of the file."""

    verification: Verification
    intact: bool
    standing: Standing


@router.post("/verify", summary="Verify a file or a text", openapi_extra=BODY)
async def verify(
    request: Request,
    caller: AnyCaller,
    name: Annotated[str, Query(max_length=255, description="The file's name, to tell its format by.")] = "",
) -> Verified:
    data = await request.body()
    examine = partial(request.app.state.studio.verify, data, name, owner=caller.sees)
    found: Verification = await placed(request, caller, examine, role="viewer")
    return Verified(verification=found, intact=found.intact, standing=found.standing)
