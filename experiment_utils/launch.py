"""The command line of every run script: expand the sweep, check every point, write the run directories, submit them."""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from experiment_utils.flags import DEFAULT_PRESET, Script, parse_flags, settings_of
from experiment_utils.launchers import LAUNCHERS
from experiment_utils.threads import set_threads
from lifelong_rl.config import ConfigError, resolve
from lifelong_rl.config_paths import path_keys

BAD_INPUT = 2


def launch(
    *, variant: Mapping[str, Any], sweep_values: Mapping[str, Sequence[Any]] | None = None,
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
    from experiment_utils import plan, summary

    variant, settings = script.variants[flags.preset], settings_of(flags)
    grid, seeds = _grid_and_seeds(script, flags, settings, variant)
    settings = [setting for setting in settings if setting[0] != "seed"]
    runs = plan.make_plan(
        resolve(f"{script.config_module}:ExperimentConfig"), variant, grid=grid, seeds=seeds, settings=settings,
        experiment_dir=flags.data_dir / flags.exp_name, prefix="" if flags.preset == DEFAULT_PRESET else flags.preset,
    )  # fmt: skip
    if flags.dry_run:
        print(summary.table(runs))
        return 0

    resources = plan.resources(flags.num_gpu, flags.gpu_id, flags.exps_per_gpu)
    todo = [run for run in runs if run.is_to_run]
    for run in runs:
        if not run.is_to_run:
            print(f"skipped, already {run.state}: {run.directory.path}")
    if not _agreed(len(todo), flags.yes):
        print("nothing was started")
        return 0
    plan.prepare(todo, {"config_module": script.config_module, "preset": flags.preset, "exp_name": flags.exp_name})

    launcher = resolve(LAUNCHERS[flags.mode])(resources)
    stopped = launcher.submit([run.directory.path for run in todo])
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
            print(f"{path} = {value} replaces its sweep over {list(grid.pop(swept))}")

    of_grid = grid.pop("seed", None)
    said = [value for path, value in settings if path == "seed"]
    if flags.seeds is not None or flags.num_seeds is not None:
        if said:
            raise ConfigError("--seeds and -s seed=... say the same thing: give one of them.")
        return grid, flags.seeds if flags.seeds is not None else range(flags.num_seeds)
    return grid, said[-1:] or of_grid or [variant.get("seed", 0)]


def _same_path(path: str, grid: Mapping[str, Any]) -> str | None:
    return next((other for other in grid if path_keys(other) == path_keys(path)), None)


def _agreed(num_runs: int, yes: bool) -> bool:
    if num_runs < 2 or yes:
        return True
    if not sys.stdin.isatty():
        print(f"starting {num_runs} runs (no terminal to ask in; --yes says so beforehand)", flush=True)
        return True
    return input(f"Start {num_runs} runs? [y/N] ").strip().lower() in ("y", "yes")
