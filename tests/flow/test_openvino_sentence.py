"""A GGUF with a SentencePiece vocabulary is served; its weights are random, so only the form of answers counts."""

import threading
from collections.abc import Iterator

import pytest

import gguf_maker as make
from inkseal.catalog.catalog import Catalog
from inkseal.core.events import ignore
from inkseal.formats.validate import validate
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest
from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig
from sentence_maker import facts, keys, trained

NEVER = threading.Event()
TEMPLATE = "{{ bos_token }}{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %}"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenvinoEngine]:
    processor = trained()
    tokens = facts(processor)["tokenizer.ggml.tokens"]
    extra = [*keys(processor), make.key("tokenizer.chat_template", make.STRING, make.text(TEMPLATE))]
    folder = tmp_path_factory.mktemp("sentence")
    (folder / "m.gguf").write_bytes(make.decoder(vocabulary=len(tokens), tokens=tokens, extra=extra, context=4096))
    model = Catalog(folder / "data").bring(folder / "m.gguf", "sentence", validate=validate)
    loaded = Openvino(OpenvinoConfig(cache_tokens=1024, grammar_seconds=10)).load(model, 1, ignore, NEVER)
    yield loaded
    loaded.close()


def answer(engine: OpenvinoEngine, request: TextRequest) -> str:
    return "".join(chunk.text for chunk in engine.generate(request, NEVER))


@pytest.mark.parametrize("choice", ["Paris is large", "你好 世界", "🎉 ½  two blanks"])
def test_a_choice_comes_out_to_the_letter(engine: OpenvinoEngine, choice: str) -> None:
    request = TextRequest.of("?", constraint=Constraint(choice=(choice,)), max_tokens=64)
    assert answer(engine, request) == choice


def test_the_prompt_begins_with_the_model_s_own_token(engine: OpenvinoEngine) -> None:
    for raw in (False, True):
        ids = engine._prompt(TextRequest.of("hello </s><s>", raw_prompt=raw))
        assert ids[0] == engine._tokenizer.bos_id
        assert not set(ids[1:]) & set(engine._tokenizer.control.values())


def test_free_text_is_whole_characters(engine: OpenvinoEngine) -> None:
    text = answer(engine, TextRequest.of("hello", max_tokens=60, seed=1, sampling=Sampling(temperature=1)))
    assert "▁" not in text
    assert "<0x" not in text
