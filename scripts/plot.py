"""Draws learning curves over seeds."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, named, number, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment_utils.results.runs import Run

SUMMARIES = ["mean_se", "mean_std", "mean_interval", "median", "iqm"]
EXPLANATION = """\
Runs that differ in their seed only are one colour: thin lines are seeds, the thick line is their mean where at least
half of them have come that far, and the shade is its standard error (three seeds or more; --summary chooses others:
mean_interval and iqm shade a 95 % interval). A dashed line stands where one phase ends and the next begins. With
--panels the metric is success at the last step, unless --y says another.

Examples:
  python scripts/plot.py data/qrl-maze
  python scripts/plot.py data/qrl-maze data/baseline --y evaluation/multi/success_rate --y critic_loss --smooth 5
  python scripts/plot.py data/mrn-gcrl --panels task.name --groups agent.network
"""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Draws what the command line asks for and prints where it is."""
    flags = _parse(argv)
    return run_script(lambda: _draw(flags))


def _draw(flags: argparse.Namespace) -> None:
    from experiment_utils.results.figure import draw_curves
    from experiment_utils.results.panels import make_panels
    from experiment_utils.results.runs import find_readable_runs
    from lifelong_rl.config import ConfigError

    runs, problems = find_readable_runs(flags.folders)
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    if not runs:
        raise ConfigError(f"no run with metrics in {', '.join(map(str, flags.folders))}.")
    names = _chosen_names(flags.y, runs, one=flags.panels is not None)
    axis = _chosen_axis(flags.x, runs)
    title = ", ".join(dict.fromkeys(run.directory.parent.name for run in runs))
    output = flags.output or flags.folders[0] / "curves.png"
    panels = make_panels(runs, names, flags.panels, flags.groups)
    draw_curves(output, title, panels, axis, flags.smooth, flags.summary)
    print(output)


def _parse(argv: "Sequence[str] | None") -> argparse.Namespace:
    count = number(int, "a whole number from 1 up", lambda value: value >= 1)
    file = named(".png", ".svg", ".pdf")
    parser = ScriptParser(__doc__, EXPLANATION)
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="data/<experiment>, or a run's directory")
    add("--x", metavar="KEY", help="env_steps, updates, epoch or any metric; default: updates if a phase is offline")
    add("--y", action="extend", nargs="+", metavar="KEY", help="metrics, or their last words, such as success_rate")
    add("--panels", metavar="PATH", help="a panel for each value of this path of variants, such as task.name")
    add("--groups", nargs="+", metavar="PATH", help="a curve for each value of these, such as agent.network")
    add("--output", type=file, metavar="FILE", help="default: DIR/curves.png")
    add("--summary", choices=SUMMARIES, default="mean_se", help="line and shade over seeds (default: mean_se)")
    add("--smooth", type=count, default=1, metavar="N", help="moving mean over N points (default: 1)")
    return parser.parse(argv)


def _chosen_names(wanted: "Sequence[str] | None", runs: "Sequence[Run]", *, one: bool) -> list[str]:
    from experiment_utils.results.curves import default_name, default_names, metric_names
    from lifelong_rl.config import ConfigError, did_you_mean

    names = metric_names(runs)
    if not names:
        raise ConfigError("the runs have rows, but no metric in them is a number.")
    chosen = []
    for word in wanted or ([default_name(names)] if one else default_names(names)):
        found = [name for name in names if name == word or name.endswith(f"/{word}")]
        if not found:
            nearest = did_you_mean(word, [*names, *(name.rpartition("/")[2] for name in names)])
            raise ConfigError(f"--y: unknown metric {word!r}.{nearest} Valid: {', '.join(sorted(names))}.")
        chosen += found
    return list(dict.fromkeys(chosen))


def _chosen_axis(wanted: "str | None", runs: "Sequence[Run]") -> str:
    from experiment_utils.results.curves import AXES, metric_names, natural_axis
    from lifelong_rl.config import ConfigError, did_you_mean

    valid = [*AXES, *metric_names(runs)]
    if wanted is not None and wanted not in valid:
        raise ConfigError(f"--x: unknown axis {wanted!r}.{did_you_mean(wanted, valid)}")
    return wanted or natural_axis(runs)


if __name__ == "__main__":
    sys.exit(main())
