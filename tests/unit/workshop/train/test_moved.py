"""Moved pictures: each way of moving alone, by the greatest amount, against what numpy says."""

import math
from typing import Any

import pytest

from inkseal.workshop.train.moved import moved

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def furthest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", torch.ones)


def pictures() -> Any:
    return 2 * torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)).sigmoid() - 1


def test_a_shifted_picture_is_itself_elsewhere_and_white_where_nothing_was() -> None:
    seen = moved(pictures(), shift=0.25, zoom=0, turn=0)
    torch.testing.assert_close(seen[:, :, :12, :12], pictures()[:, :, 4:, 4:])
    assert bool((seen[:, :, 12:] == 1).all())
    assert bool((seen[:, :, :, 12:] == 1).all())


@pytest.mark.parametrize("low_precision", [False, True])
def test_a_quarter_turn_moves_every_pixel_once(low_precision: bool) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=low_precision):
        turned = moved(pictures(), shift=0, zoom=0, turn=90)
    torch.testing.assert_close(turned, torch.rot90(pictures(), dims=(2, 3)), atol=1e-5, rtol=0)


def test_half_the_size_leaves_a_white_border_of_a_quarter() -> None:
    half = moved(pictures(), shift=0, zoom=math.log(2), turn=0)
    torch.testing.assert_close(half[:, :, 4:12, 4:12], torch.nn.functional.avg_pool2d(pictures(), 2))
    assert bool((half[:, :, :3] == 1).all())
    assert bool((half[:, :, :, 13:] == 1).all())


def test_each_picture_goes_its_own_way_and_none_by_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    one = pictures()[:1].expand(2, -1, -1, -1)
    torch.manual_seed(0)
    seen = moved(one, shift=0.2, zoom=0.2, turn=20)
    assert not torch.equal(seen[0], seen[1])
    assert moved(one, 0, 0, 0) is one
