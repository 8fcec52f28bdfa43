"""The picture classifier of the check `image_safety`: how likely a picture shows nudity or sex.

Made for photographs; knows nothing of violence, hate or self-harm.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkseal.catalog.verify import verify_files
from inkseal.core.protocols import LocalModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PX, CROP_PX = 256, 224
_MEAN_BGR = (104.0, 117.0, 123.0)


class PictureSafety:
    """Loads when it is first asked; one copy of each model in a process. Safe for several threads.

    Args:
        model: the model's files, which are proved before they are read.
    """

    def __init__(self, model: LocalModel) -> None:
        self.model = model

    def score(self, data: bytes) -> float:
        """Returns how likely a picture is unsafe, 0 to 1.

        Raises:
            InvalidRequest: the bytes are no picture.
            ModelFileRefused: the model's file is not the recorded one.
        """
        (name, digest), *_ = self.model.files.items()
        # A request of its own: threads that call the model itself share one, and get each other's scores.
        looking = _compiled(self.model.folder / name, digest).create_infer_request()
        return float(looking.infer([pixels(data)])[0][0, 1])


def pixels(data: bytes) -> "NDArray[Any]":
    """Returns the middle of a picture [1, 224, 224, 3] float32, blue first, around the mean of the training pictures.

    Source: yahoo/open_nsfw, classify_nsfw.py (256 pixels, middle 224).
    """
    import numpy as np
    from PIL import Image

    from inkseal.modalities.image.reading import decode, on_white

    seen = on_white(decode(data)).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
    edge = (SIDE_PX - CROP_PX) // 2
    middle = seen.crop((edge, edge, edge + CROP_PX, edge + CROP_PX))
    return (np.asarray(middle, np.float32)[:, :, ::-1] - np.array(_MEAN_BGR, np.float32))[None]


@cache
def _compiled(path: Path, sha256: str) -> Any:
    from inkseal.formats.openvino_core import core

    verify_files(path.parent, {path.name: sha256})
    return core().compile_model(str(path), "CPU", {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"})
