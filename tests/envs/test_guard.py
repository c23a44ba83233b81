"""A guarded task says which step failed and why, and a hang ends the process with a line and a stack."""

import gc
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch import Tensor

from lifelong_rl.envs.guard import Guarded, not_finite
from lifelong_rl.types import EnvironmentFault, Observed
from tests.envs.faulty_task import INFINITE_REWARD, NAN, RAISE, FaultyTask
from tests.source_tree import ROOT

HANG = """
import sys, numpy as np, torch
from lifelong_rl.envs.guard import Guarded
from tests.envs.faulty_task import FaultyTask, SLEEP
task = Guarded(FaultyTask(num_envs=2, generator=np.random.default_rng(0)), 0.5, {on_hang})
task.step(torch.zeros(2, 1))
task.step(torch.tensor([[0.0], [SLEEP]]))
"""


def build(num_envs: int = 3) -> Guarded:
    return Guarded(FaultyTask(num_envs=num_envs, generator=np.random.default_rng(0)))


def actions(*codes: float) -> Tensor:
    return torch.tensor(codes, dtype=torch.float32)[:, None]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (RAISE, "line-v0: step 2: RuntimeError: the spring broke"),
        (NAN, "line-v0: step 2: observation of environment 1 is nan."),
        (INFINITE_REWARD, "line-v0: step 2: reward of environment 1 is inf."),
    ],
)
def test_a_fault_is_one_line_that_names_task_step_and_cause(code, line):
    task = build()
    task.step(actions(0, 0, 0))
    with pytest.raises(EnvironmentFault) as fault:
        task.step(actions(0, code, 0))
    assert str(fault.value) == line and not fault.value.recovered


def test_the_first_number_that_is_not_finite_is_named_with_key_and_environment():
    goal = torch.zeros(3, 1)
    bad = torch.tensor([[0.0], [0.0], [-torch.inf]])
    observed = Observed(observation=torch.zeros(3, 2, dtype=torch.uint8), achieved_goal=bad, desired_goal=goal)
    assert not_finite(observed, torch.zeros(3), first=4) == "achieved_goal of environment 6 is -inf"


def test_large_numbers_whose_sum_is_not_finite_are_no_fault():
    large = torch.full((4, 2), 3e38)
    assert not_finite(Observed(observation=large, achieved_goal=large, desired_goal=large), large[:, 0]) is None


def test_a_guarded_task_shows_what_the_task_shows_and_shares_its_state():
    plain, task = FaultyTask(num_envs=3, generator=np.random.default_rng(0)), build()
    assert torch.equal(task.reset().observation, plain.reset().observation)
    for _ in range(5):
        ours, theirs = task.step(actions(1, -1, 0.5)), plain.step(actions(1, -1, 0.5))
        assert torch.equal(ours.observed.observation, theirs.observed.observation)
        assert torch.equal(ours.reward, theirs.reward)
    assert torch.equal(task.reset_where(ours.truncated).observation, plain.reset_where(theirs.truncated).observation)
    assert torch.equal(task.sim_state(), plain.sim_state())
    other = build()
    other.load_state_dict(task.state_dict())
    assert torch.equal(other.reset().observation, plain.reset().observation)


def test_a_watchdog_ends_with_its_guard():
    before = set(threading.enumerate())
    tasks = [build() for _ in range(3)]
    watchdogs = set(threading.enumerate()) - before
    assert len(watchdogs) == 3
    tasks.clear()
    gc.collect()
    for watchdog in watchdogs:
        watchdog.join(5.0)
        assert not watchdog.is_alive()


@pytest.mark.parametrize("on_hang", ["lambda line: print('told:', line)", "lambda line: 1 / 0"])
def test_a_hang_ends_the_process_with_a_line_a_stack_and_the_callback_told(on_hang):
    words = [sys.executable, "-c", HANG.format(on_hang=on_hang)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "line-v0: step 2 hangs, 0.5 s so far. The process ends here:" in ended.stderr
    assert "in fail" in ended.stderr and "in step" in ended.stderr  # where it hangs
    assert ("told: line-v0: step 2 hangs" in ended.stdout) == on_hang.startswith("lambda line: print")


def test_many_short_steps_are_no_hang():
    told: list[str] = []
    task = Guarded(FaultyTask(num_envs=1, generator=np.random.default_rng(0)), 0.1, told.append)
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        task.step(actions(0))
    assert told == []  # and this process lives
