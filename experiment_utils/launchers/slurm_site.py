"""What a Slurm cluster says of itself: partitions, their limits and nodes, and how long an array may be."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from experiment_utils.launchers.options import Options
from lifelong_rl.config import ConfigError, did_you_mean

ANSWER_SECONDS = 60  # a controller that is down is given up on after some 10 s, by Slurm itself
ENDLESS = ("UNLIMITED", "INFINITE", "NONE")


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A queue. None: no limit."""

    name: str
    is_default: bool
    state: str
    max_seconds: int | None
    default_seconds: int | None  # of a job that asks for no time


@dataclass(frozen=True, kw_only=True)
class Node:
    """What one machine has."""

    cpus: int
    megabytes: int
    gpus: int


def ask(*words: str) -> str:
    """What a Slurm command prints; a ConfigError with its last words where it fails."""
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except FileNotFoundError:
        raise ConfigError(f"there is no {words[0]} here: start this on a login node of the Slurm cluster.") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"Slurm did not answer {words[0]} within {ANSWER_SECONDS} s: try again later.") from None
    if answer.returncode:
        lines = answer.stderr.strip().splitlines() or [f"exit status {answer.returncode}"]
        raise ConfigError(f"Slurm refused {' '.join(words[:2])}: {lines[-1]}.")
    return answer.stdout


def partitions() -> list[Partition]:
    """All that may be asked for here."""
    return [_partition(line) for line in ask("scontrol", "show", "partition", "--oneliner").splitlines() if line]


def partition_named(name: str | None) -> Partition:
    """The default one where no name is given."""
    known = partitions()
    names = sorted(partition.name for partition in known)
    found = [each for each in known if (each.is_default if name is None else each.name == name)]
    if found:
        return found[0]
    if name is None:
        raise ConfigError(f"this cluster has no default partition: give --partition, one of {', '.join(names)}.")
    hint = did_you_mean(name, names)
    raise ConfigError(f"--partition {name!r} is not one of this cluster.{hint} Valid: {', '.join(names)}.")


def nodes(partition: str) -> list[Node]:
    """Those of one partition."""
    lines = ask("sinfo", "--noheader", "--Node", f"--partition={partition}", "--format=%c|%m|%G").splitlines()
    return [_node(*line.split("|")) for line in lines]


def check_time(time: str | None, partition: Partition) -> None:
    """Slurm would take such jobs, and let them wait forever."""
    if time is None or partition.max_seconds is None:
        return
    seconds = seconds_of(time)
    if seconds is None or seconds > partition.max_seconds:
        raise ConfigError(f"--time {time}: partition {partition.name} allows {hours(partition.max_seconds)} at most.")


def check_size(options: Options, partition: str) -> None:
    """The same for what no node has."""
    machines = nodes(partition)
    for flag, amount, unit in (
        ("num_cpu", options.num_cpu, "cpus"), ("gpus", options.gpus or 0, "gpus"),
        ("mem", 0 if options.mem is None else megabytes_of(options.mem), "megabytes"),
    ):  # fmt: skip
        most = max((getattr(machine, unit) for machine in machines), default=0)
        if amount > most:
            raise ConfigError(
                f"--{flag} {getattr(options, flag)}: the largest node of partition {partition} has {most} {unit}."
            )


def max_array_tasks() -> int:
    """Tasks of one array, at most: Slurm's limit is one more than the highest index, and ours begin at 0."""
    match = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask("scontrol", "show", "config"), re.MULTILINE)
    return max(int(match[1]), 1) if match else 1


def seconds_of(text: str) -> int | None:
    """Slurm's ways to write a time: minutes, minutes:seconds, [days-]hours:minutes:seconds, days-hours[:minutes]."""
    if text.upper() in ENDLESS:
        return None
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if match is None:
        raise ConfigError(f"--time {text!r} is no time: give minutes (240), 4:00:00 or 2-12:00:00.")
    days, *rest = match.groups()
    numbers = [int(number) for number in rest if number is not None]
    if days is None and len(numbers) < 3:
        numbers = [0, *numbers]  # hours come first only after days, or where seconds are given too
    hours, minutes, seconds = [*numbers, 0, 0][:3]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def hours(seconds: int | None) -> str:
    """4:00:00."""
    if seconds is None:
        return "without a time limit"
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def megabytes_of(text: str) -> int:
    """4G, 4096, 4096M."""
    match = re.fullmatch(r"(\d+)([KMGT]?)B?", text, re.IGNORECASE)
    if match is None:
        raise ConfigError(f"--mem {text!r} is no amount of memory: write 4G or 4096M.")
    powers = {"K": -1, "M": 0, "": 0, "G": 1, "T": 2}
    return int(int(match[1]) * 1024.0 ** powers[match[2].upper()])


def job_ids(jobs: Iterable[str]) -> str:
    """Of submitit's names 12_0, 12_1, 15: 12,15."""
    return ",".join(dict.fromkeys(job.partition("_")[0] for job in jobs))


def _partition(line: str) -> Partition:
    says = dict(re.findall(r"(\w+)=(\S*)", line))
    longest = seconds_of(says["MaxTime"])
    return Partition(
        name=says["PartitionName"], is_default=says["Default"] == "YES", state=says["State"], max_seconds=longest,
        default_seconds=longest if says["DefaultTime"] in ENDLESS else seconds_of(says["DefaultTime"]),
    )  # fmt: skip


def _node(cpus: str, megabytes: str, resources: str) -> Node:
    gpus = re.findall(r"\bgpu(?::[^:,(]+)?:(\d+)", resources)
    return Node(cpus=int(cpus.rstrip("+")), megabytes=int(megabytes.rstrip("+")), gpus=sum(map(int, gpus)))
