"""What became of jobs that Slurm ended, and that could not say so themselves."""

import contextlib
from collections.abc import Sequence

from experiment_utils.launchers.slurm_site import ask, job_ids
from experiment_utils.run_directory import RunDirectory
from experiment_utils.submissions import Submission
from lifelong_rl.config import ConfigError

CANCELLED = "CANCELLED"
ENDED = {  # every other state is one of a job that waits, runs or is being ended
    "BOOT_FAIL": "its node did not start", CANCELLED: "it was cancelled", "COMPLETED": "it ended without a word",
    "DEADLINE": "its deadline passed", "FAILED": "it died before it could say why",
    "NODE_FAIL": "its node failed", "OUT_OF_MEMORY": "it took more memory than it had (--mem)",
    "PREEMPTED": "it was preempted where that does not requeue jobs",
    "TIMEOUT": "its time was over before its snapshot was written (--time)",
}  # fmt: skip
UNKNOWN = "Slurm no longer knows it"


def states_of(jobs: Sequence[str]) -> dict[str, str]:
    """Slurm's state of each job that it knows of. squeue forgets after MinJobAge; sacct is asked where it is on."""
    answers = _table("squeue", "--noheader", "--array", "--states=all", f"--jobs={job_ids(jobs)}", "--format=%i|%T")
    if not set(jobs) <= set(answers):
        with contextlib.suppress(ConfigError):  # accounting is off on many clusters
            asked = ("--noheader", "--parsable2", "--allocations", "--format=JobID,State", f"--jobs={job_ids(jobs)}")
            answers = _table("sacct", *asked) | answers
    return {job: answers[job] for job in jobs if job in answers}


def is_alive(jobs: Sequence[str]) -> bool:
    """Whether one of them waits, runs or is being ended."""
    return bool(jobs) and bool(_table("squeue", "--noheader", f"--jobs={job_ids(jobs)}", "--format=%i|%T"))


def mark_lost(submission: Submission) -> list[RunDirectory]:
    """Runs that their Slurm job left unfinished are marked failed, or interrupted if it was cancelled; returns them."""
    runs = [(RunDirectory(path), job) for path, job in zip(submission.run_dirs, submission.jobs, strict=False)]
    open_runs = [(run, job) for run, job in runs if _is_open(run)]
    if not open_runs:
        return []
    states = states_of([job for _, job in open_runs])
    lost = []
    for run, job in open_runs:
        state = states.get(job)
        # Looked at again: a job that Slurm has ended by now may have said so meanwhile, or another one has the run.
        if (state is None or state in ENDED) and _is_open(run) and not run.is_held():
            _mark(run, submission, job, state)
            lost.append(run)
    return lost


def _is_open(run: RunDirectory) -> bool:
    status = run.status
    return status is not None and status.state in ("queued", "running")


def _mark(run: RunDirectory, submission: Submission, job: str, state: str | None) -> None:
    never_began = state is None and run.status is not None and run.status.state == "queued"
    if state == CANCELLED or never_began:
        run.write_status("interrupted")
        return
    words = UNKNOWN if state is None else f"{state}: {ENDED[state]}"
    log = submission.path.with_suffix("") / f"{job}_0_log.err"
    run.write_status("failed", f"Slurm job {job}: {words}; see {log}, and start it again to go on")


def _table(*words: str) -> dict[str, str]:
    """Lines `job|state`; an array that waits is one line `12_[3-9%2]` unless squeue is told --array."""
    try:
        answer = ask(*words)
    except ConfigError as error:
        if "Invalid job id" in str(error):  # what squeue says if it knows none of them
            return {}
        raise
    rows = [line.split("|") for line in answer.splitlines() if "|" in line]
    return {job: state.split()[0] for job, state in rows}  # sacct: "CANCELLED by 1000"
