"""What emoji are called in English and Chinese, and the Chinese for English titles that name one of them.

Built from published tables (emojibase, Unicode CLDR); knows no other words, and invents none.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from inkseal.catalog.archive import read_members
from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.core.protocols import Cancel

_EMOJIBASE = ("package/en/data.json", "package/zh/data.json", "package/meta/groups.json")
_OTHER_NAMES = (
    "package/meta/unicode-names.json",
    "package/en/shortcodes/emojibase.json",
    "package/en/shortcodes/github.json",
    "package/en/shortcodes/iamcal.json",
)
_CLDR = ("package/annotations/en/annotations.json", "package/annotations/zh/annotations.json")
_TONES = re.compile(r"-?1F3F[B-F]")
NOUN_GROUPS = frozenset({"animals-nature", "food-drink", "travel-places", "activities", "objects"})
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
_TONE_NUMBER = re.compile(r"\btone([1-5])$")
_TONE_NAMES = tuple(f"{tone} skin tone" for tone in ("light", "medium-light", "medium", "medium-dark", "dark"))
_FLAG = re.compile(r"^flag for (flag )?")
PREPOSITIONS = frozenset({"with", "on", "in", "of", "for", "from", "at", "by", "and", "over", "under", "behind", "to"})
_TRAILING = frozenset(
    {"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "gray"}
    | {"open", "closed"}
)

MAX_SHARED, MAX_SYNONYMS = 24, 5
"""Emoji that a word may speak of and still stand for each, and how many such words an emoji has at most."""


@dataclass(frozen=True)
class EmojiEntry:
    """One emoji: its names and words by language, its place in Unicode's order of groups, and what it varies."""

    code: str
    names: Mapping[str, tuple[str, ...]]
    words: Mapping[str, tuple[str, ...]]
    group: str
    subgroup: str
    concept: str
    """Code of the emoji without skin tone and gender: held out as one."""
    toned: bool
    gendered: bool


