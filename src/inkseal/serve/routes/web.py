"""The browser studio: files that anybody may read, since they hold nothing of anybody."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.exceptions import HTTPException

from inkseal.serve.web_files import PREFIX, TYPES, Content, WebFiles

router = APIRouter(tags=["web"])
files = WebFiles()
OPEN = frozenset({"/", *(PREFIX + name for name in files.names)})
_UNCHANGED: dict[str, Any] = {"description": "The browser has it already."}


def _kinds(*endings: str) -> dict[int | str, dict[str, Any]]:
    kinds = {TYPES[ending]: {"schema": {"type": "string"}} for ending in endings}
    return {200: {"content": kinds, "description": "The file."}, 304: _UNCHANGED}


# Nobody needs a key for these: the document must not say so.
NO_KEY: dict[str, Any] = {"security": []}


@router.get("/", summary="The studio", response_class=Response, responses=_kinds(".html"), openapi_extra=NO_KEY)
async def start(request: Request) -> Response:
    return _answer(request, files.start(request.app.state.studio.settings.language or ""))


@router.get(
    "/web/{path:path}",
    summary="A file of the studio",
    response_class=Response,
    responses=_kinds(*TYPES),
    openapi_extra=NO_KEY,
)
async def file(path: Annotated[str, Path(max_length=200)], request: Request) -> Response:
    found = files.content(path)
    if found is None:
        raise HTTPException(404)
    return _answer(request, found)


def _answer(request: Request, content: Content) -> Response:
    headers = {
        "etag": content.etag,
        "cache-control": "no-cache",
        "content-security-policy": files.policy(),
        "vary": "accept-encoding",
    }
    if content.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(content.packed, media_type=content.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(content.data, media_type=content.media_type, headers=headers)
