"""Every agent that learns a value says it of states and goals, as it acts on them; the others are refused in a line."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from experiment_configs import ExperimentConfig
from experiment_configs.agents import AGENTS
from experiment_configs.assemble import build_agent, build_task
from experiment_configs.grid_value_map import values_of_pairs
from experiment_configs.learned_values import has_values, learned_values
from experiment_configs.value_map import draw_value_map, draw_values
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.envs.grid import GridTask, shown_as
from lifelong_rl.envs.grid_distance import shortest_steps
from lifelong_rl.seeding import Seeds
from tests.experiment_configs.tiny_variant import tiny_variant

NO_VALUES = ("gcbc", "gcsl")
VALUES = [name for name in AGENTS if name not in NO_VALUES]


def made(tmp_path, name: str, task: str = "maze2d-umaze-v1", **agent: Any) -> tuple[Any, Any]:
    variant = tiny_variant(tmp_path, agent={"name": name, **agent}, task={"name": task})
    variant["sampler"] |= {"waypoint_steps": 3} if name == "hiql" else {}
    config = from_dict(ExperimentConfig, variant)
    built = build_task(config, 1, Seeds(0), "task", random_goals=False)
    return build_agent(config, built.spec, Seeds(0)), built


@pytest.mark.parametrize("name", VALUES)
def test_values_of_places_are_numbers_of_each_place_alone(name, tmp_path):
    agent, _ = made(tmp_path, name, "grid-umaze-v1" if name == "dqn" else "maze2d-umaze-v1")
    values, size = learned_values(agent), 10 if name == "dqn" else 4
    generator = np.random.default_rng(0)
    observation, goal = generator.random((5, size)), generator.random((5, 10 if name == "dqn" else 2))
    together = values.at(observation, goal)
    alone = [values.at(observation[[row]], goal[[row]])[0] for row in range(5)]
    assert together.shape == (5,) and np.isfinite(together).all()
    assert np.allclose(together, alone, atol=1e-4)
    assert values.in_steps == (name == "qrl") and has_values(agent)


def test_a_critic_is_asked_of_the_action_that_the_agent_would_take(tmp_path):
    agent, _ = made(tmp_path, "ddpg", normalizer={})
    observation, goal = torch.rand(6, 4, generator=torch.Generator().manual_seed(0)), torch.zeros(6, 2)
    agent.normalizer.learn(3 * observation + 1, goal)
    seen = agent.normalizer.observation(observation), agent.normalizer.goal(goal)
    with torch.no_grad():
        expected = agent.critic.network(seen[0], agent.actor.network(*seen), seen[1])[0]
    assert np.allclose(learned_values(agent).at(observation.numpy(), goal.numpy()), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", NO_VALUES)
def test_agents_that_copy_actions_alone_are_refused_in_one_line(name, tmp_path):
    agent, task = made(tmp_path, name)
    assert not has_values(agent)
    with pytest.raises(ConfigError, match="^ImitationAgent learns to act alone: it has no value to draw.$"):
        draw_values(tmp_path / "map.png", agent, task, 0.99)


def test_steps_on_a_grid_are_compared_with_steps(tmp_path):
    greedy = {"network": {"encoder_sizes": [8]}, "actor": None, "acting": {"name": "greedy"}}
    agent, task = made(tmp_path, "qrl", "grid-umaze-v1", **greedy)
    assert isinstance(task, GridTask)
    table, shown = values_of_pairs(agent, task), shown_as(task.grid.free_cells, task.grid.shape)
    assert table.shape == shortest_steps(task.grid).shape
    assert np.isclose(table[2, 5], -learned_values(agent).at(shown[[2]], shown[[5]])[0], atol=1e-4)
    draw_values(tmp_path / "grid.svg", agent, task, 0.99)
    assert "true: minus the steps" in (tmp_path / "grid.svg").read_text()


@pytest.mark.parametrize("name", ["qrl", "td3"])
def test_maps_lead_to_the_goal_and_from_a_start_that_is_marked(name, tmp_path):
    agent, task = made(tmp_path, name)
    draw_values(tmp_path / "to.png", agent, task, 0.99)
    draw_value_map(tmp_path / "from.png", agent, task, start=np.array([3.0, 1.0]))
    pictures = [np.asarray(Image.open(tmp_path / name).convert("RGB")).astype(int) for name in ("to.png", "from.png")]
    for picture in pictures:
        red = np.argwhere((picture[..., 0] - picture[..., 1:].max(-1)) > 120)
        assert len(red) > 50  # the place's mark
    assert (pictures[0][:200] != pictures[1][:200]).any()
    with pytest.raises(ConfigError, match=r"^start: \(2, 1\) is not on the floor of maze2d-umaze-v1; \(1, 2\) is\.$"):
        draw_value_map(tmp_path / "no.png", agent, task, start=np.array([2.0, 1.0]))


def test_a_task_without_a_floor_has_no_map(tmp_path):
    agent, task = made(tmp_path, "qrl", "plane-v1")
    with pytest.raises(ConfigError, match="^a value map is drawn of mazes and grids, not of plane-v1.$"):
        draw_values(tmp_path / "map.png", agent, task, 0.99)
