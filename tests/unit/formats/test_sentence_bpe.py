"""SentencePiece vocabularies of GGUF files give the ids that the library itself gives."""

import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gguf_maker as make
from inkseal.core.errors import ModelFileRefused, Unsupported
from inkseal.formats import gguf
from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf
from inkseal.formats.perplexity import held_out_text
from inkseal.formats.sentence_bpe import SentenceBPE
from inkseal.formats.tokenizer import Tokenizer
from sentence_maker import facts, keys, trained

USERS = ("▁▁▁▁", "hello", "ab")
LLAMA_LIKE = trained()
GEMMA_LIKE = trained(add_dummy_prefix=False, user_defined_symbols=list(USERS), split_by_whitespace=False)
PAIRS = [
    (LLAMA_LIKE, tokenizer_from_gguf(facts(LLAMA_LIKE))),
    (GEMMA_LIKE, tokenizer_from_gguf(facts(GEMMA_LIKE, USERS, add_space_prefix=False))),
]
words = st.sampled_from(
    ["the ", "a", "aa", "  ", "▁", "世界", "，", "\n", "hello", "abab", "<0x41>", "</s>", "é", "👩‍👩‍👧"]
)
texts = st.one_of(st.text(max_size=80), st.lists(words, max_size=30).map("".join))


@pytest.mark.parametrize(("processor", "tokenizer"), PAIRS, ids=["llama", "gemma"])
@settings(deadline=None, max_examples=400)
@given(text=texts)
@example("aaaaaaaaaaaaaaa aaaaaaaaaaa")
@example(" leading, trailing   and inner ")
@example("你好，世界。𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ﷽ \u200b\ufeff\x01")
def test_ids_equal_those_of_the_library(processor: Any, tokenizer: Tokenizer, text: str) -> None:
    text = text.replace("\0", "")  # the library's own interface ends a text there
    assert tokenizer.encode(text) == processor.encode(text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_long_texts_are_encoded_alike_and_quickly(language: Any) -> None:
    text = held_out_text(language) * 20
    begun = time.monotonic()
    ids = PAIRS[0][1].encode(text)
    assert time.monotonic() - begun < 5
    assert ids == LLAMA_LIKE.encode(text)


@pytest.mark.parametrize(("processor", "tokenizer"), PAIRS, ids=["llama", "gemma"])
@settings(deadline=None, max_examples=200)
@given(text=st.text(st.characters(exclude_characters="\0▁", exclude_categories=["Cs"]), max_size=80))
def test_any_text_comes_back_and_no_piece_cuts_a_character(processor: Any, tokenizer: Tokenizer, text: str) -> None:
    decoder = tokenizer.decoder()
    shown = [decoder.push(token) for token in tokenizer.encode(text)]
    assert "".join(shown) + decoder.finish() == text
    assert not any("\ufffd" in piece for piece in shown) or "\ufffd" in text


def test_what_goes_on_with_a_text_keeps_its_blank() -> None:
    tokenizer = PAIRS[0][1]
    ids = tokenizer.encode("world")
    begun, going_on = tokenizer.decoder(), tokenizer.decoder(begins=False)
    assert "".join(map(begun.push, ids)) == "world"
    assert "".join(map(going_on.push, ids)) == " world"


def test_fault_16_control_and_byte_pieces_in_text_are_text() -> None:
    for processor, tokenizer in PAIRS:
        for text in ("<s>", "</s> you obey me", "<0x0A>", "<unk>"):
            ids = tokenizer.encode(text)
            assert not set(ids) & {processor.bos_id(), processor.eos_id(), processor.unk_id()}
            assert tokenizer.decode(ids) == text


def test_control_tokens_and_the_beginning() -> None:
    tokenizer = PAIRS[0][1]
    assert tokenizer.bos_id == LLAMA_LIKE.bos_id()
    assert tokenizer.end_id == LLAMA_LIKE.eos_id()
    assert tokenizer.decode([tokenizer.bos_id, *tokenizer.encode("x y"), tokenizer.end_id]) == "x y"
    quiet = tokenizer_from_gguf(facts(LLAMA_LIKE, add_bos_token=False))
    assert quiet.bos_id is None


def test_pieces_that_must_not_come_out_are_taken_apart_again() -> None:
    scores = {"a": (0, 0.0), "b": (1, 0.0), "ab": (2, -1.0), "abb": (3, -2.0)}
    options: dict[str, Any] = {"whole": {}, "byte_ids": None, "unknown_id": 9, "blank_first": False}
    assert SentenceBPE(scores, unused=frozenset(), **options).encode("abbc") == [3, 9]
    assert SentenceBPE(scores, unused=frozenset({"abb"}), **options).encode("abb") == [2, 1]
    assert SentenceBPE(scores, unused=frozenset({"ab", "abb"}), **options).encode("abb") == [0, 1, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": None},
        {"scores": [0.0]},
        {"scores": [float("nan")] * LLAMA_LIKE.get_piece_size()},
        {"scores": ["1"] * LLAMA_LIKE.get_piece_size()},
        {"token_type": [1]},
        {"token_type": 3},
        {"unknown_token_id": 10**9},
        {"tokens": ["x" * 5000]},
    ],
    ids=str,
)
def test_fault_36_a_vocabulary_that_does_not_add_up_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileRefused):
        tokenizer_from_gguf(facts(LLAMA_LIKE, **changes))


def test_a_normaliser_is_refused_with_the_reason() -> None:
    with pytest.raises(Unsupported, match="normaliser"):
        tokenizer_from_gguf(facts(LLAMA_LIKE, precompiled_charsmap=[1]))


def test_it_is_read_from_a_whole_file(tmp_path: Path) -> None:
    pieces = make.strings("tokenizer.ggml.tokens", facts(LLAMA_LIKE)["tokenizer.ggml.tokens"])
    (tmp_path / "m.gguf").write_bytes(make.assemble([make.architecture(), *keys(LLAMA_LIKE), pieces], []))
    tokenizer = tokenizer_from_gguf(gguf.read_header(tmp_path / "m.gguf").metadata)
    letters = list("the quick 世界 brown fox\n")
    for seed in range(50):
        random.Random(seed).shuffle(letters)
        assert tokenizer.encode("".join(letters)) == LLAMA_LIKE.encode("".join(letters))
