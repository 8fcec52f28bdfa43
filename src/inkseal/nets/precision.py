"""Arithmetic that must not be rounded, whatever the training around it is done in."""

from contextlib import AbstractContextManager, nullcontext

import torch


def in_full(device_type: str) -> AbstractContextManager[object]:
    """Returns a block in which products keep the precision of what is multiplied."""
    if not torch.amp.is_autocast_available(device_type):
        return nullcontext()
    return torch.autocast(device_type, enabled=False)
