"""Conversion to the engine's graph: against the numpy reference, from both layouts, cancelled, killed, starved."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gguf_maker as make
from hub_maker import hub_folder
from inkseal.core.errors import Cancelled, InvalidRequest, ModelFileRefused, NotEnoughSpace
from inkseal.formats import ir, perplexity
from inkseal.formats.checkpoint import GGUFCheckpoint
from inkseal.formats.hf_folder import HubFolder
from inkseal.formats.openvino_core import core, silence_telemetry
from inkseal.formats.reference import token_losses as reference_losses

IDS = [3, 41, 7, 7, 20, 11, 46, 0, 5, 33, 12, 9, 28, 2, 17]
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}


@pytest.fixture(autouse=True)
def _no_tokenizer(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "tiny_gguf" not in request.fixturenames:  # made-up vocabularies have no merges for the engine to read
        monkeypatch.setattr(ir, "_save_vocabulary", lambda checkpoint, folder: None)


def write(folder: Path, kind: str = "llama", **options: Any) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(make.decoder(kind, **options))
    return path


def compiled(folder: Path) -> Any:
    return core().compile_model(folder / "openvino_model.xml", "CPU", EXACT)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [False, True])
def test_graph_agrees_with_the_reference(tmp_path: Path, kind: str, tied: bool) -> None:
    source = write(tmp_path, kind, tied=tied)
    info = ir.build(source, tmp_path / "out", "f16")
    got = perplexity.token_losses(compiled(info.folder), IDS)
    wanted = reference_losses(GGUFCheckpoint(source), [IDS])[0]
    assert np.abs(got - wanted).max() < 0.01


@pytest.mark.parametrize("weight_format", ["int8", "int4_exact_32", "int4_asym_64"])
def test_coded_graph_stays_near_the_reference(tmp_path: Path, weight_format: str) -> None:
    source = write(tmp_path, "qwen2")
    info = ir.build(source, tmp_path / "out", weight_format)
    got = perplexity.token_losses(compiled(info.folder), IDS)
    wanted = reference_losses(GGUFCheckpoint(source), [IDS])[0]
    assert np.abs(got - wanted).max() < (1.5 if weight_format == "int4_asym_64" else 0.2)


def test_window_by_window_equals_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = ir.build(write(tmp_path), tmp_path / "out", "int8")
    model = compiled(info.folder)
    at_once = perplexity.token_losses(model, IDS)
    monkeypatch.setattr(perplexity, "WINDOW", 1)
    assert np.abs(perplexity.token_losses(model, IDS) - at_once).max() < 1e-3


def test_padding_on_the_left_changes_nothing(tmp_path: Path) -> None:
    model = compiled(ir.build(write(tmp_path), tmp_path / "out", "f16").folder)

    def last_logits(ids: list[int], padding: int) -> np.ndarray[Any, Any]:
        length = len(ids)
        positions = np.maximum(np.arange(-padding, length), 0)
        request = model.create_infer_request()
        request.infer(
            {
                "input_ids": np.array([[0] * padding + ids]),
                "attention_mask": np.array([[0] * padding + [1] * length]),
                "position_ids": positions[None],
                "beam_idx": np.zeros(1, np.int32),
            }
        )
        return np.array(request.get_tensor("logits").data[0, -1])

    assert np.abs(last_logits(IDS, 0) - last_logits(IDS, 3)).max() < 1e-3


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
def test_both_layouts_are_one_model(tmp_path: Path, kind: str) -> None:
    source = write(tmp_path, kind)
    folder = hub_folder(source, tmp_path / "hub", dtype="F32", num_shards=2)
    assert np.allclose(*(reference_losses(opened, [IDS])[0] for opened in (GGUFCheckpoint(source), HubFolder(folder))))
    info = ir.build(folder, tmp_path / "out", "int8")
    assert (info.folder / "openvino_model.xml").exists()


@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code", "custom_code"])
def test_fault_33_configuration_with_code_is_refused(tmp_path: Path, key: str) -> None:
    folder = hub_folder(write(tmp_path), tmp_path / "hub", **{key: False})
    with pytest.raises(ModelFileRefused, match=key):
        HubFolder(folder)


def test_other_models_are_refused_with_their_reason(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"kind": "mamba"}, "mamba"),
        ({"num_tokens": 47}, "token_embd.weight"),
        ({"extra": [make.u32("llama.expert_count", 4)]}, "expert_count"),
        ({"extra": [make.u32("llama.rope.dimension_count", 8)]}, "dimension_count"),
        ({"tensors": {"blk.1.ffn_up.weight": np.ones((96, 32), np.float32)}}, "blk.1.ffn_up.weight"),
    ]
    for options, words in cases:
        with pytest.raises(ModelFileRefused, match=words):
            ir.build(write(tmp_path, **options), tmp_path / "out", "int8")
        assert not (tmp_path / "out").exists()
    with pytest.raises(InvalidRequest, match="int3"):
        ir.build(write(tmp_path), tmp_path / "out", "int3")


def test_facts_and_progress(tmp_path: Path) -> None:
    seen: list[float] = []
    info = ir.build(write(tmp_path), tmp_path / "out", "int8", seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    facts = json.loads((tmp_path / "out" / ir.FACTS).read_text("utf-8"))
    assert facts["source_sha256"] == info.source_sha256
    assert (facts["weight_format"], facts["version"]) == ("int8", ir.VERSION)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    source, calls = write(tmp_path), []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 5

    with pytest.raises(Cancelled):
        ir.build(source, tmp_path / "out", "int8", None, stop)
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


CHILD = """
import sys
from pathlib import Path
from inkseal.formats import ir
ir._save_vocabulary = lambda checkpoint, folder: None
print("ready", flush=True)
ir.build(Path(sys.argv[1]), Path(sys.argv[2]), "int8")
"""


def child(source: Path, target: Path, **options: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CHILD, str(source), str(target)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


@pytest.mark.slow
def test_fault_65_killed_conversion_is_whole_or_absent(tmp_path: Path) -> None:
    source = write(tmp_path, num_layers=8, width=128, hidden=256)
    target = tmp_path / "out"
    random = np.random.default_rng(0)
    for delay in [*random.uniform(0.0, 0.8, 8), 30.0]:
        with child(source, target) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0 if delay > 1 else delay)
            if delay <= 1:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        if target.exists():
            assert (target / ir.FACTS).exists()
            assert len(perplexity.token_losses(compiled(target), IDS)) == len(IDS) - 1
            (target / ir.FACTS).rename(tmp_path / "kept.json")
            for path in target.iterdir():
                path.unlink()
            target.rmdir()
    assert not list(tmp_path.glob(".*.partial")), "what killed runs leave is swept by the next"


def test_fault_66_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    source = write(tmp_path, num_layers=4, width=128, hidden=256)

    def starve() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    with child(source, tmp_path / "out", preexec_fn=starve) as process:
        _, errors = process.communicate()
    assert process.returncode != 0
    assert NotEnoughSpace.__name__ in errors
    assert not (tmp_path / "out").exists()


def test_acceptance_counts_both_languages() -> None:
    good = perplexity.Acceptance({"zh": 10.0, "en": 20.0}, {"zh": 10.2, "en": 20.0})
    bad = perplexity.Acceptance({"zh": 10.0, "en": 20.0}, {"zh": 10.4, "en": 20.0})
    broken = perplexity.Acceptance({"zh": 10.0, "en": 20.0}, {"zh": float("nan"), "en": 20.0})
    assert (good.accepted, bad.accepted, broken.accepted) == (True, False, False)


@pytest.mark.model
@pytest.mark.slow
def test_tiny_model_is_accepted_and_writes(tmp_path: Path, tiny_gguf: Path) -> None:
    info = ir.build(tiny_gguf, tmp_path / "out", "int8")
    silence_telemetry()
    import openvino
    import openvino_genai

    checkpoint = GGUFCheckpoint(tiny_gguf)
    tokenizer = checkpoint.tokenizer()
    ids = {name: tokenizer.encode(perplexity.held_out_text(name)[:600]) for name in perplexity.LANGUAGES}
    source = perplexity.source_perplexities(checkpoint, ids)
    served = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f16"}
    model = core().compile_model(info.folder / "openvino_model.xml", "CPU", served)
    verdict = perplexity.judge(model, ids, source)
    assert verdict.accepted, verdict.ratios
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching = True
    pipeline = openvino_genai.ContinuousBatchingPipeline(info.folder, scheduler, "CPU", served)
    config = openvino_genai.GenerationConfig(max_new_tokens=5, do_sample=False, apply_chat_template=False)
    prompt = openvino.Tensor(np.array([tokenizer.encode("The capital of France is")]))
    answer = pipeline.generate([prompt], [config])
    assert "Paris" in tokenizer.decode(answer[0].m_generation_ids[0])
