"""How well pictures fit a prompt, by the text–image encoder of a picture model; without torch."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inkseal.formats.openvino_core import core
from inkseal.formats.picture_model import PICTURES, TEXTS, WEIGHTS
from inkseal.formats.shared_weights import read_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PictureFit:
    """Both towers of a published picture model, compiled. Not for several threads at once."""

    def __init__(self, folder: Path, threads: int) -> None:
        properties = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self._pictures, self._texts = (
            core().compile_model(read_graph(folder, name, WEIGHTS), "CPU", properties) for name in (PICTURES, TEXTS)
        )

    def cosines(self, text: "NDArray[np.float32]", pixels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Returns a cosine for each picture, the greater the better.

        Args:
            text: [text_width], the whole prompt as the embedding model gives it.
            pixels: [B, 3, H, W] in [-1, 1].
        """
        read = np.array(self._texts([np.ascontiguousarray(text[None])])[0])
        seen = np.array(self._pictures([np.ascontiguousarray(pixels)])[0])
        return np.asarray(seen @ read[0], np.float32)
