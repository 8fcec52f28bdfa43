"""Every plug-in contract, on one page. A plug-in is one class in one file, named as the file."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from inkseal.core.config import ComponentConfig, Provider
from inkseal.core.events import Listener
from inkseal.core.types import (
    Chunk,
    Closed,
    Columns,
    Drawing,
    Found,
    Likeness,
    Part,
    Request,
    Score,
    Stage,
    Usage,
    Verdict,
    WatermarkScore,
)

if TYPE_CHECKING:
    from numpy.random import Generator as RandomGenerator
    from numpy.typing import NDArray

Segmenter = Callable[[str], list[str]]
"""Cuts text into words; words of Chinese come apart as words."""


class Cancel(Protocol):
    """Asked often by everything long; `threading.Event` fits."""

    def is_set(self) -> bool: ...


class Remote(Closed):
    """Where a model is that is not on this machine."""

    provider: str
    """Its name in the settings."""
    model: str
    """The provider's name of the model."""
    settings: Provider
    allow: tuple[str, ...] = ()  # reached besides the open internet, as in `[fetch] allow`


class LocalModel(Closed):
    """A model that can be used from this machine: its card's facts and the folder its verified files are in.

    A provider's model has no files and no hash: nobody here can prove which weights answer.
    """

    name: str
    task: str
    modality: str = "text"
    folder: Path
    files: dict[str, str]
    """File name in the folder → SHA-256."""
    format: str
    context_tokens: int
    licence: str
    sha256: str
    """One hash for the whole model: the file's own if there is one file, else of the sorted `name:sha256` lines."""
    remote: Remote | None = None


@runtime_checkable
class Engine(Protocol):
    """A loaded model. Safe to call from several threads; requests are batched where the engine can."""

    model: LocalModel

    def close(self) -> None:
        """Frees all memory; running requests end with EngineFailed."""


@runtime_checkable
class GenerativeEngine(Engine, Protocol):
    """An engine that makes something out of a request."""

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields chunks of all `n` results as they come; the last of each index has a finish_reason.

        Returns the exact counts (`usage = yield from engine.generate(…)`). Closing the generator, or setting
        `cancel`, stops the engine's work within one step and frees its place in the batch.

        Raises:
            Unsupported: the engine cannot do what the request asks; raised before the first chunk.
            ContextTooLong: prompt and `max_tokens` exceed the model's context; raised before the first chunk.
        """

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of prompt tokens."""


@runtime_checkable
class EmbeddingEngine(Engine, Protocol):
    """An engine that maps texts to unit vectors."""

    def embed(self, texts: Sequence[str]) -> "NDArray[Any]":
        """Returns (B, D) float32 rows of length 1, in the order given."""

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Returns how many tokens `embed` reads of the texts, all together.

        Raises:
            Unsupported: the engine does not tell.
        """


class Backend(Protocol):
    """Code that runs models of some file formats. One file in `studio/generate/backends/`."""

    name: ClassVar[str]
    tasks: ClassVar[frozenset[str]]  # of "generate", "embed"
    rank: ClassVar[int] = 0
    """Of several that can run a model, the lowest does, unless the settings name one."""
    config: ClassVar[type[ComponentConfig]]
    needs: ClassVar[frozenset[str]] = frozenset()
    """Texts handed to the constructor by name, such as "watermark_key"; to its process over the socket alone."""

    def __init__(self, config: ComponentConfig) -> None: ...

    def fits(self, model: LocalModel) -> str | None:
        """Returns None when this backend can run the model, else the reason it cannot, in the current language."""

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need, before anything is loaded."""

    def facts(self) -> dict[str, Any]:
        """Returns what decides its results besides model and request: versions and config. Goes into manifests."""

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> Engine:
        """Loads the model, converting it first where that pays (once; kept beside the model).

        Proves every file that it reads by its SHA-256 first: as in `model.files`, or as recorded at the conversion.

        Raises:
            ModelFileRefused: a file is not the recorded one.
        """


class Check(Protocol):
    """Looks at a prompt or a result and gives a verdict. One file in `studio/guard/checks/`."""

    name: ClassVar[str]
    version: ClassVar[str]
    stages: ClassVar[frozenset[Stage]]
    needs: ClassVar[frozenset[str]]
    """Resources the story hands to the constructor by name, such as "embedder"."""
    config: ClassVar[type[ComponentConfig]]

    def __init__(self, config: ComponentConfig, **resources: Any) -> None: ...

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        """Returns the verdict on the parts; positions are characters of `parts[finding.part].text`."""

    def unfinished(self, text: str) -> int:
        """Returns how many characters at the end of a growing result may still become part of a hit, or belong to
        a hit that later words may change. A stream holds them back. 0 when the check changes no results."""


