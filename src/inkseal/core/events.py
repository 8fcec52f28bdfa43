"""Progress as data: frozen events that the terminal, the server and trackers subscribe to."""

from collections.abc import Callable
from typing import Literal

from inkseal.core.types import Artifact, Chunk, Closed, Usage, Verdict


class Started(Closed):
    """A run began. `run_id` is also the id of its first artifact."""

    kind: Literal["started"] = "started"
    run_id: str
    what: str


class Progress(Closed):
    """How far a step is; `total` is None when nobody knows."""

    kind: Literal["progress"] = "progress"
    what: str
    done: float
    total: float | None = None
    unit: str = ""


class Noted(Closed):
    """Something worth knowing that is no error: a licence, a source that was passed over."""

    kind: Literal["noted"] = "noted"
    text: str


class Checked(Closed):
    """A check gave its verdict."""

    kind: Literal["checked"] = "checked"
    verdict: Verdict


class Generated(Closed):
    """A chunk passed the checks and may be shown."""

    kind: Literal["generated"] = "generated"
    chunk: Chunk


class Withdrawn(Closed):
    """A late check blocked the result; whatever was shown before must be taken back."""

    kind: Literal["withdrawn"] = "withdrawn"
    index: int
    verdict: Verdict
    num_chars_shown: int


class ArtifactReady(Closed):
    """A sealed artifact is in the store."""

    kind: Literal["artifact_ready"] = "artifact_ready"
    artifact: Artifact
    index: int = 0


class MetricLogged(Closed):
    """One measured number."""

    kind: Literal["metric_logged"] = "metric_logged"
    name: str
    value: float
    step: int | None = None


class Finished(Closed):
    """The run ended as it should."""

    kind: Literal["finished"] = "finished"
    run_id: str
    usage: Usage


class Failed(Closed):
    """The run ended with an error; `code` is the error's stable name."""

    kind: Literal["failed"] = "failed"
    run_id: str
    code: str
    message: str


Event = Started | Progress | Noted | Checked | Generated | Withdrawn | ArtifactReady | MetricLogged | Finished | Failed
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener for callers who do not care."""
