"""Fetches files from web addresses that a card names; https and public addresses only, on every step of the way.

A card may come from a stranger, so it leads into no closed network but those that the settings allow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from inkseal.catalog.download import download
from inkseal.core.errors import AddressRefused, FetchFailed
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.runtime.addresses import FetchPolicy
from inkseal.runtime.fetch import guarded_transport


class Url:
    """`urls` of a source entry maps file names to addresses; `allow` comes from the settings alone."""

    name: ClassVar[str] = "url"
    online: ClassVar[bool] = True

    def serves(self, location: Mapping[str, Any]) -> bool:
        """True for entries of this source."""
        return location.get("source") == self.name

    def fetch(self, location: Mapping[str, Any], target: Path, on_event: Listener, cancel: Cancel) -> None:
        """Downloads `location["files"]` into `target`, going on where an earlier attempt stopped.

        Raises:
            FetchFailed: an address is missing, not https, or does not deliver.
            Cancelled, NotEnoughSpace: what came so far stays.
        """
        urls = location.get("urls", {})
        for name, facts in location["files"].items():
            if (target / name).exists():
                continue
            url = urls.get(name) if isinstance(urls, Mapping) else None
            if not isinstance(url, str):
                raise FetchFailed(say(f"the card names no address for {name!r}", f"模型卡未给出 {name!r} 的地址"))
            total = facts["size_bytes"]

            def told(done: int, name: str = name, total: int = total) -> None:
                on_event(Progress(what=name, done=done, total=total, unit="bytes"))

            (target / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                policy = FetchPolicy(schemes=("https",), allow=tuple(location.get("allow", ())))
                with guarded_transport(policy) as transport:
                    download(url, target / name, total, told, cancel, transport=transport)
            except AddressRefused as error:
                raise FetchFailed(error.what) from None
