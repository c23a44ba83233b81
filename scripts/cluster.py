"""A Ray cluster of SSH hosts or EC2 instances, from one YAML file: made, checked, started, ended."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.script_parser import ScriptParser, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment_utils.clusters.cluster import Cluster, Finding

EXPLANATION = """\
  init ssh|ec2   writes the file (--output), complete and explained; edit that one file
  check FILE     looks at every host or at the account; writes nothing; exit status 2 if something must be done first
  up FILE        starts Ray there; asks first, with the price of an hour
  status FILE    what runs
  address FILE   what to give --address, through a tunnel; exports the token's place for the shell to read
  down FILE      ends all of it and looks for what is left: exit status 1, and a list, if anything is

Example:
  python scripts/cluster.py init ssh --output clusters/lab.yaml
  python scripts/cluster.py check clusters/lab.yaml
  python scripts/cluster.py up clusters/lab.yaml
  python scripts/cluster.py down clusters/lab.yaml
"""
ACTIONS = ("init", "check", "up", "status", "address", "down")
BAD_INPUT = 2


def main(argv: "Sequence[str] | None" = None) -> int:
    """0; 1 where `down` left something; 2 where something must be done first."""
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS))
    parser.add_argument("what", metavar="FILE", help="a cluster's file; after init: ssh or ec2")
    parser.add_argument("--output", type=Path, metavar="FILE", help="what init writes; default: clusters/KIND.yaml")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before `up`")
    flags = parser.parse(argv)
    statuses: list[int] = []
    wrong = run_script(lambda: statuses.append(_act(flags)))
    return wrong or statuses[0]


def _act(flags: argparse.Namespace) -> int:
    from experiment_utils.clusters.cluster import cluster_of

    if flags.action == "init":
        return _init(flags)
    cluster = cluster_of(Path(flags.what))
    if flags.action == "check":
        return _show(cluster.check())
    if flags.action == "up":
        return _up(cluster, flags.yes)
    if flags.action == "down":
        return _down(cluster)
    if flags.action == "status":
        print("\n".join(cluster.status()))
        return 0
    return _address(cluster)


def _init(flags: argparse.Namespace) -> int:
    from experiment_utils.clusters.templates import write_template

    path = flags.output or Path("clusters") / f"{flags.what}.yaml"
    write_template(flags.what, path)
    print(f"{path}: edit this file, then: python scripts/cluster.py check {path}")
    return 0


def _show(findings: "list[Finding]") -> int:
    widest = max(len(finding.about) for finding in findings)
    for finding in findings:
        print(f"{'wrong' if finding.problem else 'good':<5}  {finding.about:<{widest}}  {finding.facts}")
        if finding.problem:
            print(f"{'':<5}  {'':<{widest}}  {finding.problem}")
    return BAD_INPUT if any(finding.problem for finding in findings) else 0


def _up(cluster: "Cluster", yes: bool) -> int:
    if cluster.is_up():
        print(f"{cluster.name} is up")
        return 0
    status = _show(cluster.check())
    if status:
        return status
    print("\n".join(cluster.plan()))
    if not yes and not (sys.stdin.isatty() and input("Start it? [y/N] ").strip().lower() in ("y", "yes")):
        print("nothing was started (--yes says so beforehand)")
        return BAD_INPUT
    cluster.up()
    print("\n".join([f"{cluster.name} is up", *cluster.status()]))
    return 0


def _down(cluster: "Cluster") -> int:
    left = cluster.down()
    print("\n".join(["still there:", *left] if left else [f"{cluster.name} is down: nothing of it is left"]))
    return 1 if left else 0


def _address(cluster: "Cluster") -> int:
    from experiment_utils.clusters.state import token_file

    address = cluster.nodes().address()
    print(f"export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH={shlex.quote(str(token_file(cluster.name)))}")
    print(f"export RAY_ADDRESS={address}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
