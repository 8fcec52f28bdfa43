"""The studio as callers hold it: opens the data folder, tells the story, exports and verifies."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from inkseal.catalog.catalog import Catalog
from inkseal.catalog.providers import remote_models
from inkseal.core.config import Settings, configure, load_settings
from inkseal.core.errors import Unsupported
from inkseal.core.events import Event, Listener, Started, ignore
from inkseal.core.language import current_language, say, use_language
from inkseal.core.protocols import Cancel, Check, EmbeddingEngine, GenerativeEngine, LocalModel, Rendering
from inkseal.core.types import Artifact, Origin, Part, Regime, Request, Stage, Verdict
from inkseal.modalities import modalities
from inkseal.modalities.text.segmentation import segment
from inkseal.store import artifacts, words
from inkseal.store.store import Store
from inkseal.studio import story
from inkseal.studio.deletion import Deleter
from inkseal.studio.engines import Engines
from inkseal.studio.gallery import Gallery
from inkseal.studio.guard.checks import checks
from inkseal.studio.guard.trial import Trial, trial
from inkseal.studio.meaning import Meaning
from inkseal.studio.provenance.export import ExportReport, export_bytes
from inkseal.studio.provenance.export import export as export_file
from inkseal.studio.provenance.ledger import Head, Report
from inkseal.studio.provenance.manifest import AppFacts, SignedManifest
from inkseal.studio.provenance.regimes import visible_wordings
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.verify import Verification
from inkseal.studio.provenance.verify import verify as verify_bytes
from inkseal.studio.recorder import Recorder
from inkseal.studio.resources import given_to_backends, resources
from inkseal.studio.story import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray


Watcher = Callable[[str, str, Event], None]
"""Called with the owner, the run's id and the event."""


