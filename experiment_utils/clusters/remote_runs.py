"""Run directories of one experiment on the hosts of a cluster, in FOLDER/runs: sent there, and brought back.

Every host is sent every run, since any may be given it. Of two versions of a file the newer one counts.
"""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.clusters.hosts import HostError, on_all
from experiment_utils.clusters.nodes import Nodes
from experiment_utils.run_directory import RunDirectory


class RemoteRuns:
    """What `run_dirs` of `experiment_dir` are to the hosts of `nodes`."""

    def __init__(self, nodes: Nodes, experiment_dir: Path, run_dirs: Sequence[Path]) -> None:
        self._nodes = nodes
        self._here = f"{experiment_dir.absolute()}/"
        self._run_dirs = run_dirs
        self._folder = Path("runs") / experiment_dir.name  # from FOLDER, where Ray's processes have their place
        self._lock = threading.Lock()

    def path_of(self, run_dir: Path) -> Path:
        """By which a process of the cluster knows it."""
        return self._folder / run_dir.name

    def send(self) -> None:
        """To every host; runs that were stopped there once may go on."""
        nodes, names = self._nodes, [path.name for path in self._run_dirs]
        folder = f"{nodes.folder}/{self._folder}"
        on_all(nodes.hosts, lambda host: nodes.login.ask(host, nodes.python, "allow", folder=folder, names=names))
        self._send(names)

    def send_stops(self) -> None:
        """Word to each run that is to end."""
        files = [RunDirectory(path).stop_file for path in self._run_dirs]
        stopped = [f"{file.parent.name}/{file.name}" for file in files if file.exists()]
        if stopped:
            self._send(stopped)

    def fetch(self, run_dirs: Sequence[Path]) -> None:
        """These, from every host that answers."""
        names = [path.name for path in run_dirs]
        with self._lock:
            on_all(self._nodes.hosts, lambda host: self._fetch_from(host, names))

    def _send(self, names: list[str]) -> None:
        with self._lock:
            login = self._nodes.login
            on_all(self._nodes.hosts, lambda host: login.synchronize(host, self._here, self._there(host), names))

    def _fetch_from(self, host: str, names: list[str]) -> None:
        try:
            self._nodes.login.synchronize(host, self._there(host), self._here, names, leaving_out="/*/STOP")
        except HostError as error:
            print(f"results were not fetched: {error}", file=sys.stderr, flush=True)

    def _there(self, host: str) -> str:
        return f"{host}:{self._nodes.folder.removeprefix('~/')}/{self._folder}/"
