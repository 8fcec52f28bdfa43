"""Builds the tokenizer out of a GGUF file's metadata: byte-level BPE with the pre-tokenizer the model was trained with,
or SentencePiece's byte pairs with their scores.

Knows no other kinds, such as unigram or WordPiece; they are refused with the reason.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from inkseal.core.errors import ModelFileRefused, Unsupported
from inkseal.core.language import say
from inkseal.formats.sentence_bpe import SentenceBPE
from inkseal.formats.tokenizer import Encode, Tokenizer, blank_piece_bytes, byte_of, piece_bytes, rust_encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RustTokenizer

MAX_TOKENS = 1_000_000
MAX_MERGES = 2_000_000
MAX_PIECE_CHARS = 1_024
MAX_TEMPLATE_CHARS = 131_072

_UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 2, 3, 4, 5, 6
STEERS = re.compile(r"[<\[].+[>\]]", re.DOTALL)
"""User-defined tokens of this shape steer the model as control tokens do; others are shorthand for text."""

TURN_ENDS = frozenset(
    {"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_text|>", "<end_of_turn>", "</s>"}
)

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

PRE_TOKENIZERS: dict[str, tuple[str, ...]] = {
    "default": (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"),
    "gpt-2": (_GPT2,),
    "smollm": (r"\p{N}", _GPT2),
    "llama-bpe": (_WORDS % r"\p{N}{1,3}",),
    "qwen2": (_WORDS % r"\p{N}",),
}
"""Patterns of each `tokenizer.ggml.pre`; one after the other cuts the pieces that the one before left."""

_SAME_AS = {
    **dict.fromkeys(("starcoder", "refact", "command-r", "codeshell", "exaone"), "smollm"),
    **dict.fromkeys(("llama3", "llama-v3", "falcon3"), "llama-bpe"),
    **dict.fromkeys(("phi-2", "gpt2", "mpt", "olmo", "jais"), "gpt-2"),
    **dict.fromkeys(("stablelm2", "megrez", "deepseek-r1-qwen"), "qwen2"),
}
_WHOLE_WORDS_FIRST = frozenset({"llama-bpe"})
_NORMALISED = frozenset({"qwen2"})


def tokenizer_from_gguf(metadata: Mapping[str, Any], num_rows: int | None = None) -> Tokenizer:
    """Returns the tokenizer that `metadata` describes.

    Args:
        num_rows: rows of the embedding table; an id beyond them would read foreign memory or fail late.

    Raises:
        ModelFileRefused: a field is missing, too large, or does not add up.
        Unsupported: the vocabulary is of a kind that is not known here.
    """
    kind = metadata.get("tokenizer.ggml.model")
    if kind not in _ENCODERS:
        raise Unsupported(
            say(f"Vocabularies of the kind {kind!r} cannot be read yet.", f"尚不支持 {kind!r} 类型的词表。"),
            fix=say(
                "Byte-level BPE ('gpt2') and SentencePiece BPE ('llama') can.",
                "支持字节级 BPE（'gpt2'）和 SentencePiece BPE（'llama'）。",
            ),
        )
    pieces = _strings(metadata, "tokenizer.ggml.tokens", MAX_TOKENS)
    kinds = metadata.get("tokenizer.ggml.token_type") or [1] * len(pieces)
    if not isinstance(kinds, list) or len(kinds) != len(pieces):
        _refuse("tokenizer.ggml.token_type", f"≠ {len(pieces)}")
    if num_rows is not None and len(pieces) > num_rows:
        _refuse("tokenizer.ggml.tokens", f"{len(pieces)} > {num_rows}")
    if max(map(len, pieces), default=0) > MAX_PIECE_CHARS:
        _refuse("tokenizer.ggml.tokens", f"> {MAX_PIECE_CHARS}")
    control = {
        piece: place
        for place, (piece, of) in enumerate(zip(pieces, kinds, strict=True))
        if piece and (of == _CONTROL or (of == _USER_DEFINED and STEERS.fullmatch(piece)))
    }
    sentence_pieces = kind == "llama"
    literal = {_CONTROL} if sentence_pieces else {_CONTROL, _USER_DEFINED}
    to_bytes = blank_piece_bytes if sentence_pieces else piece_bytes
    hidden = {_CONTROL, _UNUSED, *((_UNKNOWN,) if sentence_pieces else ())}
    return Tokenizer(
        _ENCODERS[kind](metadata, pieces, kinds, control),
        [
            piece.encode("utf-8", "replace") if of in literal else to_bytes(piece)
            for piece, of in zip(pieces, kinds, strict=True)
        ],
        control,
        hidden=[place for place, of in enumerate(kinds) if of in hidden],
        bos_id=_bos(metadata, len(pieces), by_default=sentence_pieces),
        end_ids=_ends(metadata, control, len(pieces)),
        blank_first=sentence_pieces and _blank_first(metadata),
        chat_template=_template(metadata),
    )


def _sentence_encoder(
    metadata: Mapping[str, Any], pieces: Sequence[str], kinds: Sequence[int], control: Mapping[str, int]
) -> Encode:
    """SentencePiece's byte pairs: the scores are the order of merges, single bytes stand in for missing characters."""
    scores = metadata.get("tokenizer.ggml.scores")
    if not isinstance(scores, list) or len(scores) != len(pieces):
        _refuse("tokenizer.ggml.scores", f"≠ {len(pieces)}")
    if not all(isinstance(score, float) and math.isfinite(score) for score in scores):
        _refuse("tokenizer.ggml.scores", "NaN")
    if metadata.get("tokenizer.ggml.precompiled_charsmap"):
        raise Unsupported(
            say("The vocabulary asks for a normaliser's table.", "该词表需要规范化表。"),
            fix=say("Vocabularies that leave the text as it is can be read.", "支持不做规范化的词表。"),
        )
    places = {place: piece for place, piece in enumerate(pieces) if piece and piece not in control}
    of_bytes = {byte_of(piece): place for place, piece in places.items() if kinds[place] == _BYTE}
    byte_ids = [of_bytes[byte] for byte in range(256)] if set(range(256)) <= set(of_bytes) else None
    unknown = _id(metadata, "tokenizer.ggml.unknown_token_id", len(pieces))
    if unknown is None:
        unknown = next((place for place, of in enumerate(kinds) if of == _UNKNOWN), None)
    if unknown is None and byte_ids is None:
        _refuse("tokenizer.ggml.unknown_token_id", "None")
    encoder = SentenceBPE(
        {piece: (at, scores[at]) for at, piece in places.items() if kinds[at] not in (_UNKNOWN, _CONTROL, _BYTE)},
        whole={piece: at for at, piece in places.items() if kinds[at] == _USER_DEFINED},
        unused=frozenset(piece for at, piece in places.items() if kinds[at] == _UNUSED),
        byte_ids=byte_ids,
        unknown_id=unknown or 0,
        blank_first=_blank_first(metadata),
    )
    return encoder.encode


