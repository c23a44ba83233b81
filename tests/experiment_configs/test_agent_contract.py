"""What every agent of the table promises, whatever it is: it learns from a batch, acts, and can be put back."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from experiment_configs.agents import AGENTS, BUILDERS
from experiment_configs.assemble import build_agent
from experiment_configs.experiment import ExperimentConfig
from lifelong_rl.config import from_dict, resolve, to_dict
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Agent, Batch, TaskSpec
from tests.experiment_configs.tiny_variant import NETWORK, tiny_variant
from tests.training.tiny_run import tiny_task

OFF_POLICY = {"network": {"name": "monolithic", "hidden_sizes": [16]}, "actor": {"hidden_sizes": [16]}}
SMALL: dict[str, dict[str, Any]] = {  # else: its defaults
    "qrl": {"network": NETWORK, "actor": {"hidden_sizes": [16]}},
    "ddpg": OFF_POLICY,
    "td3": OFF_POLICY,
    "sac": OFF_POLICY | {"normalizer": {}},
    "dqn": {"hidden_sizes": [16], "is_dueling": True, "normalizer": {}},
    "gcbc": {"actor": {"hidden_sizes": [16]}, "normalizer": {}},
    "gcsl": {"actor": {"hidden_sizes": [16]}, "cloning": "squared_error"},
    "gcivl": {"value": {"hidden_sizes": [16]}, "actor": {"hidden_sizes": [16]}},
    "gciql": OFF_POLICY | {"value": {"hidden_sizes": [16]}},
    "hiql": {part: {"hidden_sizes": [16]} for part in ("value", "high", "low")},
    "wgcsl": OFF_POLICY | {"normalizer": {}, "weight": {"gate": {"num_recent": 20, "updates": 4}}},
    "mher": OFF_POLICY | {"normalizer": {}, "model": {"hidden_sizes": [16]}, "relabelling": {"warmup_updates": 0}},
}
DISCRETE = {"dqn"}
ROWS = 8

every_agent = pytest.mark.parametrize("name", AGENTS)


def make(name: str, seed: int = 0) -> Agent:
    sampler = {"batch_size": 16, "waypoint_steps": 3}
    variant = tiny_variant(Path(), agent={"name": name, **SMALL.get(name, {})}, sampler=sampler, seed=seed)
    return build_agent(from_dict(ExperimentConfig, variant), spec_for(name), Seeds(seed))


def spec_for(name: str) -> TaskSpec:
    spec = tiny_task(Seeds(0)).spec
    return dataclasses.replace(spec, discrete=True, action_size=3) if name in DISCRETE else spec


def make_batch(name: str, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    state, after, ahead = torch.randn(3, ROWS, 4, generator=generator)
    action = torch.rand(ROWS, 2, generator=generator) * 2 - 1
    if name in DISCRETE:
        action = torch.randint(3, (ROWS,), generator=generator)
    ones = torch.ones(ROWS)
    return Batch(
        observation=state, action=action, reward=0 * ones, discount=0.99 * ones, next_observation=after,
        next_achieved_goal=after[:, :2], goal=ahead[:, :2], goal_observation=ahead,
        steps_to_goal=3 * ones, cost=ones, ended=torch.zeros(ROWS, dtype=torch.bool), waypoint_observation=after,
    )  # fmt: skip


def tensors_of(state: Any) -> Iterator[Tensor]:
    if isinstance(state, Tensor):
        yield state
    for value in state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ():
        yield from tensors_of(value)


def equal(one: Agent, other: Agent) -> bool:
    pairs = zip(tensors_of(one.state_dict()), tensors_of(other.state_dict()), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@every_agent
def test_its_config_is_in_both_tables_and_reads_back_the_same(name):
    config = from_dict(resolve(AGENTS[name]), SMALL.get(name, {}))
    assert from_dict(type(config), to_dict(config)) == config
    assert callable(resolve(BUILDERS[name])) and set(AGENTS) == set(BUILDERS)


@every_agent
def test_an_update_changes_it_and_reports_detached_finite_numbers(name):
    agent, untouched = make(name), make(name)
    assert equal(agent, untouched)
    agent.prepare()
    metrics = agent.update(make_batch(name))
    assert metrics and not equal_weights(agent, untouched)
    for value in metrics.values():
        tensor = torch.as_tensor(value)
        assert tensor.ndim == 0 and bool(torch.isfinite(tensor)) and not tensor.requires_grad


def equal_weights(one: Agent, other: Agent) -> bool:
    """Optimizers may have grown moments meanwhile: compares what both have."""
    weights = [[t for t in tensors_of(agent.state_dict()) if t.is_floating_point()] for agent in (one, other)]
    return sum(float(t.double().sum()) for t in weights[0]) == sum(float(t.double().sum()) for t in weights[1])


@every_agent
@pytest.mark.parametrize("explore", [False, True])
def test_its_policies_act_within_the_range_and_do_not_change_it(name, explore):
    agent, untouched, spec = make(name), make(name), spec_for(name)
    policy = agent.policy(explore=explore)
    policy.reset(torch.ones(ROWS, dtype=torch.bool))
    batch = make_batch(name)
    for _ in range(3):
        action = policy(batch.observation, batch.goal)
        policy.reset(torch.arange(ROWS) == 2)
    if spec.discrete:
        assert action.shape == (ROWS,) and action.dtype == torch.int64
        assert action.min() >= 0 and action.max() < spec.action_size
    else:
        assert action.shape == (ROWS, spec.action_size) and action.dtype == torch.float32 and not action.requires_grad
        assert action.min() >= spec.action_low and action.max() <= spec.action_high
    assert equal(agent, untouched)


@every_agent
def test_it_can_be_put_back_from_a_snapshot_and_learns_on_alike(name, tmp_path):
    agent, again = make(name), make(name, seed=1)
    for seed in range(3):
        agent.update(make_batch(name, seed))
    save_snapshot(tmp_path / "itr_1", {"agent": agent.state_dict()}, {})
    again.load_state_dict(load_snapshot(tmp_path / "itr_1").parts["agent"])
    assert equal(agent, again)
    greedy = [one.policy(explore=False)(make_batch(name).observation, make_batch(name).goal) for one in (agent, again)]
    assert torch.equal(*greedy)


@every_agent
def test_a_state_dict_does_not_change_when_the_agent_learns_on_from_it(name):
    agent, again = make(name), make(name)
    agent.update(make_batch(name))
    again.load_state_dict(agent.state_dict())
    before = [tensor.clone() for tensor in tensors_of(agent.state_dict())]
    again.update(make_batch(name, 1))
    assert all(torch.equal(a, b) for a, b in zip(before, tensors_of(agent.state_dict()), strict=True))


@every_agent
def test_equal_seeds_give_equal_agents_and_other_seeds_others(name):
    assert equal(make(name, seed=3), make(name, seed=3))
    assert not equal(make(name, seed=3), make(name, seed=4))
