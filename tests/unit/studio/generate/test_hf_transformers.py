"""The torch backend on tiny random models: the library's own answers, and what it refuses to open."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import gguf_maker as make
from conftest import leave_out
from hub_maker import hub_folder
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import EngineFailed, InvalidRequest, ModelFileRefused, Unsupported
from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.core.types import Usage
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest, ToolSpec
from inkseal.studio.generate.backends.hf_transformers import HfTransformers, HfTransformersConfig

NEVER = threading.Event()
GREEDY = Sampling(temperature=0)
KEY = "5a" * 32
PROMPTS = ("hello", "a long prompt that is quite different from the others, hell", "x", "!?" * 20)


@pytest.fixture(autouse=True)
def _torch() -> None:
    if find_spec("transformers") is None or find_spec("torch") is None:
        leave_out("transformers", "pip install 'inkseal[torch]'")


def model_of(folder: Path) -> LocalModel:
    files = {path.name: hash_file(path) for path in folder.iterdir()}
    facts = {"name": "tiny", "task": "generate", "format": "safetensors", "context_tokens": 128, "licence": "MIT"}
    return LocalModel.model_validate(facts | {"folder": folder, "files": files, "sha256": "0" * 64})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            place = tmp_path_factory.mktemp(kind)
            tokens, keys = make.byte_vocabulary()
            architecture = kind.split("-")[0]
            (place / "m.gguf").write_bytes(
                make.decoder(architecture, vocabulary=len(tokens), tokens=tokens, extra=keys, num_layers=3)
            )
            changes: dict[str, Any] = {"head_dim": 16}
            if kind.endswith("-sliding"):
                changes |= {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}
            made[kind] = hub_folder(place / "m.gguf", place / "hub", dtype="F32", **changes)
        return made[kind]

    return folder


def load(folder: Path, key: str = "", **fields: Any) -> Any:
    config = HfTransformersConfig(precision="float32", **{"cache_tokens": 2048} | fields)
    return HfTransformers(config, watermark_key=key).load(model_of(folder), 1, ignore, NEVER)


@pytest.fixture(scope="module")
def engine(folders: Callable[[str], Path]) -> Iterator[Any]:
    if find_spec("transformers") is None:
        yield None
        return
    loaded = load(folders("llama"), KEY)
    yield loaded
    loaded.close()


def run(engine: Any, request: TextRequest, cancel: threading.Event = NEVER) -> tuple[list[str], Usage]:
    texts = [""] * request.n
    stream = engine.generate(request, cancel)
    while True:
        try:
            chunk = next(stream)
            texts[chunk.index] += chunk.text
        except StopIteration as end:
            return texts, end.value


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
def test_a_gguf_answers_as_the_folder_made_of_it(folders: Callable[[str], Path], kind: str, tmp_path: Path) -> None:
    folder = folders(kind)
    (tmp_path / "m.gguf").write_bytes((folder.parent / "m.gguf").read_bytes())
    fields = {"folder": tmp_path, "format": "gguf", "files": {"m.gguf": hash_file(tmp_path / "m.gguf")}}
    model = model_of(folder).model_copy(update=fields)
    backend = HfTransformers(HfTransformersConfig(precision="float32", cache_tokens=2048))
    assert backend.fits(model) is None
    assert backend.forecast_bytes(model) == backend.forecast_bytes(model_of(folder))
    of_folder, of_file = load(folder), backend.load(model, 1, ignore, NEVER)
    try:
        for prompt in PROMPTS:
            request = TextRequest.of(prompt, max_tokens=24, seed=2)
            assert run(of_file, request)[0] == run(of_folder, request)[0] != [""]
    finally:
        of_folder.close()
        of_file.close()


def library_answer(folder: Path, ids: list[int], num_tokens: int, **fields: Any) -> list[int]:
    """The tokens that `generate` of the library makes."""
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    config = transformers.GenerationConfig(max_new_tokens=num_tokens, do_sample=False, pad_token_id=0, **fields)
    config.eos_token_id = None
    given = torch.tensor([ids])
    out = model.generate(given, attention_mask=torch.ones_like(given), generation_config=config)
    return [int(token) for token in out[0, len(ids) :]]


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3", "qwen2-sliding"])
@pytest.mark.parametrize("step_tokens", [16, 256])
def test_answers_of_a_shared_batch_equal_those_of_the_library(
    folders: Callable[[str], Path], kind: str, step_tokens: int
) -> None:
    engine = load(folders(kind), step_tokens=step_tokens)
    end = engine._tokenizer.end_id
    try:
        assert engine._turns._max_results == (1 if kind == "qwen2-sliding" else 8)
        asked = [
            TextRequest.of(p, max_tokens=20 + 6 * at, sampling=Sampling(temperature=0, logit_bias={end: -1e4}))
            for at, p in enumerate(PROMPTS)
        ]
        with ThreadPoolExecutor(len(asked)) as pool:
            found = list(pool.map(lambda request: run(engine, request), asked))
        for request, (texts, usage) in zip(asked, found, strict=True):
            prompt = engine._prompt(request)
            ids = library_answer(folders(kind), prompt, request.max_tokens, suppress_tokens=[end])
            assert texts[0] == engine._tokenizer.decode(ids)
            assert (usage.prompt_tokens, usage.completion_tokens) == (len(prompt), request.max_tokens)
    finally:
        engine.close()


def test_several_results_share_one_reading_of_the_prompt(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, reads = engine._turns._batch, []
    plain = batch.read
    monkeypatch.setattr(batch, "read", lambda prompt: (reads.append(prompt), plain(prompt)))
    request = TextRequest.of("hello", max_tokens=8, n=4, seed=9, sampling=Sampling(temperature=1.5))
    texts, usage = run(engine, request)
    assert len(reads) == 1
    assert len(set(texts)) > 1
    alone = [run(engine, request.model_copy(update={"n": 1, "seed": 9 + at}))[0][0] for at in range(4)]
    assert texts == alone
    assert usage.completion_tokens <= 32


def test_more_than_fits_the_cache_waits_its_turn(folders: Callable[[str], Path]) -> None:
    engine = load(folders("llama"), cache_tokens=256)
    widths = []
    plain = engine._turns._batch.step
    engine._turns._batch.step = lambda tokens: (widths.append(len(tokens)), plain(tokens))[1]
    try:
        texts, _ = run(engine, TextRequest.of("hello", max_tokens=100, n=5, seed=1, sampling=Sampling(temperature=2)))
        assert all(texts)
        assert max(widths) == 2, "two of 106 tokens fit 256"
    finally:
        engine.close()


def test_nothing_stays_in_the_batch_after_leaving(engine: Any) -> None:
    stream = engine.generate(TextRequest.of("hello", max_tokens=100, n=2), NEVER)
    next(stream)
    assert engine._turns._batch.lengths
    stream.close()
    assert engine._turns._batch.lengths == []
    assert engine._turns._batch._cache is None


def test_a_failed_step_ends_its_requests_and_no_later_one(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(tokens: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine._turns._batch, "step", broken)
        with pytest.raises(EngineFailed, match="allocate"):
            run(engine, TextRequest.of("hello", max_tokens=9))
    assert run(engine, TextRequest.of("hello", max_tokens=9, sampling=GREEDY))[1].completion_tokens


def test_a_request_for_which_the_batch_has_no_room_hears_of_it(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(prompt: Any, *, last: bool) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine._turns._batch, "join", broken)
        with pytest.raises(EngineFailed, match="allocate"):
            run(engine, TextRequest.of("hello", max_tokens=9))
    assert run(engine, TextRequest.of("hello", max_tokens=9, sampling=GREEDY))[1].completion_tokens


def test_logits_that_are_no_numbers_are_said(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = engine._turns._batch.step
    monkeypatch.setattr(engine._turns._batch, "step", lambda tokens: plain(tokens) * float("nan"))
    with pytest.raises(EngineFailed, match="not numbers"):
        run(engine, TextRequest.of("hello", max_tokens=9, sampling=Sampling(temperature=0, logit_bias={0: 1.0})))


@pytest.mark.parametrize(
    "fields",
    [
        {"constraint": Constraint(regex="[a-z]+")},
        {"top_logprobs": 1},
        {"tools": (ToolSpec(name="look"),), "tool_choice": "required"},
        {"watermark": "unheard_of"},
        {"watermark": "synthid", "sampling": GREEDY},
    ],
)
def test_what_it_cannot_do_is_refused_with_the_reason(engine: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        next(engine.generate(TextRequest.of("hello", **fields), NEVER))


def test_the_watermark_asked_for_is_put_in_and_said(engine: Any) -> None:
    from inkseal.formats.watermarks import key_id, watermarks

    for name in watermarks:
        request = TextRequest.of("hi", max_tokens=100, seed=4, watermark=name, sampling=Sampling(temperature=1.5))
        texts, usage = run(engine, request)
        assert (usage.reported["watermark"], usage.reported["watermark_key"]) == (name, key_id(bytes.fromhex(KEY)))
        assert texts != run(engine, request.model_copy(update={"watermark": "none"}))[0]
        assert KEY not in usage.model_dump_json()
    auto = TextRequest.of("hi", max_tokens=2, sampling=Sampling(temperature=1))
    assert run(engine, auto)[1].reported["watermark"] == "synthid"
    assert "watermark" not in run(engine, auto.model_copy(update={"sampling": GREEDY}))[1].reported
    assert "watermark" not in run(engine, auto.model_copy(update={"watermark": "none"}))[1].reported


def test_without_a_key_there_is_no_watermark(folders: Callable[[str], Path]) -> None:
    engine = load(folders("llama"))
    try:
        assert "watermark" not in run(engine, TextRequest.of("hi", max_tokens=2))[1].reported
        with pytest.raises(Unsupported):
            next(engine.generate(TextRequest.of("hi", watermark="kgw"), NEVER))
    finally:
        engine.close()


@pytest.fixture
def changed(folders: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of the folder with other entries in config.json; None takes one away."""

    def copy(**entries: Any) -> Path:
        folder = tmp_path / "m"
        shutil.copytree(folders("llama"), folder)
        facts = json.loads((folder / "config.json").read_text()) | entries
        (folder / "config.json").write_text(json.dumps({k: v for k, v in facts.items() if v is not None}))
        return folder

    return copy


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"auto_map": {"AutoModelForCausalLM": "evil.Model"}}, "own code"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ({"num_hidden_layers": 12}, "promises"),
        ({"vocab_size": 1_000_000}, "promises"),
        ({"hidden_size": "many"}, "config.json"),
        ({"num_hidden_layers": 2}, "do not fit"),
        ({"hidden_size": 32}, "refused"),
    ],
)
def test_a_folder_that_is_not_what_it_says_is_refused(
    changed: Callable[..., Path], entries: dict[str, Any], match: str
) -> None:
    with pytest.raises(ModelFileRefused, match=match):
        load(changed(**entries))


