"""Counts for Prometheus; asked with a key, as everything is."""

from fastapi import APIRouter, Request, Response

from inkseal.serve.callers import AnyCaller

router = APIRouter(tags=["server"])
CONTENT = {"text/plain": {"schema": {"type": "string"}}}


@router.get("/metrics", summary="Counts for Prometheus", response_class=Response, responses={200: {"content": CONTENT}})
async def metrics(request: Request, caller: AnyCaller) -> Response:
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")
