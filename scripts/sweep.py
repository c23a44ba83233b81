"""Shows, follows, stops and goes on with what run scripts started: `python scripts/sweep.py status data/EXPERIMENT`."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.flags import add_engine_flags, count, options_of, seeds
from experiment_utils.script_parser import ScriptParser, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPLANATION = """\
Examples:
  python scripts/sweep.py status data/qrl-maze                   a line a run: those first that need a look
  python scripts/sweep.py status data/qrl-maze --watch           again every 2 seconds, until all is over
  python scripts/sweep.py logs data/qrl-maze/RUN -f              what the run prints
  python scripts/sweep.py kill data/qrl-maze[/RUN]               snapshots first; resume goes on from them
  python scripts/sweep.py retry data/qrl-maze                    what failed
  python scripts/sweep.py resume data/qrl-maze                   whatever is not finished, and nobody works on
  python scripts/sweep.py resume data/qrl-maze --mode slurm --partition gpu
  python scripts/sweep.py add_seeds data/qrl-maze 3,4            two more seeds of every variant
  python scripts/sweep.py pull data/qrl-maze --store s3://BUCKET/PREFIX

retry, resume and add_seeds use the engine of the newest command on the experiment, unless --mode names another.
Exit status of status: 0 all finished, 1 some are not, 2 bad input.
"""
SHOWN, WATCH_SECONDS = 40, 2.0


def main(argv: "Sequence[str] | None" = None) -> int:
    """Does one command."""
    parser = ScriptParser(__doc__, EXPLANATION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Command)
    for name, (_, explained) in COMMANDS.items():
        command = commands.add_parser(name, help=explained, description=explained)
        command.add_argument("path", type=Path, metavar="PATH", help="data/EXPERIMENT, or a run in it")
        _add_flags(command, name)
    flags = parser.parse(argv)
    results: list[int | None] = []
    status = run_script(lambda: results.append(COMMANDS[flags.command][0](flags)))
    return status or (results[0] or 0 if results else 0)


class _Command(argparse.ArgumentParser):
    """Complains as the scripts do: in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        print(message.removeprefix("argument "), file=sys.stderr)
        sys.exit(2)


def _add_flags(parser: argparse.ArgumentParser, command: str) -> None:
    if command == "status":
        parser.add_argument("--all", action="store_true", help=f"every run, not the first {SHOWN}")
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--watch", action="store_true", help="again every 2 seconds until all is over")
    elif command == "logs":
        parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends")
        parser.add_argument("-n", "--lines", type=count, default=40, metavar="N", help="default: %(default)s")
    elif command == "add_seeds":
        parser.add_argument("seeds", type=seeds, metavar="3,4")
    elif command == "pull":
        parser.add_argument("--store", required=True, metavar="URL", help="s3://BUCKET/PREFIX or HOST:FOLDER")
    if command in ("retry", "resume", "add_seeds"):
        add_engine_flags(parser, mode=None)


def _status(flags: argparse.Namespace) -> int:
    from experiment_utils.run_table import run_states, table

    while True:
        runs = run_states(flags.path)
        if flags.json:
            print(json.dumps([{"run": run.path.name, "state": run.state, "error": run.error} for run in runs]))
        else:
            print(table(runs, None if flags.all else SHOWN), flush=True)
        if not flags.watch or all(run.state not in ("running", "queued") for run in runs):
            return 0 if all(run.state == "finished" for run in runs) else 1
        time.sleep(WATCH_SECONDS)
        print()


def _logs(flags: argparse.Namespace) -> None:
    from experiment_utils.sweep_commands import follow

    follow(flags.path, flags.lines, goes_on=flags.follow)


def _kill(flags: argparse.Namespace) -> None:
    from experiment_utils.sweep_commands import kill

    kill(flags.path)


def _again(flags: argparse.Namespace) -> int | None:
    from experiment_utils.sweep_commands import again

    states = ("failed",) if flags.command == "retry" else None
    return again(flags.path, states, flags.mode, options_of(flags))


def _add_seeds(flags: argparse.Namespace) -> int | None:
    from experiment_utils.sweep_commands import add_seeds

    return add_seeds(flags.path, flags.seeds, flags.mode, options_of(flags))


def _pull(flags: argparse.Namespace) -> None:
    from experiment_utils.sweep_commands import pull

    pull(flags.path, flags.store)


COMMANDS = {
    "status": (_status, "how every run is doing"),
    "logs": (_logs, "what a run, or an experiment's driver, prints"),
    "kill": (_kill, "stop a run or all of them, after snapshots"),
    "retry": (_again, "start again what failed"),
    "resume": (_again, "start again what is not finished"),
    "add_seeds": (_add_seeds, "run every variant with more seeds"),
    "pull": (_pull, "bring results back from a store"),
}

if __name__ == "__main__":
    sys.exit(main())
