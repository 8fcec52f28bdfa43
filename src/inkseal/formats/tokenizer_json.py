"""Builds the tokenizer out of a folder with `tokenizer.json`, which is not trusted: everything is bounded first.

Knows byte-level BPE and BPE with byte fallback; other kinds are refused with the reason.
"""

import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from re import _parser as regex_parser  # type: ignore[attr-defined]  # the standard library's own reader of patterns
from typing import Any, NoReturn

from inkseal.core.errors import ModelFileRefused, Unsupported
from inkseal.core.language import say
from inkseal.formats.gguf_vocabulary import (
    MAX_MERGES,
    MAX_PIECE_CHARS,
    MAX_TEMPLATE_CHARS,
    MAX_TOKENS,
    STEERS,
    TURN_ENDS,
)
from inkseal.formats.tokenizer import Tokenizer, blank_piece_bytes, piece_bytes, rust_encode

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja")
MAX_FILE_BYTES = 64 << 20
MAX_PATTERN_CHARS = 4_096
MAX_UNBOUNDED = 3
"""Unbounded repeats in one alternative of a pattern; more make matching slow on texts made for it."""

MAX_GROWTH = 1_000
"""Times that a normaliser may lengthen a text."""

_GROWTH = {"NFC": 3, "NFD": 4, "NFKC": 18, "NFKD": 18, "Lowercase": 2, "Strip": 1, "ByteLevel": 4}
"""The worst of Unicode's own normal forms for one character."""

