"""Writes what a run collected as a dataset, for other runs to learn from or for other programs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.script_parser import ScriptParser, number, run_script

EXPLANATION = """\
The rows are those of the replay store in the snapshot: what the run itself collected and still held then. What it
learned from besides, its own dataset, is not among them.

  --format hdf5     one file, which a run reads back bit for bit: -s dataset.path=FILE. Its keys are explained by
                    scripts/check_data.py -h. agent_data/<experiment>-<run>.hdf5 unless --output says otherwise
  --format minari   a folder that the package minari opens: MinariDataset("FOLDER/data"), and that runs read as well.
                    agent_data/<experiment>-<run>-v0; its name is the dataset's id

Exit status: 0 written, 2 not written (one line says why; what was there before is still there).

Examples:
  python scripts/export_dataset.py data/her-fetch/RUN
  python scripts/export_dataset.py data/her-fetch/RUN/itr_10 --last 100000 --output agent_data/reach.hdf5
  python scripts/export_dataset.py data/her-fetch/RUN --format minari --output agent_data/reach-v0
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the file or folder and says what is in it."""
    flags = _parse(argv)
    return run_script(lambda: _export(flags))


def _export(flags: argparse.Namespace) -> None:
    from experiment_configs.recorded import RecordedRun, export_hdf5, export_minari
    from lifelong_rl.config import ConfigError

    recorded = RecordedRun.open(flags.run).part(first=flags.first, last=flags.last)
    is_hdf5 = flags.format == "hdf5"
    path = flags.output or Path("agent_data") / (f"{recorded.name}.hdf5" if is_hdf5 else f"{recorded.name}-v0")
    if path.exists() and not flags.overwrite:
        raise ConfigError(f"--output: {path} exists already; --overwrite replaces it.")
    if is_hdf5 and path.suffix not in (".hdf5", ".h5"):
        raise ConfigError(f"--output: expected a name that ends in .hdf5 or .h5, got {str(path)!r}.")
    num_episodes = (export_hdf5 if is_hdf5 else export_minari)(recorded, path)
    print(f"{path}: {len(recorded.rows):,} transitions in {num_episodes:,} episodes")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = ScriptParser(__doc__, EXPLANATION)
    count = number(lambda text: int(float(text)), "a whole number from 1 up", lambda value: value >= 1)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run (its newest snapshot), or a snapshot")
    parser.add_argument("--output", type=Path, metavar="NAME", help="where to; default: in agent_data, see below")
    parser.add_argument("--format", choices=["hdf5", "minari"], default="hdf5", help="default: %(default)s")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--first", type=count, metavar="N", help="only the N transitions that were collected first")
    part.add_argument("--last", type=count, metavar="N", help="only the N transitions that were collected last")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
