"""What the toy tasks share: N points on a floor, each asked to be at a place, as one array; numpy is all they need."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.types import GoalFn, Observed, Outcome, TaskSpec

Floats = NDArray[np.float64]
NUM_COLUMNS = 7  # of sim_state, as those of the mazes: x, y, two zeros (no velocity), goal x, goal y, steps so far


class PointTask(ABC):
    """observation = the position, goal = a position; rewards of -1 and 0. Never terminates, lasts `spec.horizon`."""

    def __init__(
        self, spec: TaskSpec, *, num_envs: int, generator: np.random.Generator, own_goal: Floats | None
    ) -> None:
        """`own_goal` [2] is that of every episode; None: each episode draws one."""
        assert spec.reward_fn is not None and spec.success_fn is not None
        self.spec, self.num_envs = spec, num_envs
        self._reward_fn, self._success_fn = spec.reward_fn, spec.success_fn
        self._generator, self._own_goal = generator, own_goal
        self._state = np.zeros((num_envs, NUM_COLUMNS))
        self._start(np.arange(num_envs))
        self._observed = self._observe()

    @abstractmethod
    def sample_positions(self, count: int, generator: np.random.Generator) -> Floats:
        """[count, 2] starts or goals."""

    @abstractmethod
    def moved(self, position: Floats, action: NDArray[Any]) -> Floats:
        """Where actions [N, ...] lead from [N, 2]; a ValueError where one is none."""

    @abstractmethod
    def shown(self, position: Floats) -> Floats:
        """Positions [..., 2] as observations and goals say them."""

    def reset(self) -> Observed:
        return self.reset_where(torch.ones(self.num_envs, dtype=torch.bool))

    def step(self, action: Tensor) -> Outcome:
        self._state[:, :2] = self.moved(self._state[:, :2], action.detach().cpu().numpy())
        self._state[:, 6] += 1
        observed = self._observe()
        return Outcome(
            observed=observed,
            reward=self._reward_fn(observed.achieved_goal, observed.desired_goal),
            terminated=torch.zeros(self.num_envs, dtype=torch.bool),
            truncated=torch.from_numpy(self._state[:, 6] >= self.spec.horizon),
            success=self._success_fn(observed.achieved_goal, observed.desired_goal),
        )

    def reset_where(self, ended: Tensor) -> Observed:
        where = np.flatnonzero(ended.cpu().numpy())
        if len(where) == 0:
            return self._observed
        self._start(where)
        return self._observe()

    def sim_state(self) -> Tensor:
        """[N, 7] float64."""
        return torch.from_numpy(self._state.copy())

    def set_sim_state(self, sim_state: Tensor) -> Observed:
        """Puts all N environments where `sim_state` [N, 7] says: the same starts and goals for another policy."""
        if tuple(sim_state.shape) != self._state.shape:
            raise ValueError(f"sim_state must be {list(self._state.shape)}, got {list(sim_state.shape)}.")
        self._state[:] = sim_state.numpy()
        return self._observe()

    def state_dict(self) -> dict[str, Any]:
        return {"sim_state": self.sim_state(), "generator": self._generator.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.set_sim_state(state["sim_state"])
        self._generator.bit_generator.state = state["generator"]

    def _start(self, where: NDArray[np.int64]) -> None:
        self._state[where] = 0.0
        self._state[where, :2] = self.sample_positions(len(where), self._generator)
        own = self._own_goal
        self._state[where, 4:6] = self.sample_positions(len(where), self._generator) if own is None else own

    def _observe(self) -> Observed:
        observation, goal = (
            torch.from_numpy(self.shown(self._state[:, columns]).astype(np.float32))
            for columns in (slice(0, 2), slice(4, 6))
        )
        self._observed = Observed(observation=observation, achieved_goal=observation, desired_goal=goal)
        return self._observed


def point_spec(name: str, *, size: int, num_choices: int | None, horizon: int, success_fn: GoalFn) -> TaskSpec:
    """`size` numbers say a position, as observation and as goal; `num_choices` None: actions are two in [-1, 1]."""
    return TaskSpec(
        name=name,
        observation_shape=(size,),
        goal_shape=(size,),
        action_size=num_choices or 2,
        discrete=num_choices is not None,
        horizon=horizon,
        reward_fn=lambda achieved_goal, goal: success_fn(achieved_goal, goal).float() - 1.0,
        success_fn=success_fn,
        goal_of=lambda observation: observation,
        with_goal=lambda observation, goal: goal,
    )
