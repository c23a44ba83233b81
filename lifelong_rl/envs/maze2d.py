"""D4RL's maze2d (Fu et al. 2020, arXiv:2004.07219), N mazes at once: drive a point mass to a position."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.envs.maze2d_config import Maze2dConfig
from lifelong_rl.envs.maze2d_grid import MazeGrid
from lifelong_rl.envs.maze2d_physics import Maze2dPhysics
from lifelong_rl.types import GoalFn, Observed, Outcome, TaskSpec

SUCCESS_RADIUS = 0.5  # metres
SIM_STATE = ("x", "y", "x velocity", "y velocity", "goal x", "goal y", "steps so far")  # the columns of sim_state


def position_of(observation: Tensor) -> Tensor:
    """[..., 4] to [..., 2]: what of an observation counts as reaching a goal."""
    return observation[..., :2]


def distance(achieved_goal: Tensor, goal: Tensor) -> Tensor:
    """[..., 2], [..., 2] to [...] metres."""
    between: Tensor = torch.linalg.vector_norm(achieved_goal - goal, dim=-1)
    return between


def put_position(observation: Tensor, goal: Tensor) -> Tensor:
    """[..., 4], [..., 2] to [..., 4]: the same velocity at another position."""
    return torch.cat([goal, observation[..., 2:]], -1)


def speed_of(observation: Tensor) -> Tensor:
    """[..., 4] to [...], metres a second."""
    return torch.linalg.vector_norm(observation[..., 2:], dim=-1)


def is_near(achieved_goal: Tensor, goal: Tensor) -> Tensor:
    """[..., 2], [..., 2] to [...] bool."""
    return distance(achieved_goal, goal) <= SUCCESS_RADIUS


def sparse_reward(achieved_goal: Tensor, goal: Tensor) -> Tensor:
    """1 within the radius of the goal, else 0."""
    return is_near(achieved_goal, goal).float()


def reward_of(config: Maze2dConfig) -> GoalFn:
    """The maze's reward, sparse or dense."""
    return dense_reward if config.dense else sparse_reward


def dense_reward(achieved_goal: Tensor, goal: Tensor) -> Tensor:
    """exp(-distance)."""
    return torch.exp(-distance(achieved_goal, goal))


def maze2d_spec(config: Maze2dConfig) -> TaskSpec:
    """What others must know of a maze2d task."""
    return TaskSpec(
        name=config.name,
        observation_shape=(4,),
        goal_shape=(2,),
        action_size=2,
        horizon=config.horizon or config.maze.horizon,
        reward_fn=reward_of(config),
        success_fn=is_near,
        goal_of=position_of,
        with_goal=put_position,
        speed_of=speed_of,
        score_range=config.score_range,
    )


class Maze2dTask:
    """observation = [x, y, x velocity, y velocity], goal = [x, y]; never terminates, lasts `spec.horizon` steps."""

    def __init__(
        self, config: Maze2dConfig, *, num_envs: int, generator: np.random.Generator, num_threads: int = 1
    ) -> None:
        self.config, self.spec, self.num_envs = config, maze2d_spec(config), num_envs
        self.grid = MazeGrid.from_layout(config.maze.layout)
        self.physics = Maze2dPhysics(self.grid, num_envs=num_envs, num_threads=num_threads)
        self._generator, self._reward_fn = generator, reward_of(config)
        self._goal = np.tile(self.grid.goal_cell.astype(np.float64), (num_envs, 1))
        self._steps_so_far = np.zeros(num_envs, dtype=np.int64)
        self._start(np.arange(num_envs))
        self._observed = self._observe()

    def reset(self) -> Observed:
        self._start(np.arange(self.num_envs))
        return self._observe()

    def step(self, action: Tensor) -> Outcome:
        forces = action.detach().cpu().numpy()
        if not np.isfinite(forces).all():
            index = int(np.argwhere(~np.isfinite(forces))[0, 0])
            raise ValueError(f"{self.spec.name}: action of environment {index} must be finite, got {forces[index]}.")
        self.physics.step(forces)
        self._steps_so_far += 1

        observed = self._observe()
        return Outcome(
            observed=observed,
            reward=self._reward_fn(observed.achieved_goal, observed.desired_goal),
            terminated=torch.zeros(self.num_envs, dtype=torch.bool),
            truncated=torch.from_numpy(self._steps_so_far >= self.spec.horizon),
            success=is_near(observed.achieved_goal, observed.desired_goal),
        )

    def reset_where(self, ended: Tensor) -> Observed:
        where = np.flatnonzero(ended.cpu().numpy())
        if len(where) == 0:
            return self._observed
        self._start(where)
        return self._observe()

    def sim_state(self) -> Tensor:
        """[N, 7] float64, columns as in SIM_STATE."""
        return torch.from_numpy(np.concatenate([self.physics.state, self._goal, self._steps_so_far[:, None]], axis=1))

    def set_sim_state(self, sim_state: Tensor) -> Observed:
        """Puts all N environments where `sim_state` [N, 7] says: the same starts and goals for another policy."""
        if tuple(sim_state.shape) != (self.num_envs, len(SIM_STATE)):
            raise ValueError(f"sim_state must be [{self.num_envs}, {len(SIM_STATE)}], got {list(sim_state.shape)}.")
        columns = sim_state.numpy()
        self.physics.state[:] = columns[:, :4]
        self.physics.warmstart[:] = 0.0
        self._goal[:] = columns[:, 4:6]
        self._steps_so_far[:] = columns[:, 6]
        return self._observe()

    def state_dict(self) -> dict[str, Any]:
        warmstart = torch.from_numpy(self.physics.warmstart.copy())
        return {"sim_state": self.sim_state(), "warmstart": warmstart, "generator": self._generator.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.set_sim_state(state["sim_state"])
        self.physics.warmstart[:] = state["warmstart"].numpy()
        self._generator.bit_generator.state = state["generator"]

    def _start(self, where: NDArray[np.int64]) -> None:
        self.physics.scatter(where, self._generator)
        self._steps_so_far[where] = 0
        if self.config.random_goals:
            self._goal[where] = self.grid.sample_positions(len(where), self._generator)

    def _observe(self) -> Observed:
        observation = torch.from_numpy(self.physics.state.astype(np.float32))
        goal = torch.from_numpy(self._goal.astype(np.float32))
        self._observed = Observed(observation=observation, achieved_goal=position_of(observation), desired_goal=goal)
        return self._observed


def build_maze2d(
    *, name: str, num_envs: int, generator: np.random.Generator, random_goals: bool, layout: str | None,
    horizon: int | None, num_threads: int,
) -> Maze2dTask:  # fmt: skip
    """The builder that the registry names."""
    config = Maze2dConfig(name=name, layout=layout, horizon=horizon, random_goals=random_goals)
    return Maze2dTask(config, num_envs=num_envs, generator=generator, num_threads=num_threads)
