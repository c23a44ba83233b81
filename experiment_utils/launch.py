"""The command line of every run script: expand the sweep, check every point, write the run directories, submit them."""

import argparse
import dataclasses
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from experiment_utils.flags import DEFAULT_PRESET, Script, options_of, parse_flags, settings_of
from experiment_utils.launchers import launcher_of
from experiment_utils.search_space import shown
from experiment_utils.threads import set_threads
from lifelong_rl.config import ConfigError, resolve
from lifelong_rl.config_paths import path_keys

BAD_INPUT = 2


def launch(
    *, variant: Mapping[str, Any], sweep_values: Mapping[str, Any] | None = None,
    presets: Mapping[str, Mapping[str, Any]] | None = None, description: str | None = None, exp_name: str,
    config_module: str = "experiment_configs",
) -> NoReturn:  # fmt: skip
    """Does what the command line says, then exits.

    `variant` is the preset "cpu" and `presets` are further whole variants. `config_module` has an `ExperimentConfig`
    with a field `seed`, and `build(config, run_dir)` that returns something to `train()`.
    """
    script = Script(
        variant=variant, sweep_values=sweep_values or {}, presets=presets or {}, description=description,
        exp_name=exp_name, config_module=config_module,
    )  # fmt: skip
    sys.exit(run_command(script, sys.argv[1:]))


def run_command(script: Script, argv: Sequence[str]) -> int:
    """The exit status: 0 all finished, 1 some failed, 2 bad input (seen beforehand: nothing is written), 130 Ctrl-C."""
    try:
        flags = parse_flags(script, argv, program=sys.argv[0])
        if not re.fullmatch(r"\w[\w.-]{0,79}", flags.exp_name, re.ASCII):
            raise ConfigError(f"--exp_name must be letters, digits, '.', '_' and '-', got {flags.exp_name!r}.")
        return _launch(script, flags)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nstopped before anything ran", file=sys.stderr)
        return 130


def _launch(script: Script, flags: argparse.Namespace) -> int:
    # Imported here: -h should be quick, and threads must be set before torch comes in with the experiment.
    set_threads(flags.num_cpu or 1)
    from experiment_utils import plan, submit, summary

    variant, settings = script.variants[flags.preset], settings_of(flags)
    grid, seeds = _grid_and_seeds(script, flags, settings, variant)
    settings = [setting for setting in settings if setting[0] != "seed"]
    if flags.search is not None:
        from experiment_utils.search_command import search_command

        return search_command(script, flags, variant=variant, settings=settings, grid=grid, seeds=seeds, agreed=_agreed)
    runs = plan.make_plan(
        resolve(f"{script.config_module}:ExperimentConfig"), variant, grid=grid, seeds=seeds, settings=settings,
        experiment_dir=flags.data_dir / flags.exp_name, prefix="" if flags.preset == DEFAULT_PRESET else flags.preset,
    )  # fmt: skip
    options = dataclasses.replace(options_of(flags), num_cpu=flags.num_cpu or plan.most_threads(runs))
    launcher = launcher_of(flags.mode, options)
    todo = [run for run in runs if run.is_to_run]
    paths = [run.directory.path for run in todo]
    if flags.dry_run:
        print(summary.table(runs, launcher.plan(paths) if todo else []))
        return 0

    launcher.check()
    for line in summary.not_to_run(runs):
        print(line)
    if not _agreed(launcher.plan(paths) if todo else [], len(todo), flags.yes):
        print("nothing was started")
        return 0
    about = {"config_module": script.config_module, "preset": flags.preset, "exp_name": flags.exp_name}
    stopped = submit.submit(todo, about, flags.mode, options, detach=flags.detach) if todo else 0
    if stopped is None:
        print(f"the runs go on by themselves: python scripts/sweep.py status {flags.data_dir / flags.exp_name}")
        return 0
    ended = summary.report(todo, stopped)
    return stopped or ended


def _grid_and_seeds(
    script: Script, flags: argparse.Namespace, settings: list[tuple[str, Any]], variant: Mapping[str, Any]
) -> tuple[dict[str, Sequence[Any]], Sequence[int]]:
    """What is swept after the flags had their say; a flag about a swept path replaces the sweep of that path."""
    grid = dict(script.sweep_values)
    for path, values in flags.sweep:
        grid[_same_path(path, grid) or path] = values
    for path, value in settings:
        swept = _same_path(path, grid)
        if swept is not None:
            print(f"{path} = {value} replaces its sweep over {shown(grid.pop(swept))}")

    of_grid = grid.pop("seed", None)
    said = [value for path, value in settings if path == "seed"]
    if flags.seeds is not None or flags.num_seeds is not None:
        if said:
            raise ConfigError("--seeds and -s seed=... say the same thing: give one of them.")
        return grid, flags.seeds if flags.seeds is not None else range(flags.num_seeds)
    return grid, said[-1:] or of_grid or [variant.get("seed", 0)]


def _same_path(path: str, grid: Mapping[str, Any]) -> str | None:
    return next((other for other in grid if path_keys(other) == path_keys(path)), None)


def _agreed(plan: Sequence[str], num_runs: int, yes: bool) -> bool:
    if num_runs < 2:
        return True
    print("\n".join(plan), flush=True)
    if yes:
        return True
    if not sys.stdin.isatty():
        print(f"starting {num_runs} runs (no terminal to ask in; --yes says so beforehand)", flush=True)
        return True
    return input(f"Start {num_runs} runs? [y/N] ").strip().lower() in ("y", "yes")
