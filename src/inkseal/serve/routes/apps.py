"""Applications: the program's and one's own, their forms, and their runs."""

from collections.abc import AsyncGenerator, Callable
from itertools import count
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from inkseal.apps.definition import MAX_FILE_BYTES, AppFile, Category
from inkseal.apps.events import AppEvent, AppFinished, AppResult
from inkseal.apps.fields import form
from inkseal.apps.runner import run_app
from inkseal.apps.scores import AppScore, scores_of
from inkseal.apps.shelf import Shelf
from inkseal.apps.work import Options
from inkseal.core.errors import EngineFailed, InksealError
from inkseal.core.language import Language, current_language, say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed, Regime
from inkseal.serve import audit
from inkseal.serve.app_runs import AppRunFacts
from inkseal.serve.bridge import ClientLeft, batches_of, call
from inkseal.serve.callers import AnyCaller, Caller, Creator
from inkseal.serve.feeds import frame, told
from inkseal.serve.routes._stream import RESPOND_ASYNC, STREAM, Prefer
from inkseal.serve.sse import PING, EventStream

router = APIRouter(prefix="/api/v1/apps", tags=["apps"])

Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The app.")]
NewName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
TOML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


class AppSummary(Closed):
    """One app, in the words of the request's language."""

    name: str
    category: Category
    title: str
    description: str
    own: bool
    sha256: str
    scores: tuple[AppScore, ...] = ()
    """Measured on the cases of this very file; by model and language. A list leaves out what was not met."""


class AppList(Closed):
    """All apps that the caller can use."""

    apps: tuple[AppSummary, ...]
    broken: dict[str, str] = {}
    """One's own files that cannot be used, with the reason."""


class SampleFacts(Closed):
    """A form filled in."""

    language: Language
    title: str
    values: dict[str, Any]


class AppDetails(AppSummary):
    """One app, with its form as a JSON schema; `zh` and `zh_title` say a field in Chinese."""

    help: str = ""
    notice: str = ""
    form_schema: dict[str, Any]
    steps: tuple[str, ...]
    rules: tuple[str, ...]
    output_form: Literal["markdown", "text", "code"]
    samples: tuple[SampleFacts, ...]
    num_cases: int


class AppRun(Closed):
    """What to run an app with."""

    values: dict[str, Any] = Field(description="The form's fields.", max_length=100)
    language: Language | None = Field(None, description="Of the result; the request's when absent.")
    model: str = Field("default", max_length=200)
    seed: int = Field(0, ge=0, lt=2**31, description="0 draws one.")
    timeout_seconds: float = Field(900, ge=1, le=7200)
    regime: Regime | None = None


class AppImport(Closed):
    """An app's file."""

    toml: str = Field(max_length=MAX_FILE_BYTES)
    replace: bool = False


class AppCopy(Closed):
    """What the copy is called."""

    name: NewName


def _shelf(request: Request, caller: Caller) -> Shelf:
    return Shelf(request.app.state.studio.settings.data_dir, caller.owner)


def _facts(file: AppFile) -> dict[str, Any]:
    spec = file.app
    return {
        "name": spec.name,
        "category": spec.category,
        "title": str(spec.title),
        "description": str(spec.description),
        "own": file.own,
        "sha256": file.sha256,
        "scores": scores_of(file),
    }


def _short(file: AppFile) -> AppSummary:
    scores = tuple(score.model_copy(update={"failures": ()}) for score in scores_of(file))
    return AppSummary(**_facts(file) | {"scores": scores})


@router.get("", summary="List apps")
def list_apps(request: Request, caller: AnyCaller) -> AppList:
    shelf = _shelf(request, caller)
    return AppList(apps=tuple(_short(file) for file in shelf.all()), broken=shelf.broken())


@router.post("", summary="Take in an app from its file", status_code=201)
def import_app(given: AppImport, request: Request, caller: Creator) -> AppSummary:
    file = _shelf(request, caller).save(given.toml.encode("utf-8", "replace"), replace=given.replace)
    _note(request, caller, "app_saved", file.app.name)
    return AppSummary(**_facts(file))


