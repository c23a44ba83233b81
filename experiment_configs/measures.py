"""What a run's agents are measured by: episodes against reference policies, and learned distances against true ones."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import spearmanr

from experiment_configs.experiment import ExperimentConfig, GoalSet
from lifelong_rl.agents.qrl import QRLAgent
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.grid_distance import ShortestWayPolicy
from lifelong_rl.envs.guard import Guarded
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.maze2d_distance import steps_between
from lifelong_rl.envs.on_device import on_device, unwrapped
from lifelong_rl.envs.registry import make_task
from lifelong_rl.envs.waypoint import WaypointPolicy
from lifelong_rl.exploration import RandomPolicy
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.evaluator import Evaluator
from lifelong_rl.training.rl_algorithm import Measure
from lifelong_rl.types import Agent, Metrics, Policy, Task

NUM_PAIRS = 2000


def build_measures(config: ExperimentConfig, agent: Agent) -> dict[str, Measure]:
    """An evaluator for each set of goals; for QRL on mazes also the learned distance against the shortest path."""
    measures: dict[str, Measure] = {goals: build_evaluator(config, goals) for goals in config.evaluated_goals}
    task = unwrapped(next(iter(measures.values())).task) if measures else None  # type: ignore[attr-defined]
    if isinstance(agent, QRLAgent) and isinstance(task, Maze2dTask):
        measures["distance"] = DistanceCheck(task, np.random.default_rng(config.evaluation.seed))
    return measures


def build_evaluator(config: ExperimentConfig, goals: GoalSet, *, num_episodes: int | None = None) -> Evaluator:
    """Its episodes depend on `evaluation.seed` alone, so all seeds and agents of an experiment meet the same ones."""
    seeds = Seeds(config.evaluation.seed)
    task = make_task(
        config.task.name, num_envs=num_episodes or config.evaluation.num_episodes, generator=seeds.numpy(goals),
        random_goals=goals == "multi", layout=config.task.layout, horizon=config.task.horizon,
    )  # fmt: skip
    watched = on_device(Guarded(task, config.task.step_timeout), config.device)
    return Evaluator(watched, reference_policies(task, seeds))


def reference_policies(task: Task, seeds: Seeds) -> dict[str, Callable[[], Policy]]:
    """`controller` (a fresh plan per episode) where the task has one, and `random`."""
    references: dict[str, Callable[[], Policy]] = {"random": lambda: RandomPolicy(task.spec, seeds.torch("random"))}
    if isinstance(task, Maze2dTask):
        generator = seeds.numpy("controller")
        references["controller"] = lambda: WaypointPolicy(task.grid, num_envs=task.num_envs, generator=generator)
    if isinstance(task, GridTask):
        references["controller"] = lambda: ShortestWayPolicy(task.grid)
    return references


class DistanceCheck:
    """Learned steps from states at rest to goals, against the shortest way at top speed, for random pairs of places."""

    def __init__(self, task: Maze2dTask, generator: np.random.Generator) -> None:
        start, goal = (task.grid.sample_positions(NUM_PAIRS, generator) for _ in range(2))
        self._true = steps_between(task.grid, start, goal)
        observation = np.concatenate([start, np.zeros_like(start)], 1)
        self._observation, self._goal = (torch.from_numpy(x.astype(np.float32)) for x in (observation, goal))

    def evaluate(self, agent: Agent) -> Metrics:
        assert isinstance(agent, QRLAgent)
        device = agent.generator.device
        learned = agent.steps_between(self._observation.to(device), self._goal.to(device)).cpu().numpy()
        return {
            "spearman": float(spearmanr(learned, self._true).statistic),
            "rmse_steps": float(np.sqrt(np.mean((learned - self._true) ** 2))),
            "learned_steps_mean": float(learned.mean()),
            "true_steps_mean": float(self._true.mean()),
        }
