"""Every error that Inkseal raises on purpose, as one tree.

InksealError
├── InvalidRequest            the caller's words are off; nothing was done
│   ├── UnknownName           no plug-in, model or record of that name
│   ├── Deleted               it was here, and somebody deleted its content
│   ├── ContextTooLong        prompt and answer do not fit the model
│   ├── AddressRefused        a web address leads where nothing is fetched from
│   └── Unsupported           the engine cannot do it, and says why
├── Blocked                   a check refused the prompt or withdrew the result
├── AnswerRefused             no answer of the model met what an app asks for
├── ModelError
│   ├── ModelMissing          known, but not on this machine
│   ├── ModelFileRefused      malformed, dangerous, or not the file that was recorded
│   └── FetchFailed           no source could deliver it
├── ResourceError
│   ├── NotEnoughMemory       forecast exceeds the budget
│   ├── NotEnoughSpace        the disk cannot take it
│   └── InUse                 another instance holds the data folder
├── StoreError                records or artifacts are damaged, or of another version
├── TrustError                keys, certificates or the ledger do not add up
├── EngineFailed              the engine broke off
├── Cancelled                 somebody asked for it
└── MissingDependency         an extra is not installed
"""

from collections.abc import Iterable
from difflib import get_close_matches

from inkseal.core.language import say


class InksealError(Exception):
    """Says what happened, the value, and what to do next.

    Attributes:
        what: what happened, with the value, in the current language.
        fix: what to do next; may be empty.
    """

    exit_code = 1

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(f"{what} {fix}".strip())
        self.what = what
        self.fix = fix

    @property
    def code(self) -> str:
        """A stable name for programs, such as `unknown_name`."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class InvalidRequest(InksealError):
    exit_code = 2


class UnknownName(InvalidRequest):
    """No such name; offers the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.4) or names[:8]
        shown = name[:80]
        super().__init__(
            say(f"There is no {kind} named {shown!r}.", f"没有名为 {shown!r} 的 {kind}。"),
            fix=say(f"Nearest: {', '.join(near)}.", f"最接近的有：{'、'.join(near)}。") if near else "",
        )
        self.kind = kind
        self.name = name


class Deleted(InvalidRequest):
    pass


class ContextTooLong(InvalidRequest):
    pass


class Unsupported(InvalidRequest):
    pass


class AddressRefused(InvalidRequest):
    pass


class Blocked(InksealError):
    exit_code = 3


class AnswerRefused(InksealError):
    exit_code = 12


class ModelError(InksealError):
    exit_code = 4


class ModelMissing(ModelError):
    pass


class ModelFileRefused(ModelError):
    pass


class FetchFailed(ModelError):
    pass


class ResourceError(InksealError):
    exit_code = 5


class NotEnoughMemory(ResourceError):
    pass


class NotEnoughSpace(ResourceError):
    pass


class InUse(ResourceError):
    pass


class StoreError(InksealError):
    exit_code = 6


class TrustError(InksealError):
    exit_code = 7


class EngineFailed(InksealError):
    exit_code = 8


class Cancelled(InksealError):
    exit_code = 130


class MissingDependency(InksealError):
    """A heavy package is absent; names the extra that brings it."""

    exit_code = 9

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            say(f"The package {package!r} is not installed.", f"未安装软件包 {package!r}。"),
            fix=say(f"Run: pip install 'inkseal[{extra}]'", f"请运行：pip install 'inkseal[{extra}]'"),
        )
