"""Settings of the installation (file and environment) and the closed base of component configs."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, ValidationError

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say
from inkseal.core.types import Closed, Regime

PREFIX = "INKSEAL_"


class ComponentConfig(Closed):
    """Base of a plug-in's own fields; stands beside what it configures."""


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
    offline: bool = Field(False, description="Never touch the network.")
    log_level: str = Field("WARNING", description="Level of the log on standard error.")
    checks: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Config of checks, by name.")
    backends: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Config of backends, by name.")
    serve: dict[str, Any] = Field(default_factory=dict, description="Config of the server.")


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
        simple = [name for name in Settings.model_fields if name not in ("data_dir", "checks", "backends", "serve")]
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
