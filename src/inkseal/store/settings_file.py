"""Changes `settings.toml`: comments and order stay, and nothing is written that would not be read as it was meant."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkseal.core.config import FILE, Settings, read_values, settings_of
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.store.durable import refuse_links, write_whole

Change = Mapping[str, Any]
"""Dotted name → value, or None to take the line out; names with two parts, such as `checks.limits`, are tables."""


def changed_settings(data_dir: Path, change: Change) -> Settings:
    """Returns what the settings would be after a change, without making it.

    Raises:
        InvalidRequest: a field is unknown or has a bad value.
    """
    return settings_of(_after(read_values(data_dir / FILE), change), data_dir)


def change_settings(data_dir: Path, change: Change) -> Settings:
    """Writes a change whole or not at all, and returns the settings that hold from then on.

    Raises:
        InvalidRequest: a field is unknown or has a bad value, or the file is written in a way that cannot be kept.
        StoreError: a symbolic link is in its place, or the disk refuses.
    """
    refuse_links(data_dir, FILE)
    file = data_dir / FILE
    wanted = _after(read_values(file), change)
    settings = settings_of(wanted, data_dir)
    text = _edited(file.read_text(encoding="utf-8") if file.exists() else "", change)
    try:
        kept = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        kept = False
    if not kept:
        raise InvalidRequest(
            say(f"{FILE} is written in a way that cannot be changed here.", f"{FILE} 的写法无法在此修改。"),
            fix=say("Change it by hand.", "请手动修改该文件。"),
        )
    write_whole(file, text.encode())
    return settings


def _after(values: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Returns the values after the change. A table that is there is emptied, not taken out: comments stand in it."""
    found = {name: dict(value) if isinstance(value, dict) else value for name, value in values.items()}
    for path, value in change.items():
        name, _, inner = path.partition(".")
        place = found.get(name, {}) if inner else found
        key = inner or name
        if value is not None:
            place[key] = value
        elif inner and key in place:
            place[key] = {}
        else:
            place.pop(key, None)
        if inner and place:
            found[name] = place
    return found


def _edited(text: str, change: Change) -> str:
    """Returns the file's text after the change; new tables come last, where they part no comment from its line."""
    import tomlkit

    document = tomlkit.parse(text)
    added: list[str] = []
    for path, value in change.items():
        name, _, inner = path.partition(".")
        place: Any = document.get(name, {}) if inner else document
        key = inner or name
        if inner and key in place:
            _fill(place[key], value or {})
        elif inner and value is not None:
            added.append(tomlkit.dumps({name: {key: value}}))
        elif value is not None:
            place[key] = value
        elif key in place:
            place.remove(key)
    return "\n".join(piece for piece in (tomlkit.dumps(document), *added) if piece)


def _fill(table: Any, values: Mapping[str, Any]) -> None:
    """Makes a table hold these values and no others; lines that stay keep their comments."""
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        if key not in table or table[key] != value:
            table[key] = value
