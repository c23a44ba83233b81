"""Films what an agent did: steps stored in a snapshot's replay store, or fresh episodes of its policy."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, named, number, run_script

if TYPE_CHECKING:
    from lifelong_rl.envs.grid import GridTask
    from lifelong_rl.envs.maze2d import Maze2dTask
    from lifelong_rl.envs.maze2d_film import Draw, Image

EXPLANATION = """\
Stored steps are counted as env steps since the run began, as in progress.csv; START is the first one shown and END the
first one that is not; negative numbers count from the end. Environments that were collected from at once share them:
with 10 environments, 1000 env steps are 100 steps, hence 100 frames, of each. What the store has dropped is gone.

A film has one tile for each environment (or episode, with --policy), 9 at most: the goal in green, the last 80 steps
of the episode as a trail, the step in the episode, and whether the particle is at the goal or has been there. With
--policy the returns and successes of all episodes are written beside it, as JSON.

The renderer top_down needs no graphics library. mujoco draws the simulator's scene, without the trail: set
MUJOCO_GL=osmesa or egl on a machine without a screen.

Exit status: 0, or 2 with one line that says what is wrong.

Examples:
  python scripts/viz_hist.py --snapshot data/qrl-maze/RUN/itr_20
  python scripts/viz_hist.py --snapshot data/qrl-maze/RUN/itr_20 --start 0 --end 5000 --env 3 --output first.gif
  python scripts/viz_hist.py --snapshot data/qrl-maze/RUN --policy --goals single --num_episodes 4 --time_delay 0.02
"""
ONLY_STORED, ONLY_POLICY = ("start", "end"), ("num_episodes", "goals", "seed")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the film and says where it is."""
    flags = _parse(argv)
    return run_script(lambda: _film(flags))


def _film(flags: argparse.Namespace) -> None:
    from experiment_configs.footage import played_footage, stored_footage
    from experiment_configs.loading import load_run
    from lifelong_rl.config import ConfigError
    from lifelong_rl.envs.grid import GridTask
    from lifelong_rl.envs.maze2d import Maze2dTask
    from lifelong_rl.envs.maze2d_film import MAX_TILES, draw_film
    from lifelong_rl.recording.video import write_video

    loaded = load_run(flags.snapshot)
    if not isinstance(loaded.task, Maze2dTask | GridTask):
        known = "maze2d and grid tasks only"
        raise ConfigError(f"{loaded.path}: films are drawn of {known}, this is {loaded.task.spec.name}.")
    if flags.policy:
        goals = flags.goals or "multi"
        footage, report = played_footage(loaded, goals, flags.num_episodes or MAX_TILES, flags.seed, flags.env)
        name = f"policy_{goals}"
    else:
        footage, name = stored_footage(loaded, flags.start, flags.end, flags.env)
    output = flags.output or loaded.path.parent / "videos" / f"{loaded.path.name}_{name}.mp4"
    with _renderer(flags.renderer, loaded.task, len(footage.names)) as draw:
        frames = draw_film(footage, loaded.task.spec, draw)
        write_video(output, _counted(frames, len(footage.states) - footage.first), 1 / flags.time_delay)
    print(output)
    if flags.policy:
        output.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(output.with_suffix(".json"))


@contextmanager
def _renderer(name: str, task: "Maze2dTask | GridTask", num_tiles: int) -> "Iterator[Draw]":
    from lifelong_rl.envs.maze2d_film import TILE_SIZE, num_columns, top_down

    if name == "top_down":
        yield top_down(task, num_tiles)
        return
    from lifelong_rl.config import ConfigError
    from lifelong_rl.envs.grid import GridTask
    from lifelong_rl.envs.render import MazeRenderer

    if isinstance(task, GridTask):
        raise ConfigError(f"--renderer: {task.spec.name} is not in MuJoCo. Use top_down.")
    size = TILE_SIZE[num_columns(num_tiles)]
    with MazeRenderer(task.physics.model, height=size, width=size) as renderer:
        yield lambda state, trail: renderer.draw(state)


def _counted(frames: "Iterable[Image]", count: int) -> "Iterator[Image]":
    from lifelong_rl.recording.counting import counting_bar

    with counting_bar("drawing frames", count) as advance_to:
        for index, frame in enumerate(frames, 1):
            yield frame
            advance_to(index)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    count = number(int, "a whole number from 1 up", lambda value: value >= 1)
    index = number(int, "a whole number from 0 up", lambda value: value >= 0)
    seconds = number(float, "seconds, from 0.001 to 60", lambda value: 0.001 <= value <= 60)
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument(
        "--snapshot", type=Path, required=True, metavar="DIR", help="a snapshot, or a run (its newest snapshot)"
    )
    parser.add_argument(
        "--output", type=named(".mp4", ".gif"), metavar="FILE", help="default: RUN/videos/SNAPSHOT_START_END.mp4"
    )
    parser.add_argument("--start", type=int, metavar="START", help="an env step; default: 1000 before END")
    parser.add_argument("--end", type=int, metavar="END", help="an env step; default: after the last one stored")
    parser.add_argument("--env", type=index, metavar="K", help="this environment (or episode) alone, not a grid")
    parser.add_argument("--time_delay", type=seconds, default=0.04, help="seconds between frames (default: 0.04)")
    parser.add_argument(
        "--renderer", choices=["top_down", "mujoco"], default="top_down", help="default: top_down, which needs no GL"
    )
    policy = parser.add_argument_group("fresh episodes")
    policy.add_argument("--policy", action="store_true", help="play the snapshot's agent instead of showing its past")
    policy.add_argument("--num_episodes", type=count, metavar="N", help="default: 9, which is what a film shows")
    policy.add_argument("--goals", choices=["multi", "single"], help="default: multi, one goal per episode")
    policy.add_argument("--seed", type=index, help="of starts and goals; default: that of the run's evaluation")
    flags = parser.parse(argv)

    for name in ONLY_STORED if flags.policy else ONLY_POLICY:
        if getattr(flags, name) is not None:
            parser.error(f"--{name} {'is not for' if flags.policy else 'is for fresh episodes: add'} --policy.")
    return flags


if __name__ == "__main__":
    sys.exit(main())
