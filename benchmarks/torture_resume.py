"""Kills and signals at random moments of a short offline-to-online run; each must end as the one left alone did.

    python benchmarks/torture_resume.py [--agent qrl] [--kills 50] [--signals 20] [--seed 0] [--folder DIR]

A third of the kills waits for a snapshot that is being written. Every run is a real job in a process of its own.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiment_configs.experiment import ExperimentConfig
from experiment_utils.run_directory import RunDirectory
from lifelong_rl.config import from_dict, to_dict
from lifelong_rl.recording.comparison import run_differences

NETWORK = {
    "encoder_sizes": [32], "latent_size": 16, "projector_sizes": [32], "projector_size": 32, "dynamics_sizes": [32],
    "energy": {"name": "iqe", "components": 4},
}  # fmt: skip
OFF_POLICY = {
    "network": {"name": "monolithic", "hidden_sizes": [32]}, "actor": {"hidden_sizes": [32]}, "normalizer": {},
}  # fmt: skip
AGENTS = {
    "qrl": {"name": "qrl", "network": NETWORK, "actor": {"hidden_sizes": [32]}},
    **{name: {"name": name, **OFF_POLICY} for name in ("ddpg", "td3", "sac")},
}
ONLINE = {
    "name": "online", "num_epochs": 4, "rounds_per_epoch": 3, "env_steps_per_round": 200, "updates_per_round": 20,
    "warmup_env_steps": 400, "random_env_steps": 200, "offline_fraction": 0.5, "n_step": 3, "steps_after_success": 10,
}  # fmt: skip
TICK = 0.0005  # seconds between two looks at the run's directory
SIGNAL_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """What became of one trial. `seconds` from the signal to the end of the process."""

    exit_status: int
    seconds: float
    in_snapshot: bool
    differences: list[str]


def prepare(folder: Path, name: str, agent: str = "qrl") -> Path:
    """A run directory that is ready to be trained; its dataset lies in `folder`."""
    variant = {
        "task": {"name": "maze2d-umaze-v1", "horizon": 40},
        "dataset": {"path": str(folder / "umaze.hdf5"), "num_transitions": 20_000},
        "agent": AGENTS[agent],
        "phases": [{"name": "offline", "num_epochs": 4, "updates_per_round": 60}, ONLINE],
        "evaluation": {"num_episodes": 10}, "num_envs": 10, "replay_capacity": 2_000, "snapshots": {"keep_last": 3},
    }  # fmt: skip
    run = RunDirectory(folder / name)
    run.write("variant.json", to_dict(from_dict(ExperimentConfig, variant)))
    run.write("run.json", {})
    return run.path


def start(run_dir: Path) -> subprocess.Popen[bytes]:
    """The job, as a launcher starts it."""
    words = [sys.executable, "-m", "experiment_utils.job", str(run_dir)]
    root = Path(__file__).parents[1]
    return subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(run_dir: Path) -> float:
    """Runs the job to its end; seconds from its first row to that."""
    process = start(run_dir)
    while process.poll() is None and not (run_dir / "metrics.jsonl").exists():
        time.sleep(TICK)
    begun = time.monotonic()
    if process.wait() != 0:
        raise SystemExit(f"{run_dir}: exit status {process.returncode}; see {run_dir / 'error.txt'}")
    return time.monotonic() - begun


def trial(run_dir: Path, whole: Path, number: signal.Signals, is_time: Callable[[], bool]) -> Outcome:
    """Sends a signal when `is_time` says so (or the run is over), starts the run again, and compares."""
    process = start(run_dir)
    while process.poll() is None and not is_time():
        time.sleep(TICK)
    sent = time.monotonic()
    process.send_signal(number)
    exit_status = process.wait()
    seconds = time.monotonic() - sent
    in_snapshot = any(run_dir.glob(".*itr_*.tmp-*"))
    finish(run_dir)
    return Outcome(exit_status, seconds, in_snapshot, list(run_differences(run_dir, whole)))


def after(run_dir: Path, seconds: float) -> Callable[[], bool]:
    """So long after the run began to train."""
    begun: list[float] = []

    def is_time() -> bool:
        if not begun and (run_dir / "stdout.log").exists():
            begun.append(time.monotonic())
        return bool(begun) and time.monotonic() - begun[0] >= seconds

    return is_time


def in_snapshot(run_dir: Path, count: int) -> Callable[[], bool]:
    """While the run writes its `count`-th snapshot."""
    seen: set[str] = set()

    def is_time() -> bool:
        new = {path.name for path in run_dir.glob(".*itr_*.tmp-*") if not path.name.endswith("deleted")} - seen
        seen.update(new)
        return bool(new) and len(seen) >= count

    return is_time


def main() -> None:
    """Prints a line per trial and the counts; exit status 1 where one of them was not equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", choices=AGENTS, default="qrl")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--signals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, generator = flags.folder or Path(temporary), random.Random(flags.seed)
        good = torture(folder, flags.agent, flags.kills, flags.signals, generator)
    sys.exit(0 if good else 1)


def torture(folder: Path, agent: str, kills: int, signals: int, generator: random.Random) -> bool:
    """Whether all trials ended well."""
    whole = prepare(folder, "whole", agent)
    finish(whole)
    span = finish(prepare(folder, "timed", agent)) + 2.0  # from the job's first word
    outcomes: dict[str, list[Outcome]] = {"kill -9": [], "SIGTERM, SIGUSR1": []}
    for index in range(kills + signals):
        kind = "kill -9" if index < kills else "SIGTERM, SIGUSR1"
        number = signal.SIGKILL if index < kills else (signal.SIGTERM, signal.SIGUSR1)[index % 2]
        run_dir = prepare(folder, f"{index}", agent)
        waits = index % 3 == 0
        moment = in_snapshot(run_dir, generator.randint(1, 8)) if waits else after(run_dir, generator.uniform(0, span))
        outcome = trial(run_dir, whole, number, moment)
        outcomes[kind].append(outcome)
        what = "equal" if not outcome.differences else f"{len(outcome.differences)}: {outcome.differences[0]}"
        print(f"{number.name} {index}: exit {outcome.exit_status}, {outcome.seconds:.2f} s, {what}", flush=True)
    verdicts = [report(kind, found) for kind, found in outcomes.items() if found]
    return all(verdicts)


def report(kind: str, outcomes: list[Outcome]) -> bool:
    """Prints the counts of one kind of trial; whether all is well."""
    equal = sum(not outcome.differences for outcome in outcomes)
    inside = sum(outcome.in_snapshot for outcome in outcomes)
    expected = -signal.SIGKILL if kind == "kill -9" else 75
    hit = [outcome for outcome in outcomes if outcome.exit_status == expected]
    slowest = max((outcome.seconds for outcome in hit), default=0.0)
    strange = {outcome.exit_status for outcome in outcomes} - {expected, 0}  # 0: it was over before
    print(f"{kind}: {equal} of {len(outcomes)} equal; {len(hit)} hit a running job, {inside} left half a snapshot;")
    print(f"    slowest end {slowest:.2f} s; other exit statuses: {sorted(strange) or 'none'}")
    return equal == len(outcomes) and not strange and slowest < SIGNAL_SECONDS


if __name__ == "__main__":
    main()
