"""Whether the code in an answer is code of its language; it is read, never run."""

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Facts, RuleConfig, texts_at
from inkseal.apps.template import TemplateText
from inkseal.core.language import say
from inkseal.modalities.text.fences import fenced

MAX_CHARS = 60_000
_OF_THE_WEB = ("css", "dart", "javascript", "js", "jsx", "php", "ts", "tsx", "typescript")
_COMPILED = ("c", "c++", "c#", "cpp", "csharp", "go", "golang", "java", "kotlin", "rs", "rust", "scala", "swift")
BRACKETED = frozenset((*_OF_THE_WEB, *_COMPILED))
"""Languages with comments and quotes as in C, in which every bracket has a partner. In others, as in a shell's `case`,
one may stand alone, and nothing is counted."""
_PAIRS = {")": "(", "]": "[", "}": "{"}
_BARE = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)"  # comments
    r"|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"  # texts
    r"|'(?:\\.|[^'\\\n])*'(?!\w)"  # and characters; a lone mark is a lifetime of Rust
    r"|(?<=[=(,:!&|?;{}\[])\s*/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*",  # patterns of JavaScript
    re.DOTALL,
)


class CodeConfig(RuleConfig):
    """The code is what stands between the first fence and its end; without a fence, all of it."""

    language_name: TemplateText = Field(
        "python", description="python, json, or another; brackets of C's kin are counted."
    )
    fence: bool = Field(True, description="There must be a fence.")

    def templates(self) -> Iterator[str]:
        """Yields the language, which may be a field's name."""
        yield self.language_name


class Code:
    """The code can be read: Python and JSON by their grammar, languages like C by their brackets, others not at all."""

    name: ClassVar[str] = "code"
    config: ClassVar[type[RuleConfig]] = CodeConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(CodeConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line for code that cannot be read."""
        language = facts.text(self._config.language_name).strip().casefold()
        for text in texts_at(answer, self._config.path) if self._config.path else [answer.text]:
            blocks = fenced(text)
            if not blocks and self._config.fence:
                return [say("There is no code between ``` marks.", "没有用 ``` 标出的代码。")]
            why = _fault(blocks[0].text if blocks else text, language)
            if why:
                return [why]
        return []

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer


def _fault(code: str, language: str) -> str:
    if not code.strip():
        return say("The code is empty.", "代码为空。")
    if len(code) > MAX_CHARS:
        return say(f"The code is longer than {MAX_CHARS} characters.", f"代码超过 {MAX_CHARS} 个字符。")
    try:
        if language.startswith("python"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(code)
            return ""
        if language == "json":
            json.loads(code)
            return ""
    except SyntaxError as error:
        return say(
            f"Line {error.lineno} is no Python: {error.msg}.", f"第 {error.lineno} 行不是有效的 Python：{error.msg}。"
        )
    except (ValueError, RecursionError, MemoryError) as error:
        return say(f"It cannot be read: {error}.", f"无法解析：{error}。")
    return _unbalanced(code) if language in BRACKETED else ""


def _unbalanced(code: str) -> str:
    """Returns which bracket has no partner, outside of comments and quoted text."""
    open_at: list[str] = []
    for char in _BARE.sub("", code):
        if char in "([{":
            open_at.append(char)
        elif char in _PAIRS and (not open_at or open_at.pop() != _PAIRS[char]):
            return say(f"A {char!r} closes nothing.", f"多余的 {char!r}。")
    return say(f"A {open_at[-1]!r} is not closed.", f"{open_at[-1]!r} 没有闭合。") if open_at else ""
