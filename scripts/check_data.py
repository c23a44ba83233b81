"""Tells what a dataset file holds, and whether it can be used."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifelong_rl.data.datasets.files import DatasetFile, Shape
    from lifelong_rl.data.datasets.report import EpisodeReport
    from lifelong_rl.types import TaskSpec

EXPLANATION = """\
Files that can be read:
  D4RL's maze2d HDF5  observations, actions, rewards, infos/goal [, terminals, timeouts, costs, infos/qpos, infos/qvel]
                      An episode ends where the goal changes; infos/stream_end marks rows that the next does not follow.
  your own HDF5, npz  observations, actions [, rewards, terminals, timeouts, next_observations, costs, goals,
                      desired_goals, next_achieved_goals, sim_states]; scripts/export_dataset.py writes all that apply
                      An episode ends where terminals or timeouts is 1. Without next_observations, row t + 1 gives those
                      of row t, so an episode of n rows has n - 1 transitions. goals are those that the behaviour policy
                      followed, desired_goals what the environment asked for; a file with one of them means both.
  a Minari folder     data/main_data.hdf5 with the groups episode_0, episode_1, ... and data/metadata.json
                      Its columns get the names above; an episode of T steps has T + 1 rows, the last without an action.
                      Actions are stretched from the dataset's action space to [-1, 1], as tasks here take them.
Every column has one row per step. NaN and infinite values make a file unusable; one-step episodes do not.

Exit status: 0 usable (what looks odd is printed), 2 unusable (the last line says why).

Examples:
  python scripts/check_data.py agent_data/maze2d-umaze-v1.hdf5 --task maze2d-umaze-v1
  python scripts/check_data.py my_robot.npz
  python scripts/check_data.py ~/.minari/datasets/D4RL/pointmaze/umaze-v2 --task PointMaze_UMaze-v3
"""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Prints the report of the file that the command line names."""
    flags = _parse(argv)
    return run_script(lambda: _check(flags.file, flags.task))


def _check(path: Path, task: str | None) -> None:
    from lifelong_rl.data.datasets.files import DatasetFile

    spec = _find_spec(task) if task else None
    with DatasetFile(path) as file:
        _print_report(file, _row_shapes(spec) if spec else {})
    if spec:
        _load(path, spec)
    print("usable")


def _parse(argv: "Sequence[str] | None") -> argparse.Namespace:
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("file", type=Path, metavar="FILE", help="an HDF5 or npz file, or a Minari folder")
    parser.add_argument("--task", metavar="NAME", help="also compare the shapes with this task's, e.g. maze2d-umaze-v1")
    return parser.parse(argv)


def _find_spec(task: str) -> "TaskSpec":
    import numpy as np

    from lifelong_rl.envs.registry import make_task

    return make_task(task, num_envs=1, generator=np.random.default_rng(0)).spec


def _row_shapes(spec: "TaskSpec") -> "dict[str, Shape | None]":
    from lifelong_rl.data.datasets.load import row_shapes

    return row_shapes(spec)


def _load(path: Path, spec: "TaskSpec") -> None:
    """The proof: whatever a run would refuse is refused here."""
    from lifelong_rl.data.datasets.load import load_dataset

    logging.getLogger("lifelong_rl").setLevel(logging.ERROR)  # the report has said it
    load_dataset(path, spec)


def _print_report(file: "DatasetFile", row_shapes: "dict[str, Shape | None]") -> None:
    from lifelong_rl.data.datasets.report import report_columns, report_episodes

    print(f"{file.path}\n\n{'column':<20} {'type':<8} {'shape':<18} {'not finite':>10}  lowest .. highest")
    for column in report_columns(file):
        head = f"{column.key:<20} {column.dtype:<8} {column.shape!s:<18} {column.num_not_finite:>10}"
        pairs = list(zip(column.low.flat, column.high.flat, strict=True))
        ranges = [f"{low:.4g} .. {high:.4g}" for low, high in pairs[:8]] + ["and so on"] * (len(pairs) > 8)
        print(f"{head}  {',  '.join(ranges)}")
    _print_episodes(report_episodes(file, row_shapes))


def _print_episodes(report: "EpisodeReport") -> None:
    import numpy as np

    lengths = report.lengths
    shortest, median, longest = lengths.min(), np.median(lengths), lengths.max()
    print(f"\n{'transitions':<18} {report.num_transitions:,}")
    print(f"{'episodes':<18} {len(lengths):,}")
    print(f"{'steps an episode':<18} {shortest} shortest, {median:g} median, {longest} longest")
    print(f"{'repeated':<18} {report.repeated_share:.2%} of the transitions lead to the same observation")
    print(
        f"{'longest step':<18} {report.longest_step:.4g} (row {report.longest_step_row}); usual {report.usual_step:.4g}"
    )
    for warning in report.warnings:
        print(f"warning: {warning}")


if __name__ == "__main__":
    sys.exit(main())
