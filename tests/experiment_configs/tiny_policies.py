"""Snapshots of small agents whose networks were shaken, so that they act; for the tests of exported policies."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiment_configs.acting import Acting, load_to_act
from experiment_configs.assemble import build_agent, build_task
from experiment_configs.experiment import ExperimentConfig
from experiment_configs.loading import LoadedAgent
from experiment_configs.policy_export import write_policy
from lifelong_rl.config import from_dict, to_dict
from lifelong_rl.exported_policy import ExportedPolicy, load_policy
from lifelong_rl.recording.snapshot import save_snapshot
from lifelong_rl.seeding import Seeds
from tests.experiment_configs.test_agent_contract import DISCRETE, SMALL, tensors_of
from tests.experiment_configs.tiny_variant import NETWORK, tiny_variant

Rows = tuple[Tensor, Tensor]
GREEDY = {"name": "qrl", "actor": None, "network": NETWORK, "num_critics": 2}
MPPI = GREEDY | {"acting": {"name": "mppi", "horizon": 3, "num_samples": 8}}
CLONING = {"actor": {"hidden_sizes": [16]}}
DQN = {"name": "dqn", "hidden_sizes": [16]}
CASES: dict[str, dict[str, Any]] = {  # beside the agents of the table: other tasks, other ways to act
    "qrl, states at rest": {"agent": {"name": "qrl", **SMALL["qrl"], "goals": {"name": "state", "motion": "rest"}}},
    "qrl, states as now": {"agent": {"name": "qrl", **SMALL["qrl"], "goals": {"name": "state"}}},
    "qrl, greedy choices": {"agent": GREEDY, "task": {"name": "grid-rooms-v1"}},
    "qrl, greedy candidates": {"agent": GREEDY},
    "qrl, likeliest": {"agent": {"name": "qrl", **SMALL["qrl"], "acting": {"name": "actor", "mode": "likeliest"}}},
    "qrl, mppi": {"agent": MPPI},
    "gcbc, choices": {"agent": {"name": "gcbc", **CLONING}, "task": {"name": "grid-umaze-v1"}},
    "hiql, choices": {"agent": {"name": "hiql", **SMALL["hiql"]}, "task": {"name": "grid-umaze-v1"}},
    "dqn, no goals": {"agent": DQN | {"is_dueling": True}, "task": {"name": "CartPole-v1"}},
    "dqn, one-hot rows": {"agent": DQN | {"normalizer": {}}, "task": {"name": "FrozenLake-v1"}},
    "sac, stretched actions": {"agent": {"name": "sac", **SMALL["sac"]}, "task": {"name": "Pendulum-v1"}},
}


def case(name: str) -> dict[str, Any]:
    """What a case changes of the tiny variant; an agent's name is a case as well."""
    task = {"name": "grid-rooms-v1" if name in DISCRETE else "maze2d-umaze-v1", "horizon": 30}
    return CASES.get(name) or {"agent": {"name": name, **SMALL.get(name, {})}, "task": task}


def make_snapshot(folder: Path, **changes: Any) -> Path:
    """Of an agent that never learned: its networks are drawn anew, wherever they begin at 0."""
    sampler = {"batch_size": 16, "waypoint_steps": 3}
    config = from_dict(ExperimentConfig, tiny_variant(folder, **{"sampler": sampler, **changes}))
    seeds = Seeds(config.seed)
    task = build_task(config, 1, seeds, "task", random_goals=False)
    agent = build_agent(config, task.spec, seeds)
    generator = torch.Generator().manual_seed(3)
    for tensor in tensors_of(agent.state_dict()):
        if tensor.is_floating_point():
            tensor.data.add_(0.2 * torch.rand(tensor.shape, generator=generator))
    counters = {"env_steps": 1234, "updates": 56}
    path = folder / "run" / "itr_1"
    save_snapshot(path, {"agent": agent.state_dict()}, {"variant": to_dict(config), "counters": counters})
    return path


def exported(folder: Path, name: str) -> tuple[LoadedAgent, Acting, ExportedPolicy]:
    """The case's agent, what it acts by, and its policy as read again from `folder`/policy."""
    loaded, acting = load_to_act(make_snapshot(folder, **case(name)))
    (folder / "policy").mkdir()
    write_policy(folder / "policy", loaded, acting, {})
    return loaded, acting, load_policy(folder / "policy")


def rows_for(loaded: LoadedAgent, count: int, seed: int = 0) -> Rows:
    """Observations and goals of the right shapes, about as large as real ones."""
    generator, spec = torch.Generator().manual_seed(seed), loaded.task.spec
    shapes = spec.observation_shape, spec.goal_shape
    observation, goal = (3 * torch.randn(count, *shape, generator=generator) for shape in shapes)
    return observation, goal
