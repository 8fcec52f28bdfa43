"""What may be a model's name or a file's name inside a model; everything else is refused before any path is made."""

import re

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

NAME_PATTERN = r"[a-z0-9](?:[a-z0-9]|[._-](?![._-])){0,98}(?<![._-])"
_NAME = re.compile(NAME_PATTERN)
_FILE_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ -]|\.(?!\.)){0,199}(?<![. ])")
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{i}" for port in ("com", "lpt") for i in range(10)}


def check_name(name: str) -> str:
    """Returns the name if a model may be called so.

    Raises:
        InvalidRequest: it could leave its folder, or means a device somewhere.
    """
    if not _NAME.fullmatch(name) or _is_device(name):
        raise InvalidRequest(
            say(f"{name[:80]!r} cannot be the name of a model.", f"{name[:80]!r} 不能用作模型名。"),
            fix=say(
                "Use 1 to 99 lower-case letters, digits, and single '.', '_' or '-' between them.",
                "请用 1 到 99 个小写字母、数字，以及其间单个的 '.'、'_' 或 '-'。",
            ),
        )
    return name


def check_file_name(name: str) -> str:
    """Returns the relative path (parts joined by `/`) if a file of a model may be called so.

    Raises:
        InvalidRequest: it could leave its folder, or means a device somewhere.
    """
    parts = name.split("/")
    if len(parts) > 4 or not all(_FILE_PART.fullmatch(part) and not _is_device(part) for part in parts):
        raise InvalidRequest(say(f"{name[:80]!r} cannot be a file of a model.", f"{name[:80]!r} 不能是模型的文件名。"))
    return name


def suggest_name(stem: str) -> str:
    """Returns a valid name near a file's or folder's; empty when nothing of it can be kept, as for a device."""
    lower = re.sub(r"[^a-z0-9]+", lambda m: m[0][0] if m[0][0] in "._-" else "-", stem.lower())
    name = lower.strip("._-")[:99].rstrip("._-")
    return "" if _is_device(name) else name


def name_is_taken(name: str) -> InvalidRequest:
    """Returns the refusal of a name that another model has."""
    return InvalidRequest(
        say(f"There is already a model named {name!r}.", f"已有名为 {name!r} 的模型。"),
        fix=say("Choose another name, or remove that one first.", "请另选名称，或先移除原有模型。"),
    )


def _is_device(part: str) -> bool:
    return part.lower().split(".")[0] in _DEVICES