def _blank_first(metadata: Mapping[str, Any]) -> bool:
    return metadata.get("tokenizer.ggml.add_space_prefix", True) is not False


def _byte_level_encoder(
    metadata: Mapping[str, Any], pieces: Sequence[str], kinds: Sequence[int], control: Mapping[str, int]
) -> Encode:
    shorthand = [p for p, of in zip(pieces, kinds, strict=True) if of == _USER_DEFINED and p not in control]
    words = {
        piece: place
        for place, (piece, of) in enumerate(zip(pieces, kinds, strict=True))
        if of != _UNUSED and piece not in control
    }
    return rust_encode(_byte_pair_encoder(metadata, words, shorthand))


_ENCODERS = {"gpt2": _byte_level_encoder, "llama": _sentence_encoder}


def _byte_pair_encoder(metadata: Mapping[str, Any], words: dict[str, int], shorthand: list[str]) -> "RustTokenizer":
    from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as RustTokenizer
    from tokenizers.models import BPE

    merges = []
    for merge in _strings(metadata, "tokenizer.ggml.merges", MAX_MERGES):
        left, blank, right = merge.partition(" ")
        if not blank or left not in words or right not in words or left + right not in words:
            _refuse("tokenizer.ggml.merges", repr(merge[:40]))
        merges.append((left, right))
    named = str(metadata.get("tokenizer.ggml.pre", "default"))
    name = _SAME_AS.get(named, named)
    if name not in PRE_TOKENIZERS:
        raise Unsupported(
            say(f"The pre-tokenizer {named[:60]!r} is not known.", f"未知的预分词器 {named[:60]!r}。"),
            fix=say(f"Known: {', '.join(PRE_TOKENIZERS)}.", f"已知：{'、'.join(PRE_TOKENIZERS)}。"),
        )
    rust = RustTokenizer(BPE(vocab=words, merges=merges, ignore_merges=name in _WHOLE_WORDS_FIRST))
    if name in _NORMALISED:
        rust.normalizer = normalizers.NFC()
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in PRE_TOKENIZERS[name]]
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    rust.pre_tokenizer = pre_tokenizers.Sequence([*splits, letters])
    rust.add_tokens([AddedToken(text, normalized=False, special=False) for text in shorthand])
    return rust


def _strings(metadata: Mapping[str, Any], key: str, limit: int) -> list[str]:
    values = metadata.get(key)
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        _refuse(key, type(values).__name__)
    if len(values) > limit:
        _refuse(key, f"{len(values)} > {limit}")
    return values


def _id(metadata: Mapping[str, Any], key: str, num_tokens: int) -> int | None:
    value = metadata.get(key)
    if value is not None and (not isinstance(value, int) or not 0 <= value < num_tokens):
        _refuse(key, repr(value)[:40])
    return value


def _bos(metadata: Mapping[str, Any], num_tokens: int, *, by_default: bool) -> int | None:
    found = _id(metadata, "tokenizer.ggml.bos_token_id", num_tokens)
    return found if metadata.get("tokenizer.ggml.add_bos_token", by_default) is True else None


def _ends(metadata: Mapping[str, Any], control: Mapping[str, int], num_tokens: int) -> list[int]:
    """Returns what ends an answer, the end that the file names first."""
    keys = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")
    named = [found for key in keys if (found := _id(metadata, key, num_tokens)) is not None]
    return named + [place for piece, place in control.items() if piece in TURN_ENDS and place not in named]


def _template(metadata: Mapping[str, Any]) -> str:
    template = metadata.get("tokenizer.chat_template", "")
    if not isinstance(template, str) or len(template) > MAX_TEMPLATE_CHARS:
        _refuse("tokenizer.chat_template", f"> {MAX_TEMPLATE_CHARS}")
    return template


def _refuse(key: str, found: str) -> NoReturn:
    raise ModelFileRefused(
        say(
            f"The vocabulary is refused: {key} does not add up ({found}).", f"拒绝使用该词表：{key} 不合理（{found}）。"
        ),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )
