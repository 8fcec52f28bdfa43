"""What every backend must do; a new one is tested by being there."""

import inspect
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import gguf_maker
from conftest import leave_out
from hub_maker import hub_folder
from inkseal.catalog.catalog import Catalog
from inkseal.catalog.providers import remote_models
from inkseal.core.config import ComponentConfig, Provider
from inkseal.core.errors import ContextTooLong, EngineFailed, Unsupported
from inkseal.core.events import ignore
from inkseal.core.protocols import Backend, EmbeddingEngine, Engine, GenerativeEngine, LocalModel
from inkseal.core.types import Chunk, Request, Usage
from inkseal.formats.validate import validate
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest
from inkseal.runtime.engine_process import start_engine
from inkseal.studio.engines import WORKER
from inkseal.studio.generate.backends import backends
from llama_server import llama_server

NEVER = threading.Event()
GREEDY = Sampling(temperature=0)


def echo_model(tmp: str = "/nonexistent") -> LocalModel:
    return LocalModel.model_validate(
        {"name": "echo", "task": "generate", "folder": tmp, "files": {}, "format": "echo", "context_tokens": 4096}
        | {"licence": "Apache-2.0", "sha256": "0" * 64}
    )


@pytest.fixture(scope="module", params=sorted(backends))
def backend(request: pytest.FixtureRequest) -> Backend:
    kind = backends[request.param]
    return kind(kind.config())


@pytest.fixture(scope="module")
def model(backend: Backend, request: pytest.FixtureRequest) -> LocalModel:
    own = {"openai_api": ("remote_model",), "hf_transformers": ("random_model",)}.get(backend.name, ())
    candidates = [echo_model(), *map(request.getfixturevalue, (*own, "tiny_model", "embedding_model"))]
    fitting = [model for model in candidates if backend.fits(model) is None]
    if not fitting:
        pytest.skip("no test model for this backend")
    return fitting[0]


def load(backend: Backend, model: LocalModel, place: str) -> Engine:
    if place == "here":
        return backend.load(model, 2, ignore, NEVER)
    values = {"backend": backend.name, "config": {}, "model": model.model_dump(mode="json")}
    return start_engine(WORKER, values | {"threads": 2, "memory_limit_bytes": None}, model, ignore, NEVER)


