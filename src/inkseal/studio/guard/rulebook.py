"""Rules of sensitive terms as typed data: read from TOML, compiled into one lexicon."""

import bisect
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Action, Closed
from inkseal.modalities.text.normalise import fold
from inkseal.studio.guard.lexicon import Lexicon

LONGEST_HIT = 96
"""Folded characters that a rule may span."""
CONTEXT_CHARS = 40
_SENTENCE_END = re.compile(r"[。!?\n]|\.\s")


class Category(Closed):
    """What hits of one kind lead to."""

    title: tuple[str, str] = Field(description="English and Chinese.")
    action: Action = "flag"
    softened_by: tuple[str, ...] = ()


class TermRule(Closed):
    """Terms that hit by themselves, or groups of which one term each must stand near the others."""

    id: str = Field(min_length=1, max_length=80)
    category: str
    terms: tuple[str, ...] = ()
    near: tuple[str | tuple[str, ...], ...] = Field((), description="Groups; a string is the name of a shared one.")
    within: int = Field(40, ge=4, le=LONGEST_HIT)
    unless: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.terms) == bool(self.near):
            raise ValueError(f"rule {self.id}: give exactly one of terms, near")
        if any(len(term) > LONGEST_HIT or not term.strip() for term in self.terms):
            raise ValueError(f"rule {self.id}: terms have 1 to {LONGEST_HIT} characters")
        return self


class RuleFile(Closed):
    """One TOML file of rules; later files may use and replace what earlier ones define."""

    context: dict[str, tuple[str, ...]] = {}
    category: dict[str, Category] = {}
    group: dict[str, tuple[str, ...]] = {}
    rule: tuple[TermRule, ...] = ()


class Hit(NamedTuple):
    """A rule's hit [start, end) in folded text, and the contexts that stand around it."""

    rule: TermRule
    start: int
    end: int
    contexts: frozenset[str]


