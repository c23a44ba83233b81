"""Draws what an agent knows of its maze or grid, and the ways that it takes: from a snapshot alone."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, named, number, run_script

if TYPE_CHECKING:
    from experiment_configs.loading import LoadedAgent
    from lifelong_rl.envs.grid import GridTask
    from lifelong_rl.envs.maze2d import Maze2dTask

EXPLANATION = """\
Pictures:
  value_map            what the agent has learned of the way to the task's own goal, beside the true steps
  reach_map            the same from one start (--start) to everywhere; of mazes
  trajectories         fresh episodes of its policy as lines over the floor
  stored_trajectories  the newest whole episodes of the snapshot's replay store
Without --output they are written to RUN/pictures, as SNAPSHOT_PICTURE.png.

Steps are drawn on one scale where the agent counts steps (QRL). Else its value has a scale of its own: the critics'
value of the action that it would take (DDPG, TD3, SAC, WGCSL, MHER), V (GCIVL, GCIQL, HIQL), the best choice's (DQN).
GCBC and GCSL learn none, and have trajectories alone.

Exit status: 0, or 2 with one line that says what is wrong.

Examples:
  python scripts/maps.py data/qrl-maze/RUN
  python scripts/maps.py data/qrl-maze/RUN/itr_20 --picture trajectories --goals single --output ways.pdf
  python scripts/maps.py data/qrl-maze/RUN/itr_20 --picture reach_map --start 1,1
"""
PICTURES = ("value_map", "reach_map", "trajectories", "stored_trajectories")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the pictures and says where they are."""
    flags = _parse(argv)
    return run_script(lambda: _draw(flags))


def _draw(flags: argparse.Namespace) -> None:
    from experiment_configs.learned_values import has_values
    from experiment_configs.loading import load_run
    from lifelong_rl.config import ConfigError
    from lifelong_rl.envs.grid import GridTask
    from lifelong_rl.envs.maze2d import Maze2dTask

    loaded = load_run(flags.snapshot)
    if not isinstance(loaded.task, Maze2dTask | GridTask):
        raise ConfigError(f"{loaded.path}: maps are drawn of mazes and grids, this is {loaded.task.spec.name}.")
    for picture in flags.picture or (["value_map"] * has_values(loaded.agent) + ["trajectories"]):
        path = flags.output or loaded.path.parent / "pictures" / f"{loaded.path.name}_{picture}.png"
        _draw_one(picture, path, flags, loaded, loaded.task)
        print(path)


def _draw_one(
    picture: str, path: Path, flags: argparse.Namespace, loaded: "LoadedAgent", task: "Maze2dTask | GridTask"
) -> None:
    import numpy as np

    from experiment_configs.rollout import caption_of, evaluator_of, play
    from experiment_configs.stored_steps import stored_trajectories
    from experiment_configs.trajectories import draw_trajectories, played_trajectories
    from experiment_configs.value_map import draw_value_map, draw_values

    if picture == "value_map":
        draw_values(path, loaded.agent, task, loaded.config.sampler.discount)
    elif picture == "reach_map":
        start = task.grid.free_cells[0] if flags.start is None else flags.start
        draw_value_map(path, loaded.agent, task, np.array(start, np.float64))
    elif picture == "trajectories":
        goals = flags.goals or "multi"
        rollout = play(loaded.agent, evaluator_of(loaded.config, goals, flags.num_episodes, flags.seed))
        draw_trajectories(path, task, played_trajectories(rollout), caption_of(rollout, loaded.path.name, goals))
    else:
        stored = stored_trajectories(loaded, flags.num_episodes)
        draw_trajectories(path, task, stored, f"{loaded.path.name}   {task.spec.name}, as collected")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    count = number(int, "a whole number from 1 up", lambda value: value >= 1)
    seed = number(int, "a whole number from 0 up", lambda value: value >= 0)
    position = number(_position, "two numbers such as 1,2.5", lambda value: len(value) == 2)
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("snapshot", type=Path, metavar="SNAPSHOT", help="a snapshot, or a run (its newest snapshot)")
    parser.add_argument(
        "--picture", choices=PICTURES, action="append", help="may be repeated; default: value_map, trajectories"
    )
    parser.add_argument("--output", type=named(".png", ".svg", ".pdf"), metavar="FILE", help="of one picture alone")
    parser.add_argument("--start", type=position, metavar="X,Y", help="of reach_map; default: the first free cell")
    parser.add_argument("--num_episodes", type=count, default=20, metavar="N", help="lines to draw (default: 20)")
    parser.add_argument("--goals", choices=["multi", "single"], help="of trajectories; default: multi")
    parser.add_argument("--seed", type=seed, help="of trajectories; default: that of the run's evaluation")
    flags = parser.parse(argv)

    asked = flags.picture or ["value_map", "trajectories"]
    if flags.output and len(asked) > 1:
        parser.error(f"--output names one file, but {len(asked)} pictures are asked for: {', '.join(asked)}.")
    for name, picture in {"start": "reach_map", "goals": "trajectories", "seed": "trajectories"}.items():
        if getattr(flags, name) is not None and picture not in asked:
            parser.error(f"--{name} is for --picture {picture}.")
    return flags


def _position(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
