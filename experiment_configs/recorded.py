"""What a run collected, as a dataset for other runs: the rows of a snapshot's replay store. The run is not built."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from experiment_configs.experiment import TaskConfig
from experiment_configs.loading import find_snapshot
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.data.datasets.arrays_writer import write_arrays
from lifelong_rl.data.datasets.minari_writer import MinariDescription, write_minari
from lifelong_rl.data.datasets.saved_rows import SavedRows
from lifelong_rl.data.datasets.spaces import box
from lifelong_rl.envs.registry import GYMNASIUM, builder_of, make_task, said_todays_name
from lifelong_rl.recording.counting import counting_bar
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.snapshot import load_snapshot


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """The rows that a snapshot holds; the task and the name of the agent that they come from."""

    path: Path
    rows: SavedRows
    task: dict[str, Any]
    agent: str

    @classmethod
    def open(cls, path: Path) -> Self:
        """A snapshot, or the newest one of a run; a SnapshotError where nothing was collected."""
        path = find_snapshot(path)
        snapshot = load_snapshot(path)
        try:
            variant = dict(snapshot.meta["variant"])
            rows = SavedRows.of(snapshot.parts["replay"])
            task, agent = dict(variant["task"]), str(variant["agent"]["name"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SnapshotError(f"{path}: not of a run: it lacks the replay store or the variant.") from error
        if not len(rows):
            learned = (variant.get("dataset") or {}).get("path")
            source = f" It learned from {learned}, which is a dataset already." if learned else ""
            raise SnapshotError(f"{path}: nothing to export, the run has collected nothing by then.{source}")
        return cls(path=path, rows=rows, task=task, agent=agent)

    @property
    def name(self) -> str:
        """Of the experiment and the run, fit for a file and for Minari."""
        run_dir = self.path.absolute().parent
        return re.sub(r"[^\w-]+", "-", f"{run_dir.parent.name}-{run_dir.name}", flags=re.ASCII).strip("-")

    def part(self, *, first: int | None, last: int | None) -> Self:
        """The first or the last so many rows, or all."""
        rows = self.rows if first is None else self.rows.oldest(first)
        return replace(self, rows=rows if last is None else rows.newest(last))


def export_hdf5(recorded: RecordedRun, path: Path) -> int:
    """Writes our own layout; the number of episodes."""
    origin = {"task": str(recorded.task.get("name")), "agent": recorded.agent, "run": recorded.name}
    with counting_bar(f"exporting {path}", len(recorded.rows)) as advance_to:
        return write_arrays(path, recorded.rows, origin | {"snapshot": recorded.path.absolute().name}, advance_to)


def export_minari(recorded: RecordedRun, folder: Path) -> int:
    """Writes a folder for Minari, whose name is the dataset's id; the number of episodes."""
    if not re.fullmatch(r"[\w-]+-v\d+", folder.name, re.ASCII):
        expected = "letters, digits, '-' and '_', then a version, e.g. reach-v0"
        raise ConfigError(f"--output: {folder.name!r} is no name of a Minari dataset; expected {expected}.")
    config = from_dict(TaskConfig, recorded.task, f"{recorded.path / 'meta.json'}: variant.task")
    spec = make_task(
        config.name, num_envs=1, generator=np.random.default_rng(0), layout=config.layout, horizon=config.horizon
    ).spec
    shape = (spec.action_size,)
    action_space, env_spec = box(shape, "float32", spec.action_low, spec.action_high), None
    if spec.discrete:
        action_space = {"type": "Discrete", "dtype": "int64", "start": 0, "n": spec.action_size}
    if builder_of(config.name) == GYMNASIUM:
        action_space, env_spec = _of_gymnasium(config)
    goal_of = spec.goal_of if spec.goal_shape != spec.observation_shape else torch.clone
    description = MinariDescription(
        dataset_id=folder.name, algorithm=recorded.agent, action_space=action_space, env_spec=env_spec,
        goal_of=None if goal_of is None else _on_arrays(goal_of),
    )  # fmt: skip
    with counting_bar(f"exporting {folder}", len(recorded.rows)) as advance_to:
        return write_minari(folder, recorded.rows, description, advance_to)


def _of_gymnasium(config: TaskConfig) -> tuple[dict[str, Any], str | None]:
    """The environment's own action space, and how gymnasium makes it again, if that can be said in JSON."""
    from gymnasium.spaces import Discrete

    from lifelong_rl.envs.gymnasium_episode import make_environment

    env = make_environment(said_todays_name(config.name), config.horizon)
    space: Any = env.action_space
    env.close()
    assert env.spec is not None
    spec = None if callable(env.spec.entry_point) else env.spec.to_json()
    if isinstance(space, Discrete):
        return {"type": "Discrete", "dtype": "int64", "start": int(space.start), "n": int(space.n)}, spec
    bounds = {"low": space.low.tolist(), "high": space.high.tolist()}
    return {"type": "Box", "dtype": str(space.dtype), "shape": list(space.shape), **bounds}, spec


def _on_arrays(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: function(torch.from_numpy(values)).numpy()
