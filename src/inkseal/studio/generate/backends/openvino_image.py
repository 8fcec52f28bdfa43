"""Draws pictures with our own model on CPU: text condition, noise from the seed, solver, decoder; without torch.

Which pictures are drawn together changes their numbers by rounding at most; equal requests give equal bytes.
"""

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from inkseal.catalog.verify import verify_files
from inkseal.core.config import ComponentConfig
from inkseal.core.errors import Cancelled, EngineFailed, ModelFileRefused, ModelMissing, Unsupported
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Backend, Cancel, EmbeddingEngine, LocalModel
from inkseal.core.types import Chunk, Request, Usage
from inkseal.core.versions import version
from inkseal.formats.openvino_core import core, silence_telemetry
from inkseal.formats.picture_model import (
    DECODER,
    ENCODER,
    NEEDED,
    TRANSFORMER,
    WEIGHTS,
    PictureModel,
    read_picture_model,
)
from inkseal.formats.shared_weights import read_graph
from inkseal.formats.text_condition import assemble_condition, condition_texts
from inkseal.modalities.image.png import png_bytes
from inkseal.modalities.image.request import ImageRequest
from inkseal.studio.generate.backends._openvino_image_plan import Plan, image_request, settle
from inkseal.studio.generate.diffusion.guidance import guided
from inkseal.studio.generate.diffusion.times import times
from inkseal.studio.generate.enlarging import Enlarger, forecast_bytes
from inkseal.studio.generate.picture_fit import PictureFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUNTIME_BYTES = 150_000_000
WIDENED = 3
"""Half-precision weights take so many times their file: as read, and twice as wide once compiled."""
ROW_BYTES = 12_000_000
"""Activations of one picture, with and without its condition."""


class OpenvinoImageConfig(ComponentConfig):
    """How pictures are drawn."""

    batch: int = Field(4, ge=1, le=16, description="Most results drawn at once; more cost memory, not time.")


