"""What a film shows: simulator states from the replay store of a snapshot, or from fresh episodes of its agent."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from experiment_configs.experiment import GoalSet
from experiment_configs.loading import LoadedAgent
from experiment_configs.measures import build_evaluator
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.maze2d_film import MAX_TILES, Footage
from lifelong_rl.recording.counting import counting_bar
from lifelong_rl.training.evaluator import Episodes, steps_to_goal, summary
from lifelong_rl.types import RowLog, TaskSpec

DEFAULT_ENV_STEPS = 1000


def stored_footage(
    loaded: LoadedAgent, start: int | None = None, end: int | None = None, env: int | None = None
) -> tuple[Footage, str]:
    """Env steps `start` to before `end`, counted since the run began (negative: from now); and a name of that part."""
    replay = loaded.snapshot.parts.get("replay", {})
    states: RowLog | None = replay.get("columns", {}).get("sim_state")  # of [N, S]
    if states is None or states.first == states.last:
        raise ConfigError(f"{loaded.path}: holds no env steps (an offline phase takes none). Use --policy to film it.")
    num_envs, oldest, now = len(replay["count"]), states.first, states.last
    start, end = _window(start, end, oldest * num_envs, now * num_envs)
    tiles = _tiles(env, num_envs, "environment")

    first, last = start // num_envs, -(-end // num_envs)  # in steps of all environments
    footage = Footage(
        states=states.read(oldest, last)[:, tiles].numpy(),
        names=[f"env {index}" for index in tiles],
        captions=[f"{loaded.path.name}   env step {t * num_envs:,} of {now * num_envs:,}" for t in range(oldest, last)],
        first=first - oldest,
    )
    return footage, f"{start}_{end}" + ("" if env is None else f"_env_{env}")


def played_footage(
    loaded: LoadedAgent, goals: GoalSet, num_episodes: int, seed: int | None = None, env: int | None = None
) -> tuple[Footage, dict[str, Any]]:
    """Fresh episodes of the greedy policy, the first few to be seen or number `env` alone; and what all were worth."""
    own = loaded.config
    evaluation = dataclasses.replace(own.evaluation, seed=own.evaluation.seed if seed is None else seed)
    evaluator = build_evaluator(dataclasses.replace(own, evaluation=evaluation), goals, num_episodes=num_episodes)
    spec, tiles = evaluator.task.spec, _tiles(env, num_episodes, "episode")

    states: list[Tensor] = []
    with counting_bar(f"steps of {num_episodes} episodes", spec.horizon) as advance_to:

        def watch(state: Tensor) -> None:
            states.append(state[tiles])
            advance_to(len(states) - 1)

        played = evaluator.play(loaded.agent.policy(explore=False), watch)
    caption = f"{loaded.path.name}   {spec.name}, {goals} goals"
    footage = Footage(
        states=torch.stack(states).numpy(),
        names=[f"episode {index}" for index in tiles],
        captions=[caption] * len(states),
    )
    about = {"snapshot": str(loaded.path), "task": spec.name, "goals": goals, "seed": evaluation.seed}
    return footage, about | _report(played, spec)


def _window(start: int | None, end: int | None, oldest: int, now: int) -> tuple[int, int]:
    end = now if end is None else end + now * (end < 0)
    start = max(oldest, end - DEFAULT_ENV_STEPS) if start is None else start + now * (start < 0)
    for name, value in (("start", start), ("end", end)):
        if not oldest <= value <= now:
            raise ConfigError(f"{name}: {value} is not among the env steps {oldest} to {now} that the snapshot holds.")
    if start >= end:
        raise ConfigError(f"start: {start} must lie before end, {end}.")
    return start, end


def _tiles(chosen: int | None, count: int, what: str) -> list[int]:
    if chosen is None:
        return list(range(min(count, MAX_TILES)))
    if not 0 <= chosen < count:
        raise ConfigError(f"env: no {what} {chosen}, they are 0 to {count - 1}.")
    return [chosen]


def _report(played: Episodes, spec: TaskSpec) -> dict[str, Any]:
    columns = {
        "return": played.rewards.sum(0).tolist(),
        "success": played.success.any(0).tolist(),
        "success_at_end": played.success_at_end.tolist(),
        "steps_to_goal": steps_to_goal(played.success).long().tolist(),
    }
    episodes = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    metrics = {name: float(value) for name, value in summary(played, spec).items()}
    return {"metrics": metrics, "episodes": episodes}
