"""The ONNX file gives the agent's actions, for every agent and way to act that is one pass; else a line says why."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from experiment_configs.agents import AGENTS
from experiment_configs.policy_export import try_onnx
from experiment_configs.policy_onnx import MOST_APART
from lifelong_rl.exported_policy import load_policy
from lifelong_rl.exported_policy.plain import plain_copy
from lifelong_rl.networks.energies import ENERGIES, build_energy
from lifelong_rl.networks.energies.iqe import IQEConfig
from tests.experiment_configs.tiny_policies import CASES, Rows, exported, rows_for

LEFT_OUT = {
    "qrl, greedy candidates": "it takes the best of random candidates",
    "qrl, likeliest": "it takes the likeliest of random samples",
    "qrl, mppi": "it plans several steps ahead and remembers its plan",
}


def check(folder: Path, name: str) -> None:
    loaded, acting, policy = exported(folder, name)
    rows = shown_by(name, rows_for(loaded, 1000))
    told = try_onnx(folder / "policy", policy.description, acting, loaded, rows)
    path = folder / "policy" / "policy.onnx"
    if name in LEFT_OUT:
        assert told == {"left_out": LEFT_OUT[name]} and not path.exists()
        return
    assert told["num_observations"] == 1000 and told["largest_difference"] <= MOST_APART
    spec = loaded.task.spec
    assert told["inputs"] == (["observation", "goal"] if 0 not in spec.goal_shape else ["observation"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = dict(zip(told["inputs"], (row[:7].numpy() for row in rows), strict=False))
    (action,) = session.run(["action"], inputs)
    assert action.dtype == (np.int64 if spec.discrete else np.float32) and len(action) == 7


def shown_by(name: str, rows: Rows) -> Rows:
    """One-hot where the environment counts places; else as they are."""
    if name != "dqn, one-hot rows":
        return rows
    return torch.eye(rows[0].shape[1])[rows[0].argmax(-1)], rows[1]


@pytest.mark.engines
def test_a_file_that_differs_too_much_is_not_kept(tmp_path):
    """Of another agent, as a wrong export would be."""
    loaded, _, policy = exported(tmp_path, "hiql")
    (tmp_path / "other").mkdir()
    _, other, _ = exported(tmp_path / "other", "hiql")
    with torch.no_grad():
        other.networks["low"].body.layers[-1].bias += 0.01  # type: ignore[union-attr]
    told = try_onnx(tmp_path / "policy", policy.description, other, loaded, rows_for(loaded, 1000))
    assert "at most 1e-05 is allowed: not kept" in told["removed"] and told["largest_difference"] > 1e-4
    assert not (tmp_path / "policy" / "policy.onnx").exists()
    assert load_policy(tmp_path / "policy")


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_not_one_pass_is_left_out_and_says_why(name, tmp_path):
    check(tmp_path, name)


@pytest.mark.engines
@pytest.mark.parametrize("name", [*AGENTS, *(name for name in CASES if name not in LEFT_OUT)])
def test_every_agent_and_way_to_act_is_written_as_onnx(name, tmp_path):
    check(tmp_path, name)


def test_plain_heads_measure_the_same_distances():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 500, 24, generator=generator)
    y[:50] = x[:50]  # empty intervals
    for name, config in ENERGIES.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            head = build_energy(IQEConfig(components=4) if name == "iqe" else config(), 24)
        holder = torch.nn.ModuleList([head])
        with torch.no_grad():
            assert torch.allclose(plain_copy(holder)[0](x, y), head(x, y), rtol=1e-4, atol=1e-5), name
