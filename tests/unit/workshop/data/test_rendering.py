"""Drawings become 64×64 pixels over white, in a child that may die."""

import threading
from pathlib import Path

import numpy as np
import pytest

from inkseal.core.errors import Cancelled, MissingDependency
from inkseal.core.events import ignore
from inkseal.core.types import Drawing
from inkseal.workshop.data import rendering
from inkseal.workshop.data.rendering import Rendered, render_all

pytest.importorskip("resvg_py")
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
RED = f'{HEAD} viewBox="0 0 20 10"><rect width="20" height="10" fill="#f00"/></svg>'
CORNER = f'{HEAD} viewBox="0 0 100 100"><rect x="10" y="60" width="20" height="20" fill="#00f"/></svg>'
SPECK = f'{HEAD} viewBox="0 0 1000 1000"><rect width="2" height="2"/></svg>'
EMPTY = f'{HEAD} viewBox="0 0 10 10"/>'


def _render(folder: Path, *svgs: str, crop: bool = False, cancel: threading.Event | None = None) -> Rendered:
    drawings = [Drawing(member=str(place), svg=svg, title="") for place, svg in enumerate(svgs)]
    return render_all(drawings, what="a", crop=crop, kept=folder, on_event=ignore, cancel=cancel or threading.Event())


def test_aspect_is_kept_on_a_white_square(tmp_path: Path) -> None:
    picture = _render(tmp_path, RED).pixels[0]
    assert picture[:, 32, 32].tolist() == [255, 0, 0]
    assert picture[:, 8, 32].tolist() == [255, 255, 255]
    red = (picture[1] < 128).sum()
    assert red == pytest.approx(64 * 32, rel=0.04)


def test_a_page_is_cropped_to_what_is_drawn(tmp_path: Path) -> None:
    whole, cropped = (_render(tmp_path, CORNER, crop=crop).pixels[0] for crop in (False, True))
    assert (whole[0] < 128).mean() == pytest.approx(0.04, abs=0.01)
    assert (cropped[0] < 128).mean() > 0.8
    assert cropped[:, 32, 32].tolist() == [0, 0, 255]


def test_what_cannot_be_drawn_is_counted_and_the_rest_comes(tmp_path: Path) -> None:
    found = _render(tmp_path, "junk", RED, EMPTY, SPECK, crop=True)
    assert found.places == (1,)
    assert found.pixels.shape == (1, 3, 64, 64)
    assert found.refused == {0: "not_svg", 2: "blank", 3: "speck"}


def test_a_drawing_that_grows_without_bound_kills_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_DRAW_SECONDS", 0.5)
    layers = '<g id="a0"><rect width="9" height="9" filter="url(#f)"/></g>' + "".join(
        f'<g id="a{n}">' + f'<use xlink:href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 9)
    )
    blur = '<filter id="f"><feGaussianBlur stdDeviation="40"/></filter>'
    bomb = f'{HEAD} viewBox="0 0 10 10"><defs>{blur}{layers}</defs><use xlink:href="#a8"/></svg>'
    found = _render(tmp_path, bomb, RED)
    assert found.places == (1,)
    assert found.refused[0] in ("took_too_long", "not_drawn")


def test_drawn_once_is_kept_and_a_damaged_file_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _render(tmp_path, RED, "junk")
    kept = next(tmp_path.iterdir())
    kept.write_bytes(kept.read_bytes()[:-5])
    again = _render(tmp_path, RED, "junk")
    monkeypatch.setattr(rendering, "Child", None)
    once_more = _render(tmp_path, RED, "junk")
    for other in (again, once_more):
        assert np.array_equal(first.pixels, other.pixels)
        assert (first.places, first.refused) == (other.places, other.refused)


def test_a_cancel_keeps_nothing_half(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        _render(tmp_path, RED, cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_without_the_renderer_it_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"inkseal\[train\]"):
        _render(tmp_path, RED)
