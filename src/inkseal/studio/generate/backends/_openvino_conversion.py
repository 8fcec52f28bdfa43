"""From a model's file to the converted folder that is served: made once, accepted by perplexity, always proved."""

import json
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, cast

from inkseal.catalog.verify import model_hash, verify_files
from inkseal.core.errors import ModelFileRefused
from inkseal.core.events import Listener, Noted, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.formats import ir, perplexity
from inkseal.formats.checkpoint import Checkpoint
from inkseal.formats.openvino_core import core
from inkseal.formats.perplexity import LANGUAGES, TextLanguage, held_out_text
from inkseal.formats.weights import WeightFormat
from inkseal.store.durable import write_whole

ACCEPTANCE = "acceptance.json"
SMALL_WEIGHTS = 1_000_000_000
"""Below this many weights four-bit codes cost more time than the memory they spare gives back."""


class Converted(NamedTuple):
    """The folder that is served, and what is known of it."""

    folder: Path
    weight_format: WeightFormat
    perplexity_ratios: dict[str, float]


def candidates(num_weights: int, *, keeps_codes: bool = True) -> tuple[WeightFormat, ...]:
    """Returns the weight formats to try, fastest first; see the measured table in docs/reference/speed.md.

    Args:
        keeps_codes: the source is in four bits already; floats lose more than the limit by any of ours.
    """
    return ("int4_exact_32", "int8", "f16") if keeps_codes and num_weights >= SMALL_WEIGHTS else ("int8", "f16")


def converted(
    model: LocalModel,
    checkpoint: Checkpoint,
    formats: tuple[WeightFormat, ...],
    properties: Callable[[WeightFormat], Mapping[str, Any]],
    on_event: Listener,
    cancel: Cancel,
) -> Converted:
    """Returns the first conversion that is accepted; what is there already is proved by its hashes, not made again.

    Args:
        model: whose files they are.
        checkpoint: the GGUF, or the folder of safetensors.
        formats: the weight formats to try, in order.
        properties: those that a format is served with; the perplexity is measured with the same.

    Raises:
        ModelFileRefused: the source or a converted file is not the recorded one, or no format keeps the perplexity.
        Cancelled: nothing half-made is left.
    """
    recorded = source_sha256(model, checkpoint)
    proved = False
    for weight_format in formats:
        folder = model.folder / f"ir-{weight_format}-v{ir.VERSION}"
        if not folder.exists():
            if not proved:
                verify_files(model.folder, model.files, cancel)
                proved = True
            what = say(
                f"preparing {model.name} ({weight_format}, once)", f"准备 {model.name}（{weight_format}，仅一次）"
            )
            ir.build(checkpoint.source, folder, weight_format, _progress(on_event, what), cancel.is_set)
        facts = _proved_facts(folder, recorded, cancel)
        ratios = _ratios(folder, facts, checkpoint, properties(weight_format), on_event)
        if all(ratio <= perplexity.LIMIT for ratio in ratios.values()):
            return Converted(folder, weight_format, ratios)
        shown = ", ".join(f"{language} {ratio:.3f}" for language, ratio in ratios.items())
        on_event(Noted(text=say(f"{weight_format} loses too much: {shown}", f"{weight_format} 损失过大：{shown}")))
        shutil.rmtree(folder)
    raise ModelFileRefused(
        say(
            f"No weight format of {', '.join(formats)} keeps the perplexity of {model.name!r} within 3 %.",
            f"{'、'.join(formats)} 均无法将 {model.name!r} 的困惑度损失保持在 3% 以内。",
        ),
        fix=say("Allow f16 in backends.openvino.weight_format.", "请在 backends.openvino.weight_format 中允许 f16。"),
    )


