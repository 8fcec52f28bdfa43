"""What can be asked for, as JSON schemas: browsers draw their forms from them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from inkseal.core.types import Closed
from inkseal.modalities import modalities
from inkseal.serve.callers import AnyCaller

router = APIRouter(prefix="/api/v1/forms", tags=["forms"])


class FormFacts(Closed):
    """One kind of request."""

    modality: str
    media_type: str


class Form(FormFacts):
    """The JSON schema of a request; `zh` beside a `description` says it in Chinese."""

    request_schema: dict[str, Any]


@router.get("", summary="List what can be asked for")
def list_forms(caller: AnyCaller) -> tuple[FormFacts, ...]:
    return tuple(FormFacts(modality=name, media_type=modalities[name].media_type) for name in modalities)


@router.get("/{modality}", summary="The form of a modality's request")
def show(modality: Annotated[str, Path(max_length=100)], caller: AnyCaller) -> Form:
    found = modalities[modality]
    return Form(modality=modality, media_type=found.media_type, request_schema=found.request.model_json_schema())
