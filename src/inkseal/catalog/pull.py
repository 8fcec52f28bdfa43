"""Brings a model here: asks its sources in turn, proves every file, and puts it on the shelf in one step."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkseal.catalog.card import Card
from inkseal.catalog.download import TEMPORARY_PREFIX, part_of
from inkseal.catalog.facts import Validate, read_facts
from inkseal.catalog.refuse import refuse_custom_code, refuse_pickles
from inkseal.catalog.shelf import Installed, Shelf
from inkseal.catalog.sources import sources
from inkseal.catalog.space import require_space
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import FetchFailed, InvalidRequest, ModelFileRefused, UnknownName
from inkseal.core.events import Listener, Noted
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Source
from inkseal.core.types import now


def pull(
    shelf: Shelf,
    card: Card,
    *,
    on_event: Listener,
    cancel: Cancel,
    offline: bool,
    folder: Path | None,
    validate: Validate | None = None,
) -> Installed:
    """Fetches what is missing of the model and returns its record; goes on where an earlier pull stopped.

    Raises:
        FetchFailed: no source could deliver; lists each with its reason.
        NotEnoughSpace: before anything is fetched; says how much is missing.
        ModelFileRefused: the model carries code, or `validate` refuses a file.
        Cancelled, InUse: what came so far stays.
    """
    refuse_pickles(file.name for file in card.files)
    with shelf.partial(card.name) as partial:
        _note(on_event, say(f"Licence of {card.name}: {card.licence}", f"{card.name} 的许可：{card.licence}"))
        missing = _keep_good(partial, card, cancel)
        require_space(partial, sum(f.size_bytes for f in missing) - _num_part_bytes(partial, card))
        source = "-"
        if missing:
            source = _ask_all(partial, card, _entries(card, folder), on_event, cancel, offline=offline)
        refuse_custom_code(partial / file.name for file in card.files)
        if validate is not None:
            card = _completed(card, read_facts(partial, [file.name for file in card.files], validate))
        installed = Installed(card=card, source=source, installed_at=now())
        shelf.publish(partial, installed)
    return installed


def _completed(card: Card, facts: Mapping[str, Any]) -> Card:
    """Returns the card with what only its files could say; what the card says itself stays."""
    unsaid = {key: facts[key] for key in ("context_tokens", "parameters") if key in facts and not getattr(card, key)}
    return Card.model_validate(card.model_dump() | unsaid)


def _entries(card: Card, folder: Path | None) -> list[Mapping[str, Any]]:
    named = [{"source": "folder", "path": str(folder)}] if folder is not None else []
    return [*named, *card.sources]


def _ask_all(
    partial: Path,
    card: Card,
    entries: Sequence[Mapping[str, Any]],
    on_event: Listener,
    cancel: Cancel,
    *,
    offline: bool,
) -> str:
    """Returns the name of the source that delivered; what one source left undone the next may finish."""
    reasons: list[str] = []
    for entry in entries:
        name = str(entry["source"])
        try:
            source = sources[name]()
            if source.online and offline:
                raise FetchFailed(say("offline", "离线"))
            _ask(source, partial, card, entry, on_event, cancel)
            return name
        except (FetchFailed, UnknownName) as error:
            reasons.append(f"{name}: {error.what}")
            _note(on_event, say(f"Skipped {name}: {error.what}", f"跳过 {name}：{error.what}"))
    raise FetchFailed(
        say(f"No source could deliver {card.name!r}.", f"没有来源能提供 {card.name!r}。")
        + "".join(f"\n  {reason}" for reason in reasons),
        fix="\n"
        + say(
            "Connect to a network, or put the files into a folder and name it in INKSEAL_MODEL_PATH.",
            "请连接网络，或把文件放进一个文件夹并在 INKSEAL_MODEL_PATH 中指定。",
        ),
    )


def _ask(
    source: Source, partial: Path, card: Card, entry: Mapping[str, Any], on_event: Listener, cancel: Cancel
) -> None:
    facts = {file.name: {"size_bytes": file.size_bytes, "sha256": file.sha256} for file in card.files}
    location = {**entry, "name": card.name, "files": facts}
    if not source.serves(location):
        raise FetchFailed(say("the card's entry is not for this source", "模型卡条目不适用于该来源"))
    for _ in range(2):
        went_on = _num_part_bytes(partial, card) > 0
        source.fetch(location, partial, on_event, cancel)
        bad = _keep_good(partial, card, cancel)
        if not bad:
            return
        if not went_on:  # a stale beginning spoils a whole file once; the source's own bytes get a second chance
            break
    raise FetchFailed(say(f"{bad[0].name!r} came with another content", f"收到的 {bad[0].name!r} 内容不符"))


def _keep_good(partial: Path, card: Card, cancel: Cancel) -> list[Any]:
    """Removes everything that is not a proven file or a beginning of one; returns the files that are missing."""
    wanted = {partial / file.name: file for file in card.files}
    parts = {part_of(path) for path, file in wanted.items()}
    for path in _files(partial):
        if path.is_symlink() or (path not in wanted and path not in parts):
            path.unlink()
    for path, file in wanted.items():
        if path.exists() and not _is_good(path, file.size_bytes, file.sha256, cancel):
            path.unlink()
        if path.exists():
            part_of(path).unlink(missing_ok=True)
    return [file for path, file in wanted.items() if not path.exists()]


def _files(folder: Path) -> Iterable[Path]:
    for path in list(folder.iterdir()):
        if path.name.startswith(TEMPORARY_PREFIX) and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path


def _is_good(path: Path, size_bytes: int, sha256: str, cancel: Cancel) -> bool:
    try:
        return path.stat().st_size == size_bytes and hash_file(path, cancel) == sha256
    except ModelFileRefused:
        return False


def _num_part_bytes(partial: Path, card: Card) -> int:
    parts = (part_of(partial / file.name) for file in card.files)
    return sum(part.stat().st_size for part in parts if part.is_file())


def _note(on_event: Listener, text: str) -> None:
    on_event(Noted(text=text))


def check_folder(folder: Path | None) -> None:
    """Refuses a folder that is not there before anything is asked of it.

    Raises:
        InvalidRequest: it is no folder.
    """
    if folder is not None and not folder.is_dir():
        raise InvalidRequest(say(f"{str(folder)!r} is not a folder.", f"{str(folder)!r} 不是文件夹。"))