def source_sha256(model: LocalModel, checkpoint: Checkpoint) -> str:
    """Returns the recorded hash of everything that a conversion reads.

    Raises:
        ModelFileRefused: it reads a file that was not there when the model was brought here.
    """
    read = [path.name for path in checkpoint.files]
    for name in read:
        if name not in model.files:
            raise ModelFileRefused(
                say(f"{name!r} does not belong to {model.name!r}.", f"{name!r} 不属于 {model.name!r}。"),
                fix=say("Remove it, or import the model again.", "请删除它，或重新导入该模型。"),
            )
    return model_hash({name: model.files[name] for name in read})


def _progress(on_event: Listener, what: str) -> Any:
    return lambda done: on_event(Progress(what=what, done=done, total=1.0))


def _proved_facts(folder: Path, source_sha256: str, cancel: Cancel) -> dict[str, Any]:
    """Returns what the conversion recorded, after hashing every file that will be read.

    Raises:
        ModelFileRefused: a file is not the recorded one, or it was made from another source.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / ir.FACTS).read_text("utf-8"))
        recorded = dict(facts["files"])
    except (OSError, ValueError, KeyError, TypeError):
        recorded, facts = {}, {}
    if not recorded or facts.get("source_sha256") != source_sha256:
        raise ModelFileRefused(
            say(f"{folder} was not made from this model.", f"{folder} 不是由该模型转换而来。"),
            fix=say("Remove that folder; it is made again.", "请删除该文件夹，它会重新生成。"),
        )
    verify_files(folder, recorded, cancel)
    return facts


@cache
def _known() -> dict[str, Any]:
    """Returns perplexities of the catalogue's models, measured once; converting is deterministic."""
    found: dict[str, Any] = json.loads(files("inkseal.formats").joinpath("heldout", "known.json").read_text("utf-8"))
    return found


def known_ratios(known: Mapping[str, Any], key: str) -> dict[str, float]:
    """Returns the ratios on both texts that were measured before, such as `zh` and `zh_second`; empty for none."""
    found: dict[str, float] = dict(known.get("ratios", {}).get(key, {}))
    second = known.get("second", {}).get("ratios", {}).get(key, {})
    return found | {f"{language}_second": ratio for language, ratio in second.items()}


def _ratios(
    folder: Path, facts: Mapping[str, Any], checkpoint: Checkpoint, properties: Mapping[str, Any], on_event: Listener
) -> dict[str, float]:
    """Returns converted over source perplexity by language: recorded, known, or measured now."""
    record = folder / ACCEPTANCE
    if record.exists():
        return dict(json.loads(record.read_text("utf-8"))["ratios"])
    known = _known().get(str(facts["source_sha256"]), {})
    found = known_ratios(known, f"{facts['weight_format']}-v{facts['version']}")
    # On the first text alone: the second would make the first load of a model of one's own three times as long.
    found = found or measure(folder, checkpoint, properties, on_event, known.get("source"))
    write_whole(record, json.dumps({"ratios": found}).encode())
    return found


def held_out_ids(checkpoint: Checkpoint, *, second: bool = False) -> dict[TextLanguage, list[int]]:
    """Returns the held-out texts in the model's own tokens."""
    tokenizer = checkpoint.tokenizer()
    return {language: tokenizer.encode(held_out_text(language, second=second)) for language in LANGUAGES}


def measure(
    folder: Path,
    checkpoint: Checkpoint,
    properties: Mapping[str, Any],
    on_event: Listener,
    source_perplexities: Mapping[str, float] | None = None,
    *,
    second: bool = False,
) -> dict[str, float]:
    """Returns converted over source perplexity on the held-out texts; about a minute without the source's."""
    what = say("measuring perplexity", "测量困惑度")
    ids = held_out_ids(checkpoint, second=second)
    if source_perplexities is None:
        source_perplexities = cast(
            Mapping[str, float], perplexity.source_perplexities(checkpoint, ids, _progress(on_event, what))
        )
    compiled = core().compile_model(folder / "openvino_model.xml", "CPU", dict(properties))
    judged = perplexity.judge(compiled, ids, cast(Mapping[TextLanguage, float], source_perplexities))
    return {language: round(ratio, 5) for language, ratio in judged.ratios.items()}
