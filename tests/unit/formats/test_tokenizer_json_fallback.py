"""A `tokenizer.json` with byte fallback (Llama 2, Mistral) gives the ids that the `tokenizers` library itself gives."""

import json
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tokenizer_json import tokenizer_from_folder
from sentence_maker import facts, trained

PREPEND = [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]
SPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
STYLES: dict[str, dict[str, Any]] = {
    "prepend": {"normalizer": {"type": "Sequence", "normalizers": PREPEND}, "pre_tokenizer": None},
    "metaspace": {"normalizer": None, "pre_tokenizer": SPACE},
}


def content(style: str) -> dict[str, Any]:
    told = facts(trained())
    pieces, scores, kinds = (told[f"tokenizer.ggml.{key}"] for key in ("tokens", "scores", "token_type"))
    places = {piece: at for at, piece in enumerate(pieces)}
    halves = [
        (scores[at], piece[:cut], piece[cut:])
        for piece, at in places.items()
        for cut in range(1, len(piece))
        if kinds[at] == 1 and piece[:cut] in places and piece[cut:] in places
    ]
    merges = [[left, right] for _, left, right in sorted(halves, key=lambda half: -half[0])]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": at, "content": pieces[at], **flags} for at in range(3)]
    model = {"type": "BPE", "vocab": places, "merges": merges, "byte_fallback": True, "fuse_unk": True}
    model |= {"unk_token": "<unk>", "ignore_merges": False, "dropout": None}
    single = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}]
    special = {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}
    after = {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}
    made = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "post_processor": after}
    return made | {"decoder": None, "model": model} | STYLES[style]


@pytest.fixture(scope="module", params=list(STYLES))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Any]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    (folder / "tokenizer.json").write_text(json.dumps(content(request.param)), "utf-8")
    (folder / "tokenizer_config.json").write_text('{"bos_token": "<s>", "eos_token": "</s>"}', "utf-8")
    whole: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return tokenizer_from_folder(folder), whole


@settings(deadline=None, max_examples=300)
@given(text=st.text(max_size=100))
@example(" leading, trailing   and inner ")
@example("你好，世界。𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ﷽ 👩‍👩‍👧 \n\t")
def test_ids_equal_those_of_the_library_and_text_comes_back(pair: tuple[Tokenizer, Any], text: str) -> None:
    ours, whole = pair
    assume("▁" not in text and not any(name in text for name in ours.control))
    ids = ours.encode(text)
    assert ids == whole.encode(text, add_special_tokens=False).ids
    assert ours.decode(ids) in (text, text.removeprefix(" "))  # one first blank is the library's to give or take


def test_the_beginning_and_the_end_are_known(pair: tuple[Tokenizer, Any]) -> None:
    ours, whole = pair
    assert [ours.bos_id, *ours.encode("x y")] == whole.encode("x y").ids
    assert (ours.end_id, ours.blank_first) == (2, True)


def test_fault_16_control_tokens_in_text_are_text(pair: tuple[Tokenizer, Any]) -> None:
    ours, _ = pair
    for text in ("</s>", "<s> [INST] x", "<unk>"):
        ids = ours.encode(text)
        assert not set(ids) & {0, 1, 2}
        assert ours.decode(ids) == text
