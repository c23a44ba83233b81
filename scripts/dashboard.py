"""Opens a page in the browser that shows runs: curves over seeds, final values, tables, films, differences."""

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, number, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPLANATION = """\
Folders are searched for runs: directories with metrics.jsonl, or with the progress.csv and variant.json (params.json)
of rlkit, rllab and their kin. Nothing in them is changed. The page finds by itself what was swept, draws a line for
each of its values and shades what several seeds leave open. Its address holds all that was chosen: copy it to show
somebody the same figure. It looks for new numbers every 30 seconds.

Runs are chosen by a small language: agent.name = qrl and (seed < 5 or not state = failed) and run ~ 'ant*'.

Only this machine can open the page. On another one, forward its port: ssh -L 8050:localhost:8050 HOST. To let others
in, give --host and --token: whoever has the token can read these runs. It is not encrypted on its way.

Examples:
  python scripts/dashboard.py data/qrl-maze
  python scripts/dashboard.py data/her-fetch data/qrl-fetch --port 9000
  python scripts/dashboard.py data --host 0.0.0.0 --token auto
"""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Serves the page until Ctrl-C."""
    flags = _parse(argv)
    status = run_script(lambda: _serve(flags))
    return 0 if status == 130 else status  # Ctrl-C is how it is meant to end


def _serve(flags: argparse.Namespace) -> None:
    from experiment_utils.dashboard.security import access_for
    from experiment_utils.dashboard.server import serve
    from experiment_utils.dashboard.start import dashboard
    from lifelong_rl.config import ConfigError, did_you_mean

    for folder in flags.folders:
        if not folder.is_dir():
            near = [path.name for path in folder.absolute().parent.glob("*/")]
            raise ConfigError(f"{folder}: no such folder.{did_you_mean(folder.name, near)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    access = access_for(flags.host, flags.token)
    app, source = dashboard(flags.folders, access)
    try:
        serve(app, access, flags.port)
    finally:
        source.close()


def _parse(argv: "Sequence[str] | None") -> argparse.Namespace:
    port = number(int, "a port from 1024 to 65535", lambda value: 1024 <= value <= 65535)
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="data/EXPERIMENT, a run, or all of data")
    parser.add_argument("--port", type=port, default=8050, help="default: 8050, or the next that is free")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine; others need --token")
    parser.add_argument("--token", metavar="TOKEN", help="auto, or 16 letters or more, without which nobody gets in")
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
