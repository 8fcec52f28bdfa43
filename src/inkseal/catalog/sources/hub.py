"""Fetches files from the Hugging Face hub at a pinned revision; GGUF and safetensors alike.

An unreachable hub costs one short connection attempt, so that the next source gets its turn.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from inkseal.catalog.download import download
from inkseal.core.errors import FetchFailed
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel


class Hub:
    """`repo`, `revision` and, where names differ, `paths` (file name → path in the repository)."""

    name: ClassVar[str] = "hub"
    online: ClassVar[bool] = True

    def serves(self, location: Mapping[str, Any]) -> bool:
        """True for entries of this source."""
        return location.get("source") == self.name

    def fetch(self, location: Mapping[str, Any], target: Path, on_event: Listener, cancel: Cancel) -> None:
        """Downloads `location["files"]` into `target`, going on where an earlier attempt stopped.

        Raises:
            FetchFailed: the hub is switched off, out of reach, or has no such file.
            Cancelled, NotEnoughSpace: what came so far stays.
        """
        from huggingface_hub import constants, get_token, hf_hub_url

        if constants.HF_HUB_OFFLINE:
            raise FetchFailed(say("HF_HUB_OFFLINE is set", "已设置 HF_HUB_OFFLINE"))
        endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
        token = get_token()
        repo = location.get("repo")
        if not isinstance(repo, str):
            raise FetchFailed(say("the card names no repository", "模型卡未给出仓库"))
        for name, facts in location["files"].items():
            if (target / name).exists():
                continue
            path = location.get("paths", {}).get(name, name)
            url = hf_hub_url(repo, path, revision=location.get("revision", "main"), endpoint=endpoint)
            total = facts["size_bytes"]

            def told(done: int, name: str = name, total: int = total) -> None:
                on_event(Progress(what=name, done=done, total=total, unit="bytes"))

            (target / name).parent.mkdir(parents=True, exist_ok=True)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            download(url, target / name, total, told, cancel, headers=headers, schemes=_schemes(endpoint))


def _schemes(endpoint: str) -> tuple[str, ...]:
    # A mirror in a closed network may speak plain http, but only if its owner said so in HF_ENDPOINT.
    return ("https", "http") if urlsplit(endpoint).scheme == "http" else ("https",)
