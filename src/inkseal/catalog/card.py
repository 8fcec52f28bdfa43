"""A model card: what a model is, what it may be used for, where its files come from and how to know them."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from inkseal.catalog.names import check_file_name, check_name
from inkseal.core.errors import InksealError, StoreError
from inkseal.core.language import current_language, say
from inkseal.core.types import Closed, Sha256


def _name(value: str) -> str:
    try:
        return check_name(value)
    except InksealError as error:
        raise ValueError(error.what) from None


def _file_name(value: str) -> str:
    try:
        return check_file_name(value)
    except InksealError as error:
        raise ValueError(error.what) from None


Name = Annotated[str, AfterValidator(_name)]
FileName = Annotated[str, AfterValidator(_file_name)]


class Words(Closed):
    """One text in both languages of the interface."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if current_language() == "zh" else self.en


class CardFile(Closed):
    """One file of a model and how to know it."""

    name: FileName
    size_bytes: int = Field(gt=0)
    sha256: Sha256


class Licence(Closed):
    """Who allows what. `upstream` is the makers' own; `package` is what the carrying package states, if one does.

    `own`: the model was trained by the recipes of this repository, so that nobody stands upstream.
    """

    upstream: str
    upstream_url: str = ""
    package: str | None = None
    own: bool = Field(False, exclude_if=lambda value: not value)

    def __str__(self) -> str:
        if self.own:
            return self.upstream
        upstream = say(f"{self.upstream} (upstream)", f"{self.upstream}（上游）")
        if self.package is None:
            return upstream
        stated = self.package or say("nothing", "未声明")
        return say(f"{upstream}; the package states: {stated}", f"{upstream}；软件包声明：{stated}")


class TrainedOn(Closed):
    """The dataset that a model was trained on here."""

    name: str
    sha256: Sha256
    licences: dict[str, int]
    """Licence → how many pictures or texts have it."""
    credits: dict[str, str]
    """Collection → who made it, as its licence wants to be told."""


class PictureProfile(Closed):
    """What a picture model draws when a request leaves it open, and which styles it knows."""

    side_px: int
    styles: tuple[str, ...] = ()
    steps: int
    guidance: float
    autoguidance: float = 0.0
    solver: str


class Profile(Closed):
    """What the model can do. None: nobody measured it."""

    chat: bool | None = None
    tools: bool | None = None
    json_answers: bool | None = None
    code: bool | None = None
    dimensions: int | None = None
    picture: PictureProfile | None = Field(None, exclude_if=lambda value: value is None)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """What the model knows of a request's field that is open to any word, by the field's name."""
        return {"style": self.picture.styles} if self.picture and self.picture.styles else {}


class Card(Closed):
    """Everything known of a model before it is here."""

    name: Name
    aliases: tuple[Name, ...] = ()
    task: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,30}$")]
    modality: Annotated[str, Field(pattern=r"^[a-z]{1,20}$", description="What it makes or reads.")] = "text"
    format: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    title: Words
    description: Words
    limits: Words
    licence: Licence
    data: TrainedOn | None = Field(None, exclude_if=lambda value: value is None)
    languages: tuple[str, ...] = ()
    parameters: int | None = None
    context_tokens: int = 0
    memory_bytes: int | None = Field(None, description="RAM the model needs when loaded; a hint, not a promise.")
    profile: Profile = Profile()
    files: tuple[CardFile, ...] = Field((), description="None: a backend of this format needs no files.")
    sources: tuple[dict[str, Any], ...] = Field((), description="In the order tried; `source` names the plug-in.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [file.name.lower() for file in self.files]
        if len(set(names)) != len(names) or "model.json" in names:
            raise ValueError("file names must differ, also without regard to case, and none may be model.json")
        if any(not isinstance(entry.get("source"), str) for entry in self.sources):
            raise ValueError("every source entry names its plug-in in `source`")
        return self

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def read_card(path: Path) -> Card:
    """Returns the card in a TOML file.

    Raises:
        StoreError: the file is damaged or not a card; names the field.
    """
    try:
        return Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise StoreError(
            say(
                f"The model card {path} cannot be read: {_reason(error)}.",
                f"无法读取模型卡 {path}：{_reason(error)}。",
            ),
            fix=say("Correct it or remove it.", "请更正或删除它。"),
        ) from None


def card_text(card: Card) -> str:
    """Returns the card as TOML that `read_card` reads back equal."""
    values = card.model_dump(mode="json", exclude_defaults=True)
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_toml(key)} = {_toml(item)}" for key, item in value.items() if item is not None)
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
