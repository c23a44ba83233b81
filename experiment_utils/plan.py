"""Which runs a command stands for, which of them are still to run, and their directories."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment_utils.launchers.launcher import Resources
from experiment_utils.provenance import provenance
from experiment_utils.run_directory import RunDirectory, find_runs
from experiment_utils.sweep import Point, Setting, expand
from lifelong_rl.config import ConfigError


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A point of the sweep, where its run lives, and how far that has come ("new" where it has not begun)."""

    point: Point
    directory: RunDirectory
    state: str

    @property
    def is_to_run(self) -> bool:
        return self.state not in ("finished", "running")


def make_plan(
    config_class: type, variant: Mapping[str, Any], *, grid: Mapping[str, Sequence[Any]], seeds: Sequence[int],
    settings: Sequence[Setting], experiment_dir: Path, prefix: str,
) -> list[PlannedRun]:  # fmt: skip
    """Every run, checked; reads the disk and writes nothing."""
    points = expand(config_class, variant, sweep_values=grid, seeds=seeds, settings=settings)
    directories = find_runs(experiment_dir, points, prefix)
    return [
        PlannedRun(point=point, directory=directory, state=_state(directory))
        for point, directory in zip(points, directories, strict=True)
    ]


def prepare(runs: Sequence[PlannedRun], about: Mapping[str, Any]) -> None:
    """Writes `variant.json`, `run.json` and `status.json` of runs that are about to be submitted."""
    origin = provenance() if runs else {}
    try:
        for run in runs:
            run.directory.write("variant.json", run.point.variant)
            run.directory.write("run.json", {**about, "swept": run.point.swept, "seed": run.point.seed, **origin})
            run.directory.write_status("queued")
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}.") from None


def resources(num_gpu: int | None, gpu_id: int | None, exps_per_gpu: int) -> Resources:
    """The GPUs that the flags mean, of those that this process may see."""
    if not num_gpu and gpu_id is None:
        if exps_per_gpu > 1:
            raise ConfigError("--exps_per_gpu needs --num_gpu.")
        return Resources()
    first, count = gpu_id or 0, 1 if num_gpu is None else num_gpu
    if count == 0:
        raise ConfigError("--gpu_id needs a --num_gpu of at least 1.")
    import torch  # slow to import, and only GPUs need it here

    num_present = torch.cuda.device_count()
    if first + count > num_present:
        raise ConfigError(f"GPUs {first} to {first + count - 1} were asked for, but this machine shows {num_present}.")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(num_present)]
    return Resources(gpus=tuple(names[first : first + count]), exps_per_gpu=exps_per_gpu)


def _state(directory: RunDirectory) -> str:
    status = directory.status
    if status is None:
        return "new"
    if status.state == "running" and not directory.is_held():
        return "interrupted"  # its process died without a word
    return status.state
