"""A named run in TOML: which objective, on which data, with which numbers. Closed: a misspelt key is refused."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.workshop.train.lr_schedule import LrSchedule

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]

TrainedName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{0,63}|models/[a-z0-9][a-z0-9._-]{0,98})$")]
"""Of a run, or of a published model."""


class OptimizerConfig(ComponentConfig):
    """AdamW: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization"."""

    lr: float = Field(3e-4, gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.99, ge=0, lt=1)
    weight_decay: float = Field(0.01, ge=0, description="For matrices and kernels; biases and norms have none.")
    max_grad_norm: float = Field(1.0, gt=0, description="Longer gradients of a player are shortened to this.")


class Recipe(ComponentConfig):
    """Everything that decides a run's weights, and how often it looks at itself."""

    name: Name
    objective: str
    dataset: str = Field("pictures", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="Folder under `datasets`.")
    begin: TrainedName | Literal[""] = Field("", description="Run, or models/NAME, to take the first weights from.")
    seed: int = Field(1, ge=0, lt=2**31)
    steps: int = Field(ge=1)
    batch: int = Field(32, ge=1, description="Examples in a step, over all processes; each takes as many.")
    precision: Literal["no", "bf16"] = Field("bf16", description="Of the arithmetic; weights stay float32.")
    averaging: float = Field(0.999, ge=0, lt=1, description="Decay of the averaged weights; rises to this.")
    optimizer: OptimizerConfig = OptimizerConfig()
    lr_schedule: LrSchedule = LrSchedule()
    config: dict[str, Any] = Field(default_factory=dict, description="The objective's own fields.")
    threads: int = Field(
        1, ge=1, description="Of each process. Results are the same, bit for bit, only with as many of both."
    )
    nice: int = Field(0, ge=0, le=19, description="Politeness towards other programs; 19 takes what is left over.")
    log_every: int = Field(50, ge=1, description="Steps between lines in the log.")
    checkpoint_every: int = Field(500, ge=1)
    look_every: int = Field(1000, ge=1, description="Steps between held-out scores and sample sheets.")

    def deciding(self) -> dict[str, Any]:
        """Returns the fields that a resumed run must share with its beginning."""
        free = {"steps", "nice", "log_every", "checkpoint_every", "look_every", "threads"}
        return self.model_dump(mode="json", exclude=free)


def read_recipe(path: Path) -> Recipe:
    """Reads a TOML recipe.

    Raises:
        InvalidRequest: there is no such file, it is not TOML, or a field is unknown or bad.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidRequest(
            say(f"The recipe {str(path)!r} cannot be read: {error}.", f"无法读取配方 {str(path)!r}：{error}。"),
            fix=say(
                "Name a TOML file such as recipes/picture-flow.toml.",
                "请给出 TOML 文件，例如 recipes/picture-flow.toml。",
            ),
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidRequest(
            say(
                f"The recipe's field {field!r} cannot be used: {first['msg']}.",
                f"配方字段 {field!r} 无法使用：{first['msg']}。",
            ),
            fix=say(f"Correct it in {path}.", f"请在 {path} 中更正。"),
        ) from None
