"""Settings of the installation (file and environment) and the closed base of component configs."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator, model_validator

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say
from inkseal.core.types import Closed, Regime

PREFIX = "INKSEAL_"
_TABLES = ("data_dir", "checks", "backends", "providers", "fetch", "serve")
"""Settings that no environment variable holds."""


class ComponentConfig(Closed):
    """Base of a plug-in's own fields; stands beside what it configures."""


class ProviderModel(Closed):
    """One model of a provider, as far as this installation must know it."""

    task: Literal["generate", "embed"] = "generate"
    context_tokens: int = Field(0, ge=0, description="Longest prompt and answer together; 0: the provider says.")
    licence: str = Field("", max_length=200, description="What the provider allows with its results.")


class Provider(Closed):
    """A remote service and its models, which are called `NAME/model` here. Set by whoever runs the installation."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$", description="The backend that speaks with it: openai_api …")
    base_url: str = Field(max_length=2000, description="Address before /chat/completions or /v1/messages.")
    engine: str = Field("", description="Which engine answers there: openai, vllm, llama_cpp …; empty: unknown.")
    key_file: Path | None = Field(None, description="File with the key; only its owner may read it.")
    key_env: str | None = Field(None, description="Environment variable with the key.")
    allow_private: bool = Field(False, description="The address may be on this machine or in a closed network.")
    models: dict[str, ProviderModel] = Field(description="Its models by the provider's names; a list will do.")

    @field_validator("models", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return {name: {} for name in value} if isinstance(value, list | tuple) else value

    @field_validator("base_url")
    @classmethod
    def _bare(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("give an http or https address without user, query or fragment")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key_file is not None and self.key_env is not None:
            raise ValueError("give key_file or key_env, not both")
        return self


class FetchSettings(Closed):
    """What the guarded fetcher may reach besides the open internet."""

    allow: tuple[str, ...] = Field((), description="Networks, addresses or host names, each with a port if need be.")


class Settings(Closed):
    """The installation's settings: `settings.toml` in the data folder, then INKSEAL_* variables."""

    data_dir: Path = Field(description="Where models, artifacts and records live.")
    language: Language | None = Field(None, description="Interface language; the locale's when absent.")
    regime: Regime = Field("both", description="Which labelling rules exports follow.")
    producer: str = Field("", max_length=64, description="Producer code for labels (27 characters in China).")
    model: str = Field("default", description="The model that `default` stands for is a card; this names the card.")
    backend: str = Field("", description="Preferred backend; chosen by the model's files when empty.")
    memory_budget_bytes: int | None = Field(None, gt=0, description="Budget for all engines; 70 % of RAM when absent.")
    threads: int | None = Field(None, ge=1, description="Threads for an engine; the free cores when absent.")
    engine_memory_limit_bytes: int | None = Field(
        None, gt=0, description="Address space of an engine in a process of its own; unlimited when absent."
    )
    offline: bool = Field(False, description="Reach nothing but services of this machine and of closed networks.")
    log_level: str = Field("WARNING", description="Level of the log on standard error.")
    checks: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Config of checks, by name.")
    backends: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Config of backends, by name.")
    serve: dict[str, Any] = Field(default_factory=dict, description="Config of the server.")
    providers: dict[str, Provider] = Field(default_factory=dict, description="Remote services, by name.")
    fetch: FetchSettings = FetchSettings()


def default_data_dir() -> Path:
    """Returns INKSEAL_DATA_DIR, else the user's data folder for this platform."""
    return Path(os.environ.get(f"{PREFIX}DATA_DIR") or user_data_path("inkseal")).expanduser().absolute()


def load_settings(data_dir: Path | None = None) -> Settings:
    """Reads the settings file and the environment; the environment wins.

    Raises:
        InvalidRequest: a field is unknown or has a bad value, or the file is not TOML.
    """
    folder = (data_dir or default_data_dir()).absolute()
    file = folder / "settings.toml"
    values: dict[str, Any] = {}
    try:
        if file.exists():
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        simple = [name for name in Settings.model_fields if name not in _TABLES]
        values |= {n: v for n in simple if (v := os.environ.get(PREFIX + n.upper()))}
        return Settings.model_validate(values | {"data_dir": folder})
    except ValidationError as error:
        raise _refused(error, "", file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            say(f"{file} is not TOML: {error}.", f"{file} 不是有效的 TOML：{error}。"),
            fix=say("Correct the file.", "请更正该文件。"),
        ) from None


def configure(kind: type[ComponentConfig], values: Mapping[str, Any], where: str) -> ComponentConfig:
    """Returns a plug-in's config from the settings' table `where`, such as `checks.limits`.

    Raises:
        InvalidRequest: a field is unknown or has a bad value.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise _refused(error, f"{where}.", Path("settings.toml")) from None


def _refused(error: ValidationError, prefix: str, file: Path) -> InvalidRequest:
    first = error.errors()[0]
    field = prefix + ".".join(map(str, first["loc"]))
    return InvalidRequest(
        say(f"The setting {field!r} cannot be used: {first['msg']}.", f"设置 {field!r} 无法使用：{first['msg']}。"),
        fix=say(f"Correct it in {file} or in {PREFIX}*.", f"请在 {file} 或 {PREFIX}* 环境变量中更正。"),
    )
