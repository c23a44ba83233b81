"""Turns an old dataset (.pkl) or snapshot (.pt) into files that hold data and nothing else."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, named, number, run_script
from lifelong_rl.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAG = "--i-trust-this-file"
EXPLANATION = """\
Nothing else in this project opens a .pkl or a .pt file, for such files are programs: whoever made one decides what the
computer does that loads it. This script does not load them either. It picks out numbers, lists, numpy arrays and
tensors, and refuses the file, by the name of the class, as soon as it asks for anything else. It does so in a process
that can open no other file, start no other process, and take only so much memory and time. The flag is there since
care is no proof: use it for files of whose maker you are sure.

  old .pkl dataset      --output NAME.hdf5 or NAME.npz, for scripts/check_data.py and for training
                        a dict of arrays, or a list of such dicts, one a path (rlkit): observations, actions [, rewards,
                        terminals, timeouts, next_observations, costs, goals]; other keys are left out, and named
                        one array whose rows are observation, action, reward, terminal, next observation: needs
                        --observation_size
  old .pt snapshot      --output NAME.safetensors; plain values go to NAME.json, where {"$tensor": name} is a tensor
                        of state dicts. Whole modules, environments and torch's format before 1.6 are refused.

Where there are next_observations and no timeouts, an episode ends at each row whose next observation is not the row
below. Files packed by gzip or joblib are refused: unpack them first.

Exit status: 0 converted, 2 not converted (one line says why; nothing was written).

Examples:
  python scripts/convert.py old/hopper.pkl --output agent_data/hopper.hdf5 --observation_size 11 --i-trust-this-file
  python scripts/convert.py old/policy.pt --output policy.safetensors --i-trust-this-file
"""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Converts the file that the command line names."""
    flags = _parse(argv)
    return run_script(lambda: _convert(flags))


def _convert(flags: argparse.Namespace) -> None:
    from experiment_utils.conversion.start import convert

    if not flags.trusted:
        danger = "can hold a program that its maker wrote to harm whoever opens it"
        raise ConfigError(f"{flags.file}: {danger}. Say {FLAG} if you know where it comes from, else leave it.")
    written, notes = convert(flags.file, flags.output, flags.observation_size)
    for note in notes:
        print(f"note: {note}")
    for path in written:
        print(f"wrote {path}")


def _parse(argv: "Sequence[str] | None") -> argparse.Namespace:
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("file", type=named(".pkl", ".pt"), metavar="FILE", help="an old .pkl dataset or .pt snapshot")
    parser.add_argument("--output", type=Path, required=True, metavar="NAME", help="a new .hdf5, .npz or .safetensors")
    parser.add_argument(
        "--observation_size", type=number(int, "a whole number from 1 up", lambda size: size >= 1), metavar="N",
        help="numbers in an observation, where the file is one array of rows",
    )  # fmt: skip
    parser.add_argument(FLAG, dest="trusted", action="store_true", help="you know who made it; needed, see below")
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
