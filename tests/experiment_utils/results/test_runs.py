"""Which directories are runs, what was swept among them, and how they are put together."""

import json
from pathlib import Path

import pytest

from experiment_utils.results.curves import natural_axis, series
from experiment_utils.results.finals import final, finals, keep_best, over_seeds, success_of
from experiment_utils.results.groups import (
    check_keys,
    differences,
    group_by,
    mixed_keys,
    spoken,
    swept_keys,
    telling_keys,
)
from experiment_utils.results.runs import Run, find_runs
from experiment_utils.run_directory import RunDirectory
from lifelong_rl.config import ConfigError
from tests.experiment_utils.results.run_files import rows_of, write_run, write_sweep


def runs_in(folder: Path) -> list[Run]:
    runs, problems = find_runs([folder])
    assert problems == []
    return runs


def with_values(folder: Path, *variants: dict) -> list[Run]:
    for number, variant in enumerate(variants):
        write_run(folder / f"run{number}", [], variant)
    return runs_in(folder)


def test_runs_are_found_below_what_was_asked_for_and_none_twice(tmp_path: Path):
    write_sweep(tmp_path / "data" / "one", [0.1], 2)
    write_sweep(tmp_path / "data" / "two", [0.1], 1)
    asked = [tmp_path, tmp_path / "data" / "one", tmp_path / "data" / "two" / "rate-0.1-00000000-s0"]
    runs, _ = find_runs(asked)
    assert [(run.experiment, run.name) for run in runs] == [
        ("one", "rate-0.1-00000000-s0"), ("one", "rate-0.1-00000000-s1"), ("two", "rate-0.1-00000000-s0"),
    ]  # fmt: skip
    assert len({run.id for run in runs}) == 3


def test_runs_of_rlkit_and_rllab_are_found_by_their_files(tmp_path: Path):
    folder = tmp_path / "rlkit" / "name_2026_0000--s-3"
    folder.mkdir(parents=True)
    (folder / "progress.csv").write_text("Epoch,eval/Average Returns\n0,5\n1,7\n")
    (folder / "params.json").write_text(json.dumps({"seed": 3, "algorithm_kwargs": {"batch_size": 256}}))
    (run,) = runs_in(tmp_path)
    assert (run.seed, run.state, run.values["algorithm_kwargs.batch_size"]) == (3, "unknown", 256)
    assert natural_axis([run]) == "row"
    assert series(run, "eval/Average Returns", "Epoch").y.tolist() == [5, 7]
    by_row = series(run, "eval/Average Returns", "row")
    assert (by_row.x.tolist(), by_row.y.tolist()) == ([1, 2], [5, 7])


def test_a_variant_that_cannot_be_read_is_a_problem_and_not_the_end(tmp_path: Path):
    write_sweep(tmp_path, [0.1], 1)
    (write_run(tmp_path / "broken", []) / "variant.json").write_text('{"seed": ')
    runs, (problem,) = find_runs([tmp_path])
    assert len(runs) == 1 and problem.startswith(f"{tmp_path / 'broken'}: its variant is not readable")


def test_a_run_says_running_only_while_somebody_works_on_it(tmp_path: Path):
    directory = write_run(tmp_path / "run", [], {}, state="running", host="elsewhere")
    assert runs_in(tmp_path)[0].state == "died"
    with RunDirectory(directory).held():
        assert runs_in(tmp_path)[0].state == "running"
    write_run(tmp_path / "waits", [], {}, state="queued")
    assert [run.state for run in runs_in(tmp_path)] == ["died", "stopped"]


def test_what_was_swept_is_found_by_itself_and_seeds_are_not(tmp_path: Path):
    runs = with_values(
        tmp_path,
        {"agent": {"name": "sac", "rate": 1, "sizes": [8, 8]}, "seed": 0},
        {"agent": {"name": "sac", "rate": 1.0, "sizes": [8]}, "seed": 1, "extra": None},
    )
    assert swept_keys(runs) == ["agent.sizes", "extra"]


def test_a_few_keys_that_tell_all_variants_apart_are_chosen_names_first(tmp_path: Path):
    runs = with_values(
        tmp_path,
        *({"agent": {"rate": rate, "double": 2 * rate, "head": {"name": name}}, "seed": 0}
          for rate in (1, 2) for name in ("iqe", "mrn")),
    )  # fmt: skip
    assert telling_keys(runs, swept_keys(runs)) == ["agent.head.name", "agent.rate"]


