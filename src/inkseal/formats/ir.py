"""Turns a model file into the folder that the OpenVINO engine reads, once: graph, weights, tokenizer, facts.

Needs no torch. Weights are decoded and coded again slice by slice; the folder appears under its name only when whole.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import get_ident
from typing import Any, cast, get_args

import numpy as np

from inkseal.catalog.verify import model_hash
from inkseal.core.errors import Cancelled, InvalidRequest, NotEnoughSpace
from inkseal.core.language import say
from inkseal.formats.checkpoint import Checkpoint, GGUFCheckpoint, expected_shapes
from inkseal.formats.decoder import DecoderGraph
from inkseal.formats.engine_vocabulary import save_vocabulary
from inkseal.formats.hf_folder import HubFolder
from inkseal.formats.weights import Coded, WeightFormat, room_for

VERSION = 1
FACTS = "inkseal_ir.json"
SLICE_WEIGHTS = 1 << 18  # float32 of this many weights and the passes over them stay in a second-level cache
THREADS = 2

Progress = Callable[[float], None]
IsCancelled = Callable[[], bool]


@dataclass(frozen=True)
class IRInfo:
    """What a converted folder is and came from."""

    folder: Path
    source_sha256: str
    weight_format: str
    architecture: str
    num_weights: int
    size_bytes: int
    version: int = VERSION


def open_checkpoint(source: Path) -> Checkpoint:
    """Returns a GGUF file or a folder of safetensors, checked.

    Raises:
        ModelFileRefused: it is malformed or of a kind that the graph cannot draw.
    """
    return HubFolder(source) if source.is_dir() else GGUFCheckpoint(source)


def build(
    source: Path,
    target: Path,
    weight_format: str,
    on_progress: Progress | None = None,
    cancelled: IsCancelled | None = None,
) -> IRInfo:
    """Converts `source`, a GGUF file or a folder of safetensors, into the new folder `target`.

    Args:
        weight_format: of the layers; embedding and output matrix are int8, or float16 where all is.
        on_progress: called with the fraction done, 0…1.
        cancelled: asked between slices; true ends the work and leaves nothing.

    Raises:
        ModelFileRefused: the source is malformed or of a kind that the graph cannot draw.
        Cancelled: `cancelled` said so.
        NotEnoughSpace: the disk cannot take the result.
    """
    if weight_format not in get_args(WeightFormat):
        known = ", ".join(get_args(WeightFormat))
        raise InvalidRequest(
            say(f"There is no weight format {weight_format!r}.", f"没有权重格式 {weight_format!r}。"),
            fix=say(f"Known: {known}.", f"支持：{known}。"),
        )
    report = on_progress or (lambda fraction: None)
    stop = cancelled or (lambda: False)
    checkpoint = open_checkpoint(source)
    with _appearing_whole(target) as folder, ThreadPoolExecutor(1) as aside:
        vocabulary = aside.submit(_save_vocabulary, checkpoint, folder)
        sha256 = aside.submit(lambda: model_hash({path.name: _hash(path) for path in checkpoint.files}))
        weights = code_all(checkpoint, cast(WeightFormat, weight_format), lambda done: report(0.85 * done), stop)
        num_weights = sum(len(coded.codes) * coded.columns for coded in weights.values())
        _save_graph(checkpoint, weights, folder)
        report(0.97)
        vocabulary.result()
        if stop():
            raise Cancelled(say("The conversion was cancelled.", "转换已取消。"))
        size = sum(entry.stat().st_size for entry in folder.iterdir())
        info = IRInfo(target, sha256.result(), weight_format, checkpoint.config.architecture, num_weights, size)
        hashes = {entry.name: _hash(entry) for entry in sorted(folder.iterdir())}
        facts = asdict(info) | {"folder": target.name, "config": asdict(checkpoint.config), "files": hashes}
        (folder / FACTS).write_text(json.dumps(facts, indent=1), "utf-8")
    report(1.0)
    return info


def code_all(
    checkpoint: Checkpoint, weight_format: WeightFormat, report: Progress, stop: IsCancelled
) -> dict[str, Coded]:
    """Codes every matrix; float32 exists only for the slices in hand."""
    shapes = {name: shape for name, shape in expected_shapes(checkpoint.config).items() if len(shape) == 2}
    total, done = sum(rows * columns for rows, columns in shapes.values()), 0
    found: dict[str, Coded] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for name, (rows, columns) in shapes.items():
            outer = name in ("token_embd.weight", "output.weight")
            wanted: WeightFormat = "int8" if outer and weight_format != "f16" else weight_format
            whole = _code_matrix(checkpoint, name, wanted, pool, stop)
            order = checkpoint.row_order(name)
            found[name] = whole if order is None else whole.rows_in_order(order)
            done += rows * columns
            report(done / total)
    return found


def _code_matrix(
    checkpoint: Checkpoint, name: str, weight_format: WeightFormat, pool: ThreadPoolExecutor, stop: IsCancelled
) -> Coded:
    num_rows, columns = expected_shapes(checkpoint.config)[name]
    step = max(1, SLICE_WEIGHTS // columns)

    def piece(start: int) -> tuple[int, Coded]:
        if stop():
            raise Cancelled(say("The conversion was cancelled.", "转换已取消。"))
        return start, checkpoint.coded_rows(name, start, min(start + step, num_rows), weight_format)

    whole: Coded | None = None
    for start, part in pool.map(piece, range(0, num_rows, step)):
        whole = whole or room_for(num_rows, part)
        whole.put(start, part)
    assert whole is not None
    return whole


def _save_graph(checkpoint: Checkpoint, weights: dict[str, Coded], folder: Path) -> None:
    import openvino

    def vector(name: str) -> np.ndarray[Any, Any]:
        values, order = checkpoint.vector(name), checkpoint.row_order(name)
        return values if order is None else values[order]

    graph = DecoderGraph(checkpoint.config, weights.__getitem__, vector)  # holds the arrays that the model points into
    model = graph.build()
    needed = sum(coded.size_bytes for coded in weights.values())
    if shutil.disk_usage(folder).free < needed:
        raise _no_space(folder.parent)
    try:
        openvino.save_model(model, folder / "openvino_model.xml", compress_to_fp16=False)
    except RuntimeError as error:
        raise _no_space(folder.parent) from error
    if (folder / "openvino_model.bin").stat().st_size < needed:  # the writer may fail without a word
        raise _no_space(folder.parent)


def _save_vocabulary(checkpoint: Checkpoint, folder: Path) -> None:
    save_vocabulary(checkpoint.tokenizer(), folder)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _appearing_whole(target: Path) -> Iterator[Path]:
    """Gives a folder beside `target` that takes its name at the end, after everything in it is on the disk."""
    _sweep(target)
    hidden = target.with_name(f".{target.name}.{os.getpid()}-{get_ident()}.partial")
    hidden.mkdir(parents=True)
    try:
        yield hidden
        for entry in [*hidden.iterdir(), hidden]:
            _sync(entry)
        if not target.exists():  # somebody else may have been faster with the same result
            hidden.rename(target)
        _sync(target.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise _no_space(target) from error
        raise
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Removes what killed conversions left beside the target."""
    for left in target.parent.glob(f".{target.name}.*.partial"):
        owner = left.suffixes[-2][1:].split("-")[0]
        if not owner.isdigit() or not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _no_space(target: Path) -> NotEnoughSpace:
    return NotEnoughSpace(
        say(
            f"There is no room for the converted model at {target.parent}.",
            f"{target.parent} 没有空间存放转换后的模型。",
        ),
        fix=say("Free some space, or choose another data folder.", "请腾出空间，或更换数据目录。"),
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
