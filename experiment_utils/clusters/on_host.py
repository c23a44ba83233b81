"""What is done on a host: looked at, code unpacked, Ray's node started and ended. Standard library only, Python 3.8 up.

`hosts.ask` sends this file through ssh to the host's own `python -`, followed by one call of `main` with a request in
JSON: nothing of a request ever passes through a shell, and the token stands in no command line.
A node's processes, and all that they start, bear a mark in their environment. By it they are found and ended.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

MARK = "LIFELONG_RL_CLUSTER"
JOB = "experiment_utils.job"
OF_RAY = re.compile(r"^ray::|\bray[./]")  # workers, and programs that stand in Ray's own folder
KILL_SECONDS = 5  # after which Ray need not be asked again
STARTED = "Ray runtime started"


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Facts that `check` judges."""
    folder = Path(request["folder"]).expanduser()
    existing: Path = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return {
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "executable": sys.executable,
        "system": sys.platform,
        "disk_gb": shutil.disk_usage(str(existing)).free / 1e9,
        "writable": os.access(str(existing), os.W_OK),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpus": _gpus(),
        "rsync": shutil.which("rsync") is not None,
        "torch": _version_of("torch"),
        "ray": _version_of("ray"),
        "address": _own_address(),
        "busy_ports": [port for port in request["ports"] if _is_listening(port)],
        "marked": len(_marked(request["mark"])),
    }


def unpack(request: dict[str, Any]) -> dict[str, Any]:
    """The archive's files into FOLDER/code/KEY, whole or not at all; several hosts may share FOLDER."""
    folder = Path(request["folder"]).expanduser().absolute()
    archive, code = folder / request["archive"], folder / "code" / request["key"]
    if not code.exists():
        new = code.with_name(f".{archive.name}")
        with tarfile.open(str(archive)) as file:
            file.extractall(str(new), filter="data")
        try:
            new.rename(code)
        except OSError:  # another host was faster
            shutil.rmtree(str(new))
    archive.unlink()
    return {"code": str(code)}


def make_folder(request: dict[str, Any]) -> dict[str, Any]:
    """Where all of this goes."""
    folder = Path(request["folder"]).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return {"folder": str(folder.absolute())}


def allow(request: dict[str, Any]) -> dict[str, Any]:
    """Takes back the word of an earlier submission that these runs are to stop."""
    for name in request["names"]:
        path = Path(request["folder"]).expanduser() / name / "STOP"
        if path.exists():
            path.unlink()
    return {}


def start(request: dict[str, Any]) -> dict[str, Any]:
    """Ray's node of this host, in a session of its own and in FOLDER, from where paths count; returns when it runs."""
    folder = Path(request["folder"]).expanduser().absolute()
    state, temporary = folder / "ray" / request["node"], Path(request["temporary"])
    state.mkdir(parents=True, exist_ok=True)
    temporary.mkdir(mode=0o700, exist_ok=True)
    if temporary.stat().st_uid != os.getuid():
        return {"error": f"{temporary} belongs to another user; remove it or rename the cluster"}
    token, log = state / "token", state / "node.log"
    token.unlink() if token.exists() else None
    with os.fdopen(os.open(str(token), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(request["token"])

    # SPT_NOENV: a process that renames itself, as Ray's do, must leave its environment readable.
    environment = {
        **os.environ, MARK: request["mark"], "PYTHONPATH": "code/" + request["key"], "SPT_NOENV": "1",
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0", "RAY_kill_child_processes_on_worker_exit": "0",  # as launchers/ray_settings.py
        "RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper": "0",
        "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "120",  # on a busy host its 30 seconds are too few
    }  # fmt: skip
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *request["arguments"]]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
            cwd=str(folder), start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + request["patience"]
    while time.monotonic() < deadline:
        if STARTED in log.read_text(errors="replace"):
            return {"pid": process.pid}
        if process.poll() is not None:
            break
        time.sleep(0.2)
    return {"error": f"Ray did not start (see {log} there): {_last_line(log)}", "pid": process.pid}


def read_state(request: dict[str, Any]) -> dict[str, Any]:
    """How far an instance's start script has come."""
    folder = Path(request["folder"])
    state, log = folder / "state", folder / "start.log"
    return {
        "state": state.read_text().strip() if state.exists() else "starting",
        "last": _last_line(log) if log.exists() else "its start script has not begun",
    }


def stop(request: dict[str, Any]) -> dict[str, Any]:
    """Ends what bears the mark: Ray at once, so that nothing new begins; runs may take their snapshots first."""
    mark, state = request["mark"], Path(request["folder"]).expanduser() / "ray" / request["node"]
    begun, asked = time.monotonic(), set()
    while _marked(mark) and time.monotonic() < begun + request["patience"] + KILL_SECONDS:
        seconds = time.monotonic() - begun
        for pid in _marked(mark):
            is_of_ray = bool(OF_RAY.search(_command_of(pid)))
            if seconds > (KILL_SECONDS if is_of_ray else request["patience"]):
                _send(pid, signal.SIGKILL)
            elif pid not in asked and (is_of_ray or JOB in _command_of(pid)):
                _send(pid, signal.SIGTERM)
                asked.add(pid)
        time.sleep(0.2)
    left = _marked(mark)
    if not left:
        shutil.rmtree(request["temporary"], ignore_errors=True)
        shutil.rmtree(str(state), ignore_errors=True)
    return {"ended": len(asked), "left": [f"{pid} {_command_of(pid)[:80]}" for pid in left]}


def _marked(mark: str) -> list[int]:
    """Processes of this user that were started with the mark, but not this one."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0") and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:400]
    except OSError:
        return "(ended)"


def _own_address() -> str:
    """By which address the caller came; other hosts reach this one by it too."""
    return os.environ.get("SSH_CONNECTION", "").split(" ")[2] if "SSH_CONNECTION" in os.environ else "127.0.0.1"


def _gpus() -> list[str]:
    if not shutil.which("nvidia-smi"):
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    return listed.stdout.decode(errors="replace").splitlines() if listed.returncode == 0 else []


def _version_of(package: str) -> str | None:
    try:
        from importlib.metadata import version

        return version(package)
    except ImportError:
        return None


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


ACTIONS = {
    "look": look, "make_folder": make_folder, "unpack": unpack, "allow": allow, "start": start, "stop": stop,
    "read_state": read_state,
}  # fmt: skip


def main(text: str) -> None:
    """One request, answered in one line."""
    request = json.loads(text)
    print("\n" + json.dumps(ACTIONS[request["action"]](request)))
