"""The append-only record, for those who answer for the installation."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from inkseal.core.types import Closed
from inkseal.serve import audit
from inkseal.serve.audit import AuditEntry
from inkseal.serve.callers import Admin, AnyCaller
from inkseal.studio.provenance.ledger import Entry, Head, Problem

router = APIRouter(prefix="/api/v1", tags=["provenance"])
After = Annotated[int, Query(ge=0, le=2**53, description="Start after this number.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


class LedgerReport(Closed):
    """Whether the record is whole."""

    valid: bool
    num_entries: int
    head_seq: int | None
    problems: tuple[Problem, ...]


@router.get("/ledger", summary="The entries of the record")
def entries(request: Request, caller: Admin, after: After = 0, limit: Limit = 100) -> tuple[Entry, ...]:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        return tuple(studio.sealer.ledger.entries(session, after=after, limit=limit))


@router.get("/ledger/head", summary="The signed length of the record, to be kept elsewhere")
def head(request: Request, caller: AnyCaller) -> Head:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        found: Head = studio.sealer.ledger.head(session)
        return found


@router.get("/ledger/verification", summary="Find any edit, removal or reordering")
def verification(request: Request, caller: Admin) -> LedgerReport:
    report = request.app.state.studio.verify_ledger()
    return LedgerReport(**report.model_dump(), valid=report.valid)


@router.get("/audit", summary="Who did what")
def audited(
    request: Request,
    caller: Admin,
    after: After = 0,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="The last first, before this number.")] = None,
    limit: Limit = 100,
) -> tuple[AuditEntry, ...]:
    return tuple(audit.entries(request.app.state.studio.store, after=after, before=before, limit=limit))
