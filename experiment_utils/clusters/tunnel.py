"""A way from this machine's loopback to a cluster's head: one ssh process that outlives the command which opened it."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from experiment_utils.clusters.hosts import HostError, Login
from experiment_utils.clusters.state import state_folder
from experiment_utils.json_files import write_json

OPEN_SECONDS = 20.0


def open_tunnel(name: str, login: Login, head: str, target: str) -> int:
    """The port of 127.0.0.1 that leads to `target` (ADDRESS:PORT as the head sees it); a tunnel that stands is used."""
    path = _file(name)
    if path.exists():
        stands = json.loads(path.read_text(encoding="utf-8"))
        if stands["target"] == target and _is_ours(stands["pid"], name) and _listens(stands["port"]):
            return int(stands["port"])
        close_tunnel(name)
    port = _free_port()
    options = [*login.options(), "-o", "ExitOnForwardFailure=yes", "-o", f"SetEnv=LIFELONG_RL_TUNNEL={name}"]
    command = ["ssh", "-N", "-T", *options, "-L", f"127.0.0.1:{port}:{target}", "--", head]
    with (state_folder(name) / "tunnel.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + OPEN_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            said = (state_folder(name) / "tunnel.log").read_text(errors="replace").strip().splitlines()
            raise HostError(f"{head}: no tunnel to {target}: {said[-1] if said else 'ssh said nothing'}.")
        time.sleep(0.1)
    write_json(path, {"pid": process.pid, "port": port, "target": target})
    return port


def close_tunnel(name: str) -> None:
    """If one stands."""
    path = _file(name)
    if not path.exists():
        return
    pid = json.loads(path.read_text(encoding="utf-8"))["pid"]
    if _is_ours(pid, name):
        os.kill(pid, signal.SIGTERM)
    path.unlink()


def _file(name: str) -> Path:
    return state_folder(name) / "tunnel.json"


def _is_ours(pid: int, name: str) -> bool:
    """Whether the number still is the tunnel's, and not another program's."""
    command = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return f"LIFELONG_RL_TUNNEL={name}" in command.stdout.split()[:40]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
