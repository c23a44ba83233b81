"""The flags of `--search`. They are `SearchSpec`'s fields; a study's spec is frozen when it begins."""

import argparse
from collections.abc import Callable
from typing import Any

from lifelong_rl.config import ConfigError

METRIC, NUM_TRIALS = "evaluation/multi/success_rate", 20
OF_SPEC = ("metric", "direction", "last", "num_trials", "seed", "budget", "reduction", "min_budget")  # --search_seed


def add_search_flags(parser: argparse.ArgumentParser, count: Callable[[str], int]) -> None:
    """What a search reads; `count` reads a whole number from 1 up."""
    add = parser.add_argument_group("search, where swept values may be ranges: log_uniform(1e-5, 1e-3)").add_argument
    add("--search", metavar="METHOD", help="random, tpe (Bayesian) or halving (more epochs for the better ones)")
    add("--metric", metavar="NAME", help=f"a key of metrics.jsonl; default: {METRIC}")
    add("--direction", metavar="max|min", help="default: max")
    add("--last", type=count, metavar="K", help="compare the mean of the last K values of the metric; default: 1")
    add("--num_trials", type=count, metavar="N", help=f"default: {NUM_TRIALS}; more may be added later")
    add("--slots", type=count, metavar="N", help="trials at a time; default: 1")
    add("--search_seed", type=int, metavar="N", help="of what draws the values; default: 0")
    add("--budget", metavar="PATH", help="halving: what to give little of at first, e.g. phases.0.num_epochs")
    add("--reduction", type=count, metavar="N", help="halving: the best of N go on, with N times more; default: 3")
    add("--min_budget", type=count, metavar="N", help="halving: what every trial gets at least; default: 1")


def given_of(flags: argparse.Namespace) -> dict[str, Any]:
    """The fields of a spec that the flags name."""
    values = vars(flags)
    named = {name: values["search_seed" if name == "seed" else name] for name in OF_SPEC}
    given = {name: value for name, value in named.items() if value is not None}
    if flags.search is None and (given or flags.slots is not None):
        raise ConfigError(f"--{next(iter(given), 'slots')} is for a search: say --search METHOD.")
    return {"metric": METRIC, "num_trials": NUM_TRIALS, **given}
