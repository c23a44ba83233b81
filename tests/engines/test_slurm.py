"""Sweeps on a real Slurm: requeued, out of time, preempted, cancelled or broken, what becomes of runs is known."""

import json
import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from benchmarks import torture_resume
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.slurm import SlurmLauncher
from experiment_utils.launchers.slurm_states import mark_lost, states_of
from experiment_utils.run_directory import RunDirectory
from experiment_utils.submissions import Submission, read_submission, submission_of
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.comparison import run_differences
from tests.engines.slurm_cluster import running_slurm

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def slurm():
    with running_slurm() as folder:
        yield folder


@pytest.fixture(autouse=True)
def cluster(slurm, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", str(slurm / "slurm.conf"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.syspath_prepend(Path(__file__).parent)


def prepare(folder: Path, num_runs: int, **counter) -> list[RunDirectory]:
    runs = [RunDirectory(folder / "exp" / f"run-s{seed}") for seed in range(num_runs)]
    for seed, run in enumerate(runs):
        run.write("variant.json", {"seed": seed, "agent": {"name": "counter", **counter}})
        run.write("run.json", {"config_module": "counting_experiment"})
        run.write_status("queued")
    return runs


def submit(runs: list[RunDirectory], **options) -> tuple[SlurmLauncher, Submission]:
    said = Options(**{"time": "10", **options})
    launcher, paths = SlurmLauncher(said), [run.path for run in runs]
    launcher.check()
    submission = submission_of(paths[0].parent, "slurm", said, paths)
    assert launcher.submit(paths, submission) is None
    return launcher, read_submission(submission.path)


def wait_until(is_so, seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, squeue()
        time.sleep(0.2)


def squeue() -> str:
    return subprocess.run(["squeue", "--array"], capture_output=True, text=True).stdout


def steps(run: RunDirectory) -> list[tuple[int, int, int]]:
    """Of each step that was done: its number, where its process had begun, its threads."""
    log = run.path / "steps.log"
    return [tuple(map(int, line.split())) for line in log.read_text().splitlines()] if log.exists() else []


def lost_steps(run: RunDirectory) -> int:
    done = [step for step, _, _ in steps(run)]
    return len(done) - len(set(done))


def num_starts(run: RunDirectory) -> int:
    rows = [json.loads(line) for line in (run.path.parent / "ledger.jsonl").read_text().splitlines()]
    return sum(row["run"] == run.path.name and row["event"] == "started" for row in rows)


def is_counting(run: RunDirectory) -> bool:
    return len(steps(run)) >= 3


def state(run: RunDirectory) -> str:
    return run.status.state


def test_forty_tasks_with_ten_requeues_and_a_time_limit_all_finish_and_lose_next_to_nothing(tmp_path):
    interval, num_steps, generator = 20, 200, random.Random(0)
    runs = prepare(tmp_path, 40, num_steps=num_steps, seconds_per_step=0.05, interval=interval)
    long = prepare(tmp_path / "long", 1, num_steps=900, seconds_per_step=0.1, interval=interval)
    submit(long, time="1")  # 90 s of work in a job of 60 s
    _, submission = submit(runs[:39])
    jobs = dict(zip(submission.jobs, runs, strict=False))

    requeued: list[str] = []
    while len(requeued) < 10:
        time.sleep(generator.uniform(0.2, 2.5))
        running = [job for job, run in jobs.items() if state(run) == "running" and job not in requeued]
        if running:
            job = generator.choice(running)
            if subprocess.run(["scontrol", "requeue", job]).returncode == 0:
                requeued.append(job)
    everything = [*runs[:39], *long]
    wait_until(lambda: all(state(run) in ("finished", "failed") for run in everything), seconds=400)

    assert Counter(map(state, everything)) == {"finished": 40}
    assert {step for step, _, _ in steps(long[0])} == set(range(1, 901))
    assert all({step for step, _, _ in steps(run)} == set(range(1, num_steps + 1)) for run in runs[:39])
    lost, starts = [lost_steps(run) for run in everything], [num_starts(run) for run in everything]
    print(f"\nsteps lost by a run: {Counter(lost)}, of an interval of {interval}; starts: {Counter(starts)}")
    assert max(lost) <= interval
    assert starts[-1] >= 2
    assert sum(num_starts(jobs[job]) == 2 for job in requeued) >= 8  # others may have been over as the command came


def test_a_requeued_qrl_run_ends_as_the_one_that_was_left_alone(tmp_path):
    whole = torture_resume.prepare(tmp_path, "whole")
    torture_resume.finish(whole)
    run = RunDirectory(torture_resume.prepare(tmp_path, "requeued"))
    run.write_status("queued")
    _, submission = submit([run])
    wait_until((run.path / "metrics.jsonl").exists)
    subprocess.run(["scontrol", "requeue", *submission.jobs], check=True)
    wait_until(lambda: state(run) == "finished")
    assert num_starts(run) == 2 and list(run_differences(run.path, whole)) == []


def test_a_job_takes_the_threads_it_has_cpus_for_and_a_failure_is_not_repeated(tmp_path):
    runs = prepare(tmp_path, 2, num_steps=3, ending="crash")
    runs[0].write("variant.json", {"seed": 0, "num_threads": 2, "agent": {"name": "counter", "num_steps": 3}})
    launcher, submission = submit(runs, num_cpu=2)
    wait_until(lambda: not launcher.is_alive(submission))
    assert list(map(state, runs)) == ["finished", "failed"]
    assert steps(runs[0])[0] == (1, 0, 2)
    assert runs[1].status.error == "ValueError: seed 1 is unlucky" and num_starts(runs[1]) == 1
    assert list(states_of(submission.jobs).values()) == ["COMPLETED", "FAILED"]


def test_cancelled_runs_take_a_snapshot_and_are_not_requeued(tmp_path):
    runs = prepare(tmp_path, 3, num_steps=500, interval=1000)
    launcher, submission = submit(runs, max_concurrent=2)
    wait_until(lambda: sum(map(is_counting, runs)) == 2)
    assert launcher.is_alive(submission)
    launcher.cancel(submission)
    wait_until(lambda: not launcher.is_alive(submission), seconds=60)
    mark_lost(submission)
    assert list(map(state, runs)) == ["interrupted"] * 3 and steps(runs[2]) == []
    saved = [json.loads((run.path / "snapshot.json").read_text())["step"] for run in runs[:2]]
    assert saved == [len(steps(run)) for run in runs[:2]]


def test_a_preempted_run_goes_on_later_from_where_it_was(tmp_path):
    (run,) = prepare(tmp_path, 1, num_steps=100, interval=1000)
    submit([run], partition="main")
    wait_until(lambda: is_counting(run))
    words = ["sbatch", "--partition=short", "--exclusive", "--output=/dev/null", "--wrap=sleep 3"]
    subprocess.run(words, check=True, capture_output=True)
    wait_until(lambda: state(run) == "finished")
    assert num_starts(run) == 2 and lost_steps(run) == 0


def test_a_run_whose_job_was_killed_is_marked_as_lost_and_others_are_left_alone(tmp_path):
    runs = prepare(tmp_path, 2, num_steps=300, interval=1000)
    launcher, submission = submit(runs)
    wait_until(lambda: all(map(is_counting, runs)))
    assert mark_lost(submission) == []
    job = psutil.Process(runs[0].status.pid)
    for process in (job.parent(), job):  # as the kernel does where memory is short
        process.kill()
    wait_until(lambda: states_of(submission.jobs)[submission.jobs[0]] not in ("RUNNING", "COMPLETING"))
    assert [run.path for run in mark_lost(submission)] == [runs[0].path]
    assert runs[0].status.error.startswith(f"Slurm job {submission.jobs[0]}: FAILED: it died before it could say why")
    assert list(map(state, runs)) == ["failed", "running"]
    launcher.cancel(submission)
    wait_until(lambda: not launcher.is_alive(submission))


def test_a_submission_that_slurm_has_forgotten_is_not_alive_and_its_runs_are_lost(tmp_path):
    runs = prepare(tmp_path, 2)
    runs[0].write_status("running")
    said = Options()
    submission = submission_of(tmp_path / "exp", "slurm", said, [run.path for run in runs]).write(jobs=("9999", "9998"))
    assert not SlurmLauncher(said).is_alive(submission)
    mark_lost(submission)
    assert list(map(state, runs)) == ["failed", "interrupted"]
    assert "Slurm no longer knows it" in runs[0].status.error


def test_more_runs_than_an_array_may_have_become_several_and_keep_to_the_runs_at_a_time(tmp_path):
    runs = prepare(tmp_path, 55, num_steps=0)
    launcher, submission = submit(runs, max_concurrent=12)
    assert len({job.partition("_")[0] for job in submission.jobs}) == 2 and len(set(submission.jobs)) == 55
    wait_until(lambda: not launcher.is_alive(submission))
    assert Counter(map(state, runs)) == {"finished": 55}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition": "mian"}, "--partition 'mian' is not one of this cluster. Did you mean 'main'?"),
        ({"partition": "closed"}, "--partition closed is DOWN"),
        ({"partition": "short", "time": "31"}, "--time 31: partition short allows 0:30:00 at most."),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_submitted(options, words, tmp_path):
    before = squeue()
    with pytest.raises(ConfigError) as error:
        submit(prepare(tmp_path, 1), **options)
    assert str(error.value).startswith(words) and "\n" not in str(error.value)
    assert squeue() == before
    assert not (tmp_path / "exp" / "submissions").exists()


def test_from_within_a_job_another_sweep_can_be_submitted(tmp_path, monkeypatch):
    for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU"):  # together they make srun give up
        monkeypatch.setenv(name, "100")
    (run,) = prepare(tmp_path, 1, num_steps=1)
    submit([run])
    wait_until(lambda: state(run) == "finished")
