"""What a run script does with `--search METHOD`: check all of it, say what it will be, then drive the study."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiment_utils.flags import DEFAULT_PRESET, Script, options_of
from experiment_utils.launchers import launcher_of
from experiment_utils.search import Study
from experiment_utils.search_driver import drive
from experiment_utils.search_flags import given_of
from experiment_utils.search_spec import SearchSpec
from experiment_utils.sweep import Setting
from lifelong_rl.config import ConfigError

SOME_FAILED = 1


def search_command(
    script: Script, flags: argparse.Namespace, *, variant: Mapping[str, Any], settings: Sequence[Setting],
    grid: Mapping[str, Any], seeds: Sequence[int], agreed: Callable[[Sequence[str], int, bool], bool],
) -> int:  # fmt: skip
    """The exit status: 0 all trials have a value, 1 some failed, 130 Ctrl-C. Prints the table, the best first."""
    if len(seeds) != 1:
        raise ConfigError(f"a search runs one seed a trial, got {list(seeds)}: more seeds for the best, afterwards.")
    spec = SearchSpec(
        space=grid, method=flags.search, variant=variant, settings=settings, run_seed=seeds[0],
        config_module=script.config_module, prefix="" if flags.preset == DEFAULT_PRESET else flags.preset,
        **given_of(flags),
    )  # fmt: skip
    study = Study(spec, flags.data_dir / flags.exp_name)
    num_cpu = flags.num_cpu or int(spec.example.variant.get("num_threads") or 1)
    options = dataclasses.replace(options_of(flags), num_cpu=num_cpu)
    plan = [*spec.plan(), *launcher_of(flags.mode, options).plan([study.experiment_dir / "TRIAL"])]
    if flags.dry_run:
        print("\n".join([*plan, "nothing was written."]))
        return 0

    launcher_of(flags.mode, options).check()
    if not agreed(plan, spec.num_trials, flags.yes):
        print("nothing was started")
        return 0
    about = {"config_module": script.config_module, "preset": flags.preset, "exp_name": flags.exp_name}
    stopped = drive(study, about, flags.mode, options, flags.slots or 1)
    print(study.table())
    return stopped or (SOME_FAILED if any(trial.error is not None for trial in study.trials) else 0)