class Seal(Closed):
    """What marks may put on an artifact: its id, its regime, and the facts a label must carry."""

    artifact_id: str
    regime: str
    title: str
    producer: str
    model: str
    language: str
    created_at: str
    content_sha256: str
    manifest_sha256: str
    manifest: dict[str, Any]


class Rendering(Closed):
    """An artifact on its way into a file: marks of the first phase fill these, the writer obeys them."""

    content: bytes
    title: str
    language: str
    visible_labels: tuple[str, ...] = ()
    metadata: dict[str, str] = {}


class Mark(Protocol):
    """Puts one kind of mark on exports and finds it again. One file in `studio/provenance/marks/`."""

    name: ClassVar[str]
    layer: ClassVar[str]  # of "visible", "metadata", "signed", "watermark"
    regimes: ClassVar[frozenset[str]]

    def __init__(self, **resources: Any) -> None: ...

    def supports(self, media_type: str) -> bool:
        """True when this mark can be put on files of the type."""

    def before(self, rendering: Rendering, seal: Seal) -> Rendering:
        """Changes what will be written (a visible label, a metadata field)."""

    def after(self, data: bytes, media_type: str, seal: Seal) -> bytes:
        """Changes the written file (a signature over all bytes); the last one wins."""

    def find(self, data: bytes, media_type: str) -> Found | None:
        """Returns the mark if the file carries it.

        A mark that asks the file's writer has `find_in(file)` too: it is given the file as it was opened for all marks.
        """


class Writer(Protocol):
    """Writes and reads one file format. One file in a modality's `writers/`."""

    name: ClassVar[str]
    media_type: ClassVar[str]
    suffix: ClassVar[str]

    def write(self, rendering: Rendering) -> bytes:
        """Returns the file's bytes; equal input gives equal bytes."""

    def read(self, data: bytes) -> Rendering:
        """Returns what is in the file: content without our visible labels, the labels as they stand, the metadata.

        A format that lays text out (HTML, PDF) gives back its words, not its markup. A writer whose files have check
        sums over their metadata has `mend(data) -> bytes` too, which makes them right again. One whose content is
        costly to encode has `opened(data)`: the rendering without content, and the content decoded, which the
        modality's `shown` and `fingerprint` take as well.

        Raises:
            InvalidRequest: the bytes are not of this format.
        """


Tilt = Callable[[Sequence[int], Any, Any], Any]
"""(answer so far, candidate tokens [C], their probabilities [C]) → the probabilities that they are drawn with."""


class TextWatermark(Protocol):
    """A mark in the choice of words, found again by its key. One file in `formats/watermarks/`."""

    name: ClassVar[str]
    works_greedily: ClassVar[bool]

    def __init__(self, key: bytes) -> None: ...
    def facts(self) -> dict[str, str | int | float]: ...
    def begin(self) -> Tilt: ...
    def score(self, ids: Sequence[int]) -> WatermarkScore: ...


class Source(Protocol):
    """A place models come from. One file in `catalog/sources/`."""

    name: ClassVar[str]
    online: ClassVar[bool]

    def serves(self, location: Mapping[str, Any]) -> bool:
        """True when a card's source entry is for this source."""

    def fetch(self, location: Mapping[str, Any], target: Path, on_event: Listener, cancel: Cancel) -> None:
        """Writes the files of `location` into the folder `target`, resuming what lies there from before.

        Raises:
            FetchFailed: it could not; the next source is tried.
        """


class Modality(Protocol):
    """What artifacts of one kind are. One folder in `modalities/`."""

    name: ClassVar[str]
    request: ClassVar[type[Request]]
    media_type: ClassVar[str]

    def assemble(self, chunks: Sequence[Chunk]) -> bytes:
        """Returns the content of one result from its chunks, in order."""

    def parts(self, content: bytes) -> tuple[Part, ...]:
        """Returns the content as parts that checks can inspect."""

    def words(self, content: bytes) -> str:
        """Returns the words under which the content is found, separated by spaces."""

    def shown(self, content: bytes) -> bytes:
        """Returns what a person gets to see of the content; equal for what looks equal."""

    def fingerprint(self, content: bytes) -> dict[str, bytes]:
        """Returns fingerprints by kind; they find the content again after marks are gone."""

    def bands(self, fingerprints: Mapping[str, bytes]) -> Mapping[str, Sequence[bytes]]:
        """Returns the few keys, by kind, under which the fingerprints are put into the index."""

    def keys(self, fingerprints: Mapping[str, bytes]) -> Mapping[str, Sequence[bytes]]:
        """Returns the keys, by kind, to look for in the index; copies and excerpts share some with the original."""

    def compare(self, mine: Mapping[str, bytes], other: Mapping[str, bytes]) -> Likeness:
        """Returns how the content with the fingerprints `mine` is related to a recorded one."""

    def writers(self) -> Mapping[str, type[Writer]]:
        """Returns the file formats, by name."""


