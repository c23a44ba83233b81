"""A small real agent on a small real maze task, and the loop around it, for the tests of training."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.registry import make_task
from lifelong_rl.exploration import GaussianNoise, RandomPolicy
from lifelong_rl.goals.environment import EnvironmentGoals
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.progress import Progress
from lifelong_rl.recording.run_recorder import RunRecorder
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.recording.timer import Timer
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.collector import Collector
from lifelong_rl.training.phase import Phase
from lifelong_rl.training.rl_algorithm import Measure, PhaseParts, RLAlgorithm
from lifelong_rl.types import Batch, Memoryless, Metrics

NUM_ENVS, HORIZON = 4, 20


class LinearAgent:
    """Clones by a linear map of (way to the goal, velocity); `watch` is told each update's number before it is made."""

    def __init__(self) -> None:
        self.weight = torch.zeros(4, 2, requires_grad=True)
        self.num_updates = 0
        self.factor = 1.0
        self.watch: Callable[[int], None] = lambda number: None
        self._optimizer = torch.optim.Adam([self.weight], lr=1e-2)

    def policy(self, *, explore: bool) -> "LinearPolicy":
        return LinearPolicy(self.weight)

    def prepare(self) -> Metrics:
        return {"prepared": 1.0}

    def update(self, batch: Batch) -> Metrics:
        self.num_updates += 1
        self.watch(self.num_updates)
        loss = self.factor * F.mse_loss(linear_action(self.weight, batch.observation, batch.goal), batch.action)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return {"cloning_loss": loss.detach(), "rate": 0.01}

    def state_dict(self) -> dict[str, Any]:
        return {"weight": self.weight.detach().clone(), "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.weight.data.copy_(state["weight"])
        self._optimizer.load_state_dict(state["optimizer"])


class LinearPolicy(Memoryless):
    """Remembers nothing but how often it was told to begin anew, in how many environments."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight
        self.resets: list[int] = []

    def reset(self, ended: Tensor) -> None:
        self.resets.append(int(ended.sum()))

    @torch.no_grad()
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        return linear_action(self._weight, observation, goal)


def linear_action(weight: Tensor, observation: Tensor, goal: Tensor) -> Tensor:
    """[B, 2] in (-1, 1)."""
    return torch.tanh(torch.cat([goal - observation[:, :2], observation[:, 2:]], -1) @ weight)


def tiny_task(seeds: Seeds, num_envs: int = NUM_ENVS) -> Maze2dTask:
    generator = seeds.numpy("task")
    return make_task("maze2d-umaze-v1", num_envs=num_envs, generator=generator, random_goals=True, horizon=HORIZON)


@dataclass
class TinyRun:
    """An algorithm with everything that a test looks at."""

    agent: LinearAgent
    algorithm: RLAlgorithm
    replay: EpisodeStore
    task: Maze2dTask
    seeds: Seeds
    recorder: RunRecorder
    run_dir: Path
    output: io.StringIO

    def train(self) -> None:
        self.algorithm.train(self.recorder)

    def go_on_from(self, name: str) -> None:
        snapshot = load_snapshot(self.run_dir / name)
        self.algorithm.load(snapshot.parts)


def tiny_run(run_dir: Path, phases: Sequence[Phase], measures: Mapping[str, Measure] | None = None) -> TinyRun:
    seeds = Seeds(0)
    seeds.seed_globals()
    run_dir.mkdir(parents=True, exist_ok=True)
    task, agent = tiny_task(seeds), LinearAgent()
    random = RandomPolicy(task.spec, seeds.torch("exploration"))
    replay, dataset = EpisodeStore(4000, NUM_ENVS), EpisodeStore(4000, NUM_ENVS)
    Collector(tiny_task(Seeds(1)), EnvironmentGoals(), dataset).collect(random, 400)

    goals, parts = HindsightConfig(future=1.0, future_discount=0.9), []
    for phase in phases:
        store = dataset if phase.dataset_share else replay
        sampler = HindsightSampler(store, goals, seeds.torch("sampler"), batch_size=16)
        behaviour = GaussianNoise(agent.policy(explore=True), 0.3, task.spec, seeds.torch("exploration"))
        parts.append(PhaseParts(phase=phase, sampler=sampler, behaviour=behaviour, random=random))

    collector = Collector(task, EnvironmentGoals(), replay)
    logger, timer, output = Logger(run_dir), Timer(), io.StringIO()
    algorithm = RLAlgorithm(
        agent=agent, phases=parts, collector=collector, measures=measures or {}, num_transitions=lambda: len(replay),
        parts={
            "agent": agent, "replay": replay, "collector": collector, "task": task, "logger": logger,
        },
        seeds=seeds,
    )  # fmt: skip
    progress = Progress(sum(phase.num_epochs for phase in phases), stream=output)
    recorder = RunRecorder(run_dir, logger, timer, progress, {"about": "a tiny run"})
    return TinyRun(agent, algorithm, replay, task, seeds, recorder, run_dir, output)
