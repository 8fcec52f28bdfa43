"""Makes one of transformers' own classes out of a configuration and tensors; runs no foreign code, asks no network."""

import warnings
from typing import Any

from inkseal.core.errors import ModelFileRefused, Unsupported
from inkseal.core.language import say
from inkseal.runtime.device import describe
from inkseal.studio.generate.backends._hf_transformers_source import Source

PRECISIONS = {"float32": 4, "bfloat16": 2, "float16": 2}
_LEFT_OUT = frozenset(
    {"attn_implementation", "experts_implementation", "fusion_config", "kernel_config", "transformers_weights"}
    | {"distributed_config", "name_or_path", "torch_dtype", "dtype"}
)
"""What could name another place, another kernel or another file; and the precision, which is our config's to say."""
_FAST_HALF = frozenset({"amx_tile", "avx512_bf16"})
_NO_WEIGHTS = ("rotary_emb.inv_freq", "lm_head.weight")
"""Old files keep the frequencies, and tied ones the output matrix again."""


def cpu_precision(asked: str) -> str:
    """Returns the precision on this processor: half only where it has instructions for it."""
    if asked != "auto":
        return asked
    return "bfloat16" if _FAST_HALF & set(describe().instruction_sets) else "float32"


def choose_device(asked: str) -> str:
    """Returns the device to run on.

    Raises:
        Unsupported: this machine, or this build of torch, does not have it.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    found = next(name for name in ("cuda", "mps", "cpu") if there[name]) if asked == "auto" else asked
    if not there[found]:
        raise Unsupported(
            say(f"torch finds no device {found!r} here.", f"torch 在本机找不到设备 {found!r}。"),
            fix=say("Set device to auto, or install the build for it.", "请将 device 设为 auto，或安装对应版本。"),
        )
    return found


def choose_precision(asked: str, device: str) -> str:
    """Returns the precision to run in: as asked, else half on graphics processors."""
    if asked != "auto" or device == "cpu":
        return cpu_precision(asked)
    import torch

    return "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float16"


def load_model(source: Source, device: str, precision: str) -> Any:
    """Returns the model, ready to run.

    Raises:
        ModelFileRefused: the tensors are not those that the configuration asks for.
        Unsupported: transformers has no class of its own for it.
    """
    import torch
    from transformers import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    config, kind = _native(source.facts, source.num_tensors)
    _refuse_promises(kind, config, source.num_weights)
    attention = "sdpa" if getattr(kind, "_supports_sdpa", False) else "eager"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints on the library's own development
            model, found = kind.from_pretrained(
                None,
                config=config,
                state_dict=source.weights(precision),
                dtype=getattr(torch, precision),
                attn_implementation=attention,
                local_files_only=True,
                output_loading_info=True,
            )
    except (ValueError, RuntimeError, KeyError) as error:
        raise _refusal(str(error).strip().splitlines()[0][:200]) from None
    wrong = [*found["missing_keys"], *(n for n in found["unexpected_keys"] if not n.endswith(_NO_WEIGHTS))]
    wrong += [str(entry) for entry in found["mismatched_keys"]]
    if wrong:
        raise _refusal(say(f"tensors do not fit, such as {wrong[0]!r}", f"张量不符，例如 {wrong[0]!r}"))
    return model.eval().requires_grad_(False).to(device)


def _native(facts: dict[str, Any], num_tensors: int) -> tuple[Any, Any]:
    """Returns the configuration and the class that writes text."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    kind = facts.get("model_type")
    if facts.get("quantization_config"):
        raise Unsupported(say("Its weights are quantised already.", "其权重已被量化。"))
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        raise _unknown(kind)
    layers = facts.get("num_hidden_layers", facts.get("n_layer", 1))
    if not isinstance(layers, int) or not 0 < layers <= num_tensors:
        raise _refusal(f"num_hidden_layers = {layers!r}")
    kept = {name: value for name, value in facts.items() if name not in _LEFT_OUT and not name.startswith("_")}
    if kept.get("use_sliding_window") is False:  # most classes do not know the switch, and would slide
        kept.pop("sliding_window", None)
    try:
        config = CONFIG_MAPPING[kind].from_dict(kept)
    except Exception as error:  # noqa: BLE001 - the library checks values with errors of many kinds
        raise _refusal(f"config.json: {str(error).strip()[:200]}") from None
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise _unknown(kind)
    return config, MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]


def _refuse_promises(kind: Any, config: Any, there: int) -> None:
    """Refuses a configuration that asks for more weights than the files have; the library would draw them at random."""
    import torch

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            promised = sum(weights.numel() for weights in kind(config).parameters())
        except Exception as error:  # noqa: BLE001 - numbers that do not fit together fail in many ways
            raise _refusal(f"config.json: {str(error).strip()[:200]}") from None
    if promised > 1.02 * there:
        raise _refusal(
            say(f"it promises {promised:,} weights and has {there:,}", f"声称有 {promised:,} 个权重，实有 {there:,}")
        )


def _unknown(kind: object) -> Unsupported:
    return Unsupported(
        say(
            f"transformers has no class of its own that writes text for the model type {str(kind)[:60]!r}.",
            f"transformers 没有适用于模型类型 {str(kind)[:60]!r} 的原生文本生成类。",
        )
    )


def _refusal(why: str) -> ModelFileRefused:
    return ModelFileRefused(
        say(f"The model folder is refused: {why}.", f"拒绝使用该模型文件夹：{why}。"),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )
