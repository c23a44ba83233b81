"""The reward of a goal environment as a function of whole batches, checked before anyone relies on it."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.guard import one_line
from lifelong_rl.envs.gymnasium_probe import Sample
from lifelong_rl.envs.robotics_pen import Reward, pen_reward
from lifelong_rl.types import GoalFn

NUM_PAIRS = 8
ADVICE = "make it work on batches"


def checked_reward(name: str, env: Any, seen: Sample) -> GoalFn:
    """`env.compute_reward` for tensors [..., G], [..., G]; a ConfigError where it cannot take a batch."""
    alone = getattr(env, "compute_reward", None)
    if alone is None:
        raise ConfigError(f"{name}: it shows goals but has no compute_reward(achieved_goal, desired_goal, info).")
    batched: Reward = pen_reward(env) if getattr(env, "ignore_z_target_rotation", False) else alone
    achieved, desired = pairs(seen)
    try:
        rows = np.array([float(alone(achieved[i].copy(), desired[i].copy(), {})) for i in range(NUM_PAIRS)])
    except Exception as error:  # whatever an environment raises
        line = "a reward must follow from two goals alone, with info={}"
        raise ConfigError(f"{name}: compute_reward of one pair of goals failed ({one_line(error)}): {line}.") from error
    try:
        reward = np.asarray(batched(achieved.copy(), desired.copy(), {}))
    except Exception as error:  # whatever an environment raises
        line = f"compute_reward of {name} cannot take {NUM_PAIRS} pairs of goals at once ({one_line(error)})"
        raise ConfigError(f"{line}: {ADVICE}.") from error

    if reward.shape != (NUM_PAIRS,):
        line = f"compute_reward of {name} returned shape {reward.shape}, expected {(NUM_PAIRS,)}"
        raise ConfigError(f"{line}: {ADVICE}.")
    if not np.isfinite(reward).all():
        raise ConfigError(f"compute_reward of {name} returned {reward[~np.isfinite(reward)][0]}.")
    wrong = np.flatnonzero(~np.isclose(reward, rows, rtol=1e-4, atol=1e-6))
    if len(wrong):
        index = wrong[0]
        line = f"{name} gives pair {index} of a batch {reward[index]:g}, and the same pair alone {rows[index]:g}"
        raise ConfigError(f"compute_reward of {line}: {ADVICE}.")
    return _on_tensors(batched, achieved.ndim - 1)


def pairs(seen: Sample) -> tuple[NDArray[Any], NDArray[Any]]:
    """[8, G] achieved goals and [8, G] goals: wanted ones and, at every other place, the achieved ones themselves."""
    where = np.linspace(0, len(seen.achieved_goal) - 1, NUM_PAIRS).astype(int)
    achieved, desired = seen.achieved_goal[where], seen.desired_goal[where].copy()
    desired[1::2] = achieved[1::2]
    return achieved, desired


def success_from(reward_fn: GoalFn, seen: Sample) -> GoalFn | None:
    """Whether the reward is the higher one of -1 and 0, or of 0 and 1; None where it takes other values."""
    values = set(reward_fn(*map(torch.from_numpy, pairs(seen))).tolist())
    if values not in ({-1.0, 0.0}, {0.0, 1.0}):
        return None
    highest = max(values)

    def success_fn(achieved_goal: Tensor, goal: Tensor) -> Tensor:
        return reward_fn(achieved_goal, goal) == highest

    return success_fn


def _on_tensors(compute: Reward, goal_dimensions: int) -> GoalFn:
    def reward_fn(achieved_goal: Tensor, goal: Tensor) -> Tensor:
        achieved_goal, goal = torch.broadcast_tensors(achieved_goal, goal)
        leading, shape = achieved_goal.shape[:-goal_dimensions], achieved_goal.shape[-goal_dimensions:]
        achieved, desired = (x.detach().cpu().numpy().reshape(-1, *shape) for x in (achieved_goal, goal))
        reward = np.array(compute(achieved, desired, {}), np.float32)
        return torch.from_numpy(reward).reshape(leading).to(achieved_goal.device)

    return reward_fn
