"""Runs in turn on one machine of whichever cloud SkyPilot finds, as a managed job that goes on after a spot loss.

SkyPilot stays a program of its own, reached by its command line: it has a Ray of its own, which must not meet ours.
"""

import json
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml

from experiment_utils.checkout import ROOT
from experiment_utils.launchers.options import Options
from experiment_utils.stores import store_address, store_of
from experiment_utils.submissions import Submission
from lifelong_rl.config import ConfigError

GPUS = ("T4", "L4", "A10G")  # whichever is cheapest, where no instance type was named
OVER = ("SUCCEEDED", "CANCELLED", "FAILED")  # how a managed job's state begins when it is over


class SkyLauncher:
    """Results come back through the store, so it needs one."""

    is_driven: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self) -> None:
        if not shutil.which("sky"):
            raise ConfigError("--mode sky needs SkyPilot, in an environment of its own: pipx install 'skypilot[aws]'.")
        if self._options.store is None:
            raise ConfigError("--mode sky needs --store s3://bucket/prefix: its machines are gone when they are done.")

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        task = yaml.safe_dump(task_of("lifelong-rl", self._options, run_dirs), sort_keys=False).splitlines()
        return [f"{len(run_dirs)} runs in turn by `sky jobs launch` of this task:", *(f"  {line}" for line in task)]

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> None:
        """The task's file stands beside the submission's."""
        store = store_of(store_address(str(self._options.store), submission.experiment_dir))
        for run_dir in run_dirs:
            store.push(run_dir)
        name = f"lifelong-rl-{submission.path.stem}".lower()
        file = submission.path.with_suffix(".sky.yaml")
        file.write_text(yaml.safe_dump(task_of(name, self._options, run_dirs), sort_keys=False), encoding="utf-8")
        _sky("jobs", "launch", "--yes", "--detach-run", "--name", name, str(file))
        submission.write(jobs=(name,))

    def is_alive(self, submission: Submission) -> bool:
        queue = json.loads(_sky("jobs", "queue", "--all", "--output", "json") or "[]")
        states = [str(job.get("status", "")) for job in queue if job.get("job_name") in submission.jobs]
        return any(not state.rpartition(".")[2].startswith(OVER) for state in states)

    def mark_lost(self, submission: Submission) -> None:
        """SkyPilot starts lost machines again by itself."""

    def cancel(self, submission: Submission) -> None:
        for name in submission.jobs:
            _sky("jobs", "cancel", "--yes", "--name", name)


def task_of(name: str, options: Options, run_dirs: Sequence[Path]) -> dict[str, Any]:
    """A SkyPilot task: https://docs.skypilot.co/en/latest/reference/yaml-spec.html."""
    resources: dict[str, Any] = {"use_spot": options.spot}
    if options.instance_type is not None:
        resources["instance_type"] = options.instance_type
    else:
        resources["cpus"] = f"{options.num_cpu}+"
    if options.gpus and options.instance_type is None:
        resources["accelerators"] = [f"{gpu}:{options.gpus}" for gpu in GPUS]
    runs = [f"runs/{run_dir.parent.name}/{run_dir.name}" for run_dir in run_dirs]
    store = store_address(str(options.store), run_dirs[0].parent)
    job = ["python", "-m", "experiment_utils.launchers.sky_task", "--store", store]
    command = shlex.join([*job, "--num_cpu", str(options.num_cpu), *runs])
    if options.max_hours is not None:
        command = f"timeout --signal=TERM --kill-after=120 {round(options.max_hours * 3600)} {command}"
    return {
        "name": name, "resources": resources, "workdir": str(ROOT),
        "setup": "pip install -e '.[aws]'", "run": command,
    }  # fmt: skip


def _sky(*words: str) -> str:
    ended = subprocess.run(["sky", *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["it said nothing"]
        raise ConfigError(f"sky {' '.join(words[:2])} failed: {said[-1][:300]}")
    return ended.stdout
