"""Shows what changed between a code and its repaired form; nothing is run."""

import difflib
from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say
from inkseal.modalities.text.fences import fenced

MAX_LINES = 4_000


class CodeChange:
    """The first code block of an answer, the prose around it, and the difference to what was given."""

    name: ClassVar[str] = "code_change"
    arguments: ClassVar[frozenset[str]] = frozenset({"before", "answer"})
    optional: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns `code`, `diff` (unified; empty when nothing changed), `prose`, `num_added` and `num_removed`.

        Raises:
            InvalidRequest: the code is too long to compare.
        """
        answer, before = str(values["answer"]), str(values["before"]).strip("\n")
        blocks = fenced(answer)
        code = blocks[0].text.strip("\n") if blocks else answer.strip("\n")
        old, new = before.splitlines(), code.splitlines()
        if max(len(old), len(new)) > MAX_LINES:
            raise InvalidRequest(say(f"More than {MAX_LINES} lines of code.", f"代码超过 {MAX_LINES} 行。"))
        lines = list(difflib.unified_diff(old, new, say("before", "修复前"), say("after", "修复后"), lineterm=""))
        prose = answer[: blocks[0].start] + answer[blocks[0].end :] if blocks else ""
        return {
            "code": code,
            "diff": "\n".join(lines),
            "prose": prose.strip(),
            "num_added": sum(line.startswith("+") and not line.startswith("+++") for line in lines),
            "num_removed": sum(line.startswith("-") and not line.startswith("---") for line in lines),
        }
