"""What others have reached on a task: published scores, each with where it was read, to stand beside our own."""

import functools
from dataclasses import dataclass
from pathlib import Path

import yaml

from lifelong_rl.envs.maze2d_config import CUSTOM, MAZE2D_NAMES, Maze2dConfig

TABLE = Path(__file__).with_name("reference_scores.yaml")
D4RL = "D4RL's registration of the task (Fu et al. 2020, arXiv:2004.07219); it planned once for all episodes"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """`spread` is what the source has after its ±; None where it has none."""

    name: str
    value: float
    spread: float | None
    source: str


def references(task_name: str, metric: str) -> list[Reference]:
    """What is known of a task by a metric of ours, such as `evaluation/single/normalized_score`; perhaps nothing."""
    return [*_ends_of_the_scale(task_name, metric), *_table().get((task_name, metric), ())]


def _ends_of_the_scale(task_name: str, metric: str) -> list[Reference]:
    """The returns that D4RL counts as 0 and 100: of random actions and of its controller, on the task's own goal."""
    is_published = task_name in MAZE2D_NAMES and not task_name.startswith(CUSTOM)
    ends = Maze2dConfig(name=task_name).score_range if is_published else None
    if ends is None:
        return []
    values = {"evaluation/single/return_mean": ends, "evaluation/single/normalized_score": (0.0, 100.0)}
    names = ("D4RL, random actions", "D4RL, waypoint controller")
    pairs = zip(names, values.get(metric, ()), strict=False)
    return [Reference(name=name, value=value, spread=None, source=D4RL) for name, value in pairs]


@functools.cache
def _table() -> dict[tuple[str, str], tuple[Reference, ...]]:
    """(task, metric) -> what the file has of it, in its order."""
    table: dict[tuple[str, str], tuple[Reference, ...]] = {}
    for block in yaml.safe_load(TABLE.read_text(encoding="utf-8")):
        for task_name, scores in block["scores"].items():
            key = (task_name, block["metric"])
            rows = zip(block["names"], scores, strict=True)
            table[key] = (*table.get(key, ()), *(_reference(name, score, block["source"]) for name, score in rows))
    return table


def _reference(name: str, score: str | float, source: str) -> Reference:
    value, *spread = (float(number) for number in str(score).split("±"))
    return Reference(name=name, value=value, spread=spread[0] if spread else None, source=source)
