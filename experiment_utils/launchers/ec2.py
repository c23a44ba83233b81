"""Runs on EC2 instances that are started for them: spot workers, and a head on demand."""

from typing import Any, ClassVar, Literal

from experiment_utils.clusters.config import read_ec2
from experiment_utils.clusters.quotas import family_of
from experiment_utils.launchers.ssh import SshLauncher

OF_FILE = ("instance_type", "max_price", "max_hours", "num_instances")  # flags that are fields of the file too


class Ec2Launcher(SshLauncher):
    """The instances go on after the last run, until `scripts/cluster.py down` or their `max_hours`."""

    mode: ClassVar[str] = "ec2"
    kind: ClassVar[Literal["ssh", "ec2"]] = "ec2"

    def _gpu_share(self) -> float:
        """Workers with GPUs are taken for their GPUs."""
        kind = self._changes().get("instance_type") or read_ec2(self._file).instance_type
        return 0.0 if family_of(kind) == "standard" else 1 / self._options.exps_per_gpu

    def _changes(self) -> dict[str, Any]:
        said = {name: value for name in OF_FILE if (value := getattr(self._options, name)) is not None}
        return said | ({"spot": True} if self._options.spot else {})