class OpenvinoImage:
    """Draws pictures from prompts in Chinese and English with our own diffusion transformer, on the CPU."""

    name: ClassVar[str] = "openvino_image"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})
    config: ClassVar[type[ComponentConfig]] = OpenvinoImageConfig
    needs: ClassVar[frozenset[str]] = frozenset({"embedding_model", "upscaler_model"})

    def __init__(self, config: ComponentConfig, embedding_model: str = "", upscaler_model: str = "") -> None:
        """Takes the models that read prompts and that enlarge pictures, as JSON; empty when they are not here."""
        self._config = OpenvinoImageConfig.model_validate(config.model_dump())
        self._embedding_model = embedding_model
        self._upscaler_model = upscaler_model

    def fits(self, model: LocalModel) -> str | None:
        """Returns None for a folder that `inkseal publish` made of a picture model, else the reason."""
        if model.task != "generate" or model.format != "openvino":
            return say("It draws with picture models published here.", "只运行本项目发布的图片模型。")
        if not model.files.keys() >= NEEDED:
            missing = ", ".join(sorted(NEEDED - model.files.keys()))
            return say(f"The model has no {missing}.", f"模型缺少 {missing}。")
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need: both networks, a batch, and the model that embeds prompts."""
        weights = (model.folder / WEIGHTS).stat().st_size
        beside = forecast_bytes(LocalModel.model_validate_json(self._upscaler_model)) if self._upscaler_model else 0
        if self._embedding_model:
            embedding = LocalModel.model_validate_json(self._embedding_model)
            beside += _embedder_of(embedding).forecast_bytes(embedding)
        return WIDENED * weights + RUNTIME_BYTES + self._config.batch * ROW_BYTES + beside

    def facts(self) -> dict[str, Any]:
        """Returns the versions and the config that decide the results besides model and request."""
        return {name: version(name) for name in ("openvino", "numpy", "pillow")} | self._config.model_dump()

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> "OpenvinoImageEngine":
        """Proves the files, compiles both networks and loads the model that embeds prompts.

        Raises:
            ModelMissing: the embedding model is not here.
            ModelFileRefused: a file is not the recorded one, or the embedding is another than the one trained with.
        """
        silence_telemetry()
        verify_files(model.folder, model.files, cancel)
        facts = read_picture_model(model.folder)
        embedding = self._embedding(facts)
        properties = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        transformer, decoder = (
            core().compile_model(read_graph(model.folder, name, WEIGHTS), "CPU", properties)
            for name in (TRANSFORMER, DECODER)
        )
        embedder = _embedder_of(embedding).load(embedding, threads, on_event, cancel)
        assert isinstance(embedder, EmbeddingEngine)
        enlarger = None
        if self._upscaler_model:
            enlarger = Enlarger(LocalModel.model_validate_json(self._upscaler_model), threads, cancel)
        fit = PictureFit(model.folder, threads) if model.files.keys() >= ENCODER else None
        return OpenvinoImageEngine(model, facts, transformer, decoder, embedder, enlarger, fit, self._config.batch)

    def _embedding(self, facts: PictureModel) -> LocalModel:
        if not self._embedding_model:
            raise ModelMissing(
                say(
                    f"The model that reads prompts, {facts.embedding!r}, is not on this machine.",
                    f"本机没有读取提示词的模型 {facts.embedding!r}。",
                ),
                fix=say("Run: inkseal models pull embedding", "请运行：inkseal models pull embedding"),
            )
        found = LocalModel.model_validate_json(self._embedding_model)
        if found.sha256 != facts.embedding_sha256:
            raise ModelFileRefused(
                say(
                    f"The picture model was trained with another embedding than {found.name!r}.",
                    f"图片模型训练时所用的向量模型不是 {found.name!r}。",
                ),
                fix=say(f"It needs {facts.embedding}.", f"它需要 {facts.embedding}。"),
            )
        return found


class _Drawn(NamedTuple):
    """A picture [H, W, 3] of a result, and how well it fits the prompt."""

    result: int
    fit: float
    pixels: "NDArray[np.uint8]"


class OpenvinoImageEngine:
    """Implements `GenerativeEngine`."""

    def __init__(
        self,
        model: LocalModel,
        facts: PictureModel,
        transformer: Any,
        decoder: Any,
        embedder: EmbeddingEngine,
        enlarger: Enlarger | None,
        fit: PictureFit | None,
        batch: int,
    ) -> None:
        self.model = model
        self._facts = facts
        self._transformer = transformer
        self._decoder = decoder
        self._embedder = embedder
        self._enlarger = enlarger
        self._fit = fit
        self._batch = batch
        self._lock = threading.Lock()
        self._enlarging = threading.Lock()
        self._closed = False

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields one chunk a result, a whole PNG; see `GenerativeEngine.generate`."""
        begun = time.monotonic()
        asked = image_request(request)
        plan = settle(asked, self._facts)
        self._refuse(plan)
        reported = plan.told()
        if plan.enlarged and (enlarger := self._enlarger) is not None:
            reported |= {"enlarged_by": enlarger.model.name, "enlarged_by_sha256": enlarger.model.sha256}
        first: float | None = None
        left = list(range(asked.n))
        try:
            for drawn in self._draw(plan, asked, cancel):
                if isinstance(drawn, Chunk):
                    yield drawn
                    continue
                data = png_bytes(self._enlarged(drawn.pixels, plan.enlarged, cancel))
                first = first or time.monotonic() - begun
                if plan.candidates > 1:
                    reported |= {"candidates": plan.candidates, f"fit_{drawn.result + 1}": round(drawn.fit, 4)}
                left.remove(drawn.result)
                yield Chunk(index=drawn.result, data=data, finish_reason="stop")
        except Cancelled:
            for index in left:
                yield Chunk(index=index, finish_reason="cancelled")
        return Usage(
            prompt_tokens=self.count_tokens(request),
            first_chunk_seconds=first,
            total_seconds=time.monotonic() - begun,
            reported=reported,
        )

    def count_tokens(self, request: Request) -> int:
        """Returns how many tokens of the prompt are read: of the whole, and of its words once more."""
        texts = condition_texts(image_request(request).prompt)
        return self._embedder.count_tokens(texts) if texts else 0

    def close(self) -> None:
        """Frees the networks."""
        with self._lock:
            self._closed = True
            self._transformer = self._decoder = self._fit = self._enlarger = None
        self._embedder.close()

    def _refuse(self, plan: Plan) -> None:
        with self._lock:
            if self._closed:  # what it lacks now says nothing of the model
                raise _closed()
            if plan.enlarged and self._enlarger is None:
                raise _no_enlarger()
            if plan.candidates > 1 and self._fit is None:
                raise _no_encoder()

    def _condition(self, prompt: str) -> "NDArray[np.float32]":
        """Returns the condition [9, D]; all zeros for a prompt of blanks."""
        texts = condition_texts(prompt)
        if not texts:
            return np.zeros((self._facts.num_tokens, self._facts.text_width), np.float32)
        vectors = self._embedder.embed(texts)
        return assemble_condition(texts, dict(zip(texts, vectors, strict=True)))

    def _draw(self, plan: Plan, asked: ImageRequest, cancel: Cancel) -> "Iterator[Chunk | _Drawn]":
        """Yields how much of each result is done, after every step, and each result's best picture.

        Raises:
            Cancelled: it was asked to stop; what was yielded is whole.
        """
        condition = self._condition(asked.prompt)
        tries = list(product(range(asked.n), range(plan.candidates)))
        best: dict[int, _Drawn] = {}
        for start in range(0, len(tries), self._batch):
            together = tries[start : start + self._batch]
            before = dict(reversed(together))  # of each result, the first candidate that is drawn now
            latents: Any = noise_of(asked.seed or 0, together, self._facts.latent)
            for done, reached in enumerate(self._solved(plan, condition, latents, cancel), 1):
                latents = reached
                for index in sorted(before):
                    now = sum(one == index for one, _ in together)
                    yield Chunk(index=index, progress=(before[index] + now * done / plan.steps) / plan.candidates)
            pixels = self._infer(self._decoder, latents)[0].clip(-1, 1)  # as anybody will see them
            fits = self._fits(plan, condition, pixels)
            for (index, candidate), fit, picture in zip(together, fits, to_bytes(pixels), strict=True):
                if index not in best or fit > best[index].fit:
                    best[index] = _Drawn(index, fit, picture)
                if candidate + 1 == plan.candidates:
                    yield best.pop(index)

    def _solved(self, plan: Plan, condition: "NDArray[np.float32]", noise: Any, cancel: Cancel) -> Iterator[Any]:
        """Yields the latents after every step."""
        tokens = np.repeat(condition[None], len(noise), axis=0)
        style = np.full(len(noise), plan.style, np.int64)
        mask = np.any(tokens != 0, axis=2)
        velocity = guided(self._velocities, tokens, mask, style, plan.guidance, plan.autoguidance)

        def stoppable(x: Any, t: float) -> Any:
            if cancel.is_set():
                raise Cancelled(say("The picture was stopped.", "图片生成已停止。"))
            return velocity(x, t)

        yield from plan.solver.solve(stoppable, noise, times(plan.steps))

    def _fits(self, plan: Plan, condition: "NDArray[np.float32]", pixels: Any) -> list[float]:
        """Returns how well each picture fits the prompt; zeros where nothing is to be chosen."""
        if plan.candidates == 1:
            return [0.0] * len(pixels)
        with self._lock:
            if self._fit is None:
                raise _closed()
            return [float(cosine) for cosine in self._fit.cosines(condition[0], pixels)]

    def _enlarged(self, pixels: "NDArray[np.uint8]", count: int, cancel: Cancel) -> "NDArray[np.uint8]":
        for _ in range(count):
            with self._enlarging:
                enlarger = self._enlarger  # a close does not wait for a large picture
                if enlarger is None:
                    raise _closed()
                pixels = enlarger.enlarge(pixels, cancel)
        return pixels

    def _velocities(self, x: Any, t: Any, condition: Any, mask: Any, style: Any) -> Any:
        velocity, *rough = self._infer(self._transformer, x, t, condition, mask.astype(np.float32), style)
        return velocity, rough[0] if rough else velocity

    def _infer(self, network: Any, *arrays: Any) -> "list[NDArray[np.float32]]":
        with self._lock:
            if self._closed:
                raise _closed()
            results = network([np.ascontiguousarray(array) for array in arrays])
            return [np.array(result, np.float32) for result in results.values()]