Velocity = Callable[[Any, float], Any]
"""dx/dt of a noisy x [B, …] at a time t in [0, 1]; 1 is noise. NumPy arrays or any that add and multiply alike."""


class Solver(Protocol):
    """Follows a velocity from noise to data. One file in `studio/generate/diffusion/solvers/`."""

    name: ClassVar[str]
    order: ClassVar[int]
    """The error falls as the step's width to this power."""
    evaluations: ClassVar[int]  # how often a step, but the one to the data, asks for the velocity

    def solve(self, velocity: Velocity, x: Any, times: Sequence[float]) -> Iterator[Any]:
        """Yields x at each of the falling `times` but the first, at which x is given; the last one is the result."""


class Objective(Protocol):
    """What a network is trained for: batch → loss. One file in `workshop/train/objectives/`.

    The loop owns optimizers, precision, averaging, checkpoints and devices; an objective owns networks, batches and
    losses. Whatever is random in it draws from the generator it is handed, or from torch's own, which the loop seeds
    for every step anew: that is what makes a resumed run equal to an unbroken one.
    """

    name: ClassVar[str]
    dataset: ClassVar[str]  # the kind that the constructor is handed, such as "pictures"
    config: ClassVar[type[ComponentConfig]]
    modules: dict[str, Any]
    """The torch modules by player, in the order in which they take their turns in a step; most objectives have one.
    The loop puts its prepared modules back here, so losses must call these and keep no others."""

    def __init__(self, config: ComponentConfig, data: Any, run_dir: Path) -> None: ...

    def prepare(self, on_event: Listener, cancel: Cancel) -> None:
        """Does what must be done once before training, such as encoding the data; kept in the run's folder."""

    def num_examples(self) -> int:
        """Returns how many examples the training split has."""

    def batch(self, indices: "NDArray[Any]", rng: "RandomGenerator") -> Mapping[str, Any]:
        """Returns tensors for the examples of these numbers, each in [0, num_examples)."""

    def loss(self, batch: Mapping[str, Any], player: str) -> tuple[Any, Mapping[str, Any]]:
        """Returns the player's scalar loss, and scalar tensors to be logged by name."""

    def evaluate(self) -> Mapping[str, float]:
        """Returns scores on the held-out split, the same for the same weights; networks are on the CPU meanwhile."""

    def sheet(self) -> "NDArray[Any] | None":
        """Returns samples to look at, [H, W, 3] uint8, the same for the same weights; None when there is nothing."""

    def facts(self) -> dict[str, Any]:
        """Returns what somebody needs besides the weights to use the networks; goes into the model's file."""


class Metric(Protocol):
    """Computes a score of made things, where it matters beside real ones. One file in `measure/metrics/`.

    It is handed columns, arrays of as many rows each: `features` float [N, D] of pictures by an encoder that the caller
    names, `text_features` float [N, D] of their captions in the same space, `captions` int [N], equal for equal
    captions (whose text features are equal too), `pixels` float [N, …] in [0, 1].
    """

    name: ClassVar[str]
    better: ClassVar[Literal["higher", "lower"]]
    reads: ClassVar[frozenset[str]]  # the columns it needs of what was made
    compares: ClassVar[frozenset[str]]  # the columns it needs of real things

    def score(self, made: Columns, real: Columns) -> Score:
        """Returns the score, the same in whatever order rows are; raises InvalidRequest where there are none."""


class Collection(Protocol):
    """A published set of pictures in one style. One file in `workshop/data/collections/`."""

    name: ClassVar[str]
    style: ClassVar[str]  # a name in the table of styles
    archive: ClassVar[str]  # a name in the table of archives
    licence: ClassVar[str]  # SPDX identifier of the pictures
    attribution: ClassVar[str]
    """Who must or should be named, and where the pictures come from."""
    share_alike: ClassVar[bool]  # what is made from it must bear its licence; kept in a dataset of its own
    crop: ClassVar[bool]
    """True when pictures lie somewhere on a page, rather than on a drawn frame."""
    titles_speak: ClassVar[bool]
    """True when titles are plain English that may be a caption; False when they only name an emoji."""

    def read(self, archive: Path, cancel: Cancel) -> Iterator[Drawing]:
        """Yields the drawings in the archive's order.

        Raises:
            ModelFileRefused: the archive is malformed or dangerous.
        """
