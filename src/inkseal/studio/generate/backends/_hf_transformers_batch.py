"""Several texts in one key-value cache: each step of the model brings every text one token further.

Knows tensors and token ids only. Not safe in threads; one thread at a time works with it.
"""

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]


class Prompt:
    """A prompt on its way into the cache, a stretch at a time.

    Attributes:
        cache: keys and values of the tokens read so far.
        logits: [V], once all have been read.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = list(ids)
        self.num_read = 0
        self.cache: Any = None
        self.logits: Logits | None = None


class Batch:
    """The texts at work, one row each, shorter ones padded on the left.

    Attributes:
        lengths: tokens of each row in the cache.
        width: columns of the cache; the longest row's length, or more.
    """

    def __init__(self, model: Any, device: str, step_tokens: int) -> None:
        self._model = model
        self._device = device
        self._step_tokens = step_tokens
        takes = inspect.signature(model.forward).parameters
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        self._takes_positions = "position_ids" in takes
        self.clear()

    def clear(self) -> None:
        """Drops all rows and their memory."""
        self._cache: Any = None
        self.lengths: list[int] = []
        self.width = 0

    @property
    def can_share(self) -> bool:
        """True when rows of different length may stand together: plain attention over all tokens, placed by number."""
        return self._takes_positions and all(
            type(layer).__name__ == "DynamicLayer" for layer in self._empty_cache().layers
        )

    def _empty_cache(self) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self._model.config)

    def read(self, prompt: Prompt) -> None:
        """Reads the next stretch of a prompt."""
        import torch

        if prompt.cache is None:
            prompt.cache = self._empty_cache()
        ids = prompt.ids[prompt.num_read : prompt.num_read + self._step_tokens]
        with torch.inference_mode():
            out = self._model(
                input_ids=torch.tensor([ids], device=self._device),
                past_key_values=prompt.cache,
                use_cache=True,
                **self._last_only,
            )
        prompt.num_read += len(ids)
        if prompt.num_read == len(prompt.ids):
            prompt.logits = _rows(out.logits)[0]

    def join(self, prompt: Prompt, *, last: bool) -> None:
        """Adds a row that goes on from a read prompt; `last`: nobody else goes on from it."""
        length = len(prompt.ids)
        own = prompt.cache if last else copy.deepcopy(prompt.cache)
        if self._cache is None:
            self._cache, self.lengths, self.width = own, [length], length
            return
        width = max(self.width, length)
        for mine, new in zip(self._cache.layers, own.layers, strict=True):
            mine.keys = _stacked(mine.keys, new.keys, width)
            mine.values = _stacked(mine.values, new.values, width)
        self.lengths.append(length)
        self.width = width

    def keep(self, rows: Sequence[int]) -> None:
        """Drops all other rows, and the columns that only they needed."""
        import torch

        if len(rows) == len(self.lengths):
            return
        if not rows:
            self.clear()
            return
        self.lengths = [self.lengths[row] for row in rows]
        spare = self.width - max(self.lengths)
        self._cache.batch_select_indices(torch.tensor(list(rows), device=self._device))
        self.width -= spare
        if spare:
            for layer in self._cache.layers:
                layer.keys, layer.values = layer.keys[..., spare:, :], layer.values[..., spare:, :]

    def step(self, tokens: Sequence[int]) -> Logits:
        """Gives each row its next token; returns the logits after it, [B, V] float32."""
        import torch

        extra: dict[str, Any] = dict(self._last_only)
        lengths = torch.tensor(self.lengths, device=self._device)
        if len(self.lengths) > 1:
            columns = torch.arange(self.width + 1, device=self._device)
            extra["attention_mask"] = (columns >= self.width - lengths[:, None]).long()
        if self._takes_positions:
            extra["position_ids"] = lengths[:, None]
        with torch.inference_mode():
            ids = torch.tensor(list(tokens), device=self._device)[:, None]
            out = self._model(input_ids=ids, past_key_values=self._cache, use_cache=True, **extra)
        self.lengths = [length + 1 for length in self.lengths]
        self.width += 1
        return _rows(out.logits)


def _rows(logits: Any) -> Logits:
    found: Logits = logits[:, -1].float().cpu().numpy()
    return found


def _stacked(mine: Any, new: Any, width: int) -> Any:
    """Returns [B, N, T, K] and [1, N, T', K] as [B + 1, N, width, K], padded on the left."""
    import torch

    padded = [torch.nn.functional.pad(each, (0, 0, width - each.shape[-2], 0)) for each in (mine, new)]
    return torch.cat(padded)