_UNBOUNDED = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def tokenizer_from_folder(folder: Path, num_rows: int | None = None) -> Tokenizer:
    """Returns the tokenizer of `tokenizer.json`, with the ends and the template of the files beside it.

    Args:
        num_rows: rows of the embedding table.

    Raises:
        ModelFileRefused: a file is malformed, too large, dangerous, or does not fit the embedding table.
        Unsupported: the tokenizer is of a kind that is not known here.
    """
    given = _read(folder / "tokenizer.json")
    model = given.get("model")
    if not isinstance(model, dict):
        _refuse("model")
    if model.get("type", "BPE") != "BPE":
        raise Unsupported(
            say(f"Tokenizers of the kind {model['type']!r} cannot be read.", f"不支持 {model['type']!r} 类型的分词器。")
        )
    vocabulary = _vocabulary(model, num_rows)
    added = _added(given, num_rows)
    control = {
        token["content"]: token["id"] for token in added if token["special"] or STEERS.fullmatch(token["content"])
    }
    _check_work(given)
    fallback = bool(model.get("byte_fallback"))
    pieces = _pieces(vocabulary, added, num_rows or 0, byte_fallback=fallback)
    facts = _read(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").exists() else {}
    hidden = [token["id"] for token in added if token["special"]]
    encode = rust_encode(_rust(given, model, vocabulary, added, control))
    return Tokenizer(
        encode,
        pieces,
        control,
        hidden=hidden,
        bos_id=_begin(given, facts, control),
        end_ids=_ends(folder, facts, control, len(pieces)),
        blank_first=fallback and any(pieces[first].startswith(b" ") for first in encode("x")[:1]),
        chat_template=_template(folder, facts),
    )


def check_pattern(pattern: str) -> None:
    """Refuses a regular expression that can take more than a small power of the text's length.

    Raises:
        ModelFileRefused: it nests unbounded repeats, has too many, or cannot be read.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        _refuse(f"Regex ({len(pattern)} > {MAX_PATTERN_CHARS})")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = regex_parser.parse(_plain_classes(pattern))
        branches = [tree]
        if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
            branches = tree[0][1][1]
        if any(_unbounded(branch, inside=False) > MAX_UNBOUNDED for branch in branches):
            _refuse(f"Regex {pattern[:60]!r}")
    except (re.error, RecursionError, OverflowError):
        _refuse(f"Regex {pattern[:60]!r}")


def _check_work(given: Mapping[str, Any]) -> None:
    """Refuses what would take too long, or too much room, on a text made for it."""
    try:
        for pattern in _patterns([given.get("normalizer"), given.get("pre_tokenizer")]):
            check_pattern(pattern)
        if _growth(given.get("normalizer")) > MAX_GROWTH:
            _refuse("normalizer")
    except RecursionError:
        _refuse("normalizer, pre_tokenizer")


def _growth(normalizer: Any) -> float:
    """Returns how many times longer a normaliser may make a text; replacements one after the other multiply."""
    if normalizer is None:
        return 1
    kind = normalizer.get("type") if isinstance(normalizer, Mapping) else None
    if kind == "Sequence" and isinstance(normalizer.get("normalizers"), list):
        return math.prod(map(_growth, normalizer["normalizers"]), start=1.0)
    if kind == "Replace":
        letters, pattern = len(str(normalizer.get("content"))), normalizer.get("pattern")
        fixed = isinstance(pattern, Mapping) and isinstance(pattern.get("String"), str) and pattern["String"]
        return max(1, letters) if fixed else letters + 1
    if kind == "Prepend":
        return 1 if len(str(normalizer.get("prepend"))) <= MAX_PIECE_CHARS else math.inf
    if kind in _GROWTH:
        return _GROWTH[kind]
    raise Unsupported(
        say(f"The normaliser {str(kind)[:60]!r} is not known.", f"未知的规范化器 {str(kind)[:60]!r}。"),
        fix=say(f"Known: {', '.join(_GROWTH)}.", f"已知：{'、'.join(_GROWTH)}。"),
    )


def _unbounded(items: Any, *, inside: bool) -> int:
    """Counts unbounded repeats; refuses choices and repeats inside of one."""
    count = 0
    for operation, value in items:
        name = str(operation)
        if name in _UNBOUNDED:
            endless = value[1] == regex_parser.MAXREPEAT
            if (endless and inside) or (not endless and value[1] > 1_000):
                _refuse("Regex (…*)*")
            count += endless + _unbounded(value[2], inside=inside or endless)
        elif name == "BRANCH":
            if inside:
                _refuse("Regex (…|…)*")
            count += max(_unbounded(branch, inside=inside) for branch in value[1])
        elif name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
            count += _unbounded(value[-1], inside=inside)
        elif name in ("GROUPREF", "GROUPREF_EXISTS"):
            _refuse("Regex \\1")
    return count


def _plain_classes(pattern: str) -> str:
    """Replaces Unicode classes, which the standard library cannot read, by small ranges: only the shape matters."""
    out: list[str] = []
    at, inside = 0, False
    while at < len(pattern):
        hit = re.compile(r"\\[pP](?:\{[^}]*\}|[A-Z])").match(pattern, at)
        if hit:
            out.append("a-z" if inside else "[a-z]")
            at = hit.end()
            continue
        step = 2 if pattern[at] == "\\" else 1
        inside = (inside or pattern[at] == "[") and pattern[at] != "]"
        out.append(pattern[at : at + step])
        at += step
    return "".join(out)


def _patterns(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("Regex"), str):
            yield value["Regex"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _patterns(inner)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_TEMPLATE_CHARS:
            _refuse(f"{path.name} ({size} > {MAX_TEMPLATE_CHARS})")
        return path.read_text("utf-8")
    except (OSError, ValueError):
        _refuse(path.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
    except OSError:
        _refuse(say(f"{path.name} is missing", f"缺少 {path.name}"))
    if size > MAX_FILE_BYTES:
        _refuse(f"{path.name} ({size} > {MAX_FILE_BYTES})")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _refuse(path.name)
    return found


def _vocabulary(model: Mapping[str, Any], num_rows: int | None) -> dict[str, int]:
    vocabulary, merges = model.get("vocab"), model.get("merges")
    if not isinstance(vocabulary, dict) or not 0 < len(vocabulary) <= MAX_TOKENS:
        _refuse("vocab")
    if not isinstance(merges, list) or len(merges) > MAX_MERGES:
        _refuse("merges")
    ids = list(vocabulary.values())
    if not all(type(place) is int and 0 <= place < (num_rows or MAX_TOKENS) for place in ids) or len(set(ids)) < len(
        ids
    ):
        _refuse("vocab")
    if max(map(len, vocabulary)) > MAX_PIECE_CHARS:
        _refuse("vocab")
    return vocabulary


def _added(given: Mapping[str, Any], num_rows: int | None) -> list[dict[str, Any]]:
    added = given.get("added_tokens") or []
    if not isinstance(added, list) or len(added) > MAX_TOKENS:
        _refuse("added_tokens")
    for token in added:
        place = token.get("id") if isinstance(token, dict) else None
        if type(place) is not int or not 0 <= place < (num_rows or MAX_TOKENS):
            _refuse("added_tokens")
        if not isinstance(token.get("content"), str) or not 0 < len(token["content"]) <= MAX_PIECE_CHARS:
            _refuse("added_tokens")
        token["special"] = token.get("special") is True
    return added


def _pieces(
    vocabulary: Mapping[str, int], added: list[dict[str, Any]], num_rows: int, *, byte_fallback: bool
) -> list[bytes]:
    """Returns the bytes of every id; embedding tables are often padded with rows that stand for nothing."""
    size = max(num_rows, 1 + max([*vocabulary.values(), *(token["id"] for token in added)]))
    pieces = [b""] * size
    for text, place in vocabulary.items():
        pieces[place] = blank_piece_bytes(text) if byte_fallback else piece_bytes(text)
    for token in added:
        pieces[token["id"]] = token["content"].encode("utf-8", "replace")
    return pieces


def _rust(
    given: Mapping[str, Any],
    model: Mapping[str, Any],
    vocabulary: Mapping[str, int],
    added: list[dict[str, Any]],
    control: Mapping[str, int],
) -> Any:
    from tokenizers import Tokenizer as RustTokenizer

    words = {text: place for text, place in vocabulary.items() if text not in control}
    cleaned = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [token for token in added if token["content"] not in control],
        "normalizer": given.get("normalizer"),
        "pre_tokenizer": given.get("pre_tokenizer"),
        "post_processor": None,
        "decoder": None,
        "model": {**model, "vocab": words, "unk_token": None},
    }
    try:
        return RustTokenizer.from_str(json.dumps(cleaned))
    except Exception as error:  # noqa: BLE001 - the Rust library raises nothing more special
        raise _refusal(str(error)[:120]) from None


def _ends(folder: Path, facts: Mapping[str, Any], control: Mapping[str, int], num_tokens: int) -> list[int]:
    """Returns what ends an answer, the end that the tokenizer's own configuration names first."""
    path = folder / "generation_config.json"
    listed = _read(path).get("eos_token_id", []) if path.exists() else []
    found = [control.get(_content(facts.get("eos_token")))]
    found += listed if isinstance(listed, list) else [listed]
    found += [place for text, place in control.items() if text in TURN_ENDS]
    return list(dict.fromkeys(place for place in found if type(place) is int and 0 <= place < num_tokens))


def _begin(given: Mapping[str, Any], facts: Mapping[str, Any], control: Mapping[str, int]) -> int | None:
    """Returns the token that begins a text: as `add_bos_token` says, else as the post-processor would place it."""
    asked = facts.get("add_bos_token")
    if asked is False:
        return None
    if asked is True:
        return control.get(_content(facts.get("bos_token")))
    waiting = [given.get("post_processor")]
    while waiting:
        processor = waiting.pop(0)
        if not isinstance(processor, dict):
            continue
        inner, single = processor.get("processors"), processor.get("single")
        waiting += inner if isinstance(inner, list) else []
        if isinstance(single, list) and single and isinstance(single[0], dict):
            special = single[0].get("SpecialToken")
            return control.get(str(special.get("id"))) if isinstance(special, dict) else None
    return None


def _template(folder: Path, facts: Mapping[str, Any]) -> str:
    path = folder / "chat_template.jinja"
    if path.exists():
        return _text(path)
    template = facts.get("chat_template", "")
    if isinstance(template, list):  # several by name
        named = {entry.get("name"): entry.get("template") for entry in template if isinstance(entry, dict)}
        template = named.get("default", "")
    if not isinstance(template, str) or len(template) > MAX_TEMPLATE_CHARS:
        _refuse("chat_template")
    return template


def _content(token: Any) -> str:
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""


def _refusal(found: str) -> ModelFileRefused:
    return ModelFileRefused(
        say(f"The tokenizer is refused: {found}.", f"拒绝使用该分词器：{found}。"),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )


def _refuse(found: str) -> NoReturn:
    raise _refusal(found)
