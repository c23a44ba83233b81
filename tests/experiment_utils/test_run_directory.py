"""A run has one directory, which one process at a time may work in."""

import dataclasses
import os

import pytest

from experiment_utils.run_directory import RunDirectory, find_runs, fingerprint, run_id
from experiment_utils.sweep import Point
from lifelong_rl.config import ConfigError

VARIANT = {"agent": {"name": "counter", "rate": 0.5}, "log_to_wandb": False, "seed": 3}


def test_the_same_variant_has_the_same_fingerprint_today_and_tomorrow():
    assert fingerprint(VARIANT) == "4edfe95b"
    assert fingerprint(dict(reversed(VARIANT.items()))) == fingerprint(VARIANT)


def test_seed_and_where_a_run_is_recorded_do_not_change_the_fingerprint_but_all_else_does():
    assert fingerprint(VARIANT | {"seed": 4, "log_to_wandb": True}) == fingerprint(VARIANT)
    assert fingerprint(VARIANT | {"agent": {"name": "counter", "rate": 0.25}}) != fingerprint(VARIANT)
    phase = {"name": "online", "num_epochs": 2}
    filmed, longer = phase | {"film_episodes": 4}, phase | {"num_epochs": 3}
    assert fingerprint({"phases": [filmed]}) == fingerprint({"phases": [phase]}) != fingerprint({"phases": [longer]})


def test_a_run_is_named_after_what_was_swept_its_variant_and_its_seed():
    point = Point(variant=VARIANT, swept={"agent.rate": 0.5})
    assert run_id(point) == f"rate-0.5-{fingerprint(VARIANT)}-s3"
    assert run_id(point, "paper") == f"paper-rate-0.5-{fingerprint(VARIANT)}-s3"
    assert run_id(dataclasses.replace(point, swept={})) == f"{fingerprint(VARIANT)}-s3"


def test_a_run_is_found_again_when_something_else_was_swept_to_get_there(tmp_path):
    without_sweep, swept = Point(variant=VARIANT, swept={}), Point(variant=VARIANT, swept={"agent.rate": 0.5})
    (first,) = find_runs(tmp_path, [without_sweep])
    assert not tmp_path.joinpath(first.path.name).exists()
    first.write("variant.json", VARIANT)

    assert find_runs(tmp_path, [swept]) == [first]
    other_seed = Point(variant=VARIANT | {"seed": 4}, swept={"agent.rate": 0.5})
    assert find_runs(tmp_path, [other_seed])[0].path.name == run_id(other_seed)


def test_a_status_is_written_whole_with_who_wrote_it(tmp_path):
    run = RunDirectory(tmp_path / "run")
    assert run.status is None

    run.write_status("failed", "no luck")
    assert (run.status.state, run.status.error, run.status.pid) == ("failed", "no luck", os.getpid())
    assert [path.name for path in run.path.iterdir()] == ["status.json"]


def test_a_directory_that_is_no_run_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"is not a run directory: it has no variant\.json"):
        RunDirectory(tmp_path).read("variant.json")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "status.json").write_text('{"state": "runn')
    with pytest.raises(ConfigError, match=r"status\.json is not readable as JSON"):
        assert RunDirectory(tmp_path).status


def test_credentials_are_masked_in_all_that_is_written_and_in_the_name_of_a_run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.write("variant.json", {"agent": {"api_key": "hunter2", "num_tokens": 3}})
    run.write_status("failed", "OSError: https://me:hunter2@example.org is away")
    assert run.read("variant.json") == {"agent": {"api_key": "***", "num_tokens": 3}}
    assert run.status.error == "OSError: https://***@example.org is away"
    point = Point(variant=VARIANT, swept={"agent.api_key": "hunter2", "agent.rate": 0.5})
    assert "hunter2" not in run_id(point)
    assert "rate-0.5" in run_id(point)
