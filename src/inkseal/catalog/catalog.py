"""The catalog: cards of this installation and its users, and the models that are here."""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from inkseal.catalog.card import Card, card_text, read_card
from inkseal.catalog.facts import Validate
from inkseal.catalog.names import name_is_taken
from inkseal.catalog.providers import is_near, remote_models
from inkseal.catalog.shelf import Installed, Shelf
from inkseal.catalog.verify import model_hash, verify_files
from inkseal.core.config import Provider, Settings
from inkseal.core.errors import InksealError, InvalidRequest, ModelFileRefused, ModelMissing, UnknownName
from inkseal.core.events import Listener, ignore
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.types import Closed
from inkseal.runtime.addresses import Allowed
from inkseal.store.durable import make_folder, refuse_links, write_whole

_CARDS = Path(__file__).parent / "cards"


class Entry(Closed):
    """One model of the catalog; `problem` says why a model that is here cannot be used."""

    card: Card
    installed: Installed | None = None
    problem: str = ""


class Catalog:
    """What there is and what is here. Cheap to make; reads the cards when first asked."""

    def __init__(
        self,
        data_dir: Path,
        providers: Mapping[str, Provider] | None = None,
        *,
        allow: Sequence[str] = (),
        offline: bool = False,
    ) -> None:
        """Prefer `Catalog.of`.

        Args:
            data_dir: where models and cards lie.
            providers: services whose models need no files; none: only models of this machine.
            allow: what may be reached besides the open internet.
            offline: only services of this machine and of closed networks are asked.

        Raises:
            InvalidRequest: an entry of `allow` is none, or nothing can be called as a provider is.
        """
        for entry in allow:
            Allowed.parse(entry)
        self.shelf = Shelf(data_dir)
        self.remote = remote_models(providers or {}, allow)
        self._allow = tuple(allow)
        near = {name for name, provider in (providers or {}).items() if not offline or is_near(provider, allow)}
        self._far = {name for name, model in self.remote.items() if model.remote and model.remote.provider not in near}
        for name in self._far:
            del self.remote[name]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Returns the catalog of an installation.

        Raises:
            InvalidRequest: the settings name something that cannot be.
        """
        return cls(settings.data_dir, settings.providers, allow=settings.fetch.allow, offline=settings.offline)

    @cached_property
    def cards(self) -> dict[str, Card]:
        """All cards by name; a user's card replaces ours of the same name, a brought model has its own.

        Raises:
            StoreError: a card is damaged; names it.
        """
        refuse_links(self.shelf.data_dir, "cards")
        files = [*sorted(_CARDS.glob("*.toml")), *sorted((self.shelf.data_dir / "cards").glob("*.toml"))]
        return {card.name: card for card in map(read_card, files)}

    def card(self, name: str) -> Card:
        """Returns the card of a model by its name or alias; that of a brought model lies beside it.

        Raises:
            InvalidRequest: nothing can be called so.
            UnknownName: nothing is; offers the nearest names.
        """
        self.shelf.folder(name)
        if name in self.cards:
            return self.cards[name]
        installed = self.shelf.installed(name)
        if installed is not None:
            return installed.card
        aliases = {alias: card for card in self.cards.values() for alias in card.aliases}
        if name in aliases:
            return aliases[name]
        raise UnknownName("model", name, {*self.cards, *aliases, *self.shelf.names()})

    def list(self) -> list[Entry]:
        """Returns every model that is known or here, by name."""
        entries = {name: Entry(card=card) for name, card in self.cards.items()}
        for name in self.shelf.names():
            try:
                installed = self.shelf.installed(name)
            except InksealError as error:
                if name in entries:
                    entries[name] = Entry(card=entries[name].card, problem=str(error))
                continue
            if installed is not None:
                entries[name] = Entry(card=installed.card, installed=installed)
        return [entries[name] for name in sorted(entries)]

    def show(self, name: str) -> Entry:
        """Returns one model by name or alias.

        Raises:
            InvalidRequest, UnknownName: as `card`.
        """
        card = self.card(name)
        return next((entry for entry in self.list() if entry.card.name == card.name), Entry(card=card))

    def local(self, name: str, *, verify: bool = True, cancel: Cancel | None = None) -> LocalModel:
        """Returns the model that is here, by name or alias, after hashing every file of it.

        With `verify=False` only the sizes are looked at: for a backend that loads a converted copy instead
        and proves that copy with `verify_files`.

        Raises:
            InvalidRequest, UnknownName: as `card`.
            ModelMissing: it is known, but not here.
            ModelFileRefused: a file is not the recorded one.
        """
        if name in self.remote:
            return self.remote[name]
        if name in self._far:
            raise _offline(name)
        if "/" in name:
            raise UnknownName("model", name, self.remote)
        card = self.card(name)
        if not card.files:
            return _local(card, self.shelf.folder(card.name))
        installed = self.shelf.installed(card.name)
        if installed is None:
            raise ModelMissing(
                say(f"The model {card.name!r} is not on this machine.", f"本机没有模型 {card.name!r}。"),
                fix=say(f"Run: inkseal models pull {card.name}", f"请运行：inkseal models pull {card.name}"),
            )
        folder = self.shelf.folder(card.name)
        files = {file.name: file.sha256 for file in installed.card.files}
        changed = {f.name: f.sha256 for f in installed.card.files if not _has_size(folder / f.name, f.size_bytes)}
        if verify or changed:
            verify_files(folder, files if verify else changed, cancel)
        return _local(installed.card, folder)

    def pull(
        self,
        name: str,
        *,
        on_event: Listener = ignore,
        cancel: Cancel | None = None,
        offline: bool = False,
        folder: Path | None = None,
        validate: Validate | None = None,
    ) -> LocalModel:
        """Brings the model here, unless it is here and whole; `folder` is looked into before the card's sources.

        `validate` reads the files before they are accepted, and tells what the card leaves open.

        Raises:
            InvalidRequest, UnknownName: as `card`; also when a model of one's own has the name.
            FetchFailed: no source could deliver; lists each with its reason.
            NotEnoughSpace, ModelFileRefused, Cancelled, InUse: as `pull.pull`.
        """
        from inkseal.catalog.pull import check_folder, pull

        check_folder(folder)
        card = self.card(name)
        here = self._here(card, cancel)
        if here is not None:
            return here
        installed = self.shelf.installed(card.name)
        if installed is not None and installed.is_own:
            raise InvalidRequest(
                say(
                    f"The {card.name!r} on this machine was published from your own runs, and would be lost.",
                    f"本机的 {card.name!r} 由你自己的训练发布，拉取会将其覆盖。",
                ),
                fix=say(
                    f"Publish the runs under another name, then: inkseal models remove {card.name}",
                    f"请换名发布该训练，再运行：inkseal models remove {card.name}",
                ),
            )
        pull(
            self.shelf,
            card,
            on_event=on_event,
            cancel=cancel or threading.Event(),
            offline=offline,
            folder=folder,
            allow=self._allow,
            validate=validate,
        )
        return self.local(card.name, verify=False)

    def bring(
        self,
        path: Path,
        name: str = "",
        *,
        validate: Validate,
        licence: str = "",
        on_event: Listener = ignore,
        cancel: Cancel | None = None,
    ) -> LocalModel:
        """Imports a model from a file or folder of the user's; see `bring.bring`."""
        from inkseal.catalog.bring import bring

        installed = bring(
            self.shelf,
            path,
            name,
            taken=self._taken(),
            validate=validate,
            licence=licence,
            on_event=on_event,
            cancel=cancel or threading.Event(),
        )
        return self.local(installed.card.name, verify=False)

    def adopt(self, repo: str, *, name: str = "", revision: str = "main", file: str = "") -> Card:
        """Makes a card for a repository of the hub (`owner/name`) among the user's cards; `pull` then brings it.

        Raises:
            InvalidRequest: no such repository, the name is taken, or there are several models; lists them.
            ModelFileRefused: it has only files that run code when they are loaded.
            FetchFailed: the hub is out of reach.
        """
        from inkseal.catalog.adopt import adopt

        card = adopt(repo, name=name, revision=revision, file=file)
        folder = self.shelf.data_dir / "cards"
        own = folder / f"{card.name}.toml"
        if card.name in self._taken() - ({card.name} if own.exists() else set()) or card.name in self.shelf.names():
            raise name_is_taken(card.name)
        refuse_links(self.shelf.data_dir, "cards", f"cards/{own.name}")
        make_folder(folder)
        write_whole(own, card_text(card).encode())
        self.__dict__.pop("cards", None)
        return card

    def _taken(self) -> set[str]:
        return {*self.cards, *(alias for card in self.cards.values() for alias in card.aliases)}

    def remove(self, name: str) -> bool:
        """Removes the model's files, also of an unfinished pull; returns whether there were any.

        Raises:
            InvalidRequest, UnknownName: as `card`.
            InUse: it is being fetched.
        """
        return self.shelf.remove(name if name in self.shelf.names() else self.card(name).name)

    def _here(self, card: Card, cancel: Cancel | None) -> LocalModel | None:
        try:
            here = self.local(card.name, cancel=cancel)
            return here if here.files == {file.name: file.sha256 for file in card.files} else None
        except (ModelMissing, ModelFileRefused):
            return None


def _local(card: Card, folder: Path) -> LocalModel:
    files = {file.name: file.sha256 for file in card.files}
    return LocalModel(
        name=card.name,
        task=card.task,
        modality=card.modality,
        folder=folder,
        files=files,
        format=card.format,
        context_tokens=card.context_tokens,
        licence=str(card.licence),
        sha256=model_hash(files),
    )


def _offline(name: str) -> ModelMissing:
    return ModelMissing(
        say(
            f"{name[:80]!r} is at a service on the network, and the settings say offline.",
            f"{name[:80]!r} 位于网络服务上，而设置要求离线。",
        ),
        fix=say(
            "Offline, services are asked only at addresses of this machine or of a closed network, given as numbers.",
            "离线时只访问以数字写明的本机或内部网络地址上的服务。",
        ),
    )


def _has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size == size_bytes
