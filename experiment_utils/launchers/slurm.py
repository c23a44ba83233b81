"""Runs as jobs of a Slurm cluster, by submitit: one array for as many runs as fit into one. Nothing stays behind here.

A job that Slurm stops (its time is over, it is preempted or requeued) takes a snapshot and goes on from it later.
"""

import contextlib
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from experiment_utils.checkout import python_path
from experiment_utils.launchers import slurm_site, slurm_states
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.slurm_site import Partition, ask, job_ids, max_array_tasks, partition_named, seconds_of
from experiment_utils.launchers.slurm_task import run_task
from experiment_utils.submissions import Submission
from lifelong_rl.config import ConfigError

WARNING_SECONDS = 90  # before a job's time is over; Slurm may warn up to a minute earlier


class SlurmLauncher:
    """Sites' own wishes (account, quality of service, constraint) are sbatch's: set SBATCH_ACCOUNT and the like."""

    is_driven: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self) -> None:
        if shutil.which("sbatch") is None or shutil.which("srun") is None:
            raise ConfigError("--mode slurm: there is no sbatch here: start this on a login node of the cluster.")
        try:
            import submitit  # noqa: F401
        except ImportError:
            raise ConfigError("--mode slurm needs submitit: pip install -e '.[slurm]'.") from None
        partition = partition_named(self._options.partition)
        if partition.state != "UP":
            raise ConfigError(f"--partition {partition.name} is {partition.state}: its jobs would only wait.")
        slurm_site.check_time(self._options.time, partition)
        slurm_site.check_size(self._options, partition.name)

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        partition, chunks = partition_named(self._options.partition), self._chunks(run_dirs)
        seconds = self._seconds(partition)
        turns = ", one after the other" if self._is_in_turn(chunks) else ""
        arrays = f"{len(chunks)} arrays{turns}" if len(chunks) > 1 else "one array"
        lines = [
            f"{len(run_dirs)} runs on partition {partition.name} of Slurm, in {arrays}",
            f"{slurm_site.hours(seconds)} each; then it is requeued, and goes on from its snapshot",
        ]
        if seconds is not None:
            cpu_hours = len(run_dirs) * self._options.num_cpu * seconds / 3600
            lines.append(f"{cpu_hours:,.1f} CPU hours at most, if none is requeued")
        folder = run_dirs[0].parent.absolute() / "submissions" / "SUBMISSION"
        for chunk in {len(chunk): chunk for chunk in chunks}.values():  # all but the last are alike
            lines += [f"sbatch for {len(chunk)} runs:", *self._script(folder, chunk, partition)]
        return lines

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> None:
        partition, chunks = partition_named(self._options.partition), self._chunks(run_dirs)
        after: str | None = None
        for chunk in chunks:
            executor = self._executor(submission.path.with_suffix(""), chunk, partition, after)
            jobs = _submit(executor, chunk, self._options.num_cpu, len(submission.jobs))
            submission = submission.write(jobs=(*submission.jobs, *jobs))
            after = job_ids(jobs) if self._is_in_turn(chunks) else None
        print(f"submitted {len(submission.jobs)} runs: Slurm job {job_ids(submission.jobs)}", flush=True)

    def is_alive(self, submission: Submission) -> bool:
        return slurm_states.is_alive(submission.jobs)

    def mark_lost(self, submission: Submission) -> None:
        slurm_states.mark_lost(submission)

    def cancel(self, submission: Submission) -> None:
        if not submission.jobs:
            return
        jobs = job_ids(submission.jobs).split(",")
        ask("scancel", "--quiet", "--state=PENDING", *jobs)
        ask("scancel", "--quiet", "--state=RUNNING", "--signal=INT", *jobs)  # unlike SIGTERM, not to be requeued

    def _chunks(self, run_dirs: Sequence[Path]) -> list[Sequence[Path]]:
        size = max_array_tasks()
        return [run_dirs[start : start + size] for start in range(0, len(run_dirs), size)]

    def _is_in_turn(self, chunks: Sequence[Sequence[Path]]) -> bool:
        """Slurm limits how many tasks of one array run at a time, not of several."""
        return len(chunks) > 1 and self._options.max_concurrent is not None

    def _seconds(self, partition: Partition) -> int | None:
        return partition.default_seconds if self._options.time is None else seconds_of(self._options.time)

    def _script(self, folder: Path, chunk: Sequence[Path], partition: Partition) -> list[str]:
        executor = self._executor(folder, chunk, partition, None)
        if len(chunk) > 1:
            executor.parameters["map_count"] = len(chunk)
        text: str = executor._make_submission_file_text(executor._submitit_command_str, "plan")
        return [line for line in text.splitlines() if line and not re.fullmatch(r"#|#!.*|# .*", line)]

    def _executor(self, folder: Path, chunk: Sequence[Path], partition: Partition, after: str | None) -> Any:
        import submitit

        executor = submitit.SlurmExecutor(folder=folder)
        executor.update_parameters(**self._parameters(folder.parents[1].name, chunk, partition, after))
        return executor

    def _parameters(self, name: str, chunk: Sequence[Path], partition: Partition, after: str | None) -> dict[str, Any]:
        """Of sbatch, in submitit's words; what it has no word for is in `additional_parameters`."""
        options, seconds = self._options, self._seconds(partition)
        warning = WARNING_SECONDS if seconds is None else min(WARNING_SECONDS, seconds // 4)
        # Our jobs listen to USR1, where submitit's own signal is USR2.
        additional: dict[str, Any] = {"requeue": True, "signal": f"USR1@{warning}", "partition": partition.name}
        given = {"time": options.time, "mem": options.mem, "dependency": f"afterany:{after}" if after else None}
        submitits_own: dict[str, Any] = {"time": None, "wckey": None}  # its defaults, which the cluster's replace
        return submitits_own | {
            "job_name": name, "nodes": 1, "ntasks_per_node": 1, "cpus_per_task": options.num_cpu,
            "gpus_per_node": options.gpus, "array_parallelism": options.max_concurrent or len(chunk),
            "setup": [f"export PYTHONPATH={shlex.quote(python_path())}"],
            "srun_args": ["--cpus-per-task", str(options.num_cpu)],  # which it no longer takes from sbatch
            "additional_parameters": additional | {key: value for key, value in given.items() if value is not None},
        }  # fmt: skip


def _submit(executor: Any, chunk: Sequence[Path], num_cpu: int, num_before: int) -> list[str]:
    import submitit

    try:
        with _outside_of_a_job():
            jobs = executor.map_array(run_task, [str(path.absolute()) for path in chunk], [num_cpu] * len(chunk))
    except submitit.core.utils.FailedJobError as error:
        line = str(error).strip().splitlines()[-1]
        before = f" after {num_before} runs were submitted" if num_before else ""
        raise ConfigError(f"sbatch refused{before}: {line}") from None
    return [job.job_id for job in jobs]


@contextlib.contextmanager
def _outside_of_a_job() -> Iterator[None]:
    """What an allocation that this is started in says of itself would be taken for wishes of the new jobs."""
    inside = [name for name in os.environ if re.match("(SLURM|SLURMD|SRUN)_", name) and name != "SLURM_CONF"]
    hidden = {name: os.environ.pop(name) for name in inside}
    try:
        yield
    finally:
        os.environ.update(hidden)
