"""Whatever a run is made of: stopped or killed anywhere and built again, it ends as the run that was left alone.

One case for each entry of the tables of agents, tasks, goal views, ways to act, energy heads and sources of goals.
"""

import os
import random
import shutil
import signal
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from experiment_configs.agents import AGENTS
from experiment_configs.run import Run
from lifelong_rl.agents.qrl_policies import ACTING
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.envs.grid_config import GRID_NAMES
from lifelong_rl.envs.registry import TASKS
from lifelong_rl.goals.views import GOAL_VIEWS
from lifelong_rl.networks.energies import ENERGIES
from lifelong_rl.recording.comparison import run_differences
from tests.experiment_configs.tiny_variant import NETWORK, tiny_build

QRL = {"name": "qrl", "network": NETWORK, "actor": {"hidden_sizes": [16]}}
OFF_POLICY = {"network": {"name": "monolithic", "hidden_sizes": [16]}, "actor": {"hidden_sizes": [16]}}
MPPI = {"name": "mppi", "horizon": 3, "num_samples": 4, "iterations": 1}
LAYOUT = "#####\\#OOG#\\#O#O#\\#OOO#\\#####"
PHASES = [
    {"name": "offline", "num_epochs": 2, "updates_per_round": 4},
    {
        "name": "online", "num_epochs": 2, "rounds_per_epoch": 2, "env_steps_per_round": 12, "updates_per_round": 3,
        "offline_fraction": 0.5, "random_env_steps": 8, "warmup_env_steps": 8, "steps_after_success": 2, "n_step": 2,
    },
]  # fmt: skip


def _agents() -> dict[str, dict[str, Any]]:
    """A case per agent, and for QRL one per part that can be chosen."""
    pair = {"name": "pair", "encoder_sizes": [16], "embedding_size": 16}
    small = {
        "qrl": QRL,
        "ddpg": OFF_POLICY | {"name": "ddpg", "normalizer": {}, "target": {"rate": 0.1, "interval": 3}},
        "td3": OFF_POLICY | {"name": "td3", "network": pair},
        "sac": OFF_POLICY | {"name": "sac"},
        "gcbc": {"name": "gcbc", "actor": {"hidden_sizes": [16]}, "normalizer": {}},
        "gcsl": {"name": "gcsl", "actor": {"hidden_sizes": [16]}, "cloning": "squared_error"},
        "gcivl": {"name": "gcivl", "value": {"hidden_sizes": [16]}, "actor": {"hidden_sizes": [16]}},
        "gciql": {"name": "gciql", "value": {"hidden_sizes": [16]}, "extraction": {"name": "awr"}} | OFF_POLICY,
        "wgcsl": {"name": "wgcsl", "network": pair, "weight": {"gate": {"num_recent": 50, "updates": 9}}},
        "mher": OFF_POLICY | {"name": "mher", "model": {"hidden_sizes": [16]}, "relabelling": {"warmup_updates": 3}},
    }
    continuous = [name for name in AGENTS if name != "dqn"]
    cases: dict[str, dict[str, Any]] = {f"agent {name}": small.get(name, {"name": name}) for name in continuous}
    cases |= {f"goals {name}": QRL | {"goals": {"name": name}} for name in GOAL_VIEWS}
    cases |= {f"acting {name}": QRL | {"acting": MPPI if name == "mppi" else {"name": name}} for name in ACTING}
    cases["no actor, mppi"] = QRL | {"actor": None, "acting": MPPI}
    cases["two critics"] = QRL | {"num_critics": 2, "actor": {"hidden_sizes": [16], "adaptive_entropy": True}}
    for name in ENERGIES:
        energy = {"name": name, "components": 4} if name == "iqe" else {"name": name}
        cases[f"energy {name}"] = QRL | {"network": NETWORK | {"energy": energy}}
    return cases


