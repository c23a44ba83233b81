"""Which runs belong together, and what their mean is."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiment_utils.results import curves
from experiment_utils.results.bands import band
from experiment_utils.results.curves import Series
from experiment_utils.results.panels import make_panels
from experiment_utils.results.runs import Run, find_readable_runs
from lifelong_rl.config import ConfigError

OFFLINE_THEN_ONLINE = [
    {"epoch": epoch, "env_steps": steps, "updates": updates, "phase": phase, "trainer/loss": float(updates)}
    for phase, epoch, steps, updates in [("offline", 1, 0, 10), ("offline", 2, 0, 20), ("online", 1, 5, 25)]
]


def write_run(directory: Path, rows: list[dict], variant: dict | None = None) -> None:
    directory.mkdir(parents=True)
    (directory / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if variant is not None:
        (directory / "variant.json").write_text(json.dumps(variant))


def only_run(folder: Path) -> Run:
    (run,), problems = find_readable_runs([folder])
    assert problems == []
    return run


def test_runs_that_differ_in_the_seed_only_are_one_group(tmp_path: Path):
    for name in ("rate-1-0a1b2c3d-s0", "rate-1-0a1b2c3d-s1", "rate-2-1a1b2c3d-s0", "2a1b2c3d-s0"):
        write_run(tmp_path / "maze" / name, OFFLINE_THEN_ONLINE)
    runs, _ = find_readable_runs([tmp_path / "maze", tmp_path / "maze" / "2a1b2c3d-s0"])
    groups = {label: len(members) for label, members in curves.group_runs(runs).items()}
    assert groups == {"maze": 1, "rate-1": 2, "rate-2": 1}


def test_the_same_variant_in_two_experiments_is_two_groups(tmp_path: Path):
    for experiment in ("old", "new"):
        write_run(tmp_path / experiment / "rate-1-0a1b2c3d-s0", OFFLINE_THEN_ONLINE)
    runs, _ = find_readable_runs([tmp_path / "old", tmp_path / "new"])
    assert list(curves.group_runs(runs)) == ["old/rate-1", "new/rate-1"]


def test_equal_names_of_unequal_variants_are_told_apart(tmp_path: Path):
    for name in ("cpu-0a1b2c3d-s0", "cpu-1a1b2c3d-s0"):
        write_run(tmp_path / name, OFFLINE_THEN_ONLINE)
    assert list(curves.group_runs(find_readable_runs([tmp_path])[0])) == ["cpu", "cpu (1a1b2c3d)"]


def test_where_the_name_says_nothing_the_variant_decides(tmp_path: Path):
    for name, rate, seed in (("try_s0", 1, 0), ("try_s1", 1, 1), ("again", 2, 0)):
        write_run(tmp_path / name, OFFLINE_THEN_ONLINE, {"rate": rate, "seed": seed})
    groups = curves.group_runs(find_readable_runs([tmp_path])[0])
    assert {label: len(members) for label, members in groups.items()} == {"again": 1, "try": 2}


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_kept(tmp_path: Path):
    write_run(tmp_path / "0a1b2c3d-s0", OFFLINE_THEN_ONLINE)
    write_run(tmp_path / "0a1b2c3d-s1", [])
    (tmp_path / "0a1b2c3d-s1" / "metrics.jsonl").write_text("nonsense\n")
    runs, (problem,) = find_readable_runs([tmp_path])
    assert [run.directory.name for run in runs] == ["0a1b2c3d-s0"]
    assert "0a1b2c3d-s1/metrics.jsonl, line 1: expected a JSON object, got 'nonsense'." in problem


def test_epochs_of_one_phase_follow_those_of_the_phase_before(tmp_path: Path):
    write_run(tmp_path / "0a1b2c3d-s0", OFFLINE_THEN_ONLINE)
    run = only_run(tmp_path)
    assert curves.positions(run, "epoch").tolist() == [1, 2, 3]
    assert curves.boundaries(run, "updates") == [(20, "offline", "online")]
    assert curves.boundaries(run, "epoch") == [(2, "offline", "online")]


def test_over_environment_steps_an_offline_phase_is_its_last_point(tmp_path: Path):
    write_run(tmp_path / "0a1b2c3d-s0", OFFLINE_THEN_ONLINE)
    run = only_run(tmp_path)
    curve = curves.series(run, "trainer/loss", "env_steps")
    assert (curve.x.tolist(), curve.y.tolist()) == ([0, 5], [20, 25])
    assert curves.boundaries(run, "env_steps") == []


def test_values_that_are_missing_or_not_finite_are_left_out(tmp_path: Path):
    values = [1.0, float("nan"), None, 4.0]
    rows = [
        {"epoch": i, "env_steps": i, "updates": i, "phase": "online"} | ({} if v is None else {"trainer/loss": v})
        for i, v in enumerate(values)
    ]
    write_run(tmp_path / "0a1b2c3d-s0", rows)
    curve = curves.series(only_run(tmp_path), "trainer/loss", "updates")
    assert (curve.x.tolist(), curve.y.tolist()) == ([0, 3], [1, 4])
    assert len(curves.series(only_run(tmp_path), "trainer/other", "updates").x) == 0


def test_the_mean_ends_where_fewer_than_half_of_the_seeds_have_come():
    long, middle, short = (
        Series(x=np.arange(n, dtype=float), y=np.full(n, value)) for n, value in ((6, 1.0), (4, 2.0), (2, 6.0))
    )
    mean = band([long, middle, short], "mean_se")
    assert mean.x.tolist() == [0, 1, 2, 3]
    assert mean.centre.tolist() == [3, 3, 1.5, 1.5]
    assert mean.num_seeds.tolist() == [3, 3, 2, 2]
    assert (mean.high - mean.centre)[:2] == pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    assert np.isnan(mean.high[2:]).all() and np.isnan(mean.low[2:]).all()


def test_seeds_on_different_grids_are_interpolated_between_their_own_points():
    one, other = Series(x=np.array([0.0, 4.0]), y=np.array([0.0, 4.0])), Series(x=np.array([2.0, 4.0]), y=np.zeros(2))
    mean = band([one, other], "mean_se")
    assert (mean.x.tolist(), mean.centre.tolist()) == ([0, 2, 4], [0, 1, 2])


def test_smoothing_is_a_centred_mean_that_shrinks_at_the_ends():
    values = np.array([0.0, 3.0, 6.0, 0.0])
    assert curves.moving_mean(values, 1).tolist() == [0, 3, 6, 0]
    assert curves.moving_mean(values, 3).tolist() == [1.5, 3, 3, 3]
    assert len(curves.moving_mean(values, 99)) == 4


def test_success_comes_first_and_losses_last_among_the_default_panels():
    names = ["trainer/loss", "time/x_seconds", "evaluation/b/normalized_score", "evaluation/success_rate"]
    assert curves.default_names(names) == ["evaluation/success_rate", "evaluation/b/normalized_score", "trainer/loss"]
    assert curves.default_names(["model/error"]) == ["model/error"]
    assert curves.default_name(["evaluation/a/success_rate", "evaluation/a/success_at_end_rate"]).endswith("end_rate")
    assert curves.default_name(names) == "evaluation/success_rate"


def study(folder: Path) -> list[Run]:
    """Two critics, one of them with two seeds, on one environment and on another."""
    for place, (task, network, seed) in enumerate(
        [("reach", {"name": "mrn"}, 0), ("reach", {"name": "mrn"}, 1), ("push", {"name": "mrn"}, 0),
         ("reach", {"name": "plain", "sizes": [8, 8]}, 0)]
    ):  # fmt: skip
        write_run(folder / f"{place}a1b2c3d-s{seed}", OFFLINE_THEN_ONLINE,
                  {"task": {"name": task}, "agent": {"network": network}, "seed": seed})  # fmt: skip
    return find_readable_runs([folder])[0]


def test_panels_are_values_of_one_path_and_curves_those_of_others(tmp_path: Path):
    made = make_panels(study(tmp_path), ["a/loss"], "task.name", ["agent.network"])
    found = {panel.title: {label: len(runs) for label, runs in panel.groups.items()} for panel in made}
    assert found == {"reach": {"mrn": 2, "plain": 1}, "push": {"mrn": 1}}
    several = make_panels(study(tmp_path / "again"), ["a/loss", "a/rate"], "task.name", ["agent.network", "seed"])
    assert [panel.title for panel in several][:2] == ["reach: a/loss", "reach: a/rate"]
    assert list(several[0].groups) == ["mrn, 0", "mrn, 1", "plain, 0"]


def test_without_a_path_there_is_a_panel_for_each_metric_and_a_curve_for_each_variant(tmp_path: Path):
    (panel,) = make_panels(study(tmp_path), ["a/loss"])
    assert panel.title == panel.metric == "a/loss" and len(panel.groups) == 4


def test_runs_of_different_settings_are_never_averaged(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"runs of 'mrn' differ in task.name \(reach and push\): add task.name"):
        make_panels(study(tmp_path), ["a/loss"], None, ["agent.network"])


def test_a_run_without_a_variant_belongs_to_no_panel(tmp_path: Path):
    write_run(tmp_path / "0a1b2c3d-s0", OFFLINE_THEN_ONLINE)
    with pytest.raises(ConfigError, match="without a variant.json"):
        make_panels(find_readable_runs([tmp_path])[0], ["a/loss"], "task.name")
