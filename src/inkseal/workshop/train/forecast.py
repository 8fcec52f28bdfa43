"""How long a run will take and how much memory it needs, measured on a rehearsal that changes nothing."""

import statistics
import time
from typing import TYPE_CHECKING

import psutil

from inkseal.core.errors import NotEnoughMemory
from inkseal.core.language import say
from inkseal.workshop.train.recipe import Recipe

if TYPE_CHECKING:
    from inkseal.workshop.train.trainer import Trainer

REHEARSALS = 3
TIMED_WEIGHTS = 1 << 24
MOMENTS = 2
"""AdamW keeps two numbers for each weight."""


def forecast(trainer: "Trainer", recipe: Recipe) -> str:
    """Returns a sentence with the time to the end and the memory.

    Gradients of a few batches are computed, the first one untimed, and a step of an optimizer on numbers of its own;
    weights, buffers and optimizers stay as they were. Looking at samples is not in it.

    Raises:
        NotEnoughMemory: what the run still needs exceeds what is free.
    """
    from inkseal.workshop.train.averaged import copy_into, named_tensors

    kept = {name: tensor.detach().clone() for name, tensor in named_tensors(trainer.modules).items()}
    seconds = []
    for index in range(REHEARSALS):
        begin = time.perf_counter()
        batch = trainer.batch(index)
        for player in trainer.modules:
            trainer.gradients(batch, player)[0].item()  # waits for the device
        seconds.append(time.perf_counter() - begin)
    copy_into(trainer.modules, kept)
    per_step = statistics.mean(seconds[1:]) + _update_seconds(sum(t.numel() for t in kept.values()), trainer)
    left = recipe.steps - trainer.step
    minutes = per_step * left / 60
    weights = sum(tensor.numel() * 4 for tensor in kept.values())
    to_come = 0 if trainer.step else MOMENTS * weights  # a run that goes on has them already
    memory = psutil.Process().memory_info().rss
    free = psutil.virtual_memory().available
    if trainer.accelerator.device.type == "cpu" and to_come > free:
        raise NotEnoughMemory(
            say(
                f"The optimizer needs {to_come / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.",
                f"优化器需要 {to_come / 1e9:.1f} GB，可用内存为 {free / 1e9:.1f} GB。",
            ),
            fix=say("Choose a smaller network in the recipe.", "请在配方中选择较小的网络。"),
        )
    rate = recipe.batch / per_step
    total = (memory + to_come) / 1e9
    return say(
        f"{left} steps of {per_step:.2f} s ({rate:.1f} examples/s): {_lasting(minutes)}, {total:.1f} GB.",
        f"剩余 {left} 步，每步 {per_step:.2f} 秒（{rate:.1f} 样本/秒）：{_lasting(minutes)}，内存 {total:.1f} GB。",
    )


def _update_seconds(num_weights: int, trainer: "Trainer") -> float:
    """Returns about how long a step of AdamW and of the averages takes for so many weights."""
    import torch

    weights = torch.nn.Parameter(torch.zeros(min(num_weights, TIMED_WEIGHTS), device=trainer.accelerator.device))
    weights.grad = torch.zeros_like(weights)
    averages, optimizer = torch.zeros_like(weights), torch.optim.AdamW([weights], fused=True)
    for _ in range(REHEARSALS):  # the first ones reserve memory
        begin = time.perf_counter()
        optimizer.step()
        averages.lerp_(weights.detach(), 0.1)[0].item()
        seconds = time.perf_counter() - begin
    return seconds * num_weights / weights.numel()


def _lasting(minutes: float) -> str:
    if minutes < 100:
        return say(f"about {minutes:.0f} min", f"约 {minutes:.0f} 分钟")
    return say(f"about {minutes / 60:.1f} h", f"约 {minutes / 60:.1f} 小时")
