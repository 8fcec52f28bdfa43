"""Measures from which cosine on the text–image encoder may say that a text finds a picture."""

from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.formats.picture_model import PictureSearch
from inkseal.workshop.publish.picture_sources import PictureSources
from inkseal.workshop.train.picture_batches import FIRST, LAST, Conditions, Pictures, evenly, to_pixels

if TYPE_CHECKING:
    from inkseal.workshop.publish.layers import Array

MAX_ALARMS = 0.01
"""So many of the wrong captions may find a picture: in a gallery of a thousand, ten pictures that do not belong."""
NUM_PICTURES = 500
BATCH = 64


def measure_search(sources: PictureSources, data: Pictures) -> PictureSearch | None:
    """Chooses the cosine on the validation split and measures it on the held-out one; None where that cannot be.

    A picture is asked for by one of its captions; those that others share with it are no wrong ones.
    """
    if sources.encoder_shape is None:
        return None
    encoder, conditions = sources.encoder_network(), Conditions(data)
    chosen = _cosines(encoder, conditions, data, "validation")
    held_out = _cosines(encoder, conditions, data, "held_out")
    if min(len(wrong) for _, wrong in (chosen, held_out)) == 0:
        return None
    cosine = float(np.quantile(chosen[1], 1 - MAX_ALARMS))
    own, wrong = held_out
    return PictureSearch(
        cosine=round(cosine, 4),
        recall=round(float((own >= cosine).mean()), 4),
        alarms=round(float((wrong >= cosine).mean()), 4),
        num_pictures=len(own),
    )


def _cosines(encoder: Any, conditions: Conditions, data: Pictures, split: str) -> "tuple[Array, Array]":
    """Returns the cosines of pictures with their own captions, and with all that say something else."""
    import torch

    rows = evenly(data.places(split), NUM_PICTURES)
    rows, captions = conditions.untold(rows, np.where(np.arange(len(rows)) % 2, LAST, FIRST))
    if not len(rows):
        return np.empty(0), np.empty(0)
    with torch.no_grad():
        read = encoder.encode_texts(conditions.of_captions(rows, captions).tokens[:, 0]).numpy()
        parts = [encoder.encode_pictures(to_pixels(data, rows[i : i + BATCH])) for i in range(0, len(rows), BATCH)]
    cosines = torch.cat(parts).numpy() @ read.T
    said = np.asarray(data.captions[captions, 0])
    return np.diagonal(cosines).copy(), cosines[said[:, None] != said[None]]