def read_text(path: Path) -> str:
    """Returns the text of a rule file.

    Raises:
        InvalidRequest: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path.name, str(error)) from None


def parse_rules(name: str, text: str) -> RuleFile:
    """Returns the rules in a file's text.

    Raises:
        InvalidRequest: it is not TOML, or not of this form.
    """
    try:
        return RuleFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _unusable(name, str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        raise _unusable(name, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _unusable(name: str, detail: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"The rules {name!r} cannot be used: {detail}.", f"规则文件 {name!r} 无法使用：{detail}。"),
        fix=say("Compare with the example in the guide.", "请对照指南中的示例。"),
    )


@lru_cache(maxsize=1)
def builtin_rules() -> RuleFile:
    """Returns the rules that come with the product."""
    text = (files("inkseal.studio.guard") / "rules" / "sensitive_terms.toml").read_text(encoding="utf-8")
    return RuleFile.model_validate(tomllib.loads(text))


class Rulebook:
    """Compiled rules of several files."""

    def __init__(self, sources: Iterable[RuleFile], disabled: Iterable[str] = ()) -> None:
        self.categories: dict[str, Category] = {}
        contexts: dict[str, tuple[str, ...]] = {}
        groups: dict[str, tuple[str, ...]] = {}
        rules: dict[str, TermRule] = {}
        for source in sources:
            self.categories |= source.category
            contexts |= source.context
            groups |= source.group
            rules |= {rule.id: rule for rule in source.rule}
        off = set(disabled)
        self.rules = [rule for rule in rules.values() if rule.id not in off and rule.category not in off]
        self._meanings: dict[str, list[tuple[str, int]]] = {}
        self._needs: dict[str, int] = {}
        for name, terms in contexts.items():
            self._enter(terms, f"context:{name}", 0)
        for rule in self.rules:
            if rule.category not in self.categories:
                raise _unknown("category", rule.category, rule.id)
            parts = [rule.terms] if rule.terms else [_group(part, groups, rule.id) for part in rule.near]
            self._needs[rule.id] = len(parts)
            for index, terms in enumerate(parts):
                self._enter(terms, rule.id, index)
            self._enter(rule.unless, f"unless:{rule.id}", 0)
        self._lexicon = Lexicon(self._meanings)
        # A stream asks of the same text what is unfinished and what hits.
        self._found = lru_cache(maxsize=4)(self._find)

    def _enter(self, terms: Iterable[str], owner: str, index: int) -> None:
        for term in terms:
            self._meanings.setdefault(fold(term).text, []).append((owner, index))

    def _find(self, text: str) -> dict[str, list[tuple[int, int, int]]]:
        """Returns where terms stand in folded text, by their owner: (start, end, number of its group)."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        for start, end, term in self._lexicon.find(text):
            for owner, index in self._meanings[term]:
                found.setdefault(owner, []).append((start, end, index))
        return found

    def hits(self, text: str) -> Iterator[Hit]:
        """Yields the hits in folded text, rule by rule."""
        found = self._found(text)
        stops: list[int] | None = None
        for rule in self.rules:
            places = found.get(rule.id)
            if not places:
                continue
            if stops is None:
                stops = [match.start() for match in _SENTENCE_END.finditer(text)]
            for start, end in _spans(places, self._needs[rule.id], rule.within, stops):
                if not _around(found.get(f"unless:{rule.id}", ()), start, end):
                    near = {
                        name[8:] for name in found if name.startswith("context:") and _around(found[name], start, end)
                    }
                    yield Hit(rule, start, end, frozenset(near))

    def unfinished_from(self, text: str) -> int:
        """Returns where in folded text begins what later characters may turn into a hit, or out of one."""
        start = self._lexicon.unfinished_from(text)
        found = self._found(text)
        ends = [match.start() for match in _SENTENCE_END.finditer(text)]
        begin = ends[-1] if ends else -1
        for rule in self.rules:
            reach = rule.within if rule.near else CONTEXT_CHARS
            # A complete hit may still be softened by the context behind it, a part of one be completed.
            places = [low for low, high, _ in found.get(rule.id, ()) if low > begin and low > len(text) - reach]
            start = min([start, *places])
        settling = [hit.start for hit in self.hits(text) if hit.end > len(text) - CONTEXT_CHARS]
        return min([start, *settling])


def _unknown(kind: str, name: str, rule: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"Rule {rule!r} names an unknown {kind} {name!r}.", f"规则 {rule!r} 使用了未定义的 {kind} {name!r}。"),
        fix=say("Define it in the same file.", "请在同一文件中定义它。"),
    )


def _group(part: str | tuple[str, ...], groups: Mapping[str, tuple[str, ...]], rule: str) -> tuple[str, ...]:
    if not isinstance(part, str):
        return part
    name = part.removeprefix("@")
    if name not in groups:
        raise _unknown("group", name, rule)
    return groups[name]


def _around(places: Sequence[tuple[int, int, int]], start: int, end: int) -> bool:
    # Sorted by start, and no term is longer than a hit: only a few places need a look.
    first = bisect.bisect_left(places, (start - CONTEXT_CHARS - LONGEST_HIT,))
    last = bisect.bisect_left(places, (end + CONTEXT_CHARS,))
    return any(start - CONTEXT_CHARS < high for _, high, _ in places[first:last])


def _spans(places: list[tuple[int, int, int]], needed: int, within: int, stops: list[int]) -> Iterator[tuple[int, int]]:
    """Yields the shortest spans that hold one place of every group inside one sentence, none overlapping."""
    if needed == 1:
        yield from _longest_only((low, high) for low, high, _ in places)
        return
    last: dict[int, tuple[int, int]] = {}
    until = -1
    for low, high, index in places:
        last[index] = (low, high)
        if len(last) < needed:
            continue
        start, end = min(s for s, _ in last.values()), max(e for _, e in last.values())
        cut = bisect.bisect_left(stops, start)
        whole = cut == len(stops) or stops[cut] >= end
        if end - start <= within and whole and start >= until:
            yield start, end
            until = end


def _longest_only(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    until = -1
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= until:
            yield start, end
            until = end
