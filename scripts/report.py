"""Makes a report of runs: one page to send, tables and figures for a paper, and all their numbers."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, number, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

SUMMARIES = ["mean_se", "mean_std", "mean_interval", "median", "iqm", "wilson"]
RULES = ["last", "last_tenth", "highest", "lowest"]
EXPLANATION = """\
Writes into DIR/report: report.html, which holds everything and opens without a network; table.md and table.tex;
curves, finals and profiles as .pdf and .svg; scores.json. A row of a table is a method, what runs differ in besides
the seed; a column is a metric, or a task where there are several. Final scores are of finished runs and have 95 %
intervals from three runs on. Scores that others have published stand below, with their source. Runs that did not
finish, uneven numbers of seeds and whatever else a reader should know are said at the top.

Runs are chosen by the dashboard's language: agent.name = qrl and (seed < 5 or not state = failed).

Examples:
  python scripts/report.py data/qrl-maze
  python scripts/report.py data/her-fetch data/qrl-fetch --group agent.name --y success_rate return_mean
  python scripts/report.py data/sweep --show 'agent.learning_rate < 1e-3' --summary iqm --output paper/results
  python scripts/report.py data/sweep --unfinished --static      how it stands now, small enough for any mail
"""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Makes the report and prints where it is."""
    flags = _parse(argv)
    return run_script(lambda: _report(flags))


def _report(flags: argparse.Namespace) -> None:
    from experiment_utils.dashboard.view import View
    from experiment_utils.report.making import STEPS, make_report
    from experiment_utils.report.study import find_study
    from experiment_utils.results.reader import Reader
    from lifelong_rl.recording.counting import counting_bar

    group = None if flags.group is None else tuple(flags.group)
    view = View(
        x=flags.x or "", y=tuple(flags.y) if flags.y else None, group=group,
        split=tuple(flags.split or ()), show=flags.show, hide=flags.hide, summary=flags.summary, rule=flags.rule,
        smooth=flags.smooth, lowest=flags.lowest,
    )  # fmt: skip
    study = find_study(flags.folders, view, unfinished=flags.unfinished)
    runs, reader = study.selection.runs, Reader()
    with counting_bar("reading runs", len(runs)) as advance_to:
        reader.read(runs, [name for name in (study.view.x, *study.metrics) if name != "epoch"], advance_to)
        reader.close()
    for problem in [*study.problems, *(run.metrics.problem for run in runs if run.metrics.problem)]:
        print(f"left out: {problem}", file=sys.stderr)
    with counting_bar("making the report", STEPS) as advance_to:
        files = make_report(study, flags.output or flags.folders[0] / "report", static=flags.static, watch=advance_to)
    page, *others = files
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB); beside it {', '.join(path.name for path in others)}")


def _parse(argv: "Sequence[str] | None") -> argparse.Namespace:
    count = number(int, "a whole number from 1 up", lambda value: value >= 1)
    parser = ScriptParser(__doc__, EXPLANATION)
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="data/EXPERIMENT, a run, or all of data")
    add("--output", type=Path, metavar="DIR", help="default: DIR/report")
    add("--y", action="extend", nargs="+", metavar="KEY", help="metrics, or their last words; the first one compares")
    add("--x", metavar="KEY", help="of curves: env_steps, updates, epoch or any metric")
    add("--group", nargs="*", metavar="KEY", help="a method for each value of these, such as agent.name")
    add("--split", nargs="+", metavar="KEY", help="a task for each value of these (default: task.name)")
    add("--show", default="", metavar="QUERY", help="only runs that match")
    add("--hide", default="", metavar="QUERY", help="no runs that match")
    add("--summary", choices=SUMMARIES, default="mean_interval", help="over runs (default: mean_interval)")
    add("--rule", choices=RULES, default="last", help="which of its values is a run's final one (default: last)")
    add("--lowest", action="store_true", help="of the first metric less is better; known of losses, errors and times")
    add("--smooth", type=count, default=1, metavar="N", help="of curves: moving mean over N points (default: 1)")
    add("--unfinished", action="store_true", help="count runs that have not finished, too")
    add("--static", action="store_true", help="pictures in place of interactive curves: no scripts, a small page")
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
