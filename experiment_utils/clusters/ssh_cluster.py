"""A cluster of hosts that are there already: lab workstations, a department's servers."""

import sys
from pathlib import Path
from typing import Any

from experiment_utils.clusters.cluster import Finding
from experiment_utils.clusters.config import SshCluster
from experiment_utils.clusters.hosts import HostError, Login, on_all
from experiment_utils.clusters.nodes import Nodes
from experiment_utils.clusters.shipping import ship_code
from experiment_utils.clusters.versions import version_of
from lifelong_rl.config import ConfigError


class SshHosts:
    """See `Cluster`."""

    def __init__(self, config: SshCluster) -> None:
        self.name = config.name
        self._config = config
        login = Login(port=config.port, identity=config.identity, known_hosts=config.known_hosts)
        self._nodes = Nodes(
            name=config.name, hosts=config.hosts, login=login, python=config.python, folder=config.folder,
            first_port=config.first_port,
        )  # fmt: skip

    def check(self) -> list[Finding]:
        for field, value in (("identity", self._config.identity), ("known_hosts", self._config.known_hosts)):
            if value is not None and not Path(value).expanduser().is_file():
                raise ConfigError(f"{field}: {value} is not a file here.")
        return on_all(self._config.hosts, self._finding)

    def plan(self) -> list[str]:
        config = self._config
        others = f", workers {', '.join(config.hosts[1:])}" if len(config.hosts) > 1 else ", which also works"
        ports = f"ports {config.first_port} to {config.first_port + 399}"
        listening = f"{ports}, token needed" if len(config.hosts) > 1 else f"{ports} of its loopback alone"
        return [f"Ray on {len(config.hosts)} hosts: head {config.hosts[0]}{others}; {listening}; costs nothing here"]

    def is_up(self) -> bool:
        return all(self._nodes.running().values())

    def up(self) -> None:
        if not self.is_up():
            self._nodes.start(ship_code(self._nodes))

    def down(self) -> list[str]:
        return self._nodes.stop()

    def status(self) -> list[str]:
        return [f"{host}: {count} processes" for host, count in self._nodes.running().items()]

    def nodes(self) -> Nodes:
        return self._nodes

    def _finding(self, host: str) -> Finding:
        try:
            seen = self._nodes.look(host)
        except HostError as error:
            return Finding(about=host, facts="not reachable", problem=str(error).removeprefix(f"{host}: "))
        gpus = f"{len(seen['gpus'])} GPUs" if seen["gpus"] else "no GPU"
        facts = f"Python {seen['python']}, {seen['disk_gb']:.0f} GB free, {seen['cpus']} CPUs, {gpus}"
        facts += f", torch {seen['torch']}, ray {seen['ray']}"
        return Finding(about=host, facts=facts, problem=self._problem(seen))

    def _problem(self, seen: dict[str, Any]) -> str:
        ours, python = ".".join(map(str, sys.version_info[:2])), seen["executable"]
        theirs, ray = ".".join(seen["python"].split(".")[:2]), version_of("ray")
        if not seen["system"].startswith("linux"):
            return f"runs {seen['system']}; hosts must run Linux"
        if theirs != ours:
            return f"`python` must be a Python {ours}, as here, because Ray wants it so; {python} is {seen['python']}"
        if seen["torch"] is None:
            return f"no torch for {python}: install lifelong_rl there (pip install lifelong_rl[ray] from a checkout)"
        if seen["ray"] != ray:
            return f"has ray {seen['ray']}, but here is {ray}; there: {python} -m pip install 'ray[client]=={ray}'"
        if not seen["writable"] or seen["disk_gb"] < self._config.min_disk_gb:
            return f"`folder` {self._config.folder} must be writable, with {self._config.min_disk_gb:g} GB free"
        if not seen["rsync"]:
            return "no rsync: apt-get install rsync (results come back by it)"
        if seen["busy_ports"] and not seen["marked"]:
            return f"port {seen['busy_ports'][0]} is taken there: change `first_port`"
        return ""
