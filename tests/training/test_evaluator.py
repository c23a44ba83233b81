"""Evaluation plays the same episodes each time and counts right."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.exploration import RandomPolicy
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.evaluator import Episodes, Evaluator, steps_to_goal, summary
from lifelong_rl.types import Outcome, Policy
from tests.training.tiny_run import HORIZON, LinearAgent, LinearPolicy, tiny_task

# Environment 0 reaches the goal at step 2 and leaves it once; 1 at the last step; 2 never; 3 is there from step 1 on.
SUCCESS = torch.tensor([[0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1], [1, 1, 0, 1]]).bool()
REWARDS = torch.tensor([[0.0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1], [1, 1, 0, 1]])
FULL = torch.tensor([4, 4, 4, 4])


def test_steps_to_goal_count_from_one_and_a_failure_is_one_more_than_the_horizon():
    assert steps_to_goal(SUCCESS).tolist() == [2, 4, 5, 1]


def test_the_summary_by_hand():
    spec = replace(tiny_task(Seeds(0)).spec, score_range=(0.75, 4.75))
    metrics = summary(Episodes(rewards=REWARDS, success=SUCCESS, length=FULL), spec)
    assert {name: pytest.approx(float(value)) for name, value in metrics.items()} == {
        "success_rate": 0.75,
        "success_at_end_rate": 0.75,
        "steps_to_goal_mean": 3.0,
        "held_fraction": 7 / 8,  # of 3 + 1 + 4 steps from the first success on, all but one
        "return_mean": 1.75,
        "return_std": 1.4790199,  # of 2, 1, 0 and 4
        "normalized_score": 25.0,
    }


def test_without_any_success_nothing_was_held_and_without_published_scores_there_is_none():
    failed = Episodes(rewards=REWARDS, success=torch.zeros_like(SUCCESS), length=FULL)
    metrics = summary(failed, tiny_task(Seeds(0)).spec)
    assert metrics["held_fraction"] == 0 and float(metrics["steps_to_goal_mean"]) == 5
    assert "normalized_score" not in metrics


class EndingTask(Maze2dTask):
    """Environment i is over for good after 2 + i steps."""

    def step(self, action: Tensor) -> Outcome:
        outcome = super().step(action)
        over = self.sim_state()[:, -1] >= 2 + torch.arange(self.num_envs)
        return replace(outcome, terminated=over, reward=torch.ones(self.num_envs), success=over)


def test_what_comes_after_the_end_of_an_episode_does_not_count():
    seeds = Seeds(0)
    task = EndingTask(tiny_task(seeds).config, num_envs=3, generator=seeds.numpy("task"))
    played = Evaluator(task, {}).play(LinearPolicy(torch.ones(4, 2)))
    assert played.length.tolist() == [2, 3, 4] == played.rewards.sum(0).tolist()
    assert played.success.sum(0).tolist() == [1, 1, 1] and played.success_at_end.tolist() == [True] * 3
    assert steps_to_goal(played.success).tolist() == [2, 3, 4] and played.rewards.shape == (HORIZON, 3)
    assert float(summary(played, task.spec)["held_fraction"]) == 1.0


class Still:
    """Never moves, and writes down where it began and what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def reset(self, ended: Tensor) -> None:
        self.fresh = True

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        if self.fresh:
            self.seen.append(torch.cat([observation, goal], 1))
        self.fresh = False
        return torch.zeros(len(observation), 2)


def agent_with(weight: float) -> LinearAgent:
    agent = LinearAgent()
    agent.weight.data[:2] = weight * torch.eye(2)
    return agent


def test_every_call_plays_the_same_episodes_whatever_was_played_between():
    evaluator, still = Evaluator(tiny_task(Seeds(0), num_envs=16), {}), Still()
    evaluator.play(still)
    first = evaluator.evaluate(agent_with(3.0))
    evaluator.evaluate(agent_with(-1.0))
    evaluator.play(still)
    again = evaluator.evaluate(agent_with(3.0))
    assert torch.equal(still.seen[0], still.seen[1])
    assert {k: float(v) for k, v in first.items()} == {k: float(v) for k, v in again.items()}
    assert len(still.seen[0].unique(dim=0)) == 16


def test_references_are_played_once_and_on_the_very_same_episodes():
    task, still, made = tiny_task(Seeds(0), num_envs=16), Still(), []

    def make() -> Policy:
        made.append(1)
        return still

    evaluator = Evaluator(task, {"still": make})
    metrics = [evaluator.evaluate(agent_with(weight)) for weight in (3.0, 2.0)]
    evaluator.play(still)
    assert made == [1] and torch.equal(still.seen[0], still.seen[1])
    for values in metrics:
        ratio = float(values["steps_to_goal_mean"]) / float(evaluator.reference_metrics["still"]["steps_to_goal_mean"])
        assert float(values["steps_over_still"]) == pytest.approx(ratio)
    assert float(metrics[0]["success_rate"]) > float(evaluator.reference_metrics["still"]["success_rate"])


def test_a_watcher_sees_the_states_before_each_step_and_after_the_last():
    states: list[Tensor] = []
    seeds = Seeds(0)
    task = tiny_task(seeds)
    Evaluator(task, {}).play(RandomPolicy(task.spec, seeds.torch("random")), watch=states.append)
    assert [state[0, -1].item() for state in states] == list(range(HORIZON + 1))


def test_the_greedy_policy_is_asked_for_and_told_to_begin_anew():
    asked = []

    class Asking(LinearAgent):
        def policy(self, *, explore: bool) -> LinearPolicy:
            asked.append((explore, super().policy(explore=explore)))
            return asked[-1][1]

    Evaluator(tiny_task(Seeds(0)), {}).evaluate(Asking())
    assert [(explore, policy.resets) for explore, policy in asked] == [(False, [4])]
