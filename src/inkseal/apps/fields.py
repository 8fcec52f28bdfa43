"""The form of an app: what each field takes, its JSON schema, and the check of what was filled in."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field as Slot
from pydantic import model_validator

from inkseal.apps.contracts import Name, Spoken
from inkseal.apps.template import Bound
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Closed, Origin
from inkseal.formats.json_schema import conforms, is_number

FieldType = Literal["text", "long_text", "number", "choice", "csv", "list", "boolean", "json"]
MAX_TEXT = 200
MAX_LONG_TEXT = 8_000
MAX_CSV_CHARS = 1_000_000
MAX_JSON_CHARS = 200_000
_LIMITS: dict[str, int] = {
    "text": 2_000,
    "long_text": 100_000,
    "csv": MAX_CSV_CHARS,
    "list": 2_000,
    "json": MAX_JSON_CHARS,
}
_DEFAULT_CHARS = {"text": MAX_TEXT, "long_text": MAX_LONG_TEXT, "csv": MAX_CSV_CHARS, "list": MAX_TEXT}


class FieldOff(InvalidRequest):
    """A field is missing, or what was filled in cannot be used.

    Attributes:
        param: the field's name.
    """

    def __init__(self, name: str, what: str) -> None:
        super().__init__(what)
        self.param = name


class Choice(Closed):
    """One of the values of a choice; `words` is what the prompt says for it."""

    value: Annotated[str, Slot(pattern=r"^[A-Za-z0-9_.+-]{1,60}$")]
    title: Spoken
    words: Spoken | None = None


class Field(Closed):
    """One field of an app's form."""

    name: Name
    type: FieldType
    title: Spoken
    help: Spoken | None = None
    required: bool = True
    default: str | int | float | bool | list[str] | None = None
    origin: Literal["user", "document"] | None = Slot(
        None, description="`document` for text that somebody else wrote: it is trusted less. A CSV always is."
    )
    max_chars: int | None = Slot(None, ge=1, description="Of a text, or of each item of a list.")
    min: float | None = None
    max: float | None = None
    whole: bool = Slot(True, description="Only whole numbers.")
    choices: tuple[Choice, ...] = Slot((), max_length=50)
    min_items: int = Slot(0, ge=0, le=100)
    max_items: int = Slot(20, ge=1, le=100)
    places: bool = Slot(False, description="Of a list: the place of an item counts, so that empty ones stay.")
    json_schema: dict[str, Any] | None = Slot(None, description="What a JSON value must meet.")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice has choices, and nothing else has")
        if len({choice.value for choice in self.choices}) != len(self.choices):
            raise ValueError("two choices have the same value")
        if self.type == "number" and (self.min is None or self.max is None or self.min > self.max):
            raise ValueError("a number has min and max")
        if self.type != "number" and (self.min is not None or self.max is not None):
            raise ValueError("only a number has min and max")
        if self.max_chars is not None and self.max_chars > _LIMITS.get(self.type, 0):
            raise ValueError(f"max_chars is at most {_LIMITS.get(self.type, 0)} for {self.type}")
        if (self.type == "json") != (self.json_schema is not None):
            raise ValueError("a json field has a json_schema, and nothing else has")
        if self.default is not None:
            try:
                self.value(self.default)
            except InvalidRequest as error:
                raise ValueError(f"the default: {error}") from None
        return self

    @property
    def chars(self) -> int:
        """Longest text, or longest item."""
        return self.max_chars or _DEFAULT_CHARS.get(self.type, MAX_TEXT)

    @property
    def bound_origin(self) -> Origin:
        """Where its text counts as coming from."""
        return Origin.DOCUMENT if self.type == "csv" or self.origin == "document" else Origin.USER

    def value(self, given: Any) -> Any:
        """Returns what was filled in, proved and in its own type.

        Raises:
            InvalidRequest: naming the field and what is wrong.
        """
        if self.type in ("text", "long_text", "csv"):
            return self._text(given)
        if self.type == "number":
            return self._number(given)
        if self.type == "boolean":
            if isinstance(given, bool):
                return given
            raise self._wrong(say("give true or false", "请给出 true 或 false"))
        if self.type == "choice":
            if given in [choice.value for choice in self.choices]:
                return given
            known = ", ".join(choice.value for choice in self.choices)
            raise self._wrong(say(f"give one of: {known}", f"请从中选择：{known}"))
        if self.type == "list":
            return self._list(given)
        if len(json.dumps(given, ensure_ascii=False, default=str)) > (self.max_chars or MAX_JSON_CHARS):
            raise self._wrong(say("it is too long", "内容过长"))
        if not conforms(given, self.json_schema or {}):
            raise self._wrong(say("it does not meet its schema", "不符合其模式"))
        return given

    def bound(self, value: Any) -> Bound:
        """Returns what the field's name stands for in prompts."""
        if self.type == "choice" and value is not None:
            choice = next(choice for choice in self.choices if choice.value == value)
            return Bound(str(choice.words or choice.title), self.bound_origin)
        return Bound(value, self.bound_origin)

    def _text(self, given: Any) -> str:
        if not isinstance(given, str):
            raise self._wrong(say("give text", "请给出文本"))
        if len(given) > self.chars:
            raise self._wrong(
                say(f"{len(given)} characters, at most {self.chars}", f"{len(given)} 个字符，最多 {self.chars} 个")
            )
        if self.required and not given.strip():
            raise self._wrong(say("it is empty", "不能为空"))
        if self.type == "text" and ("\n" in given or "\r" in given):
            raise self._wrong(say("one line only", "只能有一行"))
        return given

    def _number(self, given: Any) -> int | float:
        if not is_number(given):
            raise self._wrong(say("give a number", "请给出数字"))
        assert self.min is not None
        assert self.max is not None
        if not self.min <= given <= self.max:
            span = f"{self.min:g} … {self.max:g}"
            raise self._wrong(say(f"{given:g} is not in {span}", f"{given:g} 不在 {span} 内"))
        if self.whole:
            if given != int(given):
                raise self._wrong(say("give a whole number", "请给出整数"))
            return int(given)
        return given

    def _list(self, given: Any) -> list[str]:
        if not isinstance(given, list | tuple) or not all(isinstance(item, str) for item in given):
            raise self._wrong(say("give a list of texts", "请给出文本列表"))
        items = [item for item in given if item.strip() or self.places]
        while items and not items[-1].strip():
            items.pop()
        least = max(self.min_items, int(self.required))
        if not least <= len(items) <= self.max_items:
            raise self._wrong(
                say(
                    f"{len(items)} items, {least} to {self.max_items} allowed",
                    f"{len(items)} 项，允许 {least} 到 {self.max_items} 项",
                )
            )
        if any(len(item) > self.chars for item in items):
            raise self._wrong(say(f"an item is longer than {self.chars} characters", f"某项超过 {self.chars} 个字符"))
        return items

    def _wrong(self, why: str) -> InvalidRequest:
        return FieldOff(self.name, say(f"{self.title} ({self.name}): {why}.", f"{self.title}（{self.name}）：{why}。"))

    def json_form(self) -> dict[str, Any]:
        """Returns the field's JSON schema; titles and help stand there in both languages."""
        found: dict[str, Any] = {"title": self.title.en, "zh_title": self.title.zh, "x-field": self.type}
        if self.help is not None:
            found |= {"description": self.help.en, "zh": self.help.zh}
        if self.default is not None:
            found["default"] = self.default
        if self.type in ("text", "long_text", "csv"):
            found |= {"type": "string", "maxLength": self.chars}
            if self.required:
                found["minLength"] = 1
            if self.type != "text":
                found["format"] = "long"
        elif self.type == "number":
            found |= {"type": "integer" if self.whole else "number", "minimum": self.min, "maximum": self.max}
        elif self.type == "boolean":
            found["type"] = "boolean"
        elif self.type == "choice":
            found |= {"type": "string", "enum": [choice.value for choice in self.choices]}
            found["en_titles"] = {choice.value: choice.title.en for choice in self.choices}
            found["zh_titles"] = {choice.value: choice.title.zh for choice in self.choices}
        elif self.type == "list":
            found |= {"type": "array", "items": {"type": "string", "maxLength": self.chars}}
            found |= {"minItems": max(self.min_items, int(self.required)), "maxItems": self.max_items}
        else:
            found |= self.json_schema or {}
        return found


def form(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Returns the JSON schema of a form."""
    return {
        "type": "object",
        "properties": {field.name: field.json_form() for field in fields},
        "required": [field.name for field in fields if field.required and field.default is None],
        "additionalProperties": False,
    }


def filled_in(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the value of every field: what was given, else the default, else None.

    Raises:
        InvalidRequest: a field is unknown, missing or off.
    """
    unknown = sorted(set(values) - {field.name for field in fields})
    if unknown:
        known = ", ".join(field.name for field in fields)
        raise InvalidRequest(
            say(f"There is no field {unknown[0][:80]!r}.", f"没有字段 {unknown[0][:80]!r}。"),
            fix=say(f"The fields are: {known}.", f"字段有：{known}。"),
        )
    found: dict[str, Any] = {}
    for field in fields:
        given = values.get(field.name)
        given = field.default if given is None else given
        if given is None or (given in ("", []) and not field.required):
            if field.required:
                raise FieldOff(
                    field.name, say(f"{field.title} ({field.name}) is missing.", f"缺少{field.title}（{field.name}）。")
                )
            found[field.name] = None
        else:
            found[field.name] = field.value(given)
    return found
