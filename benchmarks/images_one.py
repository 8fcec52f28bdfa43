"""One side of `images.py` in one process: prints seconds and peak memory of drawing pictures as JSON.

`ours` is the published model through the studio, from prompt to sealed file; `torch` the same networks from the same
file in torch, eager, with the same embedding, solver, steps and guidance, to PNG bytes.
"""

import io
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from inkseal.core.config import load_settings
from inkseal.modalities.image.request import ImageRequest
from inkseal.runtime.device import usable_cores

NEVER = threading.Event()
PROMPTS = ("a red apple", "一只小猫", "a house with a garden", "蓝色的汽车", "a smiling face", "一朵花")


def measured(work: Callable[[str, int], Any], rounds: int) -> dict[str, Any]:
    """Returns the seconds of each turn; the first is from the start of the process."""
    from psutil import Process

    work(PROMPTS[0], 0)
    first = time.time() - Process().create_time()
    seconds = []
    for number in range(1, rounds + 1):
        begin = time.perf_counter()
        work(PROMPTS[number % len(PROMPTS)], number)
        seconds.append(time.perf_counter() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"first_seconds": first, "seconds": seconds, "peak_bytes": peak}


def ours(model: str, rounds: int, side_px: int) -> dict[str, Any]:
    """Measures from prompt to the sealed and labelled file."""
    from inkseal.studio.studio import Studio

    with Studio.open() as studio:
        studio.settings = studio.settings.model_copy(update={"threads": usable_cores()})
        studio.use(studio.settings)

        def work(prompt: str, seed: int) -> None:
            request = ImageRequest.of(prompt, model=model, seed=seed, width_px=side_px, regime="both")
            made = studio.run(request)
            studio.export_bytes(made.artifacts[0].id, "png", "both")

        return measured(work, rounds)


def engine(model: str, rounds: int, side_px: int) -> dict[str, Any]:
    """Measures our engine alone, from prompt to PNG bytes."""
    from inkseal.core.events import ignore
    from inkseal.core.protocols import GenerativeEngine
    from inkseal.studio.studio import Studio

    with Studio.open() as studio:
        studio.use(studio.settings.model_copy(update={"threads": usable_cores()}))
        with studio.engines.lease(studio.engines.local_model(model), "generate", ignore) as loaded:
            assert isinstance(loaded, GenerativeEngine)

            def work(prompt: str, seed: int) -> None:
                list(loaded.generate(ImageRequest.of(prompt, seed=seed, width_px=side_px), NEVER))

            return measured(work, rounds)


def torch(model: str, rounds: int, side_px: int) -> dict[str, Any]:
    """Measures the same networks in torch, eager, in single precision."""
    import torch as library
    from picture_networks import flow_networks
    from PIL import Image

    from inkseal.catalog.catalog import Catalog
    from inkseal.core.events import ignore
    from inkseal.formats.picture_model import read_picture_model
    from inkseal.formats.text_condition import assemble_condition, condition_texts
    from inkseal.studio.generate.backends.openvino_embedding import OpenvinoEmbedding, OpenvinoEmbeddingConfig
    from inkseal.studio.generate.backends.openvino_image import noise_of, to_bytes
    from inkseal.studio.generate.diffusion.guidance import guided
    from inkseal.studio.generate.diffusion.solvers import solvers
    from inkseal.studio.generate.diffusion.times import times
    from inkseal.workshop.train.trained import PUBLISHED, find_trained

    library.set_num_threads(usable_cores())
    data_dir = load_settings().data_dir
    runs = data_dir / "runs"
    trained = find_trained(runs, f"{PUBLISHED}{model}", "diffusion_transformer")
    facts = read_picture_model(trained.folder)
    transformer, decode, _ = flow_networks(trained, runs)
    embedding = Catalog(data_dir).local("embedding")
    embedder = OpenvinoEmbedding(OpenvinoEmbeddingConfig()).load(embedding, usable_cores(), ignore, NEVER)

    def velocities(*arrays: Any) -> Any:
        made = transformer.velocities(*(library.from_numpy(np.ascontiguousarray(array)) for array in arrays))
        return tuple(one.numpy() for one in made)

    def work(prompt: str, seed: int) -> None:
        texts = condition_texts(prompt)
        tokens = assemble_condition(texts, dict(zip(texts, embedder.embed(texts), strict=True)))[None]
        style = np.zeros(1, np.int64)
        mask = np.any(tokens != 0, axis=2)
        steered = guided(velocities, tokens, mask, style, facts.guidance, facts.autoguidance)
        with library.no_grad():
            noise = noise_of(seed, [(0, 0)], facts.latent)
            *_, latents = solvers[facts.solver]().solve(steered, noise, times(facts.steps))
            pixels = decode(library.from_numpy(latents)).numpy()
        Image.fromarray(to_bytes(pixels)[0]).save(io.BytesIO(), "PNG")

    return measured(work, rounds)


SIDES = {"ours": ours, "engine": engine, "torch": torch}

if __name__ == "__main__":
    side, model, rounds, side_px = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    print(json.dumps(SIDES[side](model, rounds, side_px)))
