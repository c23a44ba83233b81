"""Hosts by the system's own ssh: argument lists, no questions asked, and what is said to a host travels as JSON."""

import json
import shlex
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from experiment_utils.clusters import on_host
from lifelong_rl.config import ConfigError

H = TypeVar("H")
T = TypeVar("T")
CONNECT_SECONDS = 10
AT_A_TIME = 16
VANISHED = 24  # rsync's word for it
ADVICE = {
    "Host key verification failed": "log in once by hand to accept its key: ssh {host}",
    "Permission denied": "put your public key there (ssh-copy-id {host}) or name another `identity`",
    "Could not resolve": "is the name right? It must be one that `ssh {host}` knows",
    "Connection refused": "is sshd running there, and is `port` right?",
    "timed out": "is the machine up, and reachable from this network?",
    "not found": "`python` must be the path of a Python on that host",
    "No such file": "`python` must be the path of a Python on that host",
}


class HostError(ConfigError):
    """A host that does not answer, or not as it should; one line that says what to do."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """How hosts are reached. Values that ssh reads were checked when the cluster's file was read."""

    port: int | None = None
    identity: str | None = None
    known_hosts: str | None = None
    accepts_new: bool = False  # take the key that a host shows first, as for an instance that was made a minute ago

    def options(self, port_flag: str = "-p") -> list[str]:
        words = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}", "-o", "ServerAliveInterval=15"]
        if self.port is not None:
            words += [port_flag, str(self.port)]
        if self.identity is not None:
            words += ["-i", str(Path(self.identity).expanduser()), "-o", "IdentitiesOnly=yes"]
        if self.known_hosts is not None:
            words += ["-o", f'UserKnownHostsFile="{Path(self.known_hosts).expanduser()}"']
        return words + (["-o", "StrictHostKeyChecking=accept-new"] if self.accepts_new else [])

    def ask(self, host: str, python: str, action: str, *, seconds: float = 60, **request: Any) -> dict[str, Any]:
        """What `action` of on_host.py answers on `host`."""
        source = Path(on_host.__file__).read_text(encoding="utf-8")
        text = json.dumps({"action": action, **request})
        command = ["ssh", "-T", *self.options(), "--", host, f"{python} -"]
        ended = _run(host, command, f"{source}\nmain({text!r})\n", seconds)
        try:
            answer = json.loads(ended.splitlines()[-1])
        except (IndexError, ValueError):
            raise HostError(f"{host}: {python} answered with {ended[-100:]!r}; is it Python 3.11 or newer?") from None
        if "error" in answer:
            raise HostError(f"{host}: {answer['error']}.")
        return dict(answer)

    def copy(self, host: str, file: Path, target: str, *, seconds: float = 600) -> None:
        """`file` to the path `target` of the host, by SFTP: no shell there sees it."""
        there = f"{host}:{target.removeprefix('~/')}"
        _run(host, ["scp", "-q", "-s", *self.options("-P"), "--", str(file), there], "", seconds)

    def synchronize(
        self, host: str, source: str, target: str, names: Sequence[str], *, leaving_out: str = "", seconds: float = 3600
    ) -> None:
        """These files and folders below `source` to below `target`, of which one begins with `HOST:`, by rsync.

        Of two versions of a file the newer one stays. A file that goes while this is under way is no failure.
        """
        shell = shlex.join(["ssh", "-T", *self.options()])  # rsync takes it apart again, and no shell sees it
        flags = ["-rltp", "--update", "--mkpath", "--secluded-args", "--files-from=-", "--from0", "-e", shell]
        flags += [f"--exclude={leaving_out}"] if leaving_out else []
        _run(host, ["rsync", *flags, "--", source, target], "\0".join(names), seconds, fine=(0, VANISHED))


def on_all(hosts: Iterable[H], work: Callable[[H], T]) -> list[T]:
    """`work` for every host, several at a time; the first failure is raised after all have ended."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(work, hosts))


def _run(host: str, command: list[str], text: str, seconds: float, fine: Sequence[int] = (0,)) -> str:
    try:
        ended = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise HostError(f"{command[0]} is not installed here: apt-get install openssh-client.") from None
    except subprocess.TimeoutExpired:
        raise HostError(f"{host}: no answer within {seconds:.0f} seconds to {command[0]}.") from None
    if ended.returncode not in fine:
        said = ended.stderr.strip().splitlines() or [f"{command[0]} ended with status {ended.returncode}"]
        advice = next((words for sign, words in ADVICE.items() if sign in ended.stderr), "")
        raise HostError(f"{host}: {said[-1][:200]}" + (f"; {advice.format(host=host)}." if advice else "."))
    return ended.stdout
