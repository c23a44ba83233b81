"""A variant becomes a run that trains offline, then online, writes its files and goes on where it stopped."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch

import experiment_configs
from experiment_configs import ExperimentConfig, build
from lifelong_rl.config import from_dict
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.snapshot import load_snapshot
from tests.experiment_configs.tiny_variant import NETWORK, OFFLINE, ONLINE, tiny_build, tiny_variant


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Holds the dataset and a finished run, `first`."""
    folder = tmp_path_factory.mktemp("experiment")
    tiny_build(folder, "first").train()
    return folder


def weights(directory: Path) -> list[torch.Tensor]:
    """Of the actor and the first critic, in a snapshot."""
    agent = load_snapshot(directory).parts["agent"]
    return [*agent["actor"].values(), *agent["critics"][0]["critic"].values()]


def epochs(run_dir: Path) -> list[tuple[str, int, int]]:
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    return [(row["phase"], row["epoch"], row["updates"]) for row in map(json.loads, lines)]


def test_both_phases_leave_rows_tables_and_snapshots(folder):
    first = folder / "first"
    assert epochs(first) == [("offline", 1, 3), ("offline", 2, 6), ("online", 1, 9), ("online", 2, 12)]
    for table, updates in (("offline_progress.csv", ["3", "6"]), ("progress.csv", ["9", "12"])):
        with (first / table).open() as file:
            assert [row["updates"] for row in csv.DictReader(file)] == updates
    found = {path.parent.name for path in first.glob("*/manifest.json")}
    assert found == {"offline_itr_1", "offline_itr_2", "itr_1", "itr_2"}


def test_rows_say_how_well_both_sets_of_goals_and_the_distances_were_learned(folder):
    row = json.loads((folder / "first/metrics.jsonl").read_text().splitlines()[-1])
    for goals in ("multi", "single"):
        for name in ("success_rate", "success_at_end_rate", "steps_to_goal_mean", "steps_over_controller"):
            assert f"evaluation/{goals}/{name}" in row
    assert -1 <= row["evaluation/distance/spearman"] <= 1
    assert row["replay_buffer/num_transitions"] == row["env_steps"] == 40


def test_a_snapshot_alone_says_what_it_is_a_snapshot_of(folder):
    meta = load_snapshot(folder / "first/itr_2").meta
    assert meta["variant"]["task"]["name"] == "maze2d-umaze-v1" and meta["variant"]["agent"]["num_critics"] == 1
    assert meta["counters"] == {"updates": 12, "env_steps": 40, "phase": 2, "epoch": 0, "round": 0}


def test_the_closing_table_sets_ours_beside_the_controller_and_random_actions(folder, capsys):
    tiny_build(folder, "first").train()
    output = capsys.readouterr().out
    assert "going on from" in output and "itr_2" in output
    for policy in ("ours", "controller", "random"):
        assert output.count(policy) == 2  # once for each set of goals


