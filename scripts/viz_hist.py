"""Films what an agent did: steps stored in a snapshot's replay store, or fresh episodes of its policy."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, named, number, run_script

if TYPE_CHECKING:
    from experiment_configs.loading import LoadedAgent
    from lifelong_rl.envs.film import Footage, Image
    from lifelong_rl.envs.maze2d_film import Draw

EXPLANATION = """\
Stored steps are counted as env steps since the run began, as in progress.csv; START is the first one shown and END the
first one that is not; negative numbers count from the end. Environments that were collected from at once share them:
with 10 environments, 1000 env steps are 100 steps, hence 100 frames, of each. What the store has dropped is gone.

A film has one tile for each environment (or episode, with --policy), 9 at most: the goal as the task draws it, the
step in the episode, whether it is at the goal or has been there, and whether the episode is over. Mazes and grids are
drawn from above, with the last 80 steps as a trail. With --policy the returns and successes of all episodes are
written beside the film, as JSON.

Mazes and grids need no graphics library, unless --renderer mujoco asks for the simulator's scene. Other tasks draw
themselves: those of MuJoCo with MUJOCO_GL=osmesa or egl on a machine without a screen, CartPole and the like with
pygame. Their stored steps can be filmed where MuJoCo simulates them.

Exit status: 0, or 2 with one line that says what is wrong.

Examples:
  python scripts/viz_hist.py --snapshot data/qrl-maze/RUN/itr_20
  python scripts/viz_hist.py --snapshot data/qrl-maze/RUN/itr_20 --start 0 --end 5000 --env 3 --output first.gif
  python scripts/viz_hist.py --snapshot data/qrl-maze/RUN --policy --goals single --num_episodes 4 --time_delay 0.02
  MUJOCO_GL=osmesa python scripts/viz_hist.py --snapshot data/her-fetch/RUN --policy --gif
"""
ONLY_STORED, ONLY_POLICY = ("start", "end"), ("num_episodes", "goals", "seed")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the film and says where it is."""
    flags = _parse(argv)
    return run_script(lambda: _film(flags))


def _film(flags: argparse.Namespace) -> None:
    from experiment_configs.loading import load_run
    from lifelong_rl.envs.film import MAX_TILES

    loaded = load_run(flags.snapshot)
    num_envs = (flags.num_episodes or MAX_TILES) if flags.policy else loaded.config.num_envs
    with _drawer(flags.renderer, loaded, 1 if flags.env is not None else min(num_envs, MAX_TILES)) as draw:
        if flags.policy:
            _film_policy(flags, loaded, num_envs, draw)
        else:
            from experiment_configs.stored_steps import stored_footage

            footage, name = stored_footage(loaded, flags.start, flags.end, flags.env, draw)
            _write(flags, loaded, name, footage)


def _film_policy(flags: argparse.Namespace, loaded: "LoadedAgent", num_episodes: int, draw: "Draw | None") -> None:
    from experiment_configs.footage import played_footage
    from experiment_configs.rollout import about, caption_of, evaluator_of, play, write_report
    from lifelong_rl.recording.counting import counting_bar

    goals = flags.goals or "multi"
    evaluator = evaluator_of(loaded.config, goals, num_episodes, flags.seed)
    with counting_bar(f"steps of {num_episodes} episodes", evaluator.task.spec.horizon) as advance_to:
        rollout = play(loaded.agent, evaluator, advance_to)
    footage = played_footage(rollout, caption_of(rollout, loaded.path.name, goals), flags.env, draw)
    output = _write(flags, loaded, f"policy_{goals}", footage)
    seed = loaded.config.evaluation.seed if flags.seed is None else flags.seed
    report = about(loaded.path, _clocks(loaded), goals, seed) | rollout.report()
    write_report(output.with_suffix(".json"), report)
    print(output.with_suffix(".json"))


def _clocks(loaded: "LoadedAgent") -> dict[str, int]:
    """As the row of metrics says them that was written before the snapshot."""
    counters = dict(loaded.snapshot.meta.get("counters", {}))
    if counters.get("epoch") == 0 and counters.get("phase", 0) > 0:  # the last one of its phase, which is over
        counters["epoch"] = loaded.config.phases[counters["phase"] - 1].num_epochs
    return counters


def _write(flags: argparse.Namespace, loaded: "LoadedAgent", name: str, footage: "Footage") -> Path:
    from lifelong_rl.envs.film import draw_film
    from lifelong_rl.recording.video import gif_of, write_video

    output: Path = flags.output or loaded.path.parent / "videos" / f"{loaded.path.name}_{name}.mp4"
    write_video(output, _counted(draw_film(footage), len(footage.step)), 1 / flags.time_delay)
    print(output)
    if flags.gif and output.suffix != ".gif":
        print(gif_of(output))
    return output


@contextmanager
def _drawer(name: str | None, loaded: "LoadedAgent", num_tiles: int) -> "Iterator[Draw | None]":
    """What --renderer asks for; None: as the task is drawn by itself."""
    from lifelong_rl.config import ConfigError
    from lifelong_rl.envs.film import tile_size
    from lifelong_rl.envs.grid import GridTask
    from lifelong_rl.envs.maze2d import Maze2dTask
    from lifelong_rl.envs.render import MazeRenderer

    task = loaded.task
    if name is not None and not isinstance(task, Maze2dTask | GridTask):
        raise ConfigError(f"--renderer: is for mazes; {task.spec.name} draws itself.")
    if name != "mujoco":
        yield None
        return
    if not isinstance(task, Maze2dTask):
        raise ConfigError(f"--renderer: {task.spec.name} is not in MuJoCo. Use top_down.")
    size = tile_size(num_tiles)
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
    parser.add_argument("--gif", action="store_true", help="also write it as a gif, small enough for a page")
    parser.add_argument("--start", type=int, metavar="START", help="an env step; default: 1000 before END")
    parser.add_argument("--end", type=int, metavar="END", help="an env step; default: after the last one stored")
    parser.add_argument("--env", type=index, metavar="K", help="this environment (or episode) alone, not a grid")
    parser.add_argument("--time_delay", type=seconds, default=0.04, help="seconds between frames (default: 0.04)")
    parser.add_argument(
        "--renderer", choices=["top_down", "mujoco"], help="of mazes; default: top_down, which needs no GL"
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
