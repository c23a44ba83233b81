"""An agent is judged from its snapshot alone, on the run's episodes or others; a wrong one is refused in one line."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiment_configs.loading import check_same_shapes, find_snapshot, load_run
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from scripts.evaluate import main
from tests.scripts.tiny_snapshots import make_run, refusal
from tests.source_tree import ROOT


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("experiment"))


def evaluate(tmp_path: Path, *words: Any) -> dict[str, Any]:
    """What the script writes as JSON."""
    assert main([*map(str, words), "--json", str(tmp_path / "numbers.json")]) == 0
    return json.loads((tmp_path / "numbers.json").read_text())


def changed(snapshot: Path, directory: Path, **variant: Any) -> Path:
    """A copy that says that it was made by another variant."""
    loaded = load_snapshot(snapshot)
    save_snapshot(directory, loaded.parts, loaded.meta | {"variant": loaded.meta["variant"] | variant})
    return directory


def test_without_flags_the_numbers_are_those_that_the_run_recorded(run, tmp_path):
    results = evaluate(tmp_path, run / "itr_2")["results"]
    row = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    recorded = {
        name.removeprefix("evaluation/"): value for name, value in row.items() if name.startswith("evaluation/")
    }
    ours = {f"{goals}/{name}": value for goals in ("multi", "single") for name, value in results[goals]["ours"].items()}
    ours |= {f"distance/{name}": value for name, value in results["distance"].items()}
    assert ours == pytest.approx(recorded, rel=1e-5)


def test_the_table_sets_ours_beside_the_controller_and_a_random_policy(run, capsys):
    assert main([str(run / "itr_2"), "--num_episodes", "3", "--seed", "7"]) == 0
    output = capsys.readouterr().out
    rows = [words for line in output.splitlines() if len(words := line.split()) > 2 and words[0] in ("multi", "single")]
    names = ["ours", "controller", "random"]
    assert [row[:2] for row in rows] == [[goals, name] for goals in ("multi", "single") for name in names]
    assert "3 episodes a row, seed 7" in output and "Spearman" in output
    assert all(len(row) == 8 for row in rows) and rows[1][5] == "1.00"
    assert "…" not in output


def test_the_json_says_what_was_asked_and_with_which_versions(run, tmp_path):
    asked = ("--goals", "single", "--num_episodes", 3, "--seed", 7)
    content = evaluate(tmp_path, run / "itr_1", *asked)
    assert content["evaluation"] == {"num_episodes": 3, "goals": ["single"], "seed": 7}
    assert content["snapshot"] == str(run / "itr_1") and content["counters"]["env_steps"] == 300
    assert {"torch", "numpy", "mujoco", "python"} <= set(content["versions"])
    assert set(content["results"]) == {"single", "distance"}
    assert set(content["results"]["single"]) == {"ours", "controller", "random"}


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(run, tmp_path):
    first, again, other = (
        evaluate(tmp_path, run / "itr_2", "--goals", "multi", "--seed", seed)["results"]["multi"] for seed in (5, 5, 6)
    )
    assert first == again and first["ours"] != other["ours"]


def test_ratios_are_of_the_controllers_mean_steps(run, tmp_path):
    rows = evaluate(tmp_path, run / "itr_2", "--goals", "multi")["results"]["multi"]
    for row in rows.values():
        ratio = row["steps_to_goal_mean"] / rows["controller"]["steps_to_goal_mean"]
        assert row["steps_over_controller"] == pytest.approx(ratio, rel=1e-6)


def test_another_task_of_the_same_shapes_can_be_tried(run, tmp_path):
    content = evaluate(tmp_path, run / "itr_2", "--task", "maze2d-open-v1", "--num_episodes", 2, "--goals", "single")
    assert content["task"]["name"] == "maze2d-open-v1"
    assert content["results"]["single"]["controller"]["success_rate"] == 1.0


def test_a_value_map_shows_learned_beside_true_steps(run, tmp_path):
    path = tmp_path / "pictures" / "map.png"
    assert main([str(run / "itr_2"), "--num_episodes", "1", "--value_map", str(path)]) == 0
    picture = np.asarray(Image.open(path).convert("RGB"))
    left, right = picture[:, : picture.shape[1] // 2], picture[:, picture.shape[1] // 2 :]
    for half in (left, right):
        assert len(np.unique(half.reshape(-1, 3), axis=0)) > 100


def test_of_a_run_the_newest_snapshot_is_taken_and_named(run, tmp_path, capsys):
    copy = shutil.copytree(run, tmp_path / "copy")
    assert find_snapshot(copy) == copy / "itr_2"
    assert "itr_2" in capsys.readouterr().out

    (copy / "itr_1").rename(copy / "interrupted")
    assert find_snapshot(copy) == copy / "itr_2", "an older interruption"
    shutil.rmtree(copy / "itr_2")
    assert find_snapshot(copy) == copy / "interrupted"


def test_a_name_that_is_no_snapshot_gets_the_nearest_one(run, tmp_path, capsys):
    assert "Did you mean 'itr_2'?" in refusal(main, capsys, run / "itr_20")
    assert "Did you mean 'run'?" in refusal(main, capsys, run.parent / "runn" / "itr_2")
    assert "name one of run" in refusal(main, capsys, run.parent)
    assert "a file" in refusal(main, capsys, run / "metrics.jsonl")
    assert "neither a snapshot nor a run" in refusal(main, capsys, tmp_path)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--num_episodes", "0"], "--num_episodes: expected a whole number from 1 up, got '0'"),
        (["--goals", "singel"], "singel"),
        (["--num_episode5", "3"], "Did you mean '--num_episodes'?"),
        (["--value_map", "map.jpeg2"], "expected a name that ends in .png"),
        (["--task", "maze2d-umase-v1"], "Did you mean 'maze2d-umaze-v1'?"),
        (["--task", "maze2d-custom"], "task.layout"),
    ],
)
def test_wrong_flags_are_refused_in_one_line(run, capsys, words, part):
    assert part in refusal(main, capsys, run / "itr_2", *words)


def test_a_snapshot_of_another_size_is_refused_with_both_shapes(run, tmp_path, capsys):
    agent = load_snapshot(run / "itr_2").meta["variant"]["agent"]
    larger = agent | {"network": agent["network"] | {"latent_size": 12}}
    line = refusal(main, capsys, changed(run / "itr_2", tmp_path / "itr_2", agent=larger))
    assert "[12, 16]" in line and "[8, 16]" in line and str(tmp_path / "itr_2") in line


def test_a_task_of_other_shapes_is_refused_with_both(run):
    spec = load_run(run / "itr_2").task.spec
    with pytest.raises(ConfigError, match=r"ant: observation_shape is \(29,\), .* maze2d-umaze-v1: \(4,\)"):
        check_same_shapes(spec, dataclasses.replace(spec, name="ant", observation_shape=(29,)))
    check_same_shapes(spec, dataclasses.replace(spec, horizon=7))


def test_a_snapshot_whose_variant_cannot_be_read_is_refused(run, tmp_path, capsys):
    old = changed(run / "itr_2", tmp_path / "old", num_enviroments=3)
    assert "unknown key 'num_enviroments'" in refusal(main, capsys, old)
    save_snapshot(tmp_path / "other", {"notes": {"text": "x"}}, {})
    assert "not of a run" in refusal(main, capsys, tmp_path / "other")


def test_a_damaged_snapshot_is_refused_by_the_file(run, tmp_path, capsys):
    copy = shutil.copytree(run / "itr_2", tmp_path / "itr_2")
    (copy / "agent.safetensors").write_bytes(b"not tensors")
    assert str(copy / "agent.safetensors") in refusal(main, capsys, copy)


@pytest.mark.parametrize("script", ["evaluate", "viz_hist", "maps", "check_data", "plot"])
def test_help_has_examples_and_imports_neither_torch_nor_mujoco(script):
    code = f"""
import sys, runpy
sys.argv = ["{script}.py", "-h"]
try:
    runpy.run_path("scripts/{script}.py", run_name="__main__")
except SystemExit as stop:
    print(stop.code, {{"torch", "mujoco", "numpy"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("0 set()\n") and f"python scripts/{script}.py" in done.stdout
