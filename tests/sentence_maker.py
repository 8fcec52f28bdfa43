"""Trains SentencePiece vocabularies for tests, and gives them in the form that GGUF files have."""

import io
import struct
from typing import Any

import sentencepiece as library

import gguf_maker as make
from inkseal.formats.perplexity import LANGUAGES, held_out_text

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)


def trained(**options: Any) -> Any:
    """Returns a library's tokenizer, trained here as those of Llama 2 and Mistral were."""
    model = io.BytesIO()
    lines = [line for language in LANGUAGES for line in held_out_text(language).splitlines()]
    lines += ["def add(a, b):\n    return a + b", "aaaa aaa aa a", "    deep\t\tblanks        here"] * 20
    library.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="bpe",
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        byte_fallback=True,
        character_coverage=0.98,
        minloglevel=2,
        num_threads=1,
        **{"vocab_size": 2_000, "allow_whitespace_only_pieces": True, "split_digits": True} | options,
    )
    return library.SentencePieceProcessor(model_proto=model.getvalue())


def facts(processor: Any, users: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    """Returns the vocabulary as the metadata of a GGUF has it; the library does not say which pieces are the users'."""
    places = range(processor.get_piece_size())

    def kind(place: int) -> int:
        if processor.is_unknown(place):
            return UNKNOWN
        if processor.is_control(place):
            return CONTROL
        if processor.is_byte(place):
            return BYTE
        piece = processor.id_to_piece(place)
        return USER if piece in users else UNUSED if processor.is_unused(place) else NORMAL

    found = {
        "model": "llama",
        "tokens": [processor.id_to_piece(place) for place in places],
        "scores": [processor.get_score(place) for place in places],
        "token_type": [kind(place) for place in places],
        "bos_token_id": processor.bos_id(),
        "eos_token_id": processor.eos_id(),
        "unknown_token_id": processor.unk_id(),
    }
    return {f"tokenizer.ggml.{key}": value for key, value in (found | changes).items()}


def keys(processor: Any) -> list[bytes]:
    """Returns the vocabulary as entries of a file, but for the pieces themselves when a decoder brings them."""
    told = facts(processor)
    scores, kinds = told["tokenizer.ggml.scores"], told["tokenizer.ggml.token_type"]
    name = "tokenizer.ggml."
    return [
        make.key(name + "model", make.STRING, make.text("llama")),
        make.key(name + "scores", make.ARRAY, struct.pack(f"<IQ{len(scores)}f", make.F32, len(scores), *scores)),
        make.key(name + "token_type", make.ARRAY, struct.pack(f"<IQ{len(kinds)}I", make.U32, len(kinds), *kinds)),
        make.u32(name + "eos_token_id", processor.eos_id()),
        make.u32(name + "bos_token_id", processor.bos_id()),
    ]
