"""From a snapshot back to the agent that it holds: what scripts need to look at a run."""

from dataclasses import dataclass
from pathlib import Path

import torch

from experiment_configs.assemble import build_agent, build_task
from experiment_configs.experiment import ExperimentConfig
from lifelong_rl.config import ConfigError, did_you_mean, from_dict
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.newest import newest_snapshot, snapshots_of
from lifelong_rl.recording.snapshot import Snapshot, list_snapshots, load_snapshot
from lifelong_rl.recording.state_tree import check_shapes
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Agent, Task, TaskSpec

MAX_NAMED = 5  # names in a complaint


@dataclass(frozen=True, kw_only=True)
class LoadedAgent:
    """An agent as its snapshot left it, and what it was trained on; `task` is one environment with its own goal."""

    path: Path
    snapshot: Snapshot
    config: ExperimentConfig
    task: Task
    agent: Agent


def load_run(path: Path) -> LoadedAgent:
    """The agent of a snapshot, or of the newest snapshot of a run, on the CPU wherever it was trained."""
    loaded = open_run(path)
    path, agent, state = loaded.path, loaded.agent, loaded.snapshot.parts["agent"]
    check_shapes(agent.state_dict(), state, f"{path}: agent")
    try:
        agent.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise SnapshotError(f"{path}: agent: written by another version of the program ({reason}).") from error
    return loaded


def open_run(path: Path) -> LoadedAgent:
    """The same with the agent as the run began with it: nothing of its state is taken over yet."""
    path = find_snapshot(path)
    snapshot = load_snapshot(path)
    variant = snapshot.meta.get("variant")
    if not isinstance(variant, dict) or "agent" not in snapshot.parts:
        raise SnapshotError(f"{path}: not of a run: it lacks the agent, or the variant in meta.json.")

    config = from_dict(ExperimentConfig, variant | {"device": "cpu"}, f"{path / 'meta.json'}: variant")
    torch.set_num_threads(config.num_threads)
    seeds = Seeds(config.seed)
    task = build_task(config, 1, seeds, "task", random_goals=False)
    agent = build_agent(config, task.spec, seeds)
    return LoadedAgent(path=path, snapshot=snapshot, config=config, task=task, agent=agent)


def find_snapshot(path: Path) -> Path:
    """`path` itself where it is a snapshot; of a run the newest one, and says which."""
    absolute = path.absolute()
    if (path / "manifest.json").exists() or absolute in list_snapshots(absolute.parent):
        return path
    newest = newest_snapshot(path)
    if newest is not None:
        print(f"{path}: a run; taking its newest snapshot, {newest.name}")
        return newest
    raise SnapshotError(f"{path}: {_what_is_wrong(absolute)}")


def check_same_shapes(trained: TaskSpec, asked: TaskSpec) -> None:
    """Refuses a task whose observations, goals or actions are not what the agent was made for."""
    for name in ("observation_shape", "goal_shape", "action_size", "discrete"):
        ours, theirs = getattr(asked, name), getattr(trained, name)
        if ours != theirs:
            raise ConfigError(f"{asked.name}: {name} is {ours}, but the agent was trained on {trained.name}: {theirs}.")


def _what_is_wrong(path: Path) -> str:
    if path.is_file():
        return "a file, but a snapshot is a directory such as itr_20."
    if not path.exists():
        there = path
        while not there.parent.exists():
            there = there.parent
        names = _names(there.parent)
        nearest = did_you_mean(there.name, names)
        return f"no such snapshot.{nearest} In {there.parent}: {_listed(names)}."
    runs = [folder.name for folder in sorted(path.iterdir()) if folder.is_dir() and snapshots_of(folder)]
    if runs:
        return f"neither a snapshot nor a run, but a folder of runs: name one of {_listed(runs)}."
    return f"neither a snapshot nor a run that has one. In it: {_listed(_names(path))}."


def _names(folder: Path) -> list[str]:
    """What one may have meant by a name in `folder`: its snapshots, else its folders."""
    snapshots = [path.name for path in snapshots_of(folder)]
    return snapshots or sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more or "no folder"
