"""Makes a maze2d dataset in D4RL's layout, as D4RL's were made: a waypoint controller between random targets."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.script_parser import ScriptParser, named, number, run_script

EXPLANATION = """\
The same flags give the same bytes. Run scripts generate the dataset that they name by themselves; this makes others.

Examples:
  python scripts/generate_maze2d.py
  python scripts/generate_maze2d.py --task maze2d-large-v1 --num_transitions 4000000 --noisy
  python scripts/generate_maze2d.py --task maze2d-custom --layout '#####\\#GO#\\#OO#\\####' --output agent_data/own.hdf5
  python scripts/check_data.py agent_data/maze2d-umaze-v1.hdf5
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the file and says where it is."""
    flags = _parse(argv)
    return run_script(lambda: _generate(flags))


def _generate(flags: argparse.Namespace) -> None:
    from experiment_configs.datasets import generate_dataset
    from experiment_configs.experiment import DatasetConfig, TaskConfig
    from lifelong_rl.config import ConfigError

    task = TaskConfig(name=flags.task, layout=flags.layout)
    path = flags.output or Path("agent_data") / f"{flags.task}{'-noisy' if flags.noisy else ''}.hdf5"
    if path.exists() and not flags.overwrite:
        raise ConfigError(f"--output: {path} exists already; --overwrite replaces it.")
    config = DatasetConfig(
        path=str(path), num_transitions=flags.num_transitions, noisy=flags.noisy, hold_steps=flags.hold_steps,
        seed=flags.seed,
    )  # fmt: skip
    generate_dataset(config, task)
    print(path)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = ScriptParser(__doc__, EXPLANATION)
    count = number(lambda text: int(float(text)), "a whole number from 1 up", lambda value: value >= 1)
    steps = number(int, "a whole number from 0 up", lambda value: value >= 0)
    parser.add_argument("--task", default="maze2d-umaze-v1", help="which maze (default: %(default)s)")
    parser.add_argument("--layout", help="your own maze, for maze2d-custom: rows joined by \\; # wall, O free, G goal")
    parser.add_argument("--num_transitions", type=count, default=1_000_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--noisy", action="store_true", help="noise of deviation 0.5 on the controller's actions")
    parser.add_argument("--hold_steps", type=steps, default=0, metavar="N", help="stay up to N steps at each target")
    parser.add_argument("--seed", type=steps, default=0, help="of targets and noise (default: %(default)s)")
    parser.add_argument("--output", type=named(".hdf5", ".h5"), help="default: agent_data/<task>.hdf5")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
