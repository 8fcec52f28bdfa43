"""What every metric promises, whichever it is."""

import inspect

import numpy as np
import numpy.typing as npt
import pytest

from inkseal.core.errors import InvalidRequest
from inkseal.core.protocols import Metric
from inkseal.measure.metrics import metrics

NUM_ROWS = 48


def columns(seed: int) -> dict[str, npt.NDArray[np.generic]]:
    """Every column that a metric may read, of rows that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((2, NUM_ROWS, 8))
    features, texts = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    pixels, captions = rng.random((NUM_ROWS, 3, 4, 4)), rng.integers(0, 12, NUM_ROWS)
    return {"features": features, "text_features": texts[captions], "captions": captions, "pixels": pixels}


@pytest.fixture(params=sorted(metrics))
def metric(request: pytest.FixtureRequest) -> Metric:
    return metrics[request.param]()


def test_the_class_says_what_it_is(metric: Metric) -> None:
    assert metrics[metric.name] is type(metric)
    assert inspect.getdoc(type(metric))
    assert metric.better in ("higher", "lower")
    assert metric.reads
    assert metric.reads | metric.compares <= columns(0).keys()


def test_it_reads_no_more_than_it_says(metric: Metric) -> None:
    made, real = columns(0), columns(1)
    part = metric.score({name: made[name] for name in metric.reads}, {name: real[name] for name in metric.compares})
    assert part == metric.score(made, real)
    assert part.num_rows == NUM_ROWS


def test_the_order_of_the_rows_says_nothing(metric: Metric) -> None:
    made, real = columns(2), columns(3)
    order = np.random.default_rng(4).permutation(NUM_ROWS)
    turned = {name: column[order] for name, column in made.items()}
    assert metric.score(turned, real).value == pytest.approx(metric.score(made, real).value, rel=1e-6, abs=1e-9)


def test_no_rows_are_no_score(metric: Metric) -> None:
    some = columns(0)
    none = {name: column[:0] for name, column in some.items()}
    with pytest.raises(InvalidRequest):
        metric.score(none, some)
    if metric.compares:
        with pytest.raises(InvalidRequest):
            metric.score(some, none)


def test_what_is_given_stays_as_it_is(metric: Metric) -> None:
    made, real = columns(5), columns(6)
    metric.score(made, real)
    for before, after in ((columns(5), made), (columns(6), real)):
        assert all(np.array_equal(before[name], after[name]) for name in before)