@router.get("/{name}", summary="Show an app with its form")
def show(name: Name, request: Request, caller: AnyCaller) -> AppDetails:
    file = _shelf(request, caller).get(name)
    spec = file.app
    return AppDetails(
        **_facts(file),
        help=str(spec.help or ""),
        notice=str(spec.notice or ""),
        form_schema=form(spec.fields),
        steps=tuple(str(step.title or step.name) for step in spec.steps),
        rules=tuple(dict.fromkeys(rule.kind for rule in spec.rules)),
        output_form=spec.output.form,
        samples=tuple(SampleFacts(language=s.language, title=s.title, values=s.values) for s in spec.samples),
        num_cases=len(spec.cases),
    )


@router.get("/{name}/file", summary="An app's file, to be shared", response_class=Response, responses=TOML)
def export(name: Name, request: Request, caller: AnyCaller) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.toml"'}
    return Response(_shelf(request, caller).get(name).toml, media_type="text/plain", headers=headers)


@router.post("/{name}/copy", summary="Copy an app to change it", status_code=201)
def copy(name: Name, given: AppCopy, request: Request, caller: Creator) -> AppSummary:
    file = _shelf(request, caller).copy(name, given.name)
    _note(request, caller, "app_saved", file.app.name)
    return AppSummary(**_facts(file))


@router.delete("/{name}", summary="Remove an app of one's own", status_code=204)
def delete(name: Name, request: Request, caller: Creator) -> None:
    _shelf(request, caller).delete(name)
    _note(request, caller, "app_deleted", name)


@router.post(
    "/{name}/run",
    summary="Run an app; as an event stream where that is accepted",
    responses={200: {"model": AppResult, "content": STREAM}, 202: {"model": AppRunFacts}},
    response_model=None,
)
async def run(name: Name, given: AppRun, request: Request, caller: Creator, prefer: Prefer = "") -> Response:
    studio = request.app.state.studio
    file = await call(_shelf(request, caller).get, name)
    options = Options(
        model=given.model,
        seed=given.seed,
        timeout_seconds=given.timeout_seconds,
        regime=given.regime,
        owner=caller.owner,
    )
    language = given.language or current_language()
    if RESPOND_ASYNC in prefer:
        begun = await request.app.state.app_runs.begin(file, given.values, language, options, caller)
        return JSONResponse(begun.model_dump(mode="json"), 202, {"preference-applied": RESPOND_ASYNC})

    def work(emit: Callable[[AppEvent], None], cancel: Cancel) -> None:
        run_app(studio, file, given.values, emit, cancel, language=language, options=options)

    events = batches_of(work, caller, request)
    if "text/event-stream" in request.headers.get("accept", ""):
        return await _stream(events, (str(studio.settings.data_dir),))
    result = await _result(events)
    return JSONResponse(result.model_dump(mode="json"), headers={"inkseal-artifact": result.artifact.id})


async def _result(events: AsyncGenerator[list[AppEvent], None]) -> AppResult:
    try:
        async for batch in events:
            for event in batch:
                if isinstance(event, AppFinished):
                    return event.result
    finally:
        await events.aclose()
    raise EngineFailed(say("The app ended without a result.", "应用未给出结果。"))


async def _stream(events: AsyncGenerator[list[AppEvent], None], hidden: tuple[str, ...]) -> EventStream:
    """Waits for the first event, so that a form that is off still has its own status; then streams."""
    first: list[AppEvent] = []
    async for batch in events:
        first = batch
        if batch:
            break
    return EventStream(_frames(events, first, hidden), {})


async def _frames(
    events: AsyncGenerator[list[AppEvent], None], first: list[AppEvent], hidden: tuple[str, ...]
) -> AsyncGenerator[bytes, None]:
    numbers = count(1)
    try:
        yield b"".join(frame(next(numbers), told(event, hidden)) for event in first)
        async for batch in events:
            yield b"".join(frame(next(numbers), told(event, hidden)) for event in batch) or PING
    except ClientLeft:
        raise
    except InksealError:
        return  # the last event was `app_failed`
    finally:
        await events.aclose()


def _note(request: Request, caller: Caller, action: Any, name: str) -> None:
    audit.note(request.app.state.studio.store, caller.key_id, action, name, request.state.request_id)
