"""Makes a card for a repository of the hub, so that any of its models can be pulled, pinned and proven like ours.

The hub names the commit and the SHA-256 of large files; small ones are read now and proven by their git hash.
"""

import hashlib
import os
import re
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from inkseal.catalog.card import Card, CardFile, Licence, Words
from inkseal.catalog.download import download
from inkseal.catalog.facts import WEIGHTS, is_weights
from inkseal.catalog.names import check_file_name, check_name, suggest_name
from inkseal.catalog.refuse import refuse_pickles
from inkseal.core.errors import FetchFailed, InvalidRequest
from inkseal.core.language import say

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo
    from huggingface_hub.hf_api import RepoSibling

_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_BESIDE = frozenset({".json", ".txt", ".model", ".jinja"})
_MAX_SMALL_BYTES = 32 << 20
_PREFERRED = "q4_k_m"


def adopt(repo: str, *, name: str, revision: str, file: str) -> Card:
    """Returns a card for the repository at its present commit; nothing large is fetched yet.

    Raises:
        InvalidRequest: no such repository, no model in it, or several and none chosen; lists them.
        ModelFileRefused: it has only files that run code when they are loaded.
        FetchFailed: the hub is out of reach.
    """
    if not _REPO.fullmatch(repo) or ".." in repo or not _REVISION.fullmatch(revision) or ".." in revision:
        raise InvalidRequest(say(f"{repo[:80]!r} is no repository.", f"{repo[:80]!r} 不是仓库名。"))
    info = _ask(repo, revision)
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    chosen = _choose(repo, list(siblings), file)
    commit = str(info.sha)
    stem = Path(chosen[0]).stem if chosen[0].endswith(".gguf") else repo.split("/")[1]
    facts = info.gguf or {}
    licence = str(getattr(info.card_data, "license", None) or "NOASSERTION")
    try:
        return Card(
            name=check_name(name or suggest_name(stem)),
            task="generate",
            format=WEIGHTS[Path(next(filter(is_weights, chosen))).suffix],
            title=Words(en=repo, zh=repo),
            description=Words(en=f"From the hub: {repo}.", zh=f"来自模型中心：{repo}。"),
            limits=Words(en="Nobody here has measured it.", zh="此处尚未测量。"),
            licence=Licence(upstream=licence, upstream_url=f"https://huggingface.co/{repo}"),
            parameters=facts.get("total") or getattr(info.safetensors, "total", None),
            context_tokens=int(facts.get("context_length") or 0),
            files=tuple(_file(repo, commit, siblings[path]) for path in chosen),
            sources=({"source": "hub", "repo": repo, "revision": commit}, {"source": "folder"}),
        )
    except ValidationError as error:
        raise InvalidRequest(f"{repo}: {error.errors()[0]['msg']}") from None


def _ask(repo: str, revision: str) -> "ModelInfo":
    import httpx2
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError

    if constants.HF_HUB_OFFLINE:
        raise FetchFailed(say("HF_HUB_OFFLINE is set.", "已设置 HF_HUB_OFFLINE。"))
    try:
        return HfApi(endpoint=_endpoint()).model_info(repo, revision=revision, files_metadata=True, timeout=10)
    except HfHubHTTPError as error:
        raise InvalidRequest(
            say(
                f"The hub has no {repo!r} at {revision!r} for you.",
                f"模型中心没有可供您使用的 {repo!r}（{revision!r}）。",
            )
        ) from error
    except (httpx2.HTTPError, OSError, ValueError, KeyError) as error:
        raise FetchFailed(
            say(f"The hub is out of reach: {error}.", f"无法连接模型中心：{error}。"),
            fix=say("Import a file instead: inkseal models import.", "可改为导入文件：inkseal models import。"),
        ) from error


def _choose(repo: str, names: list[str], file: str) -> list[str]:
    """Returns one GGUF file, or all safetensors of the top folder with their configs."""
    if file:
        if file not in names:
            raise InvalidRequest(say(f"{repo} has no file {file[:80]!r}.", f"{repo} 没有文件 {file[:80]!r}。"))
        refuse_pickles([file])
        chosen = [file]
    elif tensors := [name for name in names if "/" not in name and name.endswith(".safetensors")]:
        chosen = [*tensors, *(name for name in names if "/" not in name and Path(name).suffix in _BESIDE)]
    else:
        chosen = _one_gguf(repo, names)
    for name in chosen:
        check_file_name(name)
    return sorted(chosen)


def _one_gguf(repo: str, names: list[str]) -> list[str]:
    found = [name for name in names if name.endswith(".gguf")]
    preferred = [name for name in found if _PREFERRED in name.lower()]
    if len(found) == 1 or len(preferred) == 1:
        return preferred if len(preferred) == 1 else found
    if not found:
        refuse_pickles(names)
        raise InvalidRequest(say(f"There is no model in {repo}.", f"{repo} 中没有模型。"))
    raise InvalidRequest(
        say(f"{repo} has {len(found)} models.", f"{repo} 中有 {len(found)} 个模型。"),
        fix=say("Choose a file: ", "请选择文件：") + ", ".join(sorted(found)[:20]),
    )


def _file(repo: str, commit: str, sibling: "RepoSibling") -> CardFile:
    if sibling.lfs is not None:
        return CardFile(name=sibling.rfilename, size_bytes=sibling.lfs.size, sha256=sibling.lfs.sha256)
    content = _small(repo, commit, sibling.rfilename, sibling.size or 0)
    if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != sibling.blob_id:
        raise FetchFailed(say(f"{sibling.rfilename!r} came changed.", f"收到的 {sibling.rfilename!r} 已被改动。"))
    return CardFile(name=sibling.rfilename, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _small(repo: str, commit: str, path: str, size_bytes: int) -> bytes:
    from huggingface_hub import get_token, hf_hub_url

    if not 0 < size_bytes <= _MAX_SMALL_BYTES:
        raise InvalidRequest(say(f"{path!r} has {size_bytes:,} bytes.", f"{path!r} 有 {size_bytes:,} 字节。"))
    token: Any = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    schemes = ("https", "http") if _endpoint().startswith("http://") else ("https",)
    url = hf_hub_url(repo, path, revision=commit, endpoint=_endpoint())
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "file")
        download(url, target, size_bytes, lambda done: None, threading.Event(), headers=headers, schemes=schemes)
        return target.read_bytes()


def _endpoint() -> str:
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
