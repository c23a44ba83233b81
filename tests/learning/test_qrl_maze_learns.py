"""What the presets of run_scripts/qrl_maze.py reach; minutes to half an hour a test (`make test-slow`)."""

import copy
from pathlib import Path
from typing import Any

import pytest

from experiment_configs import ExperimentConfig, build
from lifelong_rl.config import from_dict
from lifelong_rl.recording.metrics_file import Row, read_metrics
from run_scripts import qrl_maze

pytestmark = pytest.mark.slow
AGENT_DATA = Path(__file__).parents[2] / "agent_data"


def train(variant: dict[str, Any], seed: int, run_dir: Path) -> dict[str, list[Row]]:
    """Rows with an evaluation, by phase. Datasets are kept between tests."""
    variant = copy.deepcopy(variant) | {"seed": seed}
    variant["dataset"]["path"] = str(AGENT_DATA / Path(variant["dataset"]["path"]).name)
    build(from_dict(ExperimentConfig, variant), run_dir).train()
    rows = [row for row in read_metrics(run_dir / "metrics.jsonl") if "evaluation/multi/success_rate" in row]
    return {phase: [row for row in rows if row["phase"] == phase] for phase in ("offline", "online")}


@pytest.mark.parametrize("seed", range(5))
def test_umaze_is_learned_offline_and_held_after_online(seed, tmp_path):
    rows = train(qrl_maze.variant, seed, tmp_path)
    for row in rows["offline"][-3:]:
        assert row["evaluation/multi/success_rate"] >= 0.99
        assert row["evaluation/single/success_rate"] >= 0.99

    last = rows["online"][-1]
    assert last["evaluation/multi/normalized_score"] >= 120
    assert last["evaluation/single/normalized_score"] >= 90
    for goals in ("multi", "single"):
        assert last[f"evaluation/{goals}/steps_over_controller"] <= 1.0
    assert last["evaluation/distance/spearman"] >= 0.95


@pytest.mark.parametrize(("maze", "success"), [("medium", 0.9), ("large", 0.8)])
def test_the_bigger_mazes_are_solved(maze, success, tmp_path):
    last = train(qrl_maze.presets[maze], 0, tmp_path)["online"][-1]
    assert last["evaluation/multi/success_rate"] >= success
    assert last["evaluation/single/success_rate"] >= success
