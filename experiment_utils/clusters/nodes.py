"""A Ray cluster on hosts that ssh reaches: its nodes started, seen, reached through a tunnel, and ended.

Not by Ray's own launcher (`ray up`): its provider `local` knows no SSH port, turns host key checking off, copies the
private key to the head, and ends a cluster with `ray stop`, which ends every Ray of the machine, other people's too.
On AWS it gives the head AmazonEC2FullAccess. Here each host runs one `ray start --block`, and just that is ended.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment_utils.clusters.hosts import HostError, Login, on_all
from experiment_utils.clusters.state import state_folder, token_file
from experiment_utils.clusters.tunnel import close_tunnel, open_tunnel
from experiment_utils.json_files import write_json
from lifelong_rl.config import ConfigError

LOOPBACK = "127.0.0.1"
START_SECONDS = 120
STOP_SECONDS = 120  # for the snapshots of runs
NUM_PORTS = 400  # of a node, all of them from `first_port` up
FIXED = (
    "port", "dashboard-port", "ray-client-server-port", "node-manager-port", "object-manager-port",
    "dashboard-agent-listen-port", "dashboard-agent-grpc-port", "runtime-env-agent-port", "metrics-export-port",
)  # fmt: skip
OBJECT_STORE_BYTES = 100 << 20  # a run hands Ray no more than its exit status
OF_HEAD = ("port", "dashboard-port", "ray-client-server-port")


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The hosts of one cluster; the first is the head."""

    name: str
    hosts: tuple[str, ...]
    login: Login
    python: str
    folder: str
    first_port: int

    @property
    def head(self) -> str:
        return self.hosts[0]

    def look(self, host: str) -> dict[str, Any]:
        """What on_host.py sees there."""
        ports = [self.first_port + index for index in range(len(FIXED))]
        return self.login.ask(host, self.python, "look", folder=self.folder, mark=self._mark(host), ports=ports)

    def ship(self, archive: Path, key: str) -> None:
        """The code, to FOLDER/code/KEY of every host."""

        def send(host: str) -> None:
            named = f"{key}.{_label(host)}.tar"
            self.login.ask(host, self.python, "make_folder", folder=f"{self.folder}/code")
            self.login.copy(host, archive, f"{self.folder}/{named}")
            self.login.ask(host, self.python, "unpack", seconds=300, folder=self.folder, archive=named, key=key)

        on_all(self.hosts, send)

    def start(self, key: str) -> None:
        """The nodes that are missing; without its head, or with one that listens elsewhere, all of them anew."""
        seen = on_all(self.hosts, self.look)
        addresses = [str(one["address"]) for one in seen] if len(seen) > 1 else [LOOPBACK]  # it listens to nobody else
        head = {"host": self.head, "address": addresses[0]}
        missing = [index for index, one in enumerate(seen) if not one["marked"]]
        if 0 in missing or self._known_head() != head:
            self.stop()
            missing = list(range(len(seen)))
        write_json(self._head_file, head)
        token = token_file(self.name).read_text(encoding="utf-8")

        def start_one(index: int) -> None:
            host, is_head = self.hosts[index], index == 0
            self.login.ask(
                host, self.python, "start", seconds=START_SECONDS + 30, patience=START_SECONDS, folder=self.folder,
                node=self._node(host), mark=self._mark(host), temporary=self._temporary(host), token=token, key=key,
                arguments=self._arguments(addresses[index], None if is_head else addresses[0], self._temporary(host)),
            )  # fmt: skip

        try:
            on_all([index for index in missing if index == 0], start_one)  # the others join it
            on_all([index for index in missing if index != 0], start_one)
        except HostError:
            self.stop()
            raise

    def address(self) -> str:
        """What Ray is told here; the way leads through a tunnel."""
        head = self._known_head().get("address")
        if head is None:
            raise ConfigError(f"cluster {self.name} is not up. Start it with: python scripts/cluster.py up FILE")
        port = self.first_port + FIXED.index("ray-client-server-port")
        return f"ray://127.0.0.1:{open_tunnel(self.name, self.login, self.head, f'{head}:{port}')}"

    def running(self) -> dict[str, int]:
        """How many processes of the cluster live on each host."""
        return dict(zip(self.hosts, on_all(self.hosts, lambda host: int(self.look(host)["marked"])), strict=True))

    def stop(self) -> list[str]:
        """Ends it, runs with a snapshot; what is still there afterwards, as lines."""

        def stop_one(host: str) -> list[str]:
            try:
                answer = self.login.ask(
                    host, self.python, "stop", seconds=STOP_SECONDS + 60, patience=STOP_SECONDS, folder=self.folder,
                    node=self._node(host), mark=self._mark(host), temporary=self._temporary(host),
                )  # fmt: skip
            except HostError as error:  # nobody knows what runs there
                return [str(error)]
            return [f"{host}: process {line}" for line in answer["left"]]

        close_tunnel(self.name)
        self._head_file.unlink(missing_ok=True)
        return [line for lines in on_all(self.hosts, stop_one) for line in lines]

    @property
    def _head_file(self) -> Path:
        return state_folder(self.name) / "head.json"

    def _known_head(self) -> dict[str, str]:
        """Where `start` put it; empty before."""
        path = self._head_file
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def _mark(self, host: str) -> str:
        return f"{self.name}:{_label(host)}"

    def _node(self, host: str) -> str:
        return f"{self.name}-{_label(host)}"  # by host, because homes may be shared

    def _temporary(self, host: str) -> str:
        """Short: the path of a Unix socket in it has at most 107 characters."""
        return f"/tmp/lrl-{hashlib.sha256(f'{self.folder} {self._mark(host)}'.encode()).hexdigest()[:12]}"

    def _arguments(self, address: str, head: str | None, temporary: str) -> list[str]:
        """What `ray start` is told; `head` is None for the head itself."""
        ports = {flag: self.first_port + index for index, flag in enumerate(FIXED)}
        words = ["--head"] if head is None else [f"--address={head}:{ports['port']}"]
        words += [f"--{flag}={port}" for flag, port in ports.items() if head is None or flag not in OF_HEAD]
        words += [f"--min-worker-port={self.first_port + len(FIXED)}"]
        words += [f"--max-worker-port={self.first_port + NUM_PORTS - 1}", f"--node-ip-address={address}"]
        words += [f"--temp-dir={temporary}", f"--object-store-memory={OBJECT_STORE_BYTES}"]
        return [*words, *(["--dashboard-host=127.0.0.1"] if head is None else [])]


def _label(host: str) -> str:
    return host.replace("@", "-at-")