class Lexicon:
    """Emoji by code and by English name."""

    def __init__(self, entries: Mapping[str, EmojiEntry], other_names: Mapping[str, str] | None = None) -> None:
        """Takes the entries by code, and other names (squashed) → code, by which they are found too."""
        self.entries = entries
        self._other_names = other_names or {}

    @classmethod
    def read(cls, emojibase: Path, cldr: Path, cancel: Cancel) -> "Lexicon":
        """Reads both tables out of their archives.

        Raises:
            ModelFileRefused: an archive is dangerous or not what it was.
        """
        found = dict(read_members(emojibase, {*_EMOJIBASE, *_OTHER_NAMES}.__contains__, cancel))
        found |= dict(read_members(cldr, set(_CLDR).__contains__, cancel))
        try:
            tables = {name: json.loads(data) for name, data in found.items()}
            return cls(_entries(tables), _other_names(tables))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelFileRefused(
                say(f"The tables of emoji names cannot be read ({error!r}).", f"无法读取表情名称表（{error!r}）。")
            ) from None

    def by_code(self, code: str) -> EmojiEntry | None:
        """Returns the entry of an emoji, whatever variation selectors its code carries."""
        return self.entries.get(bare_code(code))

    def by_name(self, title: str) -> EmojiEntry | None:
        """Returns the entry of an English name, spaces, case and the number of a second drawing aside."""
        words = title.lower().split()
        bare = " ".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words)
        toned = _TONE_NUMBER.sub(lambda found: _TONE_NAMES[int(found[1]) - 1], bare)
        for name in (title, bare, f"{toned} skin tone", toned, _FLAG.sub("flag ", bare)):
            squashed = squash(name)
            code = self._squashed.get(squashed) or self._other_names.get(squashed)
            if code is not None and code in self.entries:
                return self.entries[code]
        return None

    def thing_named(self, title: str) -> tuple[EmojiEntry, tuple[str, ...]] | None:
        """Returns the thing that an English title is about, and the title's words before and after its name.

        The thing is the end of what stands before the first preposition: in "red apple tree on a hill" the tree.
        """
        words = title.lower().split()
        cut = next((place for place, word in enumerate(words) if word in PREPOSITIONS), len(words))
        head, after = words[:cut], words[cut:]
        while len(head) > 1 and head[-1] in _TRAILING:
            after.insert(0, head.pop())
        for start in range(len(head)):
            entry = self._nouns.get(" ".join(head[start:]))
            if entry is not None:
                return entry, (*head[:start], *after)
        return None

    def synonyms(self, entry: EmojiEntry, language: str) -> tuple[str, ...]:
        """Returns words that stand for the emoji as well as its name does, those of the fewest other emoji first.

        None that many emoji share, and none that is the name of another one: a shark is no "fish", when there is one.
        """
        shared, names = self._uses[language]
        words = [
            word
            for word in dict.fromkeys(word.casefold() for word in entry.words[language])
            if shared[word] <= MAX_SHARED and word not in names and any(c.isalpha() for c in word) and len(word) > 1
        ]
        return tuple(sorted(words, key=shared.__getitem__)[:MAX_SYNONYMS])

    def knows(self, word: str) -> bool:
        """Returns True for an English word that names or describes some emoji."""
        return word in self._vocabulary or word.removesuffix("s") in self._vocabulary

    @cached_property
    def _uses(self) -> dict[str, tuple[Counter[str], frozenset[str]]]:
        """By language: of how many concepts each word speaks, and all names."""
        found = {}
        for language in ("en", "zh"):
            pairs = {(word.casefold(), e.concept) for e in self.entries.values() for word in e.words[language]}
            names = frozenset(name.casefold() for e in self.entries.values() for name in e.names[language])
            found[language] = (Counter(word for word, _ in pairs), names)
        return found

    @cached_property
    def _squashed(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in self.entries.values():
            for name in entry.names["en"]:
                found.setdefault(squash(name), entry.code)
        return found

    @cached_property
    def _nouns(self) -> dict[str, EmojiEntry]:
        found: dict[str, EmojiEntry] = {}
        for entry in self.entries.values():
            if entry.group in NOUN_GROUPS and not entry.toned:
                for name in entry.names["en"]:
                    plain = name.lower().replace("-", " ")
                    found.setdefault(plain, entry)
                    found.setdefault(plain + "s", entry)
        return found

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        found: set[str] = set()
        for entry in self.entries.values():
            found.update(word.lower() for word in entry.words["en"])
            found.update(word for name in entry.names["en"] for word in name.lower().split())
        return frozenset(found)


def squash(name: str) -> str:
    """Returns the letters and digits of an English name, in lower case and without gaps."""
    return _NOT_A_LETTER.sub("", name.lower())


def bare_code(code: str) -> str:
    """Returns an emoji's code without variation selectors, in capitals."""
    return "-".join(part for part in code.upper().split("-") if part not in ("FE0F", "FE0E"))


def concept_of(code: str) -> str:
    """Returns the code without skin tone, gender and direction, so that variants count as one concept."""
    plain = _TONES.sub("", bare_code(code)).strip("-")
    for turned in ("-200D-2640", "-200D-2642", "-200D-27A1"):
        plain = plain.replace(turned, "")
    parts = plain.split("-")
    if len(parts) > 1 and parts[0] in ("1F468", "1F469") and parts[1] == "200D":
        parts[0] = "1F9D1"
    return "-".join(parts)


def _entries(tables: Mapping[str, Any]) -> dict[str, EmojiEntry]:
    english, chinese = (_flat(tables[name]) for name in _EMOJIBASE[:2])
    published = [tables[name]["annotations"]["annotations"] for name in _CLDR]
    cldr = [{_code(text): facts for text, facts in table.items()} for table in published]
    groups = tables[_EMOJIBASE[2]]
    entries = {}
    for code, facts in english.items():
        other = chinese.get(code, {})
        concept = concept_of(code)
        entries[code] = EmojiEntry(
            code=code,
            names={"en": _names(facts, cldr[0].get(code, {})), "zh": _names(other, cldr[1].get(code, {}))},
            words={"en": _words(facts, cldr[0].get(code, {})), "zh": _words(other, cldr[1].get(code, {}))},
            group=groups["groups"].get(str(facts.get("group")), "component"),
            subgroup=groups["subgroups"].get(str(facts.get("subgroup")), "component"),
            concept=concept,
            toned="1F3F" in code and bool(_TONES.search(code)) and facts.get("group") != 2,
            gendered=concept != _TONES.sub("", code).strip("-"),
        )
    return entries


def _other_names(tables: Mapping[str, Any]) -> dict[str, str]:
    """Returns squashed name → code, of Unicode's own names and of short codes that chat programs use."""
    found: dict[str, str] = {}
    for table in _OTHER_NAMES:
        for code, names in tables[table].items():
            for name in [names] if isinstance(names, str) else names:
                found.setdefault(squash(name), bare_code(code))
    return found


def _flat(table: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Returns the rows and their skin tones by code; a tone takes the group and tags of its row."""
    rows: dict[str, Mapping[str, Any]] = {}
    for row in table:
        rows[bare_code(row["hexcode"])] = row
        for toned in row.get("skins", ()):
            shared = {key: row[key] for key in ("group", "subgroup", "tags") if key in row}
            rows[bare_code(toned["hexcode"])] = {**shared, **toned}
    return rows


def _code(text: str) -> str:
    return bare_code("-".join(f"{ord(character):X}" for character in text))


def _names(facts: Mapping[str, Any], cldr: Mapping[str, Any]) -> tuple[str, ...]:
    names = [_tidy(name) for name in (facts.get("label", ""), *cldr.get("tts", ()))]
    return tuple(dict.fromkeys(name for name in names if name))


def _words(facts: Mapping[str, Any], cldr: Mapping[str, Any]) -> tuple[str, ...]:
    words = [_tidy(word) for word in (*cldr.get("default", ()), *facts.get("tags", ()))]
    return tuple(dict.fromkeys(word for word in words if word))


def _tidy(name: str) -> str:
    return " ".join(name.replace("’", "'").replace("“", '"').replace("”", '"').split())