def test_a_run_that_is_built_again_goes_on_and_ends_with_the_very_same_weights(folder):
    shutil.copytree(folder / "first", folder / "again")
    for later in ("itr_1", "itr_2"):
        shutil.rmtree(folder / "again" / later)
    tiny_build(folder, "again").train()
    assert epochs(folder / "again") == epochs(folder / "first")
    pairs = zip(weights(folder / "again/itr_2"), weights(folder / "first/itr_2"), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_an_older_interruption_does_not_take_a_run_back(folder, capsys):
    shutil.copytree(folder / "first", folder / "interrupted-once")
    (folder / "interrupted-once/offline_itr_1").rename(folder / "interrupted-once/interrupted")
    assert tiny_build(folder, "interrupted-once").algorithm.updates == 12
    for later in ("itr_1", "itr_2", "offline_itr_2"):
        shutil.rmtree(folder / "interrupted-once" / later)
    run = tiny_build(folder, "interrupted-once")
    assert run.algorithm.updates == 3 and "interrupted-once/interrupted" in capsys.readouterr().out.replace("\n", "")


def test_a_damaged_newest_snapshot_is_named_and_the_one_before_it_is_taken(folder, capsys):
    shutil.copytree(folder / "first", folder / "damaged")
    (folder / "damaged/itr_2/meta.json").write_text("{")
    run = tiny_build(folder, "damaged")
    named, taken = capsys.readouterr().out.splitlines()
    assert named.startswith("passed over: ") and "itr_2/meta.json: damaged, expected " in named
    assert taken == f"going on from {folder / 'damaged/itr_1'}" and run.algorithm.updates == 9
    run.train()
    pairs = zip(weights(folder / "damaged/itr_2"), weights(folder / "first/itr_2"), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_where_every_snapshot_is_damaged_nothing_is_trained_over_them(folder):
    shutil.copytree(folder / "first", folder / "ruined")
    for manifest in (folder / "ruined").glob("*/manifest.json"):
        manifest.write_text("{}")
    with pytest.raises(SnapshotError, match=r"itr_2/manifest.json: damaged, this is not a snapshot's manifest\."):
        tiny_build(folder, "ruined")


def test_what_ctrl_c_left_goes_once_training_has_come_farther(folder):
    shutil.copytree(folder / "first", folder / "gone-on")
    for later in ("itr_1", "itr_2"):
        shutil.rmtree(folder / "gone-on" / later)
    (folder / "gone-on/offline_itr_2").rename(folder / "gone-on/interrupted")
    tiny_build(folder, "gone-on").train()
    assert (folder / "gone-on/itr_2").exists() and not (folder / "gone-on/interrupted").exists()


def test_online_training_starts_with_the_weights_of_a_finished_offline_run(folder):
    source = folder / "first/offline_itr_2"
    run = tiny_build(folder, "fine-tuned", phases=[ONLINE], initialize_from=str(source))
    agent = run.algorithm.agent.state_dict()
    ours = [*agent["actor"].values(), *agent["critics"][0]["critic"].values()]
    assert all(torch.equal(a, b) for a, b in zip(ours, weights(source), strict=True))
    assert run.algorithm.updates == 0 and run.algorithm.collector.num_steps == 0
    run.train()
    assert epochs(folder / "fine-tuned") == [("online", 1, 3), ("online", 2, 6)]


def test_a_snapshot_of_another_size_is_refused_with_both_shapes(folder):
    agent = {"name": "qrl", "network": NETWORK | {"latent_size": 12}, "actor": {"hidden_sizes": [16]}}
    with pytest.raises(SnapshotError) as caught:
        tiny_build(folder, "larger", agent=agent, initialize_from=str(folder / "first/itr_2"))
    line = str(caught.value)
    assert "itr_2: agent" in line and "this run has shape [12, 16], the snapshot has [8, 16]." in line
    assert "\n" not in line


def test_a_snapshot_of_another_run_is_refused_with_both_values(folder):
    agent = {"name": "qrl", "network": NETWORK, "actor": {"hidden_sizes": [24]}}
    message = r"first/itr_2: of another run: variant\.agent\.actor\.hidden_sizes\.0 is 16, here it is 24\.$"
    with pytest.raises(SnapshotError, match=message):
        tiny_build(folder, "first", agent=agent)
    assert tiny_build(folder, "first", snapshots={"keep_last": None}).algorithm.updates == 12  # this may change


def test_a_run_does_not_go_on_with_other_data(folder):
    variant = tiny_variant(folder)
    config = from_dict(ExperimentConfig, variant)
    dataset = folder / "umaze.hdf5"
    kept = dataset.read_bytes()
    try:
        dataset.unlink()
        tiny_build(folder, "elsewhere", dataset=variant["dataset"] | {"seed": 1})
        with pytest.raises(SnapshotError, match=r"umaze\.hdf5 is not the file that this run began with"):
            build(config, folder / "first")
    finally:
        dataset.write_bytes(kept)
    assert build(config, folder / "first").algorithm.updates == 12


def test_a_snapshot_that_is_not_there_is_named_with_those_that_are(folder):
    with pytest.raises(SnapshotError, match=r"offline_itr_9: no such snapshot\. There: itr_2, itr_1, offline_itr_2"):
        tiny_build(folder, "nowhere", initialize_from=str(folder / "first/offline_itr_9"))
    with pytest.raises(SnapshotError, match=r"first: not a whole snapshot, .* In it: itr_2, itr_1, offline_itr_2"):
        tiny_build(folder, "nowhere", initialize_from=str(folder / "first"))


def test_a_maze_of_ones_own_gets_a_dataset_of_its_own(folder):
    task = {"name": "maze2d-custom", "layout": r"#####\#OOG#\#####", "horizon": 20}
    path = folder / "datasets/own.hdf5"
    run = tiny_build(folder, "own-maze", task=task, dataset={"path": str(path), "num_transitions": 500})
    assert path.exists()
    run.train()
    assert "evaluation/multi/normalized_score" not in (folder / "own-maze/metrics.jsonl").read_text()


def test_equal_seeds_build_equal_agents_and_other_seeds_others(folder):
    first, again, other = (tiny_build(folder, f"seed-{n}", seed=seed) for n, seed in enumerate((3, 3, 4)))
    states = [run.algorithm.agent.state_dict()["critics"][0]["critic"] for run in (first, again, other)]
    equal = [[torch.equal(states[0][name], state[name]) for name in state] for state in states[1:]]
    assert all(equal[0]) and not all(equal[1])


def test_an_offline_phase_alone_collects_nothing(folder):
    run = tiny_build(folder, "offline-only", phases=[OFFLINE], evaluation={"num_episodes": 2, "goals": ["single"]})
    run.train()
    assert run.algorithm.collector.num_steps == 0
    assert "evaluation/multi/success_rate" not in (folder / "offline-only/metrics.jsonl").read_text()


def test_the_package_goes_on_offering_its_names_after_everything_was_imported():
    for _ in range(2):
        assert callable(experiment_configs.build) and isinstance(experiment_configs.ExperimentConfig, type)
    with pytest.raises(AttributeError, match="has no attribute 'bild'"):
        _ = experiment_configs.bild
