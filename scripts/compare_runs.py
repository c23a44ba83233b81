"""Says whether two runs came to the very same rows, weights and stored steps, and if not, where they differ."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPLANATION = """\
Compares the rows of metrics.jsonl, the CSV tables, and every value of the newest snapshot, bit by bit; times are left
out. Exit status: 0 equal, 1 different, 2 not runs.

Example:
  python scripts/compare_runs.py data/qrl-maze/0a1b2c3d-s0 data/again/0a1b2c3d-s0
"""
SHOWN = 20


def main(argv: "Sequence[str] | None" = None) -> int:
    """Prints the differences, the first few of many."""
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("one", type=Path, metavar="RUN_DIR")
    parser.add_argument("other", type=Path, metavar="OTHER_RUN_DIR")
    flags = parser.parse(argv)
    found: list[str] = []
    status = run_script(lambda: found.extend(_differences(flags)))
    if status:
        return status
    for line in found[:SHOWN]:
        print(line)
    if len(found) > SHOWN:
        print(f"and {len(found) - SHOWN} more")
    print(f"{len(found)} differences" if found else "the very same: rows, weights and stored steps")
    return 1 if found else 0


def _differences(flags: argparse.Namespace) -> list[str]:
    from lifelong_rl.config import ConfigError
    from lifelong_rl.recording.comparison import run_differences

    for path in (flags.one, flags.other):
        if not (path / "metrics.jsonl").exists():
            raise ConfigError(f"{path} is not a run: it has no metrics.jsonl.")
    return list(run_differences(flags.one, flags.other))


if __name__ == "__main__":
    sys.exit(main())
