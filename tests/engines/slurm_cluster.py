"""A real Slurm of one node, in a folder of its own and on ports of its own: munged, slurmctld, slurmd."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
NUM_CPUS = 12  # said to Slurm, whatever the machine has: the jobs here are small
START_SECONDS = 30
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=1,bf_interval=2
MaxArraySize=50
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=6000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=1-00:00:00 DefaultTime=10 PriorityTier=1 State=UP
PartitionName=short Nodes={host} MaxTime=30 PriorityTier=10 PreemptMode=OFF State=UP
PartitionName=closed Nodes={host} State=DOWN
"""


@contextlib.contextmanager
def running_slurm() -> Iterator[Path]:
    """Its folder; SLURM_CONF must be `slurm.conf` there. Jobs that still run are ended with it."""
    missing = [program for program in PROGRAMS if which(program) is None]
    if missing:
        pytest.skip(f"no {missing[0]}: apt-get install --no-install-recommends slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("slurmd starts jobs as root alone")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: the name of a socket has at most 108 characters
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    _configure(folder)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for words in _daemons(folder):
            processes.append(_start(words, environment))
            time.sleep(0.3)
        _wait_until_idle(folder, environment)
        yield folder
    finally:
        if len(processes) == len(_daemons(folder)):
            subprocess.run(["scancel", "--user=root"], env=environment, timeout=60)
            subprocess.run(["scancel", "--user=root", "--signal=KILL"], env=environment, timeout=60)
        for process in reversed(processes):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def which(program: str) -> str | None:
    """Daemons lie where a user's PATH seldom leads."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    facts = {"host": socket.gethostname().split(".")[0], "folder": folder, "cpus": NUM_CPUS}
    ports = {"controller_port": _free_port(), "node_port": _free_port()}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**facts, **ports))
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")


def _daemons(folder: Path) -> list[list[str]]:
    files = {name: folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
    munged = [
        "munged", "--foreground", "--force", f"--key-file={folder / 'munge.key'}", f"--socket={files['socket']}",
        f"--pid-file={files['pid']}", f"--log-file={files['log']}", f"--seed-file={files['seed']}",
    ]  # fmt: skip
    return [munged, ["slurmctld", "-D"], ["slurmd", "-D"]]


def _start(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    program = which(words[0])
    assert program is not None
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([program, *words[1:]], env=environment, start_new_session=True, **quiet)


def _wait_until_idle(folder: Path, environment: dict[str, str]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        words = ["sinfo", "--noheader", "--partition=main", "--format=%t"]
        answer = subprocess.run(words, env=environment, capture_output=True, text=True)
        if answer.stdout.strip() == "idle":
            return
        time.sleep(0.3)
    logs = "\n".join(path.read_text()[-1000:] for path in folder.glob("*.log"))
    raise RuntimeError(f"Slurm did not start within {START_SECONDS} s:\n{logs}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