@pytest.fixture(scope="module", params=["here", "own process"])
def engine(backend: Backend, model: LocalModel, request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param != "here" and model.remote is not None:
        pytest.skip("a service needs no process here")
    loaded = load(backend, model, request.param)
    yield loaded
    loaded.close()


@pytest.fixture
def generative(engine: Engine) -> GenerativeEngine:
    if not isinstance(engine, GenerativeEngine):
        pytest.skip("does not generate")
    return engine


@pytest.fixture
def embedding(engine: Engine) -> EmbeddingEngine:
    if not isinstance(engine, EmbeddingEngine):
        pytest.skip("does not embed")
    return engine


def run(engine: GenerativeEngine, request: Request, cancel: threading.Event = NEVER) -> tuple[list[Chunk], Usage]:
    chunks: list[Chunk] = []
    stream = engine.generate(request, cancel)
    while True:
        try:
            chunks.append(next(stream))
        except StopIteration as end:
            return chunks, end.value


def texts(chunks: list[Chunk]) -> dict[int, str]:
    return {i: "".join(chunk.text for chunk in chunks if chunk.index == i) for i in {chunk.index for chunk in chunks}}


@pytest.fixture(scope="module")
def remote_model(tiny_gguf: Path) -> Iterator[LocalModel]:
    pytest.importorskip("xllamacpp", reason="left out: pip install 'inkseal[llama]'")
    with llama_server(tiny_gguf) as base_url:
        given = {"kind": "openai_api", "base_url": base_url, "engine": "llama_cpp", "allow_private": True}
        models = {"tiny": {"context_tokens": 2048}}
        yield remote_models({"far": Provider.model_validate(given | {"models": models})})["far/tiny"]


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    """A folder of safetensors for torch: random weights, every byte a token."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        leave_out("transformers", "pip install 'inkseal[torch]'")
    place = tmp_path_factory.mktemp("random")
    tokens, keys = gguf_maker.byte_vocabulary()
    made = gguf_maker.decoder("llama", vocabulary=len(tokens), tokens=tokens, extra=keys, context=8192)
    (place / "m.gguf").write_bytes(made)
    folder = hub_folder(place / "m.gguf", place / "random")
    return Catalog(place / "data").bring(folder, "random", validate=validate)


def test_the_class_says_what_it_is(backend: Backend) -> None:
    assert issubclass(backend.config, ComponentConfig)
    assert backend.tasks
    assert backend.tasks <= {"generate", "embed"}
    assert backends[backend.name] is type(backend)
    assert inspect.getdoc(type(backend))


def test_it_says_why_a_model_does_not_fit(backend: Backend) -> None:
    other = echo_model().model_copy(update={"format": "papyrus", "task": "sing"})
    assert backend.fits(other)


def test_the_forecast_is_made_before_loading(backend: Backend, model: LocalModel) -> None:
    assert backend.forecast_bytes(model) >= 0


def test_every_result_ends_with_a_reason_and_counts_add_up(generative: GenerativeEngine) -> None:
    request = TextRequest.of("Say something about 春天.", max_tokens=12, n=3, seed=5, sampling=GREEDY)
    chunks, usage = run(generative, request)
    for index in range(3):
        own = [chunk for chunk in chunks if chunk.index == index]
        assert own[-1].finish_reason is not None
        assert all(chunk.finish_reason is None for chunk in own[:-1])
    assert usage.completion_tokens == sum(chunk.num_tokens for chunk in chunks) > 0
    try:
        assert usage.prompt_tokens == generative.count_tokens(request) > 0
    except Unsupported:
        assert usage.prompt_tokens > 0
    assert usage.first_chunk_seconds is not None
    assert usage.first_chunk_seconds <= usage.total_seconds


def test_the_answer_is_never_longer_than_asked(generative: GenerativeEngine) -> None:
    chunks, usage = run(generative, TextRequest.of("Count: one two three four", max_tokens=3, sampling=GREEDY))
    assert usage.completion_tokens <= 3
    assert chunks[-1].finish_reason == "length"


def test_the_same_request_and_seed_give_the_same_answer(generative: GenerativeEngine) -> None:
    request = TextRequest.of("Tell me a story", max_tokens=16, seed=11)
    assert texts(run(generative, request)[0]) == texts(run(generative, request)[0])


def test_a_stop_string_is_not_part_of_the_answer(generative: GenerativeEngine) -> None:
    prompt = "one two three four five"
    whole = texts(run(generative, TextRequest.of(prompt, max_tokens=24, sampling=GREEDY))[0])[0]
    stop = whole[len(whole) // 2 :][:3]
    assert stop
    chunks, _ = run(generative, TextRequest.of(prompt, max_tokens=24, sampling=GREEDY, stop=(stop,)))
    assert texts(chunks)[0] == whole[: whole.index(stop)]
    assert chunks[-1].finish_reason == "stop"


def test_a_choice_is_kept_or_refused(generative: GenerativeEngine) -> None:
    request = TextRequest.of("Yes or no?", max_tokens=16, constraint=Constraint(choice=("好的", "不行")))
    try:
        found = texts(run(generative, request)[0])[0]
    except Unsupported:
        return
    assert found in ("好的", "不行")


def test_too_long_a_prompt_is_refused_before_the_first_chunk(generative: GenerativeEngine) -> None:
    with pytest.raises(ContextTooLong):
        next(generative.generate(TextRequest.of("x", max_tokens=131072), NEVER))


def test_probabilities_are_given_or_refused_never_faked(generative: GenerativeEngine) -> None:
    for fields in ({"top_logprobs": 3}, {"sampling": Sampling(logit_bias={5: 1.0})}):
        try:
            chunks, _ = run(generative, TextRequest.of("x", max_tokens=2, **fields))
        except Unsupported:
            continue
        assert "top_logprobs" not in fields, "a chunk has no place for them yet"
        assert chunks


def test_a_bias_of_tokens_steers_the_answer_or_is_refused(generative: GenerativeEngine) -> None:
    request = TextRequest.of("one two three", max_tokens=4, sampling=Sampling(temperature=0, logit_bias={100: 100.0}))
    try:
        chunks, _ = run(generative, request)
    except Unsupported:
        return
    plain = run(generative, request.model_copy(update={"sampling": GREEDY}))[0]
    said = texts(chunks)[0]
    assert said != texts(plain)[0]
    assert said == said[: len(said) // 4] * 4, "one token, four times"


@pytest.mark.parametrize("name", ["kgw", "synthid", "unheard_of"])
def test_a_watermark_that_cannot_be_put_in_is_refused(generative: GenerativeEngine, name: str) -> None:
    """No engine here was handed a key."""
    with pytest.raises(Unsupported):
        next(generative.generate(TextRequest.of("x", watermark=name), NEVER))


def test_another_modality_is_refused(generative: GenerativeEngine) -> None:
    with pytest.raises(Unsupported):
        next(generative.generate(Request(modality="mesh", messages=TextRequest.of("x").messages), NEVER))


def test_a_set_cancel_ends_every_result(generative: GenerativeEngine) -> None:
    cancel = threading.Event()
    stream = generative.generate(TextRequest.of("a b c d e f g h", max_tokens=2000, n=2), cancel)
    chunks = [next(stream)]
    cancel.set()
    chunks += list(stream)
    assert {chunk.index for chunk in chunks if chunk.finish_reason is not None} == {0, 1}


def test_closing_the_stream_is_allowed_at_any_time(generative: GenerativeEngine) -> None:
    stream = generative.generate(TextRequest.of("a b c d", max_tokens=200), NEVER)
    next(stream)
    stream.close()
    assert run(generative, TextRequest.of("a b", max_tokens=2))[0]


def test_vectors_have_length_one_and_keep_their_order(embedding: EmbeddingEngine) -> None:
    words = ["a dog", "一只狗", "", "the price of tea", "a dog"]
    rows = embedding.embed(words)
    assert rows.shape[0] == 5
    assert rows.dtype.name == "float32"
    assert abs((rows * rows).sum(1) - 1).max() < 1e-5
    assert abs(rows[0] - rows[4]).max() < 1e-6
    assert embedding.embed([]).shape[0] == 0


def test_tokens_of_texts_are_counted(embedding: EmbeddingEngine) -> None:
    one = embedding.count_tokens(["a dog"])
    assert 2 <= one < embedding.count_tokens(["a dog", "the price of tea"])
    assert embedding.count_tokens([]) == 0


@pytest.mark.parametrize("place", ["here", "own process"])
def test_a_closed_engine_says_so(backend: Backend, model: LocalModel, place: str) -> None:
    engine = load(backend, model, place)
    engine.close()
    engine.close()
    if isinstance(engine, GenerativeEngine):
        with pytest.raises(EngineFailed):
            list(engine.generate(TextRequest.of("x", max_tokens=2), NEVER))
    if isinstance(engine, EmbeddingEngine):
        with pytest.raises(EngineFailed):
            engine.embed(["x"])
