"""Imports a model from the user's own file or folder, after refusing everything that could run code."""

import hashlib
import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inkseal.catalog.card import Card, CardFile, Licence, Profile, Words, read_card
from inkseal.catalog.facts import WEIGHTS, Validate, is_weights, read_facts
from inkseal.catalog.names import check_file_name, check_name, name_is_taken, suggest_name
from inkseal.catalog.refuse import refuse_custom_code, refuse_pickles
from inkseal.catalog.shelf import Installed, Shelf
from inkseal.catalog.space import require_space
from inkseal.core.errors import Cancelled, InvalidRequest, ModelFileRefused
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import now
from inkseal.store.durable import disk_errors, open_no_link

_BESIDE = frozenset({".json", ".txt", ".model", ".jinja", ".bin", ".md"})
_BARE = re.compile(r"(LICEN[CS]E|NOTICE|USE_POLICY)[A-Za-z0-9._-]*")
_MAX_FILES = 1000
OWN_CARD = "card.toml"
_PIECE_BYTES = 1 << 20


def bring(
    shelf: Shelf,
    path: Path,
    name: str,
    *,
    taken: Collection[str],
    validate: Validate,
    licence: str,
    on_event: Listener,
    cancel: Cancel,
) -> Installed:
    """Copies the model onto the shelf and returns its record; the original is left alone.

    A folder with a `card.toml` says itself what it is: the files that card lists are taken, each proved by its hash.

    Args:
        validate: the reader of weights files.
        taken: names that cards already have.

    Raises:
        InvalidRequest: no model there, or a name that is taken or impossible.
        ModelFileRefused: pickles, code, links out of the folder, or malformed files; nothing is left behind.
        NotEnoughSpace, Cancelled: nothing is left behind.
    """
    found = path.expanduser().absolute()
    own = read_card(found / OWN_CARD) if (found / OWN_CARD).is_file() else None
    suggested = own.name if own is not None else suggest_name(found.stem if found.is_file() else found.name)
    name = check_name(name or suggested)
    if name in taken or shelf.installed(name) is not None:
        raise name_is_taken(name)
    files = _choose(found) if own is None else _listed(found.resolve(), own)
    with shelf.partial(name) as partial:
        try:
            _empty(partial)
            require_space(partial, sum(path.stat().st_size for path in files.values()))
            copied = [_copy(path, partial, inside, on_event, cancel) for inside, path in sorted(files.items())]
            refuse_custom_code(partial / file.name for file in copied)
            facts = read_facts(partial, [file.name for file in copied], validate)
            card = _card(name, found.name, copied, facts, licence) if own is None else _renamed(own, name, copied)
            installed = Installed(card=card, source=str(found), installed_at=now())
            shelf.publish(partial, installed)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return installed


def _choose(found: Path) -> dict[str, Path]:
    """Returns name → path of the files to copy; refuses by names and kinds, without opening any."""
    if found.is_file():
        listed = {found.name: found.resolve()}
    elif found.is_dir():
        listed = _listing(found.resolve())
    else:
        raise InvalidRequest(say(f"There is nothing at {str(found)!r}.", f"{str(found)!r} 处没有文件。"))
    refuse_pickles(listed)
    chosen = {name: path for name, path in listed.items() if _is_wanted(name)}
    if not any(map(is_weights, chosen)):
        raise InvalidRequest(
            say(f"There is no model in {str(found)!r}.", f"{str(found)!r} 中没有模型。"),
            fix=say(
                "Name a .gguf, .onnx or .safetensors file, or a folder with one.",
                "请指定 .gguf、.onnx 或 .safetensors 文件或其文件夹。",
            ),
        )
    for name in chosen:
        check_file_name(name)
    return chosen


def _listed(folder: Path, card: Card) -> dict[str, Path]:
    """Returns name → path of the files that the folder's own card lists."""
    there = _listing(folder)
    refuse_pickles(file.name for file in card.files)
    missing = [file.name for file in card.files if file.name not in there]
    if missing or not card.files:
        raise _refused(", ".join(missing) or folder.name, say("is not in the folder", "不在文件夹中"))
    return {file.name: there[file.name] for file in card.files}


def _renamed(card: Card, name: str, copied: list[CardFile]) -> Card:
    """Returns the folder's own card under the name; refuses files that are not those it lists."""
    changed = [file.name for file in copied if file not in card.files]
    if changed:
        raise _refused(
            changed[0], say("is not the file that the folder's card lists", "与文件夹中模型卡所列的文件不符")
        )
    return card.model_copy(update={"name": name, "aliases": ()})


def _listing(folder: Path) -> dict[str, Path]:
    listed: dict[str, Path] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in [*folders, *names]:
            path = Path(parent, name)
            if path.is_symlink() and not path.resolve().is_relative_to(folder):
                raise _refused(name, say("is a link out of the folder", "是指向文件夹之外的链接"))
        for name in names:
            path = Path(parent, name)
            if name.startswith("."):
                continue
            if not path.resolve().is_file():
                raise _refused(name, say("is not a regular file", "不是普通文件"))
            listed[path.relative_to(folder).as_posix()] = path.resolve()
        if len(listed) > _MAX_FILES:
            raise _refused(folder.name, say(f"has more than {_MAX_FILES} files", f"文件超过 {_MAX_FILES} 个"))
    return listed


def _is_wanted(name: str) -> bool:
    path = Path(name)
    return (
        is_weights(name) or path.suffix.lower() in _BESIDE or bool(_BARE.fullmatch(path.name))
    ) and path.name != "model.json"


def _copy(path: Path, partial: Path, inside: str, on_event: Listener, cancel: Cancel) -> CardFile:
    """Copies and hashes in one reading, so that the hash is of what is kept."""
    target = partial / inside
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    total, done = path.stat().st_size, 0
    with disk_errors(target), os.fdopen(open_no_link(path), "rb") as source, target.open("xb") as file:
        while piece := source.read(_PIECE_BYTES):
            file.write(piece)
            digest.update(piece)
            done += len(piece)
            on_event(Progress(what=inside, done=done, total=total, unit="bytes"))
            if cancel.is_set():
                raise Cancelled(say("The import was stopped.", "导入已停止。"))
    if not done:
        raise _refused(inside, say("is empty", "为空"))
    return CardFile(name=inside, size_bytes=done, sha256=digest.hexdigest())


def _card(name: str, original: str, copied: list[CardFile], facts: Mapping[str, Any], licence: str) -> Card:
    suffixes = {Path(file.name).suffix.lower() for file in copied}
    form = next(form for suffix, form in WEIGHTS.items() if suffix in suffixes)
    try:
        return Card(
            name=name,
            task=str(facts.get("task", "font" if form == "font" else "generate")),
            format=form,
            title=Words(en=name, zh=name),
            description=Words(en=f"Imported from {original}.", zh=f"由 {original} 导入。"),
            limits=Words(en="Nobody here has measured it.", zh="此处尚未测量。"),
            licence=Licence(upstream=licence or str(facts.get("licence") or "NOASSERTION")),
            languages=tuple(map(str, facts.get("languages", ()))),
            parameters=facts.get("parameters"),
            context_tokens=int(facts.get("context_tokens", 0)),
            profile=Profile(chat=facts.get("chat")),
            files=tuple(copied),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise _refused(original, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _refused(name: str, why: str) -> ModelFileRefused:
    return ModelFileRefused(say(f"{name!r} {why}.", f"{name!r} {why}。"))
