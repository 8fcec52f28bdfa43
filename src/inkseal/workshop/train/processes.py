"""The processes that train one run together, each on its device: what they share, and what they agree on.

Each holds all weights and computes its part of a batch. Networks stay unwrapped, so that objectives may call any of
their methods and several networks may take turns.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.workshop.train.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator
    from torch import Tensor

PATIENCE = timedelta(hours=12)
"""How long processes wait for the main one, which alone prepares data and looks at samples."""
SPLITTING = ("FSDP", "DEEPSPEED", "MEGATRON_LM", "PARALLELISM_CONFIG")
"""What launchers may ask for as ACCELERATE_USE_…, and what would divide the weights."""


def join_processes(recipe: Recipe) -> "Accelerator":
    """Returns this process's device and its place among those that a launcher started; alone without a launcher.

    Raises:
        InvalidRequest: the batch cannot be shared out evenly.
        Unsupported: the launcher would split the weights.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs, parse_flag_from_env

    for kind in SPLITTING:
        if parse_flag_from_env(f"ACCELERATE_USE_{kind}"):
            raise Unsupported(
                say(f"Weights cannot be split over processes ({kind}).", f"不支持把权重拆分到多个进程（{kind}）。"),
                fix=say(
                    "Launch without it: each process holds all weights.", "请去掉该选项启动：每个进程持有全部权重。"
                ),
            )
    accelerator = Accelerator(
        mixed_precision=recipe.precision,
        cpu=not torch.accelerator.is_available(),  # unless it is told, each of several processes thinks itself alone
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
    )
    if recipe.batch % accelerator.num_processes:
        raise InvalidRequest(
            say(
                f"A batch of {recipe.batch} cannot be shared evenly by {accelerator.num_processes} processes.",
                f"批大小 {recipe.batch} 无法由 {accelerator.num_processes} 个进程平分。",
            ),
            fix=say("Choose a multiple of the number of processes.", "请选择进程数的整数倍。"),
        )
    return accelerator


def on_device(batch: "Mapping[str, Tensor]", device: Any) -> "dict[str, Tensor]":
    """Returns the batch where the networks are."""
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}


def drawing_on(device: "torch.device") -> AbstractContextManager[Any]:
    """Returns a context in which new tensors are made on the device, by code that does not say where.

    On the CPU they are anyway, and torch's own context would take time.
    """
    return nullcontext() if device.type == "cpu" else device


def take_mean(accelerator: "Accelerator", tensors: "Sequence[Tensor]") -> None:
    """Puts into each tensor its mean over all processes, in one exchange; alone it changes nothing."""
    if accelerator.num_processes == 1:
        return
    import torch

    flat = torch.cat([tensor.detach().reshape(-1).to(accelerator.device, torch.float32) for tensor in tensors])
    torch.distributed.all_reduce(flat)
    flat /= accelerator.num_processes
    with torch.no_grad():
        for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))


def take_from_main(accelerator: "Accelerator", tensors: "Sequence[Tensor]") -> None:
    """Puts into each tensor what it is in the main process; alone it changes nothing."""
    if accelerator.num_processes > 1:
        import torch

        for tensor in tensors:
            torch.distributed.broadcast(tensor.detach(), 0)


def is_set_anywhere(accelerator: "Accelerator", flag: bool) -> bool:
    """Returns whether any process says so; all must ask, and all get the same answer."""
    if accelerator.num_processes == 1:
        return flag
    import torch

    said = torch.tensor(float(flag), device=accelerator.device)
    take_mean(accelerator, [said])
    return bool(said > 0)
