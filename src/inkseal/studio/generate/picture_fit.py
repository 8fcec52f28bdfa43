"""How well pictures fit a prompt, by the text–image encoder of a picture model; without torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.formats.openvino_core import core
from inkseal.formats.picture_model import PICTURES, TEXTS, WEIGHTS
from inkseal.formats.shared_weights import read_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PictureFit:
    """Both towers of a published picture model, compiled. Safe for several threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        properties = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self._pictures, self._texts = (
            core().compile_model(read_graph(folder, name, WEIGHTS), "CPU", properties) for name in (PICTURES, TEXTS)
        )

    def pictures(self, pixels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Returns unit vectors [B, D] of pictures [B, 3, H, W] in [-1, 1]."""
        return _ask(self._pictures, pixels)

    def texts(self, vectors: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Returns unit vectors [B, D] of whole texts as the embedding model gives them, [B, text_width]."""
        return _ask(self._texts, vectors)

    def cosines(self, text: "NDArray[np.float32]", pixels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Returns how well each picture fits one text [text_width], the greater the better."""
        return np.asarray(self.pictures(pixels) @ self.texts(text[None])[0], np.float32)


def _ask(network: Any, rows: "NDArray[np.float32]") -> "NDArray[np.float32]":
    # A request of its own: threads that call the network itself share one, and get each other's answers.
    answer = network.create_infer_request().infer([np.ascontiguousarray(rows)])[0]
    return np.array(answer)
