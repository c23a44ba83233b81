"""What an exported policy is worth: fresh episodes of it, and observations from them to compare its copies on."""

import math
from typing import Any

import torch
from scipy.stats import binomtest
from torch import Tensor

from experiment_configs.experiment import ExperimentConfig, GoalSet
from experiment_configs.loading import LoadedAgent
from experiment_configs.measures import build_evaluator
from lifelong_rl.training.evaluator import Episodes, summary
from lifelong_rl.types import Policy

NUM_OBSERVATIONS = 1000
Rows = tuple[Tensor, Tensor]  # observations and goals, as policies are shown them


def evaluate_policy(loaded: LoadedAgent, num_episodes: int) -> tuple[dict[str, Any], Rows]:
    """Numbers by kind of goals, and 1,000 different moments of these episodes (of further ones where they are few)."""
    results: dict[str, Any] = {}
    seen = Seen(loaded.agent.policy(explore=False))
    for goals in kinds_of_goals(loaded.config):
        results[goals] = _numbers(loaded, seen.play(loaded, goals, num_episodes), num_episodes)
    count = num_episodes
    while seen.count < NUM_OBSERVATIONS:
        count *= 2
        seen.play(loaded, "multi", count)
    return results, seen.some(NUM_OBSERVATIONS)


def kinds_of_goals(config: ExperimentConfig) -> tuple[GoalSet, ...]:
    """Those that the run evaluates; one that never does is asked for goals of every kind."""
    return config.evaluated_goals or ("multi",)


class Seen:
    """A policy, and what it was shown."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._shown: list[Rows] = []
        self.count = 0

    def play(self, loaded: LoadedAgent, goals: GoalSet, num_episodes: int) -> Episodes:
        return build_evaluator(loaded.config, goals, num_episodes=num_episodes).play(self)

    def some(self, count: int) -> Rows:
        """So many rows, none of them twice; always the same ones."""
        observation, goal = (torch.cat(rows) for rows in zip(*self._shown, strict=True))
        chosen = torch.randperm(len(observation), generator=torch.Generator().manual_seed(0))[:count]
        return observation[chosen], goal[chosen]

    def reset(self, ended: Tensor) -> None:
        self._policy.reset(ended)

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        self._shown.append((observation.clone(), goal.clone()))
        self.count += len(observation)
        return self._policy(observation, goal)

    def state_dict(self) -> dict[str, Any]:
        return self._policy.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._policy.load_state_dict(state)


def _numbers(loaded: LoadedAgent, played: Episodes, num_episodes: int) -> dict[str, Any]:
    metrics = {name: float(value) for name, value in summary(played, loaded.task.spec).items()}
    numbers: dict[str, Any] = {"num_episodes": num_episodes, "seed": loaded.config.evaluation.seed}
    numbers |= {name: value if math.isfinite(value) else None for name, value in metrics.items()}
    if "success_rate" in metrics:
        test = binomtest(int(played.success.any(0).sum()), num_episodes)
        numbers["success_rate_interval"] = list(test.proportion_ci(method="wilson"))  # of 95 %
    return numbers
