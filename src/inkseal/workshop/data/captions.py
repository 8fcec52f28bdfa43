"""Writes captions in both languages: from the published names of emoji, and from the titles of clip art.

A Chinese caption for an English title is made only where the title names a known thing, or by its folder.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from inkseal.core.types import Drawing
from inkseal.formats.picture_styles import in_style
from inkseal.workshop.data.lexicon import PREPOSITIONS, EmojiEntry, Lexicon
from inkseal.workshop.data.thinning import unit_hash

_MAX_WORDS = 8
_NUM_EXTRA = 2
_JUNK = re.compile(r"\b(clip ?art|openclipart|svg|png|by|icon|archite\w*|bw|ganson|yet another)\b.*$")
_ASIDE = re.compile(r"\([^)]*\)|\bb ?(?:and|&|/)? ?w\b", re.IGNORECASE)
_SERIES = re.compile(r"^clip ?art by [a-z ]{1,40} - ")
_BROKEN = re.compile(r"[^a-z0-9' ]+")
_NUMBERED = re.compile(r"^(?:[0-9]+|[0-9]+[a-z]|[a-z])$")
_GLUED = re.compile(r"(?<=[a-z]{3})[0-9]+$")
_AFTER = re.compile(r" (?:body part|clothing|contour|illustration|aj)$")
_NEUTRAL = frozenset(
    {
        "a",
        "an",
        "the",
        "old",
        "new",
        "simple",
        "another",
        "basic",
        "generic",
        "stylized",
        "stylised",
        "cartoon",
        "plain",
    }
    | {"cute", "funny", "nice", "open", "closed", "drawn", "hand", "glossy", "shiny", "flat"}
)
"""Words before a thing's name that leave it what it is."""
_JOINING = frozenset({"of", "for", "to", "and"})
"""Words after it that may not: a coat of arms is no coat."""
_SAYS_NOTHING = frozenset(
    {"various", "various cliparts", "map symbols", "unnamed", "untitled", "no name", "title", "drawing", "image"}
)
_GENERIC = frozenset({"clip art", "unsorted", "hash", "image", "media", "public domain", "externalsource", "color"})


@dataclass(frozen=True)
class Wording:
    """Captions of one picture, by language, and where they come from."""

    captions: Mapping[str, tuple[str, ...]]
    concept: str
    origin: Mapping[str, str]
    """Language → "name" (published), "title" (its author's), "matched" (a known thing in the title), "category"."""


@cache
def hand_table() -> dict[str, dict[str, dict[str, str]]]:
    """Returns the words translated by hand: categories, adjectives."""
    return tomllib.loads(files("inkseal.workshop.data").joinpath("words.toml").read_text(encoding="utf-8"))


def word_picture(drawing: Drawing, entry: EmojiEntry | None, style: str, lexicon: Lexicon) -> Wording | None:
    """Returns the captions of a drawing, or None when nothing is known to say of it."""
    if entry is not None:
        captions = {language: _of_emoji(entry, language, style, lexicon) for language in ("en", "zh")}
        captions = {language: found for language, found in captions.items() if found}
        return Wording(captions, entry.concept, dict.fromkeys(captions, "name")) if captions else None
    return _of_title(drawing, style, lexicon)


def _of_emoji(entry: EmojiEntry, language: str, style: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Returns the names alone, with the style, and with some of the words that go with the emoji; then its synonyms."""
    names = entry.names[language]
    if not names:
        return ()
    known = {name.casefold() for name in names}
    words = [word for word in entry.words[language] if word.casefold() not in known and _speaks(word, language)]
    alike = [word for word in lexicon.synonyms(entry, language) if _speaks(word, language)]
    return tuple(dict.fromkeys((*_varied(names, words, style, language, entry.code), *alike)))


def _of_title(drawing: Drawing, style: str, lexicon: Lexicon) -> Wording | None:
    title = clean_title(drawing.title)
    category = _category(drawing.category)
    words = [word for word in drawing.keywords if word not in _GENERIC and word != title and lexicon.knows(word)]
    found = lexicon.thing_named(title) if title else None
    if not title and category is None:
        return None
    captions, origin = {}, {}
    if title:
        captions["en"], origin["en"] = _varied((title,), words, style, "en", drawing.member), "title"
    elif category is not None:
        captions["en"], origin["en"] = _varied((category["en"],), words, style, "en", drawing.member), "category"
    name = _matched(found) if found is not None else ""
    if name:
        captions["zh"], origin["zh"] = _varied((name,), (), style, "zh", drawing.member), "matched"
    elif category is not None:
        captions["zh"], origin["zh"] = _varied((category["zh"],), (), style, "zh", drawing.member), "category"
    concept = found[0].concept if found is not None else f"title:{title or drawing.member}"
    return Wording(captions, concept, origin)


def _matched(found: tuple[EmojiEntry, tuple[str, ...]]) -> str:
    """Returns the Chinese for a thing with its adjectives, or "" where another word may change what it is.

    A red apple is an apple, but table tennis is not tennis.
    """
    entry, words = found
    adjectives: Mapping[str, object] = hand_table()["adjectives"]
    cut = next((place for place, word in enumerate(words) if word in PREPOSITIONS), len(words))
    if (
        not _JOINING.isdisjoint(words)
        or not entry.names["zh"]
        or any(word not in adjectives and word not in _NEUTRAL for word in words[:cut])
    ):
        return ""
    return "".join(str(adjectives[word]) for word in words[:cut] if word in adjectives) + entry.names["zh"][0]


def _varied(names: Sequence[str], words: Sequence[str], style: str, language: str, seed: str) -> tuple[str, ...]:
    words = [word for word in words if word not in names]
    comma = ", " if language == "en" else "，"
    captions = [*names[:2], *(in_style(name, style, language) for name in names[:2])]
    chosen = sorted(words, key=lambda word: unit_hash(f"word {seed}", word))[:_NUM_EXTRA]
    if chosen:
        captions.append(comma.join([names[0], *chosen]))
    return tuple(dict.fromkeys(captions))


def clean_title(title: str) -> str:
    """Returns what a title says of its picture: no numbers of versions, authors' marks or file words; may be empty."""
    title = _SERIES.sub("", _ASIDE.sub(" ", title.lower()))
    text = _BROKEN.sub(" ", title.replace("_", " ").replace("-", " "))
    text = _JUNK.sub("", " ".join(text.split()))
    words = [_GLUED.sub("", word) for word in text.split() if not _NUMBERED.match(word)]
    text = _AFTER.sub("", " ".join(words[:_MAX_WORDS]))
    return "" if text in _SAYS_NOTHING else text


def _category(folder: str) -> Mapping[str, str] | None:
    """Returns the words for the nearest of a folder and those above it that has any."""
    categories = hand_table()["categories"]
    while folder and folder not in categories:
        folder = folder.rpartition("/")[0]
    return categories.get(folder)


def _speaks(word: str, language: str) -> bool:
    """Returns True for words of the caption's own language; tags of the Chinese table are partly English."""
    return word.isascii() if language == "en" else not word.isascii()
