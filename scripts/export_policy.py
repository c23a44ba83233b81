"""Exports the policy of a snapshot: weights, description, model card, film and ONNX, in one folder without the run."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.script_parser import ScriptParser, number, run_script

EXPLANATION = """\
What is written (docs/export.md):
  policy.safetensors  the networks that greedy acting needs, statistics of normalised inputs included
  config.json         how to build them, spaces, task, training, evaluation, checksums
  README.md           a model card, with front matter for the Hugging Face Hub
  replay.mp4          some episodes, where the task can be filmed
  policy.onnx         observation and goal in, greedy action out; where onnx, onnxscript and onnxruntime are installed

The ONNX file is compared with the policy on 1,000 observations of fresh episodes. Where an action (in halves of its
range) differs by more than 1e-5, or a choice is another one, the file is not kept and the exit status is 2.
A policy that draws random numbers or remembers a plan has no ONNX file; it loads and acts like the others.

Exit status: 0, or 2 with one line that says what is wrong.

Examples:
  python scripts/export_policy.py data/qrl-maze/RUN/itr_20
  python scripts/export_policy.py data/her-fetch/RUN --output policies/push --num_episodes 500 --overwrite
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the folder and says where it is."""
    flags = _parse(argv)
    return run_script(lambda: _export(flags))


def _export(flags: argparse.Namespace) -> None:
    from experiment_configs.acting import load_to_act
    from experiment_configs.policy_export import check_target, export_policy
    from lifelong_rl.config import ConfigError

    loaded, acting = load_to_act(flags.snapshot)
    folder = flags.output or loaded.path.parent / "exports" / loaded.path.name
    check_target(folder, flags.overwrite)
    num_episodes = flags.num_episodes or loaded.config.evaluation.num_episodes
    exported = export_policy(loaded, acting, folder, num_episodes=num_episodes, overwrite=flags.overwrite)
    for note in exported.notes:
        print(note)
    onnx = exported.description.onnx
    if "inputs" in onnx:
        apart = f"{onnx['largest_difference']:.2g} on {onnx['num_observations']} observations"
        print(f"policy.onnx: differs from the policy by at most {apart}")
    print(exported.folder)
    if exported.failure is not None:
        raise ConfigError(exported.failure)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    count = number(int, "a whole number from 1 up", lambda value: value >= 1)
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("snapshot", type=Path, metavar="SNAPSHOT", help="a snapshot, or a run (its newest snapshot)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: RUN/exports/SNAPSHOT")
    parser.add_argument(
        "--num_episodes", type=count, metavar="N", help="to measure it by, for each kind of goals; default: the run's"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an export that is there already")
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
