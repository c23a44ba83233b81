"""What run_scripts/dqn_grid.py reaches; about half a minute a test on a core of its own (`make test-slow`)."""

import copy

import numpy as np
import pytest

from experiment_configs import ExperimentConfig, build
from experiment_configs.assemble import build_task
from experiment_configs.grid_value_map import values_of_pairs
from lifelong_rl.config import from_dict
from lifelong_rl.envs.grid_distance import best_values, shortest_steps
from lifelong_rl.recording.metrics_file import read_metrics
from lifelong_rl.seeding import Seeds
from run_scripts import dqn_grid

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(3))
def test_every_goal_of_the_four_rooms_is_reached_and_values_are_near_the_truth(seed, tmp_path):
    config = from_dict(ExperimentConfig, copy.deepcopy(dqn_grid.variant) | {"seed": seed})
    run = build(config, tmp_path)
    run.train()
    last = read_metrics(tmp_path / "metrics.jsonl")[-1]
    assert last["evaluation/multi/success_at_end_rate"] >= 0.95
    assert last["evaluation/multi/steps_over_controller"] <= 1.2

    task = build_task(config, 1, Seeds(0), "task", random_goals=False)
    true = best_values(shortest_steps(task.grid), config.sampler.discount)
    assert np.sqrt(np.mean((values_of_pairs(run.algorithm.agent, task) - true) ** 2)) <= 1.0
