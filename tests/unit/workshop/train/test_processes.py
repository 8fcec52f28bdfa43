"""Two processes with half of each batch end where one process ends; only the main one writes and tells."""

import json
from pathlib import Path
from typing import Any

import pytest

from several_processes import line_recipe, train_together

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from safetensors.torch import load_file  # noqa: E402


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone") / "line"
    train_together(folder, line_recipe(), count=1)
    return folder


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def assert_same(folder: Path, alone: Path) -> None:
    """Compares the newest checkpoints, the models and the metrics, within rounding."""
    for name in ("weights", "averaged", "optimizer"):
        found, wanted = (
            load_file(max((run / "checkpoints").iterdir()) / f"{name}.safetensors") for run in (folder, alone)
        )
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(load_file(folder / "model.safetensors"), load_file(alone / "model.safetensors"))
    metrics = [[line for line in lines(run) if line["kind"] == "metric_logged"] for run in (folder, alone)]
    assert [(line["name"], line["step"]) for line in metrics[0]] == [
        (line["name"], line["step"]) for line in metrics[1]
    ]
    assert [line["value"] for line in metrics[0]] == pytest.approx([line["value"] for line in metrics[1]], rel=1e-3)


def test_two_processes_end_where_one_ends(tmp_path: Path, alone: Path) -> None:
    folder = tmp_path / "line"
    main, other = train_together(folder, line_recipe())
    assert (main["step"], other["step"]) == (30, 30)
    assert (main["process"], other["process"]) == (0, 1)
    assert "metric_logged" in main["kinds"]
    assert other["kinds"] == []
    assert (folder / "prepared").read_text() == "0"
    assert [line["kind"] for line in lines(folder) if line["kind"] != "metric_logged"] == ["started", "finished"]
    assert_same(folder, alone)


def test_one_process_that_is_asked_to_stop_stops_both_and_they_go_on_together(tmp_path: Path, alone: Path) -> None:
    folder = tmp_path / "line"
    assert [told["step"] for told in train_together(folder, line_recipe(), stop={1: 13})] == [13, 13]
    assert [told["step"] for told in train_together(folder, line_recipe())] == [30, 30]
    assert_same(folder, alone)


def test_a_batch_that_cannot_be_shared_is_refused_by_each(tmp_path: Path) -> None:
    told = train_together(tmp_path / "line", line_recipe(batch=9))
    assert [one["code"] for one in told] == ["invalid_request"] * 2
    assert "9" in told[0]["message"]
    assert not (tmp_path / "line").exists()


def test_weights_that_are_split_over_processes_are_refused(tmp_path: Path) -> None:
    told = train_together(tmp_path / "line", line_recipe(), count=1, ACCELERATE_USE_FSDP="true")
    assert told[0].get("code") == "unsupported", told
    assert "FSDP" in told[0]["message"]
