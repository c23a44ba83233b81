"""Published scores: found by task and metric, each with its source, and never one for another task."""

import tomllib

import pytest
import yaml

from experiment_utils.results.reference_scores import TABLE, references
from lifelong_rl.envs.maze2d_config import MAZES, Maze2dConfig
from tests.source_tree import ROOT

BLOCKS = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
SINGLE = "evaluation/single/normalized_score"


def values(task_name: str, metric: str) -> dict[str, float]:
    return {reference.name: reference.value for reference in references(task_name, metric)}


def test_a_published_score_has_its_value_its_spread_and_its_source():
    (found,) = [reference for reference in references("maze2d-large-v1", SINGLE) if reference.name == "AWAC"]
    assert (found.value, found.spread) == (209.13, 8.19)
    assert "CORL" in found.source and "022e449" in found.source


@pytest.mark.parametrize(
    ("maze", "multi", "single"), [("umaze", 161.2, 148.3), ("medium", 169, 157), ("large", 216, 208)]
)
def test_the_controller_that_plans_afresh_stands_beside_each_maze(maze, multi, single):
    name = "waypoint controller freshly planned"
    assert values(f"maze2d-{maze}-v1", "evaluation/multi/normalized_score")[name] == multi
    assert values(f"maze2d-{maze}-v1", SINGLE)[name] == single


@pytest.mark.parametrize("maze", MAZES)
@pytest.mark.parametrize("reward", ["", "-dense"])
def test_the_ends_of_d4rls_scale_are_those_of_the_task(maze, reward):
    name = f"maze2d-{maze}{reward}-v1"
    random, controller = references(name, "evaluation/single/return_mean")
    assert (random.value, controller.value) == Maze2dConfig(name=name).score_range
    assert [reference.value for reference in references(name, SINGLE)][:2] == [0.0, 100.0]


@pytest.mark.parametrize(
    ("task_name", "metric"),
    [
        ("maze2d-umaze-v1", "evaluation/multi/success_rate"),
        ("maze2d-custom", SINGLE),
        ("umaze", SINGLE),
        ("maze2d-umaze-v1", ""),
        ("FetchPush-v4", SINGLE),
        ("no-such-task", "evaluation/multi/success_rate"),
    ],
)
def test_of_what_nobody_has_published_there_is_nothing(task_name, metric):
    assert references(task_name, metric) == []


def test_dense_rewards_are_another_task():
    assert set(values("maze2d-umaze-dense-v1", SINGLE)) == {"D4RL, random actions", "D4RL, waypoint controller"}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block['names'][0]} {block['metric']}")
def test_every_block_of_the_table_is_whole(block):
    assert set(block) == {"source", "metric", "names", "scores"}
    assert block["metric"].startswith("evaluation/")
    assert len(block["source"]) > 20 and "\n" not in block["source"].strip()
    assert len(set(block["names"])) == len(block["names"])
    for task_name in block["scores"]:
        found = {reference.name: reference for reference in references(task_name, block["metric"])}
        assert set(block["names"]) <= set(found)
        assert all(reference.spread is None or reference.spread >= 0 for reference in found.values())
        if block["metric"].endswith("_rate"):
            assert all(0 <= reference.value <= 1 for reference in found.values())


def test_no_name_stands_twice_beside_one_task():
    keys = {(task_name, block["metric"]) for block in BLOCKS for task_name in block["scores"]}
    for task_name, metric in keys:
        names = [reference.name for reference in references(task_name, metric)]
        assert len(names) == len(set(names))


def test_the_table_is_part_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "*.yaml" in project["tool"]["setuptools"]["package-data"]["*"]
