"""Whether the server lives, and whether it takes work."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from inkseal.core.types import Closed

router = APIRouter(tags=["server"])
OPEN = frozenset({"/health", "/health/live", "/health/ready"})
"""Answered without a key; they tell nothing but this."""


class Health(Closed):
    """One word."""

    status: Literal["ok", "closing"]


@router.get("/health", summary="Whether the server lives")
@router.get("/health/live", summary="Whether the server lives")
async def live() -> Health:
    return Health(status="ok")


@router.get("/health/ready", summary="Whether the server takes work", responses={503: {"model": Health}})
async def ready(request: Request, response: Response) -> Health:
    if request.app.state.queue.draining:
        response.status_code = 503
        return Health(status="closing")
    return Health(status="ok")
