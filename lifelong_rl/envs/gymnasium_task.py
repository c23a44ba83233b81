"""N environments of any gymnasium id (Towers et al. 2024, arXiv:2407.17032) in this process, as one Task.

They are stepped one by one and reset by `reset_where` alone: nothing resets by itself, whatever gymnasium's vector
environments would do, so what `step` returns is always the true last observation.
"""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.gymnasium_episode import Episode, make_environment
from lifelong_rl.envs.gymnasium_spaces import Rows
from lifelong_rl.envs.gymnasium_spec import describe
from lifelong_rl.envs.robotics import todays_name
from lifelong_rl.types import Observed, Outcome

LARGEST_SEED = 2**31 - 1


class GymnasiumTask:
    """Actions are [N, A] in [-1, 1], whatever the bounds of the environment's Box, or [N] choices from 0.

    Each episode begins with a seed from `generator`. A state holds that seed and the actions since, and loading one
    takes these steps again. It is exact unless an environment remembers earlier episodes or draws from elsewhere;
    where an episode does not come out as it was, loading warns and goes on with what came out.
    """

    def __init__(self, name: str, *, num_envs: int, generator: np.random.Generator, horizon: int | None = None) -> None:
        described = describe(name, make_environment(name, horizon))
        self.spec, self._shown, self._actions = described.spec, described.shown, described.actions
        self.num_envs, self._generator = num_envs, generator
        self._episodes = [Episode(make_environment(name, horizon)) for _ in range(num_envs)]
        self._rows = self._shown.rows(num_envs)
        self._begin(range(num_envs))

    def reset(self) -> Observed:
        self._begin(range(self.num_envs))
        return self._observed()

    def step(self, action: Tensor) -> Outcome:
        given = action.detach().cpu().numpy().copy()  # the episodes remember it
        if not np.isfinite(given).all():
            index = int(np.argwhere(~np.isfinite(given))[0, 0])
            raise ValueError(f"{self.spec.name}: action of environment {index} must be finite, got {given[index]}.")
        taken = self._actions.taken(given)
        rows, reward = self._shown.rows(self.num_envs), np.empty(self.num_envs, np.float32)
        terminated, truncated, success = np.zeros((3, self.num_envs), bool)
        untold = []

        for index, episode in enumerate(self._episodes):
            shown, reward[index], terminated[index], truncated[index], info = episode.step(given[index], taken[index])
            self._shown.write(rows, index, shown)
            told = info.get("is_success", info.get("success"))
            if told is None:
                untold.append(index)
            else:
                success[index] = bool(told)

        self._rows = rows
        observed = self._observed()
        if untold and self.spec.success_fn is not None:
            success[untold] = self.spec.success_fn(observed.achieved_goal, observed.desired_goal).numpy()[untold]
        return Outcome(
            observed=observed, reward=torch.from_numpy(reward), terminated=torch.from_numpy(terminated),
            truncated=torch.from_numpy(truncated), success=torch.from_numpy(success),
        )  # fmt: skip

    def reset_where(self, ended: Tensor) -> Observed:
        where = np.flatnonzero(ended.cpu().numpy())
        if len(where):
            self._begin(where.tolist())
        return self._observed()

    def sim_state(self) -> Tensor:
        """[N, S] float64: of MuJoCo qpos, qvel, mocap_pos, mocap_quat; of others the observation unless an image.

        The desired goal comes last.
        """
        parts = [np.stack([episode.simulator_state() for episode in self._episodes])]
        if not parts[0].size and not self._shown.observation.is_image:
            parts.append(self._rows["observation"])
        goal = self._rows["desired_goal"].reshape(self.num_envs, -1)
        return torch.from_numpy(np.concatenate([*parts, goal], axis=1, dtype=np.float64))

    def state_dict(self) -> dict[str, Any]:
        shape = () if self.spec.discrete else (self.spec.action_size,)
        return {
            "generator": self._generator.bit_generator.state,
            "seeds": [episode.seed for episode in self._episodes],
            "actions": [np.array(episode.actions).reshape(-1, *shape) for episode in self._episodes],
            "observed": {name: row.copy() for name, row in self._rows.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if len(state["seeds"]) != self.num_envs:
            of = f"{len(state['seeds'])} environments"
            raise ValueError(f"{self.spec.name}: the state of {of} does not fit {self.num_envs}.")
        self._rows = self._shown.rows(self.num_envs)
        for index, (seed, actions) in enumerate(zip(state["seeds"], state["actions"], strict=True)):
            self._replay(index, int(seed), actions)
            self._warn_of_difference(index, state["observed"])
        self._generator.bit_generator.state = state["generator"]

    def _begin(self, where: Any) -> None:
        self._rows = {name: row.copy() for name, row in self._rows.items()}  # what was returned stays as it is
        for index in where:
            seed = int(self._generator.integers(LARGEST_SEED))
            self._shown.write(self._rows, index, self._episodes[index].begin(seed))

    def _replay(self, index: int, seed: int, actions: Any) -> None:
        episode = self._episodes[index]
        shown = episode.begin(seed)
        for given, taken in zip(actions, self._actions.taken(actions), strict=True):
            shown = episode.step(given, taken)[0]
        self._shown.write(self._rows, index, shown)

    def _warn_of_difference(self, index: int, saved: Rows) -> None:
        off = [np.abs(row[index] - np.float64(saved[name][index])).max(initial=0) for name, row in self._rows.items()]
        if max(off) > 0:
            line = f"environment {index} shows numbers that differ by up to {max(off):.3g} from those that were saved"
            how = "its episodes do not follow from their seeds, so it goes on inexactly"
            warnings.warn(f"{self.spec.name}: {line}: {how}.", stacklevel=3)

    def _observed(self) -> Observed:
        rows = self._rows
        return Observed(
            observation=torch.from_numpy(rows["observation"]), achieved_goal=torch.from_numpy(rows["achieved_goal"]),
            desired_goal=torch.from_numpy(rows["desired_goal"]),
        )  # fmt: skip


def build_gymnasium(
    *, name: str, num_envs: int, generator: np.random.Generator, random_goals: bool, layout: str | None,
    horizon: int | None, num_threads: int,
) -> GymnasiumTask:  # fmt: skip
    """The builder that the registry names; the environment draws its own goals, and needs no threads."""
    if layout is not None:
        raise ConfigError(f"task.layout belongs to the mazes, got {layout!r} for {name!r}.")
    return GymnasiumTask(todays_name(name), num_envs=num_envs, generator=generator, horizon=horizon)
