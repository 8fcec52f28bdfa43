"""Measures from which cosine on the text–image encoder may say that a text finds a picture."""

from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.formats.picture_model import PictureSearch
from inkseal.workshop.publish.picture_sources import PictureSources
from inkseal.workshop.train.picture_batches import CHINESE, ENGLISH, Conditions, Pictures, evenly, to_pixels

if TYPE_CHECKING:
    from inkseal.workshop.publish.layers import Array

MAX_ALARMS = 0.01
"""So many of the wrong captions may find a picture: in a gallery of a thousand, ten pictures that do not belong."""
NUM_PICTURES = 500
LANGUAGES = (ENGLISH, CHINESE)
BATCH = 64


def measure_search(sources: PictureSources, data: Pictures) -> PictureSearch | None:
    """Chooses the cosine on the validation split and measures it on the held-out one; None where that cannot be.

    A picture is asked for by its name in each language; captions that say the same are no wrong ones. The validation
    split has other pictures of known concepts, so that training pictures may bear its names; held-out names are new.
    """
    if sources.encoder_shape is None:
        return None
    encoder, conditions = sources.encoder_network(), Conditions(data)
    known, new = (evenly(data.places(split), NUM_PICTURES) for split in ("validation", "held_out"))
    asked = {language: conditions.first(known, language) for language in LANGUAGES}
    chosen = [
        _cosines(encoder, conditions, data, known[captions >= 0], captions[captions >= 0])
        for captions in asked.values()
    ]
    untold = [conditions.untold(new, language) for language in LANGUAGES]
    held_out = [_cosines(encoder, conditions, data, rows, captions) for rows, captions in untold]
    chosen_wrong = np.concatenate([wrong for _, wrong in chosen])
    own, wrong = (np.concatenate(parts) for parts in zip(*held_out, strict=True))
    if not min(len(chosen_wrong), len(wrong)):
        return None
    cosine = float(np.quantile(chosen_wrong, 1 - MAX_ALARMS))
    return PictureSearch(
        cosine=round(cosine, 4),
        recall=round(float((own >= cosine).mean()), 4),
        alarms=round(float((wrong >= cosine).mean()), 4),
        num_pictures=len(np.unique(np.concatenate([rows for rows, _ in untold]))),
    )


def _cosines(encoder: Any, conditions: Conditions, data: Pictures, rows: Any, captions: Any) -> "tuple[Array, Array]":
    """Returns the cosines of pictures with their own captions, and with all that say something else."""
    import torch

    if not len(rows):
        return np.empty(0), np.empty(0)
    with torch.no_grad():
        read = encoder.encode_texts(conditions.of_captions(rows, captions).tokens[:, 0]).numpy()
        parts = [encoder.encode_pictures(to_pixels(data, rows[i : i + BATCH])) for i in range(0, len(rows), BATCH)]
    cosines = torch.cat(parts).numpy() @ read.T
    said = np.asarray(data.captions[captions, 0])
    return np.diagonal(cosines).copy(), cosines[said[:, None] != said[None]]
