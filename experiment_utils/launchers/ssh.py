"""Runs on hosts that ssh reaches: Ray is started there if it is not, runs are sent and their results come back."""

import functools
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from experiment_utils.clusters.cluster import Cluster, cluster_of
from experiment_utils.clusters.remote_runs import RemoteRuns
from experiment_utils.clusters.shipping import ship_code
from experiment_utils.clusters.state import token_file
from experiment_utils.launchers.ray_pool import RayLauncher
from experiment_utils.submissions import Submission
from lifelong_rl.config import ConfigError

FETCH_SECONDS = 30.0


class SshLauncher(RayLauncher):
    """On the hosts of the file `options.hosts`; the cluster stays up afterwards, until `scripts/cluster.py down`."""

    mode: ClassVar[str] = "ssh"
    kind: ClassVar[Literal["ssh", "ec2"]] = "ssh"

    def check(self) -> None:
        super().check()
        for finding in self._machines.check():
            if finding.problem:
                raise ConfigError(f"{finding.about}: {finding.problem}.")

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        return [*super().plan(run_dirs), *self._machines.plan()]

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> int:
        self._machines.up()
        nodes = self._machines.nodes()
        self._code = f"code/{ship_code(nodes)}"
        self._remote = RemoteRuns(nodes, submission.experiment_dir, run_dirs)
        self._remote.send()
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(token_file(self._machines.name))
        self._address = nodes.address()
        ended = threading.Event()
        fetching = threading.Thread(target=self._keep_fetching, args=(ended,))
        fetching.start()
        try:
            return super().submit(run_dirs, submission)
        finally:
            ended.set()
            fetching.join()
            self._remote.fetch(run_dirs)

    def _cluster(self) -> dict[str, Any]:
        return {"address": self._address}

    def _path_there(self, path: Path) -> Path:
        return Path(self._remote.path_of(path))

    def _task_options(self) -> dict[str, Any]:
        return {"runtime_env": {"env_vars": {"PYTHONPATH": self._code}}}

    def _ended(self) -> list[tuple[Path, int | None]]:
        ended = super()._ended()
        if ended:
            self._remote.fetch([path for path, _ in ended])
        return ended

    def _place(self) -> str:
        return f"cluster {self._machines.name}"

    @functools.cached_property
    def _machines(self) -> Cluster:
        return cluster_of(self._file, self.kind, self._changes())

    @property
    def _file(self) -> Path:
        if self._options.hosts is None:
            make = f"python scripts/cluster.py init {self.kind} --output clusters/lab.yaml"
            raise ConfigError(f"--mode {self.mode} needs --hosts FILE; make one with: {make}")
        return self._options.hosts

    def _changes(self) -> dict[str, Any]:
        """What flags say in place of the file."""
        return {}

    def _keep_fetching(self, ended: threading.Event) -> None:
        while not ended.wait(FETCH_SECONDS):
            self._remote.send_stops()
            self._remote.fetch(list(self._running.values()))
