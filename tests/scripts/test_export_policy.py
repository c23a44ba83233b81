"""The script writes a folder that loads without the run, and refuses in one line; the documented loops work."""

import inspect
import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import onnxruntime
import pytest
import yaml

from experiment_configs.policy_onnx import compare_onnx
from lifelong_rl.exported_policy import load_policy
from scripts.export_policy import main
from tests.experiment_configs.tiny_policies import case, make_snapshot
from tests.scripts.tiny_snapshots import refusal
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
FILES = {"config.json", "policy.safetensors", "README.md", "replay.mp4", "policy.onnx"}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Path:
    return make_snapshot(tmp_path_factory.mktemp("experiment"), **case("gcivl"))


@pytest.fixture(scope="module")
def folder(snapshot) -> Path:
    assert main([str(snapshot), "--num_episodes", "2"]) == 0
    named = snapshot.with_name("FOLDER")  # as the documents name it
    shutil.copytree(snapshot.parent / "exports" / "itr_1", named)
    return named


def code_of(text: str, start: str) -> str:
    """The block of Python in which a line begins so."""
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (block,) = [block for block in blocks if start in block]
    return block


def lines_of(function: Callable[[], Any]) -> list[str]:
    """Its body but for what it returns."""
    body = inspect.getsource(function).splitlines()[1:-1]
    return textwrap.dedent("\n".join(body)).splitlines()


def test_the_folder_has_all_files_and_a_small_difference(folder):
    assert {path.name for path in folder.iterdir()} == FILES
    told = json.loads((folder / "config.json").read_text())
    assert told["onnx"]["largest_difference"] <= 1e-5 and told["onnx"]["num_observations"] == 1000
    assert set(told["files"]) == FILES - {"config.json", "README.md"}
    assert yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])["model-index"]


def test_a_file_that_acts_otherwise_is_not_close(folder):
    policy = load_policy(folder)
    rows = tuple(np.random.default_rng(0).normal(size=(100, size)).astype(np.float32) for size in (4, 2))
    action = policy({"observation": rows[0], "desired_goal": rows[1]})
    actions = policy.description.spaces.actions("action")
    apart = np.zeros_like(action)
    apart[3, 1] = 1e-4
    assert compare_onnx(folder / "policy.onnx", actions, rows, action).is_close
    compared = compare_onnx(folder / "policy.onnx", actions, rows, action + apart)
    assert not compared.is_close and compared.difference == pytest.approx(1e-4, rel=0.1)


def five_lines():
    policy = load_policy("FOLDER")
    env = gymnasium.make("lifelong_rl.envs.gymnasium_ids:lifelong_rl/Maze2d-UMaze-v1", horizon=30, random_goals=True)
    observation, info = env.reset(seed=0)
    for _ in range(30):
        observation, reward, terminated, truncated, info = env.step(policy(observation))
    return observation, truncated


def lines_without_torch():
    session = onnxruntime.InferenceSession("FOLDER" + "/policy.onnx")
    shown = {"observation": np.zeros(4), "desired_goal": np.ones(2)}  # as the environment shows it
    rows = {"observation": shown["observation"], "goal": shown["desired_goal"]}
    rows = {name: row.astype(np.float32)[None] for name, row in rows.items()}
    action = session.run(["action"], rows)[0][0]
    return shown, action


def test_the_lines_of_the_page_and_of_the_card_are_those_that_run_here(folder):
    for text in (PAGE, (folder / "README.md").read_text()):
        imports, lines = code_of(text, "policy = load_policy(").split("\n\n")
        assert lines_of(five_lines) == lines.splitlines() and len(lines.splitlines()) == 5
        assert imports.splitlines() == ["import gymnasium", "from lifelong_rl.exported_policy import load_policy"]
    imports, lines = code_of(PAGE, "onnxruntime.InferenceSession(").split("\n\n")
    assert lines_of(lines_without_torch) == lines.splitlines()
    assert imports.splitlines() == ["import numpy as np", "import onnxruntime"]


def test_the_five_lines_play_an_episode(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    observation, truncated = five_lines()
    assert truncated and observation["observation"].shape == (4,)


def test_the_lines_without_torch_act_alike(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    shown, action = lines_without_torch()
    assert np.allclose(action, load_policy(folder)(shown), atol=1e-5)


def test_what_is_there_stays_unless_it_is_to_be_replaced(folder, snapshot, capsys):
    assert "--overwrite" in refusal(main, capsys, snapshot)
    assert "no such snapshot" in refusal(main, capsys, snapshot.with_name("itr_9"))
    assert "expected a whole number from 1 up" in refusal(main, capsys, snapshot, "--num_episodes", 0)
    assert "Did you mean '--output'?" in refusal(main, capsys, snapshot, "--ouput", "a")


def test_help_needs_neither_torch_nor_gymnasium():
    code = "import sys; from scripts.export_policy import main\ntry: main(['-h'])\nexcept SystemExit: pass\n"
    check = "assert not {'torch', 'gymnasium', 'numpy'} & set(sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code + check], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
