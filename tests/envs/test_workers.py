"""Worker processes give what one process would, and whatever happens to one of them is named and outlived."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
import torch
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.worker_process import seeded
from lifelong_rl.envs.workers import WorkerConfig, WorkerTask
from lifelong_rl.types import EnvironmentFault
from tests.envs.faulty_task import (
    BUILDER,
    CRASH,
    EXIT,
    HELPER,
    HOLD_LOCK,
    NAN,
    RAISE,
    SLEEP,
    SPAM_BYTES,
    FaultyTask,
)
from tests.source_tree import ROOT

NUM_ENVS = 3  # environment 0 in worker 0, environments 1 and 2 in worker 1
PARENT = """
import psutil, sys, time, torch
from lifelong_rl.envs.workers import WorkerConfig, WorkerTask
from tests.envs import faulty_task
task = WorkerTask(faulty_task.BUILDER, {{}}, num_envs=1, seed=0, config=WorkerConfig(num_workers=1, step_timeout=2.0))
task.step(torch.tensor([[{code}]]))
print("ready", file=sys.stderr, flush=True)
{then}
"""


def build(**options) -> WorkerTask:
    config = WorkerConfig(**{"num_workers": 2, "step_timeout": 2.0, "max_restarts": 100} | options)
    return WorkerTask(BUILDER, {}, num_envs=NUM_ENVS, seed=5, config=config)


def actions(*codes: float) -> Tensor:
    return torch.tensor(codes, dtype=torch.float32)[:, None]


def processes() -> list[psutil.Process]:
    """The workers, without the tracker of resources that multiprocessing starts."""
    children = psutil.Process().children()
    return [child for child in children if any("spawn_main" in word for word in child.cmdline())]


@pytest.fixture(scope="module")
def shared() -> Iterator[WorkerTask]:
    with build() as task:
        yield task
    assert processes() == []


@pytest.fixture
def task(shared: WorkerTask) -> WorkerTask:
    shared.reset()
    return shared


def test_workers_show_what_tasks_with_their_states_show_in_one_process(task):
    parts = [FaultyTask(num_envs=count, generator=seeded(0, (index,))) for index, count in enumerate([1, 2])]
    for part, state in zip(parts, task.state_dict()["workers"].values(), strict=True):
        part.load_state_dict(state)
    for number in range(12):
        action = actions(0.5, -0.25, number / 12)
        outcome = task.step(action)
        expected = [part.step(own) for part, own in zip(parts, action.split([1, 2]), strict=True)]
        for name in ("reward", "terminated", "truncated", "success"):
            assert torch.equal(getattr(outcome, name), torch.cat([getattr(part, name) for part in expected]))
        ended = outcome.truncated if number % 5 == 4 else torch.tensor([False, True, False])
        ours = task.reset_where(ended)
        theirs = [part.reset_where(own) for part, own in zip(parts, ended.split([1, 2]), strict=True)]
        for name in ("observation", "achieved_goal", "desired_goal"):
            assert torch.equal(getattr(ours, name), torch.cat([getattr(part, name) for part in theirs]))
        assert torch.equal(task.sim_state(), torch.cat([part.sim_state() for part in parts]))


def test_each_worker_has_a_stream_of_its_own_that_comes_from_the_seed(shared):
    draws = [seeded(5, stream).standard_normal() for stream in [(0, 0), (1, 0), (0, 1), (1, 1)]]
    assert len({*draws, seeded(6, (0, 0)).standard_normal()}) == 5
    assert draws[0] == seeded(5, (0, 0)).standard_normal()
    assert len(set(shared.reset().observation[:, 0].tolist())) == NUM_ENVS


def test_a_state_put_back_gives_the_same_future_and_what_was_shown_stays(task):
    task.step(actions(1, 1, 1))
    state, futures = task.state_dict(), []
    for _ in range(2):
        task.load_state_dict(state)
        sim_state = task.sim_state()
        outcome = task.step(actions(1, -1, 0))
        kept = outcome.observed.observation.clone()
        fresh = task.reset_where(torch.tensor([True, False, True])).observation
        futures.append([sim_state, kept, outcome.reward, fresh])
        task.step(actions(1, 1, 1))
        assert torch.equal(outcome.observed.observation, kept)
    assert all(torch.equal(first, second) for first, second in zip(*futures, strict=True))
    with pytest.raises(ValueError, match="line-v0: the state of 1 workers does not fit 2 workers"):
        task.load_state_dict(state | {"workers": {"0": state["workers"]["0"]}})


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (RAISE, "RuntimeError: the spring broke"),
        (EXIT, "ended with status 7"),
        (CRASH, "died by SIGSEGV"),
        pytest.param(SLEEP, "hangs, no answer in 2 s", marks=pytest.mark.slow),
        (HOLD_LOCK, "hangs, no answer in 2 s"),
        (NAN, "FloatingPointError: observation of environment 2 is nan"),
    ],
)
def test_a_worker_that_fails_is_named_and_its_environments_begin_new_episodes(task, capfd, code, cause):
    pids, restarts = [process.pid for process in processes()], task.num_restarts
    shown = task.step(actions(0, 0, 0)).observed
    with pytest.raises(EnvironmentFault) as raised:
        task.step(actions(0, 0, code))
    fault, line = raised.value, str(raised.value)
    assert line.startswith("line-v0: environments 1-2 (worker 1, pid ")
    assert line.endswith(f") at step {task.num_steps}: {cause}")
    warning = f"warning: {line}; new episodes in a new process ({restarts + 1} of at most 100 restarts)."
    assert warning in capfd.readouterr().err
    assert fault.recovered and fault.lost is not None and fault.lost.tolist() == [False, True, True]

    assert len(set(pids) - {process.pid for process in processes()}) == 1 and len(processes()) == 2
    assert task.sim_state()[:, 1].tolist() == [shown.observation[0, 1] + 1, 0, 0]  # steps so far
    outcome = task.step(actions(0, 0, 0))
    assert bool(torch.isfinite(outcome.observed.observation).all())


def test_a_worker_killed_between_steps_is_noticed_by_the_next(task):
    processes()[0].kill()
    with pytest.raises(EnvironmentFault, match="died by SIGKILL"):
        task.step(actions(0, 0, 0))
    processes()[0].kill()
    assert task.reset().observation[:, 1].tolist() == [0, 0, 0]  # which asks for nothing that was lost


def test_signals_to_stop_are_left_to_the_parent(task):
    before = {process.pid for process in processes()}
    for pid in before:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            os.kill(pid, number)
    task.step(actions(0, 0, 0))
    assert {process.pid for process in processes()} == before


def test_an_action_that_is_not_finite_is_the_callers_fault(task):
    with pytest.raises(ValueError, match=r"line-v0: action of environment 1 must be finite, got \[nan\]"):
        task.step(actions(0, torch.nan, 0))
    task.step(actions(0, 0, 0))


def test_beyond_the_limit_a_fault_is_final_and_the_workers_are_gone():
    others = len(processes())
    task = build(num_workers=1, max_restarts=1)
    with pytest.raises(EnvironmentFault, match="ended with status 7$"):
        task.step(actions(0, EXIT, 0))
    with pytest.raises(EnvironmentFault, match="step 2: ended with status 7; workers were restarted 1 times") as raised:
        task.step(actions(0, EXIT, 0))
    assert not raised.value.recovered and len(processes()) == others
    with pytest.raises(ValueError, match="line-v0: its workers are closed"):
        task.reset()
    assert WorkerConfig(num_workers=1).max_restarts == 3


def test_what_cannot_be_made_is_refused_before_a_worker_starts_or_names_the_one_that_cannot_start():
    others = len(processes())
    with pytest.raises(ConfigError, match="num_workers must be at most num_envs, got 4 for 3"):
        build(num_workers=4)
    config = WorkerConfig(num_workers=1)
    line = r"environments 0-2 \(worker 0, .*cannot start: RuntimeError: no more than 1 "
    with pytest.raises(EnvironmentFault, match=line):
        WorkerTask(BUILDER, {"refuses_more_than": 1}, num_envs=3, seed=0, config=config)
    assert len(processes()) == others


SPAMMING = """
begin = time.monotonic()
for _ in range(5):
    task.step(torch.tensor([[faulty_task.SPAM]]))
assert time.monotonic() - begin < 2.0  # one step's time-out
"""
KILL = -signal.SIGKILL
ENDS = {  # name: (the action at the first step, what comes then, the parent's status)
    "kill -9": (HELPER, "time.sleep(1000)", KILL),
    "kill -9 while a worker holds Python's lock": (0, "task.step(torch.tensor([[faulty_task.HOLD_LOCK]]))", KILL),
    "an exception": (HELPER, "raise RuntimeError('mine')", 1),
    "forgotten": (HELPER, "del task; sys.exit(len(psutil.Process().children(recursive=True)) - 1)", 0),
    "100 MB of log spam": (HELPER, SPAMMING, 0),
}
FAST_ENDS = ("kill -9", "an exception")


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_ready(parent: subprocess.Popen) -> list[psutil.Process]:
    assert parent.stderr is not None
    lines = []
    while not lines or not lines[-1].startswith("ready"):
        lines.append(parent.stderr.readline())
        assert lines[-1], f"the parent ended before it was ready: {lines}"
    return psutil.Process(parent.pid).children(recursive=True)


@pytest.mark.parametrize(
    "name", [name if name in FAST_ENDS else pytest.param(name, marks=pytest.mark.slow) for name in ENDS]
)
def test_no_process_is_left_however_the_parent_ends(tmp_path, name):
    (code, then, status), log = ENDS[name], tmp_path / "log"
    with log.open("wb") as output:
        words = [sys.executable, "-c", PARENT.format(code=code, then=then)]
        parent = subprocess.Popen(words, cwd=ROOT, stdout=output, stderr=subprocess.PIPE, text=True)
    descendants = wait_until_ready(parent)
    if status == KILL:
        time.sleep(0.2)
        assert len(descendants) == (3 if code == HELPER else 2)  # the tracker of resources, a worker, its helper
        parent.kill()
    assert parent.wait(20) == status

    end = time.monotonic() + 20
    while any(map(is_alive, descendants)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [process for process in descendants if is_alive(process)]
    assert log.stat().st_size == (5 * SPAM_BYTES if then is SPAMMING else 0)
