"""Keys of remote services: read from a file that only its owner may read, or from the environment; never shown."""

import os
import stat
from pathlib import Path

from inkseal.core.config import Provider
from inkseal.core.errors import TrustError
from inkseal.core.language import say

MAX_KEY_CHARS = 4096


class Key:
    """A secret that prints as dots, and takes itself out of other people's words."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Returns the secret, for the one header that carries it; empty: there is none."""
        return self._value

    def redact(self, text: str) -> str:
        """Returns the text without the secret, also where only its beginning is repeated."""
        if len(self._value) < 8:
            return text
        return text.replace(self._value, "…").replace(self._value[: max(8, len(self._value) // 2)], "…")

    def __repr__(self) -> str:
        return "Key(…)"


def read_key(provider: str, settings: Provider) -> Key:
    """Returns the key that the settings name; an empty one when they name none.

    Raises:
        TrustError: the file or variable is missing, empty or odd, or others may read the file.
    """
    if settings.key_env is not None:
        value = os.environ.get(settings.key_env, "")
        where = say(f"the variable {settings.key_env}", f"环境变量 {settings.key_env}")
    elif settings.key_file is not None:
        where = say(f"the file {settings.key_file}", f"文件 {settings.key_file}")
        value = _read_private(provider, settings.key_file, where)
    else:
        return Key("")
    value = value.strip()
    if not value or len(value) > MAX_KEY_CHARS or not value.isascii() or not value.isprintable() or " " in value:
        raise _refused(provider, where, say("holds no key", "中没有密钥"), say("Put the key there.", "请写入密钥。"))
    return Key(value)


def _read_private(provider: str, path: Path, where: str) -> str:
    try:
        with path.expanduser().open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise _refused(
                    provider,
                    where,
                    say("can be read by others", "可被其他用户读取"),
                    say(f"Run: chmod 600 {path}", f"请运行：chmod 600 {path}"),
                )
            return file.read(MAX_KEY_CHARS + 2).decode("ascii", "replace")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _refused(provider, where, say(f"cannot be read ({reason})", f"无法读取（{reason}）"), "") from None


def _refused(provider: str, where: str, why: str, fix: str) -> TrustError:
    return TrustError(
        say(f"The key of the provider {provider!r}: {where} {why}.", f"服务商 {provider!r} 的密钥：{where} {why}。"),
        fix=fix,
    )
