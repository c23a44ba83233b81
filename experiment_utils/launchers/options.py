"""Where and how runs go: what a command line says of it, one record for all engines."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifelong_rl.config import ConfigError


@dataclass(frozen=True, kw_only=True)
class Options:
    """None where nothing was said. Each engine takes the fields that `OF_MODE` gives it, and `num_cpu`."""

    num_cpu: int = 1  # CPU slots of each run, and its threads
    num_gpu: int | None = None  # how many GPUs of this machine
    gpu_id: int | None = None  # the first of them
    exps_per_gpu: int = 1  # runs that share one at a time
    max_concurrent: int | None = None  # runs at a time, at most
    store: str | None = None  # where results come back, if folders are not shared: s3://bucket/prefix
    address: str | None = None  # of a running Ray cluster
    hosts: Path | None = None  # a YAML file made by scripts/cluster.py init
    partition: str | None = None
    time: str | None = None  # of each Slurm job: 4:00:00, or minutes
    gpus: int | None = None  # of each Slurm job
    mem: str | None = None  # of each Slurm job: 4G
    instance_type: str | None = None
    spot: bool = False
    max_price: float | None = None  # dollars an hour for one spot instance
    max_hours: float | None = None  # after which every instance ends itself
    num_instances: int | None = None

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults."""
        given = {name: value for name, value in dataclasses.asdict(self).items() if value != _DEFAULTS[name]}
        return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Options":
        known = {name: value for name, value in values.items() if name in _DEFAULTS}
        return cls(**known | ({"hosts": Path(known["hosts"])} if known.get("hosts") else {}))

    def check(self, mode: str) -> None:
        """Refuses what the engine of `mode` knows nothing of; names the mode that does."""
        for name in self.to_json():
            if name != "num_cpu" and name not in OF_MODE.get(mode, ()):
                fitting = [other for other, names in OF_MODE.items() if name in names]
                raise ConfigError(f"--{name} says nothing to --mode {mode}; it belongs to {', '.join(fitting)}.")


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Options)}
_GPUS = ("num_gpu", "gpu_id", "exps_per_gpu")
_EC2 = ("instance_type", "spot", "max_price", "max_hours", "num_instances")
OF_MODE: dict[str, tuple[str, ...]] = {
    "here": ("num_gpu", "gpu_id"),
    "local": ("num_gpu", "gpu_id"),
    "local_par": ("max_concurrent",),
    "multi_gpu": (*_GPUS, "max_concurrent"),
    "ray": ("address", "num_gpu", "exps_per_gpu", "max_concurrent", "store"),
    "ssh": ("hosts", "num_gpu", "exps_per_gpu", "max_concurrent", "store"),
    "ec2": (*_EC2, "hosts", "exps_per_gpu", "max_concurrent", "store"),
    "slurm": ("partition", "time", "gpus", "mem", "max_concurrent"),
    "sky": ("instance_type", "spot", "max_hours", "gpus", "store"),
}