@pytest.mark.parametrize("entries", [{"model_type": "papyrus"}, {"quantization_config": {"quant_method": "gptq"}}])
def test_a_kind_that_transformers_lacks_is_said(changed: Callable[..., Path], entries: dict[str, Any]) -> None:
    with pytest.raises((Unsupported, InvalidRequest)):
        load(changed(**entries))


def test_entries_that_name_other_code_and_files_have_no_effect(changed: Callable[..., Path]) -> None:
    names = {"_attn_implementation": "owner/kernel", "attn_implementation": "owner/kernel", "_name_or_path": "owner/m"}
    folder = changed(**names, transformers_weights="other.safetensors", fusion_config={"patch_embeddings": True})
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/other"}')
    (folder / "modeling_llama.py").write_text("raise SystemExit('ran')")
    engine = load(folder)
    try:
        assert engine._turns._batch._model.config._attn_implementation == "sdpa"
        assert run(engine, TextRequest.of("hi", max_tokens=2))[1].completion_tokens
    finally:
        engine.close()


def test_a_changed_file_is_refused_before_it_is_used(folders: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(folders("llama"), tmp_path / "m")
    model = model_of(tmp_path / "m")
    with (tmp_path / "m" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(ModelFileRefused, match="SHA-256"):
        HfTransformers(HfTransformersConfig()).load(model, 1, ignore, NEVER)


def test_pickles_are_no_weights(folders: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(folders("llama"), tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").rename(tmp_path / "m" / "pytorch_model.bin")
    with pytest.raises(ModelFileRefused):
        load(tmp_path / "m")


def test_a_device_that_is_not_there_is_said(folders: Callable[[str], Path]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(Unsupported, match="cuda"):
        load(folders("llama"), device="cuda")


def test_the_forecast_covers_weights_and_cache(folders: Callable[[str], Path]) -> None:
    folder = folders("llama")
    values = 2 * 3 * 2 * 16  # keys and values, layers, heads, width
    size = (folder / "model.safetensors").stat().st_size
    forecast = HfTransformers(HfTransformersConfig(precision="float32", cache_tokens=1000)).forecast_bytes(
        model_of(folder)
    )
    assert 0 <= forecast - 600_000_000 - values * 1000 * 4 <= size
    half = HfTransformers(HfTransformersConfig(precision="bfloat16", cache_tokens=1000)).forecast_bytes(
        model_of(folder)
    )
    assert (half - 600_000_000) * 2 == pytest.approx(forecast - 600_000_000, abs=4)
