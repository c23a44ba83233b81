"""A sweep is a grid times seeds, checked as a whole before anything is written."""

import importlib
import re
import time
from pathlib import Path

import pytest

from experiment_utils.sweep import expand, short_labels, slug
from lifelong_rl.config import ConfigError

VARIANT = {"agent": {"name": "counter", "step": 2}, "phases": [{"num_epochs": 3}]}


@pytest.fixture
def points_of(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    config_class = importlib.import_module("tiny_experiment").ExperimentConfig

    def expand_tiny(sweep_values, seeds=(0,), settings=()):
        return expand(config_class, VARIANT, sweep_values=sweep_values, seeds=seeds, settings=settings)

    return expand_tiny


def test_a_sweep_is_the_grid_times_the_seeds_with_every_default_filled_in(points_of):
    points = points_of({"agent.rate": [0.1, 0.2], "phases.0.num_epochs": [5, 6]}, seeds=[7, 8])

    found = [(p.variant["agent"]["rate"], p.variant["phases"][0]["num_epochs"], p.seed) for p in points]
    assert found == [(rate, epochs, seed) for rate in (0.1, 0.2) for epochs in (5, 6) for seed in (7, 8)]
    assert points[0].swept == {"agent.rate": 0.1, "phases.0.num_epochs": 5}
    assert points[0].variant["agent"] == {"name": "counter", "step": 2, "rate": 0.1, "ending": "well"}
    assert VARIANT["phases"] == [{"num_epochs": 3}]


def test_points_do_not_share_what_one_of_them_may_change(points_of):
    first, second = points_of({}, seeds=[0, 1])
    assert first.variant == second.variant | {"seed": 0}


def test_a_setting_holds_for_every_point_also_inside_of_a_swept_value(points_of):
    points = points_of({"agent": [{"rate": 0.1}, {"rate": 0.2}]}, settings=[("agent.step", 9), ("num_threads", 2)])

    assert [p.variant["agent"]["step"] for p in points] == [9, 9]
    assert [p.variant["agent"]["rate"] for p in points] == [0.1, 0.2]
    assert points[0].variant["num_threads"] == 2


@pytest.mark.parametrize(
    ("sweep_values", "seeds", "message"),
    [
        ({"agent.rat": [1.0]}, [0], "variant.agent: unknown key 'rat'. Did you mean 'rate'?"),
        ({"agent.rate": [1.0, "fast"]}, [0], "variant.agent.rate must be float, got 'fast'."),
        ({"agent.rate": 1.0}, [0], "sweep_values['agent.rate'] must be a list of values, got 1.0."),
        ({"agent.name": "counter"}, [0], "sweep_values['agent.name'] must be a list of values, got 'counter'."),
        ({"agent.rate": []}, [0], "sweep_values['agent.rate'] must be a list of values, got []."),
        ({"agent.rate": [1, 1.0]}, [0], "sweep_values: {'agent.rate': 1.0} is the same run as a point before it."),
        ({"phases.1.num_epochs": [1]}, [0], "variant.phases has 1 elements, so there is no variant.phases.1."),
        ({}, [0, 1, 0], "seeds: 0 stands more than once."),
        ({}, [-1], "seeds must be whole numbers from 0 up, got -1."),
    ],
)
def test_says_what_is_wrong_with_a_sweep(points_of, sweep_values, seeds, message):
    with pytest.raises(ConfigError) as error:
        points_of(sweep_values, seeds)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("swept", "name"),
    [
        ({}, ""),
        ({"agent.rate": 1e-4}, "rate-0.0001"),
        ({"agent.critic.energy.name": "iqe", "agent.sizes": [64, 64]}, "energy.name-iqe_sizes-64x64"),
        ({"a.rate": 1, "b.rate": 2}, "a.rate-1_b.rate-2"),
        ({"task": {"name": "maze"}}, "task-maze"),
        ({"path": "../../etc/passwd; rm *"}, "path-..-..-etc-passwd-rm"),
        ({"path": "größe 🙂"}, "path-gr-e"),
    ],
)
def test_a_slug_is_safe_as_the_name_of_a_directory(swept, name):
    assert slug(swept) == name


def test_a_slug_stays_short_whatever_is_swept():
    name = slug({f"agent.parameter_{i}": "x" * 30 for i in range(20)})
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,80}", name)


def test_labels_are_as_short_as_they_can_be_and_differ():
    labels = short_labels(["agent.name", "agent.critic.name", "agent.critic.size", "phases.0.num_epochs"])
    assert list(labels.values()) == ["agent.name", "critic.name", "size", "num_epochs"]


def test_ten_thousand_points_are_checked_quickly(points_of):
    before = time.process_time()
    points = points_of({"agent.rate": [i / 100 for i in range(100)], "agent.step": list(range(10))}, seeds=range(10))

    assert len(points) == 10_000
    assert time.process_time() - before < 10
