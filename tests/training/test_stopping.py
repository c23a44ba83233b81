"""Training that is stopped, by Ctrl-C or by a number that is not finite, and training that goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from lifelong_rl.exploration import RandomPolicy
from lifelong_rl.recording.newest import load_newest
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.divergence import CHECK_EVERY, DivergenceWatch
from lifelong_rl.training.phase import Phase
from lifelong_rl.types import DivergenceError, Outcome, RowLog
from tests.training.tiny_run import NUM_ENVS, TinyRun, tiny_run, tiny_task

OFFLINE = Phase(name="offline", num_epochs=2, updates_per_round=6)
ONLINE = Phase(name="online", num_epochs=2, env_steps_per_round=20, updates_per_round=5, random_env_steps=40)
WARMED_UP = Phase(
    name="online", num_epochs=2, rounds_per_epoch=2, env_steps_per_round=12, updates_per_round=5, random_env_steps=40,
    warmup_env_steps=20, n_step=2, offline_fraction=0.5,
)  # fmt: skip


def press_ctrl_c_at(wanted: int):
    def watch(number: int) -> None:
        if number == wanted:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def rows(run: TinyRun) -> list[tuple]:
    lines = (run.run_dir / "metrics.jsonl").read_text().splitlines()
    keys = ("phase", "epoch", "updates", "env_steps", "trainer/cloning_loss")
    return [tuple(json.loads(line)[key] for key in keys) for line in lines]


@pytest.mark.parametrize("name", ["offline_itr_1", "offline_itr_2", "itr_1"])
def test_from_any_snapshot_training_goes_on_to_the_very_same_end(tmp_path, name):
    whole = tiny_run(tmp_path / "whole", [OFFLINE, ONLINE])
    whole.train()
    shutil.copytree(whole.run_dir, tmp_path / "again")

    again = tiny_run(tmp_path / "again", [OFFLINE, ONLINE])
    again.go_on_from(name)
    again.train()

    epochs_before = {"offline_itr_1": 1, "offline_itr_2": 2, "itr_1": 3}[name]
    assert again.agent.num_updates == {1: 16, 2: 10, 3: 5}[epochs_before]  # finished epochs are not trained again
    assert torch.equal(again.agent.weight, whole.agent.weight) and again.agent.weight.abs().sum() > 0
    assert rows(again) == rows(whole) and len(rows(whole)) == 4
    assert again.algorithm.updates == 22 and again.algorithm.collector.num_steps == 80
    index = whole.replay.indices()
    assert torch.equal(again.replay.at("observation", index), whole.replay.at("observation", index))


def test_a_finished_run_that_is_started_again_trains_nothing(tmp_path):
    tiny_run(tmp_path, [OFFLINE]).train()
    again = tiny_run(tmp_path, [OFFLINE])
    again.go_on_from("offline_itr_2")
    assert again.algorithm.epochs_before == 2
    again.train()
    assert again.agent.num_updates == 0 and len(rows(again)) == 2


def press_at(run: TinyRun, moment: str, count: int) -> None:
    """Ctrl-C, when the run makes its `count`-th update or environment step."""
    if moment == "update":
        run.agent.watch = press_ctrl_c_at(count)
        return
    step, made = run.task.step, iter(range(1, 10_000))

    def pressed_step(action: torch.Tensor) -> Outcome:
        press_ctrl_c_at(count)(next(made))
        return step(action)

    run.task.step = pressed_step  # type: ignore[method-assign]


def everything(run: TinyRun) -> dict[str, Any]:
    """All that a run has come to, but for its clock and the length of its log, in which the clock stands."""
    states = {name: state for name, state in run.algorithm.states().items() if name != "logger"}
    return dict(leaves_of(states, "run"))


def leaves_of(state: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(state, RowLog):
        state = [state.first, state.last, state.read(state.first, state.last) if state.last > state.first else None]
    if isinstance(state, dict | list | tuple):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            yield from leaves_of(value, f"{path}.{key}")
    else:
        yield path, state.tolist() if isinstance(state, torch.Tensor | np.ndarray) else state


UPDATES, STEPS = (1, 3, 6, 9, 12, 13, 17, 22, 32), (1, 10, 11, 15, 16, 17, 20, 27)
MOMENTS = [*(("update", n) for n in UPDATES), *(("step", n) for n in STEPS)]


@pytest.mark.parametrize(("moment", "count"), MOMENTS)
def test_a_run_that_ctrl_c_stopped_anywhere_goes_on_as_if_it_had_not(tmp_path, moment, count):
    phases = [OFFLINE, WARMED_UP]
    whole = tiny_run(tmp_path / "whole", phases)
    whole.train()

    before = signal.getsignal(signal.SIGINT)
    stopped = tiny_run(tmp_path / "again", phases)
    press_at(stopped, moment, count)
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    assert signal.getsignal(signal.SIGINT) == before
    made = stopped.agent.num_updates if moment == "update" else stopped.algorithm.at.env_steps // NUM_ENVS
    assert made == count  # what was at hand is finished, nothing more is begun

    again = tiny_run(tmp_path / "again", phases)
    path, _ = load_newest(again.run_dir)
    again.go_on_from(path.name)
    again.train()
    assert again.algorithm.updates == 32 and rows(again) == rows(whole) and len(rows(whole)) == 4
    assert everything(again) == everything(whole)


def test_stopped_while_it_evaluates_a_run_evaluates_again(tmp_path):
    class Pressing:
        times = 0

        def evaluate(self, agent: object) -> dict:
            torch.rand(1, generator=run.seeds.torch("exploration"))
            self.times += 1
            if self.times == 2:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(10)
            return {"times": 1.0}

    measures = {"multi": Pressing()}
    run = tiny_run(tmp_path, [Phase(name="collect", num_epochs=3, env_steps_per_round=8)], measures)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert time.monotonic() - start < 5  # an evaluation is broken off, not waited for
    counters = load_snapshot(tmp_path / "interrupted").meta["counters"]
    assert counters == {"updates": 0, "env_steps": 16, "phase": 0, "epoch": 1, "round": 1}

    run = tiny_run(tmp_path, [Phase(name="collect", num_epochs=3, env_steps_per_round=8)], measures)
    run.go_on_from("interrupted")
    run.train()
    whole = tiny_run(tmp_path / "whole", [Phase(name="collect", num_epochs=3, env_steps_per_round=8)])
    whole.train()
    assert measures["multi"].times == 4 and run.algorithm.collector.num_steps == 24
    assert everything(run) == everything(whole)  # evaluating leaves no trace


SECOND_SIGNAL = """
import time
from lifelong_rl.training.interrupts import Interrupts
with Interrupts(last_words=lambda status: print("ends with", status, flush=True)) as stops, stops.deferred():
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGUSR1, 75)])
def test_a_second_signal_ends_the_process_at_once_but_an_echo_of_the_first_does_not(number, status):
    with subprocess.Popen([sys.executable, "-c", SECOND_SIGNAL], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        process.send_signal(number)  # what a group's leader and its members are both told
        time.sleep(1.0)
        assert process.poll() is None
        start = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=10) == status and time.monotonic() - start < 2
        assert process.stdout.read() == f"ends with {status}\n"


