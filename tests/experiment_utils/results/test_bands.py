"""Lines over seeds and what surrounds them."""

import numpy as np
import pytest

from experiment_utils.results.bands import SUMMARIES, band, quantile, thinned
from experiment_utils.results.curves import Series
from experiment_utils.results.run_intervals import wilson_interval


def curves(*rows: list[float]) -> list[Series]:
    return [Series(x=np.arange(len(row), dtype=float), y=np.array(row, dtype=float)) for row in rows]


@pytest.mark.parametrize("summary", SUMMARIES)
def test_no_summary_gives_an_interval_below_three_seeds(summary):
    line = band(curves([1, 2, 3], [2, 3, 4]), summary)
    assert np.isfinite(line.centre).all() and np.isnan(line.low).all() and np.isnan(line.high).all()
    line = band(curves([1, 2, 3], [2, 3, 4], [6, 5, 5]), summary)
    assert (line.low < line.centre).all() and (line.centre < line.high).all()


def test_the_median_is_surrounded_by_the_quartiles_of_those_that_are_there():
    line = band(curves([1, 1], [2, 2], [3, 3], [10], [5]), "median")
    assert line.centre.tolist() == [3, 2]
    assert (line.low.tolist(), line.high.tolist()) == ([2, 1.5], [5, 2.5])


def test_quantiles_are_numpys_where_nothing_is_missing():
    values = np.random.default_rng(0).normal(size=(7, 20))
    for share in (0.1, 0.25, 0.5, 0.9):
        assert quantile(values, share) == pytest.approx(np.quantile(values, share, axis=0), abs=1e-15)


def test_success_over_all_episodes_has_wilsons_interval():
    line = band(curves([1.0], [0.9], [0.8]), "wilson", episodes=20)
    assert line.centre == pytest.approx([54 / 60])
    assert (line.low[0], line.high[0]) == pytest.approx(wilson_interval(54, 60))


def test_a_thinned_line_keeps_its_ends_and_its_peaks():
    y = np.sin(np.arange(10_000) / 700)
    y[3_333], y[7_777] = 9.0, -9.0
    kept = thinned(y, 200)
    assert len(kept) <= 202 and {0, 3_333, 7_777, 9_999} <= set(kept.tolist()) and (np.diff(kept) > 0).all()
    assert thinned(y[:150], 200).tolist() == list(range(150))


def test_a_line_of_few_points_is_thinned_before_its_interval_is_taken():
    y = np.random.default_rng(0).normal(size=(5, 5_000))
    line = band([Series(x=np.arange(5_000.0), y=row) for row in y], "iqm", max_points=100)
    assert len(line.x) <= 102 and len(line.low) == len(line.x)


def test_seeds_on_many_different_points_share_a_grid_of_a_thousand():
    rng = np.random.default_rng(0)
    many = [Series(x=np.sort(rng.random(900)), y=np.ones(900)) for _ in range(4)]
    line = band(many, "mean_se")
    assert len(line.x) <= 1000 and np.allclose(line.centre, 1)
