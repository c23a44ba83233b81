"""Real hosts on this machine: network namespaces with addresses of their own, and a real sshd in each."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NETWORK = f"10.211.{os.getpid() % 250}"
BRIDGE = f"lrl{os.getpid()}"


def why_not() -> str | None:
    """What is missing for such hosts; None where nothing is."""
    for program in ("ssh", "sshd", "rsync", "ip"):
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"{program} is not installed (apt-get install openssh-server openssh-client rsync iproute2)"
    made = subprocess.run(["ip", "netns", "add", "lrl-probe"], capture_output=True, check=False)
    if made.returncode:
        return f"network namespaces may not be made here: {made.stderr.decode().strip()}"
    subprocess.run(["ip", "netns", "del", "lrl-probe"], check=True)
    return None


@dataclass(frozen=True)
class SshHosts:
    """`addresses` answer to ssh with the key in `identity`; they share this machine's files and processes."""

    addresses: tuple[str, ...]
    identity: Path
    known_hosts: Path
    port: int


@contextlib.contextmanager
def ssh_hosts(folder: Path, count: int, port: int = 2222) -> Iterator[SshHosts]:
    """Makes `count` hosts, and takes them away."""
    for name in ("host_key", "user_key"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    Path("/run/sshd").mkdir(exist_ok=True)
    addresses = tuple(f"{NETWORK}.{2 + index}" for index in range(count))
    key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    known_hosts = folder / "known_hosts"
    known_hosts.write_text("".join(f"[{address}]:{port} {key}\n" for address in addresses))
    with contextlib.ExitStack() as stack:
        _add(stack, "link", BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        for index, address in enumerate(addresses):
            _start_host(stack, folder, namespace_of(index), address, port)
        yield SshHosts(addresses, folder / "user_key", known_hosts, port)


def namespace_of(index: int) -> str:
    """The name of a host's network namespace."""
    return f"lrl{os.getpid()}-{index}"


def _start_host(stack: contextlib.ExitStack, folder: Path, namespace: str, address: str, port: int) -> None:
    inside, outer = ("ip", "-n", namespace), namespace.replace("-", "v")
    _add(stack, "netns", namespace)
    _add(stack, "link", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _run("ip", "link", "set", outer, "master", BRIDGE, "up")
    _run(*inside, "address", "add", f"{address}/24", "dev", "eth0")
    _run(*inside, "link", "set", "eth0", "up")
    _run(*inside, "link", "set", "lo", "up")
    settings, log = folder / f"{namespace}.conf", folder / f"{namespace}.log"
    settings.write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {folder}/host_key\nUsePAM no\nStrictModes no\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user_key.pub\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    sshd = ("/usr/sbin/sshd", "-D", "-f", str(settings), "-E", str(log))
    process = subprocess.Popen(["ip", "netns", "exec", namespace, *sshd])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _add(stack: contextlib.ExitStack, kind: str, name: str, *more: str) -> None:
    _run("ip", kind, "add", name, *more)
    stack.callback(subprocess.run, ["ip", kind, "del", name], check=False, capture_output=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
