"""What the replay store of a snapshot shows: a film of its steps, or its episodes as trajectories."""

from typing import Any

import numpy as np
from torch import Tensor

from experiment_configs.footage import from_zero, pictures_of, tiles_of
from experiment_configs.loading import LoadedAgent
from experiment_configs.rollout import shown
from experiment_configs.trajectories import Trajectory, trajectories_of
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.film import Footage
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.maze2d_film import Draw, maze_footage, top_down

DEFAULT_ENV_STEPS = 1000
FRESH = "Draw the trajectories of fresh ones."


class StoredSteps:
    """Rows of the snapshot's store, counted in steps of all N environments since the run began: `first` to `last`."""

    def __init__(self, loaded: LoadedAgent, instead: str) -> None:
        """`instead`: what to ask for where there are none."""
        replay = loaded.snapshot.parts.get("replay", {})
        self._logs: dict[str, Any] = replay.get("columns", {})
        log = self._logs.get("sim_state")
        if log is None or log.first == log.last:
            raise ConfigError(f"{loaded.path}: holds no env steps (an offline phase takes none). {instead}")
        self._logs = self._logs | {"episode": replay["episode"]}
        self.first, self.last, self.num_envs = log.first, log.last, len(replay["count"])

    def rows(self, name: str, begin: int, end: int) -> Tensor:
        """[end - begin, N, ...]."""
        values: Tensor = self._logs[name].read(begin, end)
        return values


def stored_footage(
    loaded: LoadedAgent, start: int | None = None, end: int | None = None, env: int | None = None,
    draw: Draw | None = None,
) -> tuple[Footage, str]:  # fmt: skip
    """Env steps `start` to before `end`, counted since the run began (negative: from now); and a name of that part."""
    steps, spec, task = StoredSteps(loaded, "Use --policy to film it."), loaded.task.spec, shown(loaded.task)
    num_envs, now = steps.num_envs, steps.last * steps.num_envs
    start, end = _window(start, end, steps.first * num_envs, now)
    tiles = tiles_of(env, num_envs, "environment")

    first, last = start // num_envs, -(-end // num_envs)  # in steps of all environments
    begin = max(steps.first, first - spec.horizon)  # what comes before tells where episodes began
    states, cut = steps.rows("sim_state", begin, last)[:, tiles].numpy(), first - begin
    names = [f"env {index}" for index in tiles]
    captions = [f"{loaded.path.name}   env step {t * num_envs:,} of {now:,}" for t in range(begin, last)]
    part = f"{start}_{end}" + ("" if env is None else f"_env_{env}")
    if isinstance(task, Maze2dTask | GridTask):
        return maze_footage(states, names, captions, spec, draw or top_down(task, len(tiles)), cut), part
    footage = Footage(
        names=names, captions=captions[cut:], horizon=spec.horizon, pictures=pictures_of(task, states[cut:]),
        **_told(loaded, steps, tiles, begin, last, cut),
    )  # fmt: skip
    return footage, part


def stored_trajectories(loaded: LoadedAgent, count: int) -> list[Trajectory]:
    """The newest episodes of a maze or grid that are there from their beginning to their end."""
    steps, spec = StoredSteps(loaded, FRESH), loaded.task.spec
    begin = max(steps.first, steps.last - spec.horizon * (2 + -(-count // steps.num_envs)))
    names = ("sim_state", "next_achieved_goal", "desired_goal", "ended")
    states, achieved, desired, ended = (steps.rows(name, begin, steps.last) for name in names)
    assert spec.success_fn is not None
    found = trajectories_of(states.numpy(), spec.success_fn(achieved, desired).numpy(), ended.numpy())
    whole = [trajectory for trajectory in found if trajectory.states[0, 6] == 0]
    if not whole:
        raise ConfigError(f"{loaded.path}: holds no episode from its beginning to its end. {FRESH}")
    return whole[-count:]


def _told(loaded: LoadedAgent, steps: StoredSteps, tiles: list[int], begin: int, last: int, cut: int) -> dict[str, Any]:
    """What to say of each moment, before its step, from number `cut` on; [T, K] each."""
    spec = loaded.task.spec
    episode, reward = (steps.rows(name, begin, last)[:, tiles].numpy() for name in ("episode", "reward"))
    time = np.arange(last - begin)[:, None]
    begins = np.concatenate([np.ones((1, len(tiles)), np.bool_), episode[1:] != episode[:-1]])
    start = np.maximum.accumulate(np.where(begins, time, 0))
    is_cut = (start == 0) & (begin > 0)  # what the store has dropped is not known
    success = np.zeros(start.shape, np.bool_)
    if spec.success_fn is not None:
        goals = (steps.rows(name, begin, last)[:, tiles] for name in ("next_achieved_goal", "desired_goal"))
        success = spec.success_fn(*goals).numpy()
    is_at_goal = from_zero(success)[:-1] & ~begins
    earned = from_zero(reward).cumsum(0)
    told = {
        "step": np.where(is_cut, -1, time - start), "is_at_goal": is_at_goal,
        "has_reached": np.maximum.accumulate(np.where(is_at_goal, time, -1)) >= start,
        "is_over": np.zeros_like(is_at_goal),
    }  # fmt: skip
    if spec.goal_shape == (0,):
        told["result"] = np.where(is_cut, np.nan, earned[:-1] - np.take_along_axis(earned, start, 0))
    return {name: values[cut:] for name, values in told.items()}


def _window(start: int | None, end: int | None, oldest: int, now: int) -> tuple[int, int]:
    end = now if end is None else end + now * (end < 0)
    start = max(oldest, end - DEFAULT_ENV_STEPS) if start is None else start + now * (start < 0)
    for name, value in (("start", start), ("end", end)):
        if not oldest <= value <= now:
            raise ConfigError(f"{name}: {value} is not among the env steps {oldest} to {now} that the snapshot holds.")
    if start >= end:
        raise ConfigError(f"start: {start} must lie before end, {end}.")
    return start, end
