"""What a deep Q-network has learned of a grid is compared with the truth, pair by pair."""

import numpy as np
import torch
from PIL import Image

from experiment_configs.agents.dqn import DQNConfig, build_dqn
from experiment_configs.grid_value_map import draw_grid_values, values_of_pairs
from lifelong_rl.envs.grid import shown_as
from lifelong_rl.envs.registry import make_task
from lifelong_rl.seeding import Seeds


def test_learned_values_are_those_of_the_best_choice_for_each_pair_of_cells(tmp_path):
    task = make_task("grid-umaze-v1", num_envs=1, generator=np.random.default_rng(0))
    agent = build_dqn(DQNConfig(hidden_sizes=(8,)), task.spec, Seeds(0), "cpu")
    table = values_of_pairs(agent, task)
    assert table.shape == (7, 7)
    here, goal = (
        torch.from_numpy(shown_as(task.grid.free_cells[[cell]], (5, 5)).astype(np.float32)) for cell in (2, 5)
    )
    assert np.isclose(table[2, 5], agent.values(here, goal).max().item())

    draw_grid_values(tmp_path / "values.png", agent, task, 0.9)
    assert Image.open(tmp_path / "values.png").size[0] > 1000
