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
FILE = "settings.toml"
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
    """The installation's settings: `settings.toml` in the data folder, then INKSEAL_* variables.

    Fields whose schema says `live` may be changed from the browser and hold from the next request on. Where files and
    doors are is told by whoever runs the machine, not by a page.
    """

    data_dir: Path = Field(
        description="Where models, artifacts and records live.",
        json_schema_extra={"zh": "模型、作品与记录的存放位置。"},
    )
    language: Language | None = Field(
        None,
        description="Interface language; the locale's when absent.",
        json_schema_extra={
            "zh": "服务器的语言；缺省时取系统语言。",
            "en_titles": {"en": "English", "zh": "中文"},
            "zh_titles": {"en": "English", "zh": "中文"},
            "live": True,
        },
    )
    regime: Regime = Field(
        "both",
        description="Which labelling rules exports follow.",
        json_schema_extra={
            "zh_title": "标识规则",
            "zh": "作品与导出文件按此标识。",
            "en_titles": {"none": "None", "cn": "China", "eu": "European Union", "both": "China and the EU"},
            "zh_titles": {"none": "不标识", "cn": "中国", "eu": "欧盟", "both": "中国与欧盟"},
            "live": True,
        },
    )
    producer: str = Field(
        "",
        max_length=64,
        description="Producer code for labels (27 characters in China).",
        json_schema_extra={"zh_title": "服务提供者编码", "zh": "写入标识；中国为 27 位。", "live": True},
    )
    model: str = Field(
        "default",
        description="The model that `default` stands for is a card; this names the card.",
        json_schema_extra={"zh": "`default` 所代表的模型卡。"},
    )
    backend: str = Field(
        "",
        description="Backend of local text models; chosen by the model's files when empty.",
        json_schema_extra={"zh": "本地文本模型所用的后端；为空时按模型文件选择。"},
    )
    memory_budget_bytes: int | None = Field(
        None,
        gt=0,
        lt=2**63,
        description="Budget for all engines; 70 % of RAM when absent.",
        json_schema_extra={"zh_title": "内存预算", "zh": "所有引擎合计；缺省为内存的 70 %。", "live": True},
    )
    threads: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Threads for an engine; the free cores when absent.",
        json_schema_extra={"zh_title": "线程数", "zh": "每个引擎；缺省为空闲核心数。", "live": True},
    )
    engine_memory_limit_bytes: int | None = Field(
        None,
        gt=0,
        description="Address space of an engine in a process of its own; unlimited when absent.",
        json_schema_extra={"zh": "独立进程引擎的地址空间上限；缺省不限。"},
    )
    offline: bool = Field(
        False,
        description="Reach nothing but services of this machine and of closed networks.",
        json_schema_extra={"zh_title": "离线", "zh": "只访问本机与封闭网络中的服务。", "live": True},
    )
    log_level: str = Field(
        "WARNING",
        description="Level of the log on standard error.",
        json_schema_extra={"zh": "标准错误日志的级别。"},
    )
    checks: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Config of checks, by name.",
        json_schema_extra={"zh": "各项检查的配置。", "live": True},
    )
    backends: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Config of backends, by name.",
        json_schema_extra={"zh": "各后端的配置。"},
    )
    serve: dict[str, Any] = Field(
        default_factory=dict, description="Config of the server.", json_schema_extra={"zh": "服务器的配置。"}
    )
    providers: dict[str, Provider] = Field(
        default_factory=dict, description="Remote services, by name.", json_schema_extra={"zh": "远程服务。"}
    )
    fetch: FetchSettings = Field(
        FetchSettings(),
        description="What may be fetched from besides the open internet.",
        json_schema_extra={"zh": "除公网外允许抓取的地址。"},
    )


def default_data_dir() -> Path:
    """Returns INKSEAL_DATA_DIR, else the user's data folder for this platform."""
    return Path(os.environ.get(f"{PREFIX}DATA_DIR") or user_data_path("inkseal")).expanduser().absolute()


def load_settings(data_dir: Path | None = None) -> Settings:
    """Reads the settings file and the environment; the environment wins.

    Raises:
        InvalidRequest: a field is unknown or has a bad value, or the file is not TOML.
    """
    folder = (data_dir or default_data_dir()).absolute()
    return settings_of(read_values(folder / FILE), folder)


def settings_of(values: Mapping[str, Any], folder: Path) -> Settings:
    """Returns the settings of a file's values in a data folder; the environment wins.

    Raises:
        InvalidRequest: a field is unknown or has a bad value.
    """
    try:
        return Settings.model_validate({**values, **environment(), "data_dir": folder})
    except ValidationError as error:
        raise _refused(error, "", folder / FILE) from None


def environment() -> dict[str, str]:
    """Returns the settings that environment variables hold."""
    simple = [name for name in Settings.model_fields if name not in _TABLES]
    return {name: value for name in simple if (value := os.environ.get(PREFIX + name.upper()))}


def read_values(file: Path) -> dict[str, Any]:
    """Returns what the file says; nothing when there is none.

    Raises:
        InvalidRequest: it is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            say(f"{file} is not TOML: {error}.", f"{file} 不是有效的 TOML：{error}。"),
            fix=say("Correct the file.", "请更正该文件。"),
        ) from None


def configure(
    kind: type[ComponentConfig], values: Mapping[str, Any], where: str, fix: str | None = None
) -> ComponentConfig:
    """Returns a plug-in's config from the table `where`, such as `checks.limits`.

    What to do about a bad value is `fix`, for tables that are not the settings'.

    Raises:
        InvalidRequest: a field is unknown or has a bad value.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise _refused(error, f"{where}.", Path("settings.toml"), fix) from None


def _refused(error: ValidationError, prefix: str, file: Path, fix: str | None = None) -> InvalidRequest:
    first = error.errors()[0]
    field = prefix + ".".join(map(str, first["loc"]))
    return InvalidRequest(
        say(f"The setting {field!r} cannot be used: {first['msg']}.", f"设置 {field!r} 无法使用：{first['msg']}。"),
        fix=fix or say(f"Correct it in {file} or in {PREFIX}*.", f"请在 {file} 或 {PREFIX}* 环境变量中更正。"),
    )