SOURCES = [field.name for field in fields(HindsightConfig) if field.name != "future_discount"]
EPSILON = {"initial": 1.0, "final": 0.2, "updates": 8}
CASES: dict[str, dict[str, Any]] = {
    "agent dqn": {
        "agent": {"name": "dqn", "hidden_sizes": [16], "normalizer": {}, "exploration": EPSILON},
        "task": {"name": "CartPole-v1", "horizon": 20}, "phases": [PHASES[1] | {"offline_fraction": 0.0}],
        "evaluation": {"num_episodes": 2, "goals": ["multi"]}, "dataset": None,
    },
    **{name: {"agent": agent} for name, agent in _agents().items()},
    "agent gcsl, choices": {
        "agent": {"name": "gcsl", "actor": {"hidden_sizes": [16]}}, "task": {"name": "grid-umaze-v1", "horizon": 7},
        "phases": [PHASES[1] | {"offline_fraction": 0.0}], "dataset": None,
    },
    "agent hiql": {
        "agent": {"name": "hiql"} | {part: {"hidden_sizes": [16]} for part in ("value", "high", "low")},
        "sampler": {"batch_size": 16, "waypoint_steps": 3},
    },
    "agent mher": {"agent": _agents()["agent mher"], "phases": [PHASES[0], PHASES[1] | {"n_step": 1}]},
    **{
        f"goals from {name}": {"sampler": {"batch_size": 16, "hindsight": {name: 1.0}, "n_step": 3}}
        for name in SOURCES
        if name not in ("behaviour", "desired", "followed")  # a dataset does not say what was asked for
    },
    "a mixture of goals": {"sampler": {"batch_size": 16, "hindsight": dict.fromkeys(("future", "achieved"), 0.5)}},
    "a ring that overflows": {"replay_capacity": 24},
    **{
        f"task {name}": {"task": {"name": name, "horizon": 7} | ({"layout": LAYOUT} if "custom" in name else {})}
        for name in TASKS
        if name.endswith("-v1") and "image" not in name
    },
    **{  # without a dataset, so collected from alone
        f"task {name}": {
            "task": {"name": name, "horizon": 7} | ({"layout": LAYOUT} if "custom" in name else {}),
            "agent": agent, "phases": [PHASES[1] | {"offline_fraction": 0.0}], "dataset": None,
        }
        for name, agent in {"plane-v1": QRL, **dict.fromkeys(GRID_NAMES, {"name": "dqn", "hidden_sizes": [16]})}.items()
    },
}  # fmt: skip


def built(folder: Path, name: str, case: str) -> Run:
    variant = {"phases": PHASES, "evaluation": {"num_episodes": 2}, "task": {"name": "maze2d-umaze-v1", "horizon": 7}}
    variant |= CASES[case]
    task = variant["task"]["name"]
    dataset = {"path": str(folder.parent / f"{task}.hdf5"), "num_transitions": 1000}
    return tiny_build(folder, name, **({"dataset": dataset} | variant))


def at_event(run: Run, number: int, act: Callable[[], None]) -> None:
    """Calls `act` before the run's update or environment step of that number."""
    agent, task = run.algorithm.agent, run.algorithm.parts["task"]
    count = iter(range(1, 10_000))

    def counted(do: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def first_count(argument: Any) -> Any:
            if next(count) == number:
                act()
            return do(argument)

        return first_count

    agent.update, task.step = counted(agent.update), counted(task.step)  # type: ignore[attr-defined, method-assign]


class Killed(BaseException):
    """Ends a run without a word, as SIGKILL would."""


def die() -> None:
    raise Killed


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("contract")


UNLIKE = ("umaze-v1", "custom", "plane")
TASKS_ALIKE = [case for case in CASES if case.startswith("task ") and not any(word in case for word in UNLIKE)]


def times(moments: int) -> list[Any]:
    """Cases with a number of moments; ten of them, and mazes that differ in size alone, are for patient hours."""
    patient = {case: [pytest.mark.slow] if moments > 1 or case in TASKS_ALIKE else [] for case in CASES}
    return [pytest.param(case, moments, marks=marks) for case, marks in patient.items()]


@pytest.mark.parametrize(("case", "moments"), [*times(1), *times(10)])
def test_a_run_killed_and_stopped_anywhere_ends_as_if_it_had_not_been(case, moments, folder):
    place = folder / f"{list(CASES).index(case)}-{moments}"
    place.mkdir()
    built(place, "whole", case).train()
    offline = 8 if PHASES[0] in CASES[case].get("phases", PHASES) else 0
    events = offline + 4 + 2 * (2 * 3 + 2 * 3)  # updates; random steps and warm-up; rounds of steps and updates
    for number in random.Random(case).sample(range(1, events + 1), moments):
        broken_off(built(place, "again", case), number, die, Killed)
        broken_off(built(place, "again", case), 1 + number % 3, interrupt, KeyboardInterrupt)
        built(place, "again", case).train()
        assert list(run_differences(place / "again", place / "whole")) == []
        shutil.rmtree(place / "again")


def broken_off(run: Run, event: int, act: Callable[[], None], error: type[BaseException]) -> None:
    at_event(run, event, act)
    with pytest.raises(error):
        run.train()
