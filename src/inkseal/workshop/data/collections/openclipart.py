"""Open Clip Art: drawings that their authors gave to the public domain, with titles and keywords."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import ClassVar

from inkseal.catalog.archive import read_members
from inkseal.core.protocols import Cancel
from inkseal.core.types import Drawing

_FOLDER = "usr/share/openclipart/svg/"
_TITLE = re.compile(r"<dc:title>([^<]{1,200})</dc:title>")
_CREATOR = re.compile(r"<dc:creator>\s*<cc:Agent[^>]{0,200}>\s*<dc:title>([^<]{1,100})</dc:title>")
_SUBJECT = re.compile(r"<rdf:li>([^<]{1,60})</rdf:li>")
_LEFT_OUT = re.compile(
    r"(shapes/(?!jigsaw)|computer/(icons|buttons|connectors|diagrams)|signs_and_symbols/(flags|led|clocks|map_symbols)"
    r"|special/|logos/|buttons/|unsorted/duplicates|geography/(?!astronomy)|people/stickmen|recreation/games/cards|.*(sunwheel|swastika|sexy))"
)
"""Flags, stars by the hundred, letters, menu icons and maps would fill the set; some signs would harm."""

_SERIES = re.compile(r"clip ?art by", re.IGNORECASE)
_ITALIAN = "archit"
"""In the file names of one prolific author, whose titles are Italian; folder and keywords speak for those."""


class Openclipart:
    """Open Clip Art as Debian carries it."""

    name: ClassVar[str] = "openclipart"
    style: ClassVar[str] = "clip_art"
    archive: ClassVar[str] = "openclipart"
    licence: ClassVar[str] = "LicenseRef-Public-Domain"
    attribution: ClassVar[str] = "Open Clip Art Library, https://openclipart.org, dedicated to the public domain"
    share_alike: ClassVar[bool] = False
    crop: ClassVar[bool] = True
    titles_speak: ClassVar[bool] = True

    def read(self, archive: Path, cancel: Cancel) -> Iterator[Drawing]:
        """Yields the drawings of the chosen folders, with the title, author and keywords that each file states.

        Raises:
            ModelFileRefused: the archive is malformed or dangerous.
        """
        for member, data in read_members(archive, _is_wanted, cancel):
            try:
                svg = data.decode("utf-8")
            except UnicodeDecodeError:
                svg = ""  # counted as unreadable further on
            inside = PurePosixPath(member.removeprefix(_FOLDER))
            author = _first(_CREATOR, svg)
            yield Drawing(
                member=member,
                svg=svg,
                title="" if _ITALIAN in inside.stem else trusted_title(_first(_TITLE, svg), inside.stem, author),
                author=author or "anonymous",
                category=inside.parent.as_posix(),
                keywords=tuple(dict.fromkeys(word.strip().lower() for word in _SUBJECT.findall(svg[:20_000]))),
            )


def trusted_title(title: str, stem: str, author: str) -> str:
    """Returns the title, or the file's name without its author where the two have nothing in common.

    Authors drew one picture over another and left its title in the file; the name was given with more care.
    """
    names = author.lower().split()
    named = [word for word in _words(stem) if not any(name.startswith(word) for name in names)]
    said = [word for word in _words(title) if len(word) > 2]
    shared = any(len(word) > 2 and (one.startswith(word) or word.startswith(one)) for word in named for one in said)
    return title if shared and not _SERIES.match(title) else " ".join(named)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]


def _is_wanted(member: str) -> bool:
    inside = member.removeprefix(_FOLDER)
    return inside != member and inside.endswith(".svg") and not _LEFT_OUT.match(inside)


def _first(pattern: re.Pattern[str], svg: str) -> str:
    found = pattern.search(svg[:20_000])
    return " ".join(found[1].split()) if found else ""
