"""Training that is stopped, by Ctrl-C or by a number that is not finite, and training that goes on."""

import json
import os
import shutil
import signal

import pytest
import torch

from lifelong_rl.exploration import RandomPolicy
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.divergence import CHECK_EVERY, DivergenceWatch
from lifelong_rl.training.interrupts import Interrupts
from lifelong_rl.training.phase import Phase
from lifelong_rl.types import DivergenceError
from tests.training.tiny_run import TinyRun, tiny_run, tiny_task

OFFLINE = Phase(name="offline", num_epochs=2, updates_per_round=6)
ONLINE = Phase(name="online", num_epochs=2, env_steps_per_round=20, updates_per_round=5, random_env_steps=40)


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


def test_ctrl_c_finishes_the_update_and_leaves_a_snapshot_to_go_on_from(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    run = tiny_run(tmp_path, [OFFLINE])
    run.agent.watch = press_ctrl_c_at(9)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert run.agent.num_updates == 9 and signal.getsignal(signal.SIGINT) == before
    snapshot = load_snapshot(tmp_path / "interrupted")
    assert snapshot.meta["counters"] == {"updates": 9, "env_steps": 0, "phase": 0, "epoch": 1}
    assert torch.equal(snapshot.parts["agent"]["weight"], run.agent.weight)

    again = tiny_run(tmp_path, [OFFLINE])
    again.go_on_from("interrupted")
    again.train()
    assert again.agent.num_updates == 6 and again.algorithm.updates == 15  # the epoch that was broken off, anew
    assert [row[:3] for row in rows(again)] == [("offline", 1, 6), ("offline", 2, 15)]


def test_ctrl_c_is_heard_where_nothing_is_updated(tmp_path):
    class Pressing:
        def evaluate(self, agent: object) -> dict:
            os.kill(os.getpid(), signal.SIGINT)
            return {}

    run = tiny_run(tmp_path, [Phase(name="collect", num_epochs=3, env_steps_per_round=8)], {"multi": Pressing()})
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert load_snapshot(tmp_path / "interrupted").meta["counters"]["epoch"] == 1
    assert run.algorithm.collector.num_steps == 8


def test_a_second_ctrl_c_does_not_wait():
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one should have stopped this")


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
