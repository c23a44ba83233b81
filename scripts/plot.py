"""Draws learning curves over seeds."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifelong_rl.recording.curves import Run

EXPLANATION = """\
Runs that differ in their seed only are one colour: thin lines are seeds, the thick line is their mean where at least
half of them have come that far, and the shade is its standard error (three seeds or more). A dashed line stands where
one phase ends and the next begins.

Examples:
  python scripts/plot.py data/qrl_maze
  python scripts/plot.py data/qrl_maze data/baseline --y evaluation/multi/success_rate --y critic_loss --smooth 5
"""


def main() -> int:
    """Draws what the command line asks for and prints where it is."""
    arguments = _parse()
    from lifelong_rl.recording.curves import find_runs, group_runs
    from lifelong_rl.recording.figure import draw_curves, is_drawable

    output = arguments.output or arguments.folders[0] / "curves.png"
    try:
        if not is_drawable(output):
            raise ValueError(f"--output: expected a name that ends in .png, .svg or .pdf, got {str(output)!r}.")
        runs, problems = find_runs(arguments.folders)
        for problem in problems:
            print(f"left out: {problem}", file=sys.stderr)
        if not runs:
            raise ValueError(f"no run with metrics in {', '.join(map(str, arguments.folders))}.")
        names = _chosen_names(arguments.y, runs)
        axis = arguments.x or _natural_axis(runs)
        title = ", ".join(dict.fromkeys(run.directory.parent.name for run in runs))
        draw_curves(output, title, group_runs(runs), names, axis, arguments.smooth)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(output)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXPLANATION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="data/<experiment>, or a run's directory")
    parser.add_argument("--x", choices=["env_steps", "updates", "epoch"], help="default: updates if a phase is offline")
    parser.add_argument(
        "--y", action="extend", nargs="+", metavar="KEY", help="metrics, or their last words, such as success_rate"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: DIR/curves.png")
    parser.add_argument(
        "--smooth", type=_positive, default=1, metavar="N", help="moving mean over N points (default: 1)"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, got {text!r}.")
    return int(text)


def _chosen_names(wanted: "Sequence[str] | None", runs: "Sequence[Run]") -> list[str]:
    from lifelong_rl.config import did_you_mean
    from lifelong_rl.recording.curves import default_names, metric_names

    names = metric_names(runs)
    if not names:
        raise ValueError("the runs have rows, but no metric in them is a number.")
    chosen = []
    for word in wanted or default_names(names):
        found = [name for name in names if name == word or name.endswith(f"/{word}")]
        if not found:
            nearest = did_you_mean(word, [*names, *(name.rpartition("/")[2] for name in names)])
            raise ValueError(f"--y: unknown metric {word!r}.{nearest} Valid: {', '.join(sorted(names))}.")
        chosen += found
    return list(dict.fromkeys(chosen))


def _natural_axis(runs: "Sequence[Run]") -> str:
    from lifelong_rl.recording.metrics_file import is_offline

    return "updates" if any(is_offline(row) for run in runs for row in run.rows) else "env_steps"


if __name__ == "__main__":
    sys.exit(main())
