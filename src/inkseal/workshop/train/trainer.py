"""One step over all players of an objective, on this process's device; and everything that a checkpoint must keep."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import EngineFailed, MissingDependency, StoreError
from inkseal.core.language import say
from inkseal.core.protocols import Objective
from inkseal.workshop.train.order import examples_of, generator_of
from inkseal.workshop.train.processes import drawing_on, on_device, take_from_main, take_mean
from inkseal.workshop.train.recipe import OptimizerConfig, Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor


def import_torch() -> Any:
    """Returns torch.

    Raises:
        MissingDependency: it is not installed, or accelerate is not.
    """
    try:
        import accelerate  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingDependency(error.name or "torch", "train") from None
    return torch


class Trainer:
    """Weights, their averages and the optimizers' moments at one step; the same in every process."""

    def __init__(self, recipe: Recipe, objective: Objective, accelerator: "Accelerator") -> None:
        from inkseal.workshop.train.averaged import AveragedWeights, named_tensors

        self.recipe = recipe
        self.objective = objective
        self.step = 0
        self.accelerator = accelerator
        # As if for evaluation: training needs no wrapper, since gradients are exchanged here.
        for player, module in objective.modules.items():
            objective.modules[player] = accelerator.prepare_model(module, evaluation_mode=True)
        self.modules = dict(objective.modules)
        take_from_main(accelerator, list(named_tensors(self.modules).values()))
        self.averaged = AveragedWeights(self.modules, recipe.averaging)
        self._optimizers = {
            player: accelerator.prepare_optimizer(make_optimizer(module, recipe.optimizer))
            for player, module in self.modules.items()
        }
        self._sums: dict[str, Any] = {}
        self._count = 0

    def batch(self, step: int) -> "Mapping[str, Tensor]":
        """Returns this process's part of a step's batch, on its device."""
        process, num_processes, seed = self.accelerator.process_index, self.accelerator.num_processes, self.recipe.seed
        chosen = examples_of(step, self.recipe.batch, self.objective.num_examples(), seed)[process::num_processes]
        return on_device(self.objective.batch(chosen, generator_of(step, seed, process)), self.accelerator.device)

    def take_step(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lets each player take its turn; returns the means of the metrics since the last logged step.

        Raises:
            EngineFailed: a loss is no longer a number; checkpoints hold the last good state.
        """
        factor = self.recipe.lr_schedule.factor(self.step, self.recipe.steps)
        if self.step % self.recipe.log_every == 0:
            self._sums, self._count = {}, 0
        self._count += 1
        for player, optimizer in self._optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.recipe.optimizer.lr * factor
            loss, metrics = self.gradients(batch, player)
            norm = self.accelerator.clip_grad_norm_(self.modules[player].parameters(), self._max_norm)
            if not bool(norm.isfinite()):
                raise EngineFailed(
                    say(
                        f"At step {self.step} the loss is {loss.item()} and its gradient is not finite.",
                        f"第 {self.step} 步的损失为 {loss.item()}，梯度不是有限值。",
                    ),
                    fix=say("Lower the learning rate and begin anew.", "请降低学习率后重新开始。"),
                )
            optimizer.step()
            for name, value in {**metrics, "grad_norm": norm}.items():
                label = name if len(self.modules) == 1 else f"{player}_{name}"
                self._sums[label] = self._sums.get(label, 0.0) + value.detach().float()
        take_from_main(self.accelerator, [buffer for module in self.modules.values() for buffer in module.buffers()])
        self.step += 1
        self.averaged.update(self.step)
        return {name: total / self._count for name, total in self._sums.items()}

    def gradients(self, batch: Mapping[str, Any], player: str) -> "tuple[Tensor, Mapping[str, Any]]":
        """Fills the player's gradients anew; weights stay as they are.

        Gradients, loss and metrics are means over the processes, which must all call this.
        """
        self._optimizers[player].zero_grad()
        with drawing_on(self.accelerator.device), self.accelerator.autocast():
            loss, metrics = self.objective.loss(batch, player)
        self.accelerator.backward(loss)
        gradients = [weight.grad for weight in self.modules[player].parameters() if weight.grad is not None]
        told = {name: value.detach().clone() for name, value in metrics.items()}
        loss = loss.detach().clone()
        take_mean(self.accelerator, [loss, *told.values(), *gradients])
        return loss, told

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Puts the averages into the modules inside the block, on the CPU, where objectives have what they look at."""
        with self.averaged.applied():
            try:
                for module in self.modules.values():
                    module.cpu()
                yield
            finally:
                for module in self.modules.values():
                    module.to(self.accelerator.device)

    def state(self) -> "tuple[dict[str, dict[str, Tensor]], dict[str, Any]]":
        """Returns tensors by file, and the JSON state: all a run needs to go on as if nothing had happened.

        Random numbers and the order of the data need no saving: they follow from the seed and the step.
        """
        from inkseal.workshop.train.averaged import named_tensors

        moments = {
            f"{player}.{index}.{key}": value
            for player, optimizer in self._optimizers.items()
            for index, slots in optimizer.optimizer.state_dict()["state"].items()
            for key, value in slots.items()
        }
        tensors = {"weights": named_tensors(self.modules), "averaged": self.averaged.tensors, "optimizer": moments}
        means = {name: float(total) for name, total in self._sums.items()}
        return tensors, {"seed": self.recipe.seed, "sums": means, "count": self._count}

    def restore(self, step: int, tensors: "Mapping[str, Mapping[str, Tensor]]", state: Mapping[str, Any]) -> None:
        """Takes up what `state` returned at `step`.

        Raises:
            StoreError: the tensors are of another network.
        """
        from inkseal.workshop.train.averaged import copy_into

        try:
            copy_into(self.modules, tensors["weights"])
            for name, tensor in self.averaged.tensors.items():
                tensor.copy_(tensors["averaged"][name])
        except (KeyError, RuntimeError) as error:
            raise StoreError(
                say(f"The checkpoint is of another network: {error}.", f"检查点属于另一个网络：{error}。"),
                fix=say("Begin anew with --fresh.", "请用 --fresh 重新开始。"),
            ) from None
        for player, optimizer in self._optimizers.items():
            slots: dict[int, dict[str, Any]] = {}
            for name, value in tensors["optimizer"].items():
                owner, index, key = name.rsplit(".", 2)
                if owner == player:
                    slots.setdefault(int(index), {})[key] = value
            groups = optimizer.optimizer.state_dict()["param_groups"]
            optimizer.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        import torch

        self._sums = {name: torch.tensor(total) for name, total in state["sums"].items()}
        self._count = int(state["count"])
        self.step = step

    @property
    def _max_norm(self) -> float:
        return self.recipe.optimizer.max_grad_norm


def make_optimizer(module: Any, config: OptimizerConfig) -> Any:
    """Returns AdamW in which only matrices and kernels decay."""
    import torch

    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(config.beta1, config.beta2), fused=True)
