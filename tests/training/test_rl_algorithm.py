"""The loop: phases in order, counters, what is recorded when."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from lifelong_rl.recording.comparison import snapshot_differences
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.evaluator import Evaluator
from lifelong_rl.training.phase import Phase
from tests.training.tiny_run import NUM_ENVS, TinyRun, tiny_run, tiny_task

OFFLINE = Phase(name="offline", num_epochs=2, updates_per_round=6)
ONLINE = Phase(
    name="online", num_epochs=3, rounds_per_epoch=2, env_steps_per_round=20, updates_per_round=4, random_env_steps=40,
    warmup_env_steps=8,
)  # fmt: skip


def rows(run: TinyRun) -> list[dict]:
    return [json.loads(line) for line in (run.run_dir / "metrics.jsonl").read_text().splitlines()]


def snapshots(run_dir: Path) -> set[str]:
    return {path.parent.name for path in run_dir.glob("*/manifest.json")}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> TinyRun:
    measures = {"multi": Evaluator(tiny_task(Seeds(7)), {})}
    run = tiny_run(tmp_path_factory.mktemp("run"), [OFFLINE, ONLINE], measures)
    run.train()
    return run


def test_phases_run_in_order_and_their_counters_go_on_through_both(trained):
    found = [(row["phase"], row["epoch"], row["updates"], row["env_steps"]) for row in rows(trained)]
    assert found == [
        ("offline", 1, 6, 0),
        ("offline", 2, 12, 0),
        ("online", 1, 20, 88),  # 40 random steps, 8 of warm-up, then 2 rounds of 20
        ("online", 2, 28, 128),
        ("online", 3, 36, 168),
    ]
    assert trained.algorithm.updates == trained.agent.num_updates == 36
    assert len(trained.replay) == trained.algorithm.collector.num_steps == 168


def test_each_row_holds_what_its_area_says(trained):
    offline, online = rows(trained)[0], rows(trained)[-1]
    shared = {"trainer/cloning_loss", "trainer/rate", "trainer/prepared", "evaluation/multi/success_rate"}
    assert shared | {"replay_buffer/num_transitions", "time/update_seconds", "time/evaluate_seconds"} <= set(offline)
    assert "exploration/reward_mean" in online and "exploration/reward_mean" not in offline
    assert offline["replay_buffer/num_transitions"] == 0 and online["replay_buffer/num_transitions"] == 168


def test_snapshots_are_named_after_the_kind_of_phase_and_the_epoch(trained):
    assert snapshots(trained.run_dir) == {"offline_itr_1", "offline_itr_2", "itr_1", "itr_2", "itr_3"}
    meta = load_snapshot(trained.run_dir / "itr_2").meta
    assert meta["about"] == "a tiny run"
    assert meta["counters"] == {"updates": 28, "env_steps": 128, "phase": 1, "epoch": 2, "round": 0}
    last = load_snapshot(trained.run_dir / "offline_itr_2").meta["counters"]
    assert (last["phase"], last["epoch"]) == (1, 0)  # what comes next


def test_evaluations_and_snapshots_keep_their_intervals_and_the_last_epoch_has_both(tmp_path):
    phase = Phase(name="offline", num_epochs=5, updates_per_round=1, evaluation_interval=3, snapshot_interval=2)
    run = tiny_run(tmp_path, [phase], {"multi": Evaluator(tiny_task(Seeds(7)), {})})
    run.train()
    assert ["evaluation/multi/success_rate" in row for row in rows(run)] == [False, False, True, False, True]
    assert snapshots(tmp_path) == {"offline_itr_2", "offline_itr_4", "offline_itr_5"}


def test_two_phases_of_one_kind_do_not_overwrite_each_others_snapshots(tmp_path):
    first = Phase(name="first", num_epochs=2, updates_per_round=1)
    second = Phase(name="second", num_epochs=2, updates_per_round=1, env_steps_per_round=NUM_ENVS)
    third = Phase(name="third", num_epochs=1, updates_per_round=1)
    tiny_run(tmp_path, [first, second, third]).train()
    assert snapshots(tmp_path) == {"offline_itr_1", "offline_itr_2", "itr_1", "itr_2", "offline_itr_3"}


def test_the_second_phases_random_steps_come_before_its_first_round_alone(tmp_path):
    phase = Phase(name="online", num_epochs=2, env_steps_per_round=NUM_ENVS, random_env_steps=60)
    run = tiny_run(tmp_path, [phase])
    run.train()
    assert [row["env_steps"] for row in rows(run)] == [64, 68]


def test_a_film_is_made_at_each_regular_snapshot_once_it_is_there_and_leaves_no_trace(tmp_path):
    phase = dataclasses.replace(ONLINE, num_epochs=5, snapshot_interval=2)
    plain, filmed = (tiny_run(tmp_path / name, [phase]) for name in ("plain", "filmed"))
    seen = []

    def film(agent, snapshot, counters):
        assert agent is filmed.agent and (filmed.run_dir / snapshot / "manifest.json").exists()
        seen.append((snapshot, counters))
        torch.rand(7, generator=filmed.seeds.torch("exploration"))

    filmed.algorithm.phases = [dataclasses.replace(parts, film=film) for parts in filmed.algorithm.phases]
    plain.train()
    filmed.train()
    assert [name for name, _ in seen] == ["itr_2", "itr_4", "itr_5"]
    assert seen[-1][1] == {"updates": 40, "env_steps": 248, "epoch": 5}
    assert list(snapshot_differences(plain.run_dir / "itr_5", filmed.run_dir / "itr_5")) == []
    assert "time/film_seconds" in rows(filmed)[2]
