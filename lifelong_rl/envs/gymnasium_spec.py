"""What others must know of a gymnasium environment, found out by trying it; what is wrong with it ends here."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.envs.gymnasium_episode import Environment, Episode
from lifelong_rl.envs.gymnasium_probe import Sample, sample
from lifelong_rl.envs.gymnasium_reward import checked_reward, success_from
from lifelong_rl.envs.gymnasium_spaces import Actions, Shown
from lifelong_rl.types import GoalFn, TaskSpec


@dataclass(frozen=True, kw_only=True)
class Described:
    """A task's spec, and how to speak with its environments."""

    spec: TaskSpec
    shown: Shown
    actions: Actions


def describe(name: str, env: Environment) -> Described:
    """Tries `env`, which belongs to the spec from now on: rewards are computed by it."""
    shown, actions = Shown.of(env.observation_space, name), Actions.of(env.action_space, name)
    seen = sample(name, Episode(env), shown, actions)
    reward_fn: GoalFn | None = None
    success_fn: GoalFn | None = None
    offset: int | None = None
    if shown.goal is not None:
        reward_fn = checked_reward(name, env.unwrapped, seen)
        success_fn = success_from(reward_fn, seen)
        offset = None if shown.goal.is_image or shown.observation.is_image else goal_offset(seen)

    goal_shape = (0,) if shown.goal is None else shown.goal.shape
    assert env.spec is not None and env.spec.max_episode_steps is not None
    spec = TaskSpec(
        name=name,
        observation_shape=shown.observation.shape,
        goal_shape=goal_shape,
        action_size=actions.size,
        discrete=actions.discrete,
        horizon=env.spec.max_episode_steps,
        reward_fn=reward_fn,
        success_fn=success_fn,
        goal_of=None if offset is None else entries(offset, goal_shape[0]),
        with_goal=None if offset is None else put_entries(offset, goal_shape[0]),
    )
    return Described(spec=spec, shown=shown, actions=actions)


def goal_offset(seen: Sample) -> int | None:
    """From which entry on the observation holds the achieved goal, wherever it was seen; None if it never does."""
    size = seen.achieved_goal.shape[1]
    for offset in range(seen.observation.shape[1] - size + 1):
        if (seen.observation[:, offset : offset + size] == seen.achieved_goal).all():
            return offset
    return None


def entries(offset: int, size: int) -> Callable[[Tensor], Tensor]:
    """Takes `size` entries of an observation, from `offset` on."""

    def goal_of(observation: Tensor) -> Tensor:
        return observation[..., offset : offset + size]

    return goal_of


def put_entries(offset: int, size: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Puts a goal where `entries` would take it from."""

    def with_goal(observation: Tensor, goal: Tensor) -> Tensor:
        return torch.cat([observation[..., :offset], goal, observation[..., offset + size :]], -1)

    return with_goal
