"""Sends runs to Weights & Biases or TensorBoard after the fact: what is there already is not sent again."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, run_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lifelong_rl.recording.trackers.mirror import Mirror

EXPLANATION = """\
Rows of metrics.jsonl, gifs and (to wandb) mp4 files of RUN/videos go; credentials are masked. Runs may be finished,
failed or training now. Without an API key, or with WANDB_MODE=offline, wandb keeps files that `wandb sync` sends.
Exit status: 0 all is sent, 1 some runs could not be sent, 2 wrong command line.

Examples:
  python scripts/mirror.py data/qrl-maze --to tensorboard     then: tensorboard --logdir data/qrl-maze
  python scripts/mirror.py data/qrl-maze data/baseline --to wandb --project maze
  python scripts/mirror.py data/qrl-maze/0a1b2c3d-s0 --to wandb --project maze --snapshot
"""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Prints a line for each run."""
    flags = _parse(argv)
    failed: list[Path] = []
    return run_script(lambda: failed.extend(_send_all(flags))) or (1 if failed else 0)


def _parse(argv: "Sequence[str] | None") -> argparse.Namespace:
    parser = ScriptParser(__doc__, EXPLANATION)
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="data/<experiment>, or a run's directory")
    add("--to", required=True, choices=["wandb", "tensorboard"])
    add("--project", metavar="NAME", help="of wandb (default: lifelong_rl)")
    add("--snapshot", action="store_true", help="to wandb: also the newest snapshot, as an artifact; may be large")
    flags = parser.parse(argv)
    if flags.to != "wandb" and (flags.project or flags.snapshot):
        parser.error("--project and --snapshot go with --to wandb.")
    return flags


def _send_all(flags: argparse.Namespace) -> "Iterator[Path]":
    """The runs that could not be sent."""
    from lifelong_rl.config import ConfigError
    from lifelong_rl.recording.trackers.tracker import one_line

    found = (path for folder in flags.folders for path in [folder, *sorted(folder.glob("*/"))])
    runs = [path for path in dict.fromkeys(found) if (path / "metrics.jsonl").exists()]
    if not runs:
        raise ConfigError(f"no run with a metrics.jsonl in {', '.join(map(str, flags.folders))}.")
    for run_dir in runs:
        try:
            print(f"{run_dir}: {_send(run_dir, flags)}", flush=True)
        except Exception as error:  # whatever a third party raises, the other runs are sent
            print(f"{run_dir}: not sent: {one_line(error)}", file=sys.stderr)
            yield run_dir


def _send(run_dir: Path, flags: argparse.Namespace) -> str:
    mirror = _mirror(run_dir, flags)
    try:
        mirror.send()
        has_snapshot = flags.snapshot and _send_snapshot(run_dir, mirror)
    finally:
        mirror.close()
    counts = {"rows": mirror.num_rows, "videos": mirror.num_videos, "snapshot": int(has_snapshot)}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing new"


def _mirror(run_dir: Path, flags: argparse.Namespace) -> "Mirror":
    from lifelong_rl.recording.trackers.mirror import Mirror

    if flags.to == "wandb":
        from lifelong_rl.recording.trackers.wandb import Wandb

        return Mirror(run_dir, Wandb(run_dir, flags.project or "lifelong_rl"))
    from lifelong_rl.recording.trackers.tensorboard import TensorBoard

    return Mirror(run_dir, TensorBoard(run_dir))


def _send_snapshot(run_dir: Path, mirror: "Mirror") -> bool:
    from lifelong_rl.recording.newest import newest_snapshot

    newest = newest_snapshot(run_dir)
    return newest is not None and mirror.send_snapshot(newest)


if __name__ == "__main__":
    sys.exit(main())