def noise_of(seed: int, tries: Sequence[tuple[int, int]], latent: tuple[int, int, int]) -> "NDArray[np.float32]":
    """Returns noise [B, C, H, W] for pairs of result and candidate, on every machine the same.

    The first candidate's is the one that the result has when no other is drawn.
    """
    entropy = ([seed, index, candidate] if candidate else [seed, index] for index, candidate in tries)
    generators = (np.random.Generator(np.random.PCG64(numbers)) for numbers in entropy)
    return np.stack([generator.standard_normal(latent, dtype=np.float32) for generator in generators])


def to_bytes(pixels: "NDArray[np.float32]") -> "NDArray[np.uint8]":
    """Returns pictures [B, 3, H, W] in [-1, 1] as [B, H, W, 3]; what leaves the range is cut."""
    bytes_ = np.clip(np.rint((pixels + 1) * 127.5), 0, 255).astype(np.uint8)
    return np.asarray(bytes_.transpose(0, 2, 3, 1))


def _embedder_of(model: LocalModel) -> Backend:
    """Returns the backend that embeds with a model.

    Raises:
        ModelMissing: none can.
    """
    from inkseal.studio.generate.backends import backends

    for kind in backends.values():
        if "embed" in kind.tasks and (backend := kind(kind.config())).fits(model) is None:
            return backend
    raise ModelMissing(
        say(f"No backend here embeds with {model.name!r}.", f"这里没有后端能用 {model.name!r} 做向量化。")
    )


def _no_enlarger() -> ModelMissing:
    return ModelMissing(
        say("The model that enlarges pictures is not on this machine.", "本机没有放大图片的模型。"),
        fix=say("Run: inkseal models pull upscaler", "请运行：inkseal models pull upscaler"),
    )


def _no_encoder() -> Unsupported:
    return Unsupported(
        say("This model has no encoder to choose among candidates with.", "该模型没有用来挑选候选图的编码器。"),
        fix=say("Ask for one candidate.", "请把候选张数设为 1。"),
    )


def _closed() -> EngineFailed:
    return EngineFailed(say("The engine was closed.", "引擎已关闭。"))