class Studio:
    """One installation at work. Safe for several threads; one instance per data folder."""

    def __init__(self, settings: Settings, store: Store, *, isolate_engines: bool = False) -> None:
        """Prefer `Studio.open`."""
        self.settings = settings
        self.store = store
        self.catalog = Catalog.of(settings)
        # A look-up must not hash a gigabyte for every request: backends prove what they read when they load it.
        self.sealer = Sealer(store, regime=settings.regime, producer=settings.producer)
        find = partial(self.catalog.local, verify=False)
        self.engines = Engines(settings, find, isolate_engines, given_to_backends(find, self.sealer.trust))
        self.recorder = Recorder(self.sealer)
        self.meaning = Meaning(store, self.engines)
        self.gallery = Gallery(self.sealer, self.meaning)
        self.deleter = Deleter(self.sealer)
        self.watchers: list[Watcher] = []
        """Told of every run's events beside its own listener, in the run's thread."""
        if not store.read_only:
            self.recorder.close_broken_runs()
            self.deleter.finish()

    @classmethod
    def open(cls, data_dir: Path | None = None, *, read_only: bool = False, isolate_engines: bool = False) -> Self:
        """Opens the data folder of the settings, or another.

        Args:
            data_dir: the folder; INKSEAL_DATA_DIR or the user's data folder when absent.
            read_only: may stand beside a running instance; can list, show and verify.
            isolate_engines: each engine lives in a process of its own, so that its end is only its own requests'.

        Raises:
            InUse: another instance works in this folder.
            StoreError: the records are damaged or of a newer version.
        """
        settings = load_settings(data_dir)
        return cls(settings, Store.open(settings.data_dir, read_only=read_only), isolate_engines=isolate_engines)

    def use(self, settings: Settings) -> None:
        """Takes over changed settings from the next run on; running ones and loaded engines stay as they are.

        Raises:
            InvalidRequest: a check cannot be made with its config; nothing was taken over.
        """
        self._checks(settings)
        self.settings = settings
        self.engines.use(settings)
        self.sealer.regime, self.sealer.producer = settings.regime, settings.producer
        self.catalog.remote = _remote(settings)

    def run(
        self,
        request: Request,
        on_event: Listener = ignore,
        cancel: Cancel | None = None,
        *,
        owner: str = "",
        app: AppFacts | None = None,
    ) -> Result:
        """Checks, generates, checks, seals and records; events go to `on_event` as they happen.

        Args:
            request: what is asked for.
            on_event: told of everything that happens.
            cancel: asked often whether to stop.
            owner: whose the results are, where several people share the studio.
            app: the app that asks, which the manifest then names.

        Raises:
            Blocked: a check refused the prompt, or withdrew every result.
            ModelMissing: the model is not on this machine.
            Cancelled: it was ended before anything was shown.
        """
        emit = self._watched(on_event, owner) if self.watchers else on_event
        run = story.begin(request, self._checks(), emit, cancel, owner, app, regime=self.settings.regime)
        return story.tell(run, self.engines, self.recorder)

    def compose(
        self,
        request: Request,
        text: str,
        on_event: Listener = ignore,
        *,
        owner: str = "",
        app: AppFacts | None = None,
        verdicts: Sequence[Verdict] = (),
    ) -> Result:
        """Checks, seals and records a text that code put together from results made before.

        Args:
            request: its parents are what the text is made of, its model wrote them.
            text: the whole text.
            on_event: told of everything that happens.
            owner: whose it is.
            app: the app that made it.
            verdicts: what was found of it before, to be sealed with it.

        Raises:
            Blocked: a check refuses it.
        """
        emit = self._watched(on_event, owner) if self.watchers else on_event
        run = story.begin(request, self._checks(), emit, None, owner, app, regime=self.settings.regime)
        return story.tell_composed(run, text, verdicts, self.engines, self.recorder)

    def _watched(self, on_event: Listener, owner: str) -> Listener:
        watchers, run_id = tuple(self.watchers), ""

        def emit(event: Event) -> None:
            nonlocal run_id
            if isinstance(event, Started):
                run_id = event.run_id
            for watch in watchers:
                watch(owner, run_id, event)
            on_event(event)

        return emit

    def stream(self, request: Request) -> Iterator[Event]:
        """Yields the events of a run; leaving the iterator early cancels it.

        Raises:
            InksealError: as `run`, after the `Failed` event.
        """
        events: queue.Queue[Event | BaseException | None] = queue.Queue(maxsize=1024)
        left = threading.Event()
        language = current_language()

        def emit(event: Event) -> None:
            while not left.is_set():
                try:
                    return events.put(event, timeout=0.1)
                except queue.Full:  # a slow reader; look again whether it is still there
                    continue

        def work() -> None:
            outcome: BaseException | None = None
            try:
                with use_language(language):
                    self.run(request, emit, left)
            except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
                outcome = error
            emit_end(outcome)

        def emit_end(outcome: BaseException | None) -> None:
            while not left.is_set():
                try:
                    return events.put(outcome, timeout=0.1)
                except queue.Full:
                    continue

        thread = threading.Thread(target=work, name="inkseal-run", daemon=True)
        thread.start()
        try:
            while (item := events.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            left.set()
            thread.join()

    def embed(self, texts: Sequence[str], model: str = "embedding") -> "NDArray[Any]":
        """Returns (B, D) float32 rows of length 1: texts of like meaning, in whatever language, point alike.

        Raises:
            ModelMissing: the model is not on this machine.
        """
        return self.embed_counted(texts, model)[0]

    def embed_counted(self, texts: Sequence[str], model: str = "embedding") -> "tuple[NDArray[Any], int | None]":
        """Returns the rows of `embed`, and the number of tokens that were read; None when the engine does not tell."""
        with self.engines.lease(self.engines.local_model(model), "embed", ignore) as engine:
            if not isinstance(engine, EmbeddingEngine):
                raise Unsupported(say(f"{model!r} does not embed.", f"{model!r} 不能做向量化。"))
            rows = engine.embed(texts)
            try:
                return rows, engine.count_tokens(texts)
            except Unsupported:
                return rows, None

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of tokens of the prompt, as the model is given it when no check redacts it.

        Raises:
            ModelMissing: the model is not on this machine.
            Unsupported: it does not generate.
        """
        model = self.engines.local_model(request.model)
        with self.engines.lease(model, "generate", ignore) as engine:
            if not isinstance(engine, GenerativeEngine):
                raise Unsupported(say(f"{model.name!r} cannot generate.", f"{model.name!r} 不能生成内容。"))
            return engine.count_tokens(request)

    def inspect(self, texts: Sequence[str], stage: Stage = "prompt") -> list[Verdict]:
        """Returns what each check of the installation says of the texts; nothing is recorded."""
        parts = tuple(Part(text=text) for text in texts)
        return [check.inspect(parts, stage) for check in self._checks() if stage in check.stages]

    def try_checks(self, text: str, origin: Origin, stage: Stage) -> Trial:
        """Returns what each check of the installation says of one text by itself, and all together; records nothing."""
        return trial(self._checks, Part(text=text, origin=origin), stage)

    def visible_label(self, request: Request) -> str:
        """Returns the label that a result of the request must be shown with; empty without a regime."""
        language = current_language()
        return " · ".join(visible_wordings(request.regime or self.settings.regime, language))

    def export(
        self,
        artifact_id: str,
        path: Path,
        *,
        format: str = "",
        regime: Regime | None = None,
        agreed_by: str | None = None,
    ) -> ExportReport:
        """Writes an artifact to a file, labelled as its regime asks.

        Args:
            artifact_id: which one.
            path: where to; the suffix names the format when `format` is empty.
            format: a writer's name.
            regime: another regime than the artifact's.
            agreed_by: who takes the duty of labelling upon them; then the file has no labels, and that is logged.

        Raises:
            InvalidRequest: the format is unknown, or the artifact is withdrawn.
        """
        unlabelled = agreed_by is not None
        return export_file(
            self.sealer,
            artifact_id,
            Path(path),
            format=format,
            regime="none" if unlabelled else regime,
            agree_unlabelled=unlabelled,
            agreed_by=agreed_by or "",
        )

    def export_bytes(
        self, artifact_id: str, format: str, regime: Regime | None = None, *, owner: str | None = None
    ) -> tuple[bytes, ExportReport]:
        """Returns an artifact as a labelled file's bytes; with an owner, only of theirs.

        Raises:
            UnknownName: there is no such artifact or format.
            InvalidRequest: the artifact is withdrawn, or the regime is "none".
        """
        with self.store.reading() as session:
            artifacts.row(session, artifact_id, owner=owner)
        return export_bytes(self.sealer, artifact_id, format, regime)

    def unaltered_bytes(self, artifact_id: str, format: str, *, owner: str | None = None) -> bytes:
        """Returns an artifact as a file that shows it as it was made; its marks change nothing that is seen.

        Raises:
            UnknownName: there is no such artifact or format.
        """
        found = self.manifest(artifact_id, owner=owner).manifest
        if found.regime == "none":
            writer = modalities[found.modality]().writers()[format]()
            return writer.write(Rendering(content=self.content(artifact_id, owner=owner), title="", language=""))
        return export_bytes(self.sealer, artifact_id, format, visible=False)[0]

    def verify(self, data: bytes, name: str = "", *, owner: str | None = None) -> Verification:
        """Says which marks a file or pasted text carries, whether they hold, and whether it was made here.

        Args:
            data: the bytes of the file, or of the text in UTF-8.
            name: the file's name, where there is one.
            owner: whose artifacts a likeness may name; anybody's when absent.
        """
        found = verify_bytes(self.sealer, data, name=name, owner=owner)
        embedder = self.meaning.embedder()
        # Meaning takes a model to look up, and can say no more than "similar": it is asked last.
        if found.relation == "not_found" and not found.intact and embedder is not None and not _is_picture(found):
            self.meaning.catch_up(owner=owner)
            return verify_bytes(self.sealer, data, name=name, embedder=embedder, owner=owner)
        return found

    def manifest(self, artifact_id: str, *, owner: str | None = None) -> SignedManifest:
        """Returns the story of an artifact: model, backend, seed, checks, usage; its signature is checked.

        With an owner, the artifacts of others do not exist.

        Raises:
            UnknownName: there is no such artifact.
            TrustError: the manifest was changed.
        """
        with self.store.reading() as session:
            artifacts.row(session, artifact_id, owner=owner)
            return self.sealer.load(session, artifact_id)

    def content(self, artifact_id: str, *, owner: str | None = None) -> bytes:
        """Returns the content of an artifact, proved by its hash; with an owner, only of theirs.

        Raises:
            UnknownName: there is none.
            Deleted: it was deleted.
        """
        with self.store.reading() as session:
            if artifacts.row(session, artifact_id, owner=owner).state == "deleted":
                raise artifacts.gone(artifact_id)
        return self.store.blobs.get(self.manifest(artifact_id, owner=owner).manifest.content_sha256)

    def verify_ledger(self, since: Head | None = None) -> Report:
        """Finds every edit, removal and reordering in the ledger; `since` is a head kept elsewhere."""
        with self.store.reading() as session:
            return self.sealer.ledger.verify(session, since)

    def search(self, query: str, limit: int = 20, *, owner: str | None = None) -> list[Artifact]:
        """Returns artifacts that hold words of the query, best first; the newest when the query is empty.

        With an owner, only theirs.
        """
        with self.store.reading() as session:
            if not query.strip():
                return artifacts.newest(session, limit=limit, owner=owner)
            found = words.search(session, segment(query), limit, owner=owner)
            return [artifacts.get(session, artifact_id) for artifact_id in found]

    def close(self) -> None:
        """Frees all engines and the data folder."""
        self.meaning.close()
        self.engines.pool.close()
        self.store.close()

    def _checks(self, settings: Settings | None = None) -> list[Check]:
        """Returns the installation's checks, fresh for one run, with the resources they ask for."""
        available, config = resources(self.engines), (settings or self.settings).checks
        return [_check(name, config.get(name, {}), available) for name in checks]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check(name: str, config: dict[str, Any], available: dict[str, Any]) -> Check:
    kind = checks[name]
    given = {need: available[need] for need in kind.needs if need in available}
    return kind(configure(kind.config, config, f"checks.{name}"), **given)


def _is_picture(found: Verification) -> bool:
    return found.media_type.startswith("image/")


def _remote(settings: Settings) -> dict[str, LocalModel]:
    return remote_models({} if settings.offline else settings.providers)
