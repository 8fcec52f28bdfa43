"""Messages to the exact prompt tokens, through the model's own template, which is not trusted.

The template runs in a sandbox in a child process that is killed when it takes too long (see `_template_worker`).
Text of messages cannot forge control tokens, whatever the template does with it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from inkseal.core.errors import InvalidRequest, ModelFileRefused, Unsupported
from inkseal.core.language import say
from inkseal.core.types import Message
from inkseal.formats.child import Child
from inkseal.formats.tokenizer import Tokenizer, any_of

LIMIT_SECONDS = 0.5
"""Processor time of one rendering; a usual template takes under a thousandth of it."""
START_SECONDS = 2.0
"""Processor time to start the child and compile."""
MAX_TEMPLATE_CHARS = 131_072
PRIVATE_USE = range(0xE000, 0xF900)

_PROBE = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}]


class ChatTemplate:
    """A model's template with its tokenizer; starts a child process, which `close` ends."""

    def __init__(self, source: str, tokenizer: Tokenizer) -> None:
        """Starts the child, compiles the template and tries it on a small conversation.

        Raises:
            ModelFileRefused: it is no template, does what a template must not, or takes too long.
        """
        self._tokenizer = tokenizer
        self._control = any_of(tokenizer.control)
        self._renderer = _Renderer(source)
        try:
            self._names = self._renderer.start()
            self._renderer.render({**self._special(), "messages": _PROBE, "add_generation_prompt": True}, probing=True)
        except ModelFileRefused:
            self._renderer.close()
            raise

    @property
    def takes_tools(self) -> bool:
        """True when the template places tools in the prompt."""
        return "tools" in self._names

    def encode(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        add_generation_prompt: bool = True,
    ) -> list[int]:
        """Returns the ids of the prompt, exactly as the model will be given them.

        Args:
            tools: JSON schemas of functions, as in OpenAI's `tools`.

        Raises:
            InvalidRequest: the template refuses this order of messages.
            Unsupported: a part is no text, or the template has no place for tools.
            ModelFileRefused: the template misbehaved on this conversation.
        """
        if tools and not self.takes_tools:
            raise Unsupported(say("The model's chat template knows no tools.", "该模型的对话模板不支持工具。"))
        turns: Any = [_turn(message) for message in messages]
        sentinel = _unused_letter([turns, tools])
        escaped = self._escape(turns, sentinel)
        variables = {**self._special(), "messages": escaped, "add_generation_prompt": add_generation_prompt}
        variables["tools"] = self._escape(list(tools), sentinel) or None
        return self._ids(self._renderer.render(variables), sentinel)

    def close(self) -> None:
        """Ends the child process."""
        self._renderer.close()

    def _special(self) -> dict[str, str]:
        strings = {place: text for text, place in self._tokenizer.control.items()}
        begin = strings.get(self._tokenizer.bos_id, "") if self._tokenizer.bos_id is not None else ""
        return {"bos_token": begin, "eos_token": strings.get(self._tokenizer.end_id, "")}

    def _escape(self, value: Any, sentinel: str) -> Any:
        """Breaks every control token inside the strings of `value` with the sentinel."""
        if isinstance(value, str):
            if self._control is None:
                return value
            return self._control.sub(lambda hit: hit[0][0] + sentinel + hit[0][1:], value)
        if isinstance(value, Mapping):
            return {self._escape(key, sentinel): self._escape(item, sentinel) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._escape(item, sentinel) for item in value]
        return value

    def _ids(self, rendered: str, sentinel: str) -> list[int]:
        """Cuts at the control tokens that the template placed; all between them is plain text."""
        ids: list[int] = []
        at = 0
        for hit in self._control.finditer(rendered) if self._control else ():
            ids += self._tokenizer.encode(rendered[at : hit.start()].replace(sentinel, ""))
            ids.append(self._tokenizer.control[hit[0]])
            at = hit.end()
        ids += self._tokenizer.encode(rendered[at:].replace(sentinel, ""))
        begin = self._tokenizer.bos_id
        return [begin, *ids] if begin is not None and ids[:1] != [begin] else ids


class _Renderer:
    """The template in its child process, with its failures told apart."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_TEMPLATE_CHARS:
            _refuse(say(f"it has {len(source)} characters", f"长达 {len(source)} 个字符"))
        self._child = Child("inkseal.formats._template_worker", source, START_SECONDS)

    def start(self) -> frozenset[str]:
        """Starts the child and returns the names the template asks for."""
        greeting = self._in_time(self._child.start)
        if "names" not in greeting:
            _refuse(str(greeting.get("error") or greeting.get("unsafe"))[:200])
        return frozenset(greeting["names"])

    def render(self, variables: Mapping[str, Any], *, probing: bool = False) -> str:
        answer = self._in_time(lambda: self._child.ask(variables, LIMIT_SECONDS))
        if "text" in answer:
            return str(answer["text"])
        if "unsafe" in answer:
            _refuse(str(answer["unsafe"])[:200])
        if probing:
            return ""  # some templates refuse the probe's roles; only what they may not do counts here
        why = str(answer["error"])[:200]
        raise InvalidRequest(
            say(f"The model's chat template refuses the messages: {why}.", f"模型的对话模板拒绝了这些消息：{why}。"),
            fix=say("Change the roles or their order.", "请更改角色或其顺序。"),
        )

    def close(self) -> None:
        self._child.close()

    @staticmethod
    def _in_time(action: Callable[[], Any]) -> Any:
        try:
            return action()
        except TimeoutError:
            _refuse(say("it takes too long or too much memory", "它耗时过长或占用过多内存"))


def _turn(message: Message) -> dict[str, Any]:
    if any(part.artifact is not None or part.media_type != "text/plain" for part in message.parts):
        raise Unsupported(say("A text model takes only text.", "文本模型只接受文本。"))
    turn: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tool_calls:
        turn["tool_calls"] = [
            {"type": "function", "id": call.id, "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def _unused_letter(values: object) -> str:
    """Returns a private-use character that occurs nowhere in the values."""
    used = set(json.dumps(values, ensure_ascii=False, default=str))
    return next(chr(code) for code in PRIVATE_USE if chr(code) not in used)


def _refuse(why: str) -> NoReturn:
    raise ModelFileRefused(
        say(f"The model's chat template is refused: {why}.", f"拒绝使用模型的对话模板：{why}。"),
        fix=say("Use the model's original file.", "请使用模型的原始文件。"),
    )