def test_groups_go_by_value_and_say_what_differs_between_them(tmp_path: Path):
    runs = with_values(
        tmp_path, *({"agent": {"name": "sac", "rate": rate}, "n": n} for n in (1, 2) for rate in (10.0, 9.0))
    )
    by_both = group_by(runs, ["agent.name", "agent.rate", "n"])
    assert list(by_both) == ["rate=9, n=1", "rate=9, n=2", "rate=10, n=1", "rate=10, n=2"]
    by_rate = group_by(runs, ["agent.rate"])
    assert [(label, len(members)) for label, members in by_rate.items()] == [("rate=9", 2), ("rate=10", 2)]
    assert list(group_by(runs, ["agent.name"])) == ["sac"] and list(group_by(runs, [])) == [""]
    assert mixed_keys(by_rate["rate=9"]) == ["n"]
    assert set(differences(runs[0], runs[2])) == {("n", "1", "2"), ("run", "run0", "run2")}


def test_a_value_that_a_variant_lacks_is_a_value_of_its_own(tmp_path: Path):
    runs = with_values(tmp_path, {"a": 1}, {"a": None}, {})
    assert list(group_by(runs, ["a"])) == ["a=1", "a=absent", "a=null"]
    with pytest.raises(ConfigError, match="group: no run has 'b'."):
        check_keys(["b"], runs, "group")


@pytest.mark.parametrize(
    ("value", "text"),
    [(3e-4, "0.0003"), (256, "256"), (True, "true"), ((256, 256), "256x256"), (("a", "b"), "a+b"), ((), "none")],
)
def test_values_are_spoken_as_one_would_write_them(value: object, text: str):
    assert spoken(value) == text


@pytest.mark.parametrize(
    ("rule", "value"), [("last", 2.0), ("mean", 3.0), ("highest", 6.0), ("lowest", 1.0), ("last_tenth", 2.0)]
)
def test_a_final_value_is_that_of_its_rule_and_leaves_out_what_is_not_finite(tmp_path: Path, rule, value: float):
    write_run(tmp_path / "run", rows_of("a/x", [1.0, 6.0, 2.0, float("nan")]), {"seed": 0})
    (run,) = runs_in(tmp_path)
    assert final(run, "a/x", rule) == value
    assert len(finals([run], "a/never", rule)) == 0


def test_of_a_key_only_the_best_value_is_kept_in_each_group(tmp_path: Path):
    write_sweep(tmp_path, [0.1, 0.7, 0.4])
    groups = {"all": runs_in(tmp_path)}
    best = keep_best(groups, "agent.rate", "evaluation/success_rate", "last", lowest=False)
    assert {label: [run.seed for run in runs] for label, runs in best.items()} == {"all, best rate=0.7": [0, 1, 2]}
    worst = keep_best(groups, "agent.rate", "evaluation/success_rate", "last", lowest=True)
    assert list(worst) == ["all, best rate=0.1"]


def test_a_success_rate_is_so_many_of_so_many_episodes(tmp_path: Path):
    write_sweep(tmp_path, [0.9], 1)
    (run,) = runs_in(tmp_path)
    success = success_of(run, "evaluation/success_rate", 0.9)
    assert success is not None and success.episodes == 50
    assert (success.low, success.high) == pytest.approx((0.7864, 0.9565), abs=1e-4)  # Wilson's formula for 45 of 50
    assert success_of(run, "evaluation/return_mean", 0.9) is None


def test_a_band_of_rates_stays_between_0_and_1(tmp_path: Path):
    for seed, rate in enumerate((1.0, 1.0, 0.5)):
        write_run(tmp_path / f"r-0a1b2c3d-s{seed}", rows_of("evaluation/success_rate", [rate]), {"seed": seed})
    runs = runs_in(tmp_path)
    curves = [series(run, "evaluation/success_rate", "updates") for run in runs]
    assert over_seeds(curves, runs, "evaluation/success_rate", "mean_interval").high.tolist() == [1.0]
    assert over_seeds(curves, runs, "evaluation/return_mean", "mean_interval").high[0] > 1


def test_values_that_sound_alike_are_groups_of_their_own(tmp_path: Path):
    runs = with_values(tmp_path, {"a": 0.12345671}, {"a": 0.12345672}, {"a": 1}, {"a": "1"})
    groups = group_by(runs, ["a"])
    assert {label: len(members) for label, members in groups.items()} == {
        "a=0.12345671": 1, "a=0.12345672": 1, "a=1": 1, "a=1'": 1,
    }  # fmt: skip
