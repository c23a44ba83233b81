"""Says whether two runs came to the very same rows, weights and stored steps, and if not, where they differ."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lifelong_rl.recording.state_tree import SnapshotError

SHOWN = 20


def main(words: Sequence[str] | None = None) -> int:
    """0: equal but for the clock; 1: different; 2: bad input."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="Times are left out. Status: 0 equal, 1 different.")
    parser.add_argument("one", type=Path, metavar="RUN_DIR")
    parser.add_argument("other", type=Path, metavar="OTHER_RUN_DIR")
    flags = parser.parse_args(words)
    from lifelong_rl.recording.comparison import run_differences

    for path in (flags.one, flags.other):
        if not (path / "metrics.jsonl").exists():
            print(f"error: {path} is not a run: it has no metrics.jsonl.", file=sys.stderr)
            return 2
    try:
        lines = list(run_differences(flags.one, flags.other))
    except (SnapshotError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"and {len(lines) - SHOWN} more")
    print(f"{len(lines)} differences" if lines else "the very same: rows, weights and stored steps")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