def test_a_loss_that_is_not_finite_stops_with_its_update_and_key_and_the_last_snapshot_stays(tmp_path):
    run = tiny_run(tmp_path, [OFFLINE])

    def watch(number: int) -> None:
        run.agent.factor = float("nan") if number >= 8 else 1.0

    run.agent.watch = watch
    with pytest.raises(DivergenceError) as caught:
        run.train()
    assert str(caught.value) == "update 8: trainer/cloning_loss is nan; training stopped."
    kept = load_snapshot(tmp_path / "offline_itr_1")
    assert bool(torch.isfinite(kept.parts["agent"]["weight"]).all()) and not (tmp_path / "offline_itr_2").exists()


@pytest.mark.parametrize("value", [float("inf"), float("nan"), torch.tensor(torch.inf)])
def test_numbers_and_tensors_are_watched_alike(value):
    watch = DivergenceWatch()
    watch.see(1, {"loss": torch.tensor(1.0), "rate": 0.5})
    watch.see(2, {"loss": torch.tensor(1.0), "rate": value})
    with pytest.raises(DivergenceError, match="^update 2: trainer/rate is (inf|nan); training stopped.$"):
        watch.check()


def test_trouble_is_noticed_before_an_endless_epoch_ends():
    watch = DivergenceWatch()
    watch.see(1, {"loss": torch.tensor(torch.nan)})
    with pytest.raises(DivergenceError, match="^update 1: "):
        for update in range(2, 2 + CHECK_EVERY):
            watch.see(update, {"loss": torch.tensor(0.0)})


def test_an_action_that_is_not_finite_is_not_stepped():
    seeds = Seeds(0)
    task = tiny_task(seeds)
    action = RandomPolicy(task.spec, seeds.torch("random"))(torch.zeros(4, 4), torch.zeros(4, 2))
    action[3] = torch.nan
    with pytest.raises(ValueError, match="action of environment 3 must be finite"):
        task.step(action)
