"""Stores filled by hand for tasks of several kinds, for tests of what is written of them and read again."""

import torch

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.types import Step, TaskSpec

NUM_STEPS, CAPACITY_STEPS = 40, 25  # of each environment: the ring overflows


def spec_of(kind: str) -> TaskSpec:
    """A flat goal task; the same with choices; pictures whose goals are pictures; and a task without goals."""
    shape = (6, 5, 3) if kind == "pictures" else (4,)
    goal = {"pictures": shape, "no goals": (0,)}.get(kind, (2,))

    def reward_fn(achieved: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return -(achieved.float() - goal.float()).flatten(1).norm(dim=-1)

    return TaskSpec(
        name=kind, observation_shape=shape, goal_shape=goal, action_size=3, discrete=kind == "choices", horizon=9,
        reward_fn=None if kind == "no goals" else reward_fn, success_fn=None,
    )  # fmt: skip


def drawn(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    if len(shape) == 4:
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return torch.randn(shape, generator=generator)


def filled_store(spec: TaskSpec, num_envs: int, *, with_costs: bool = False) -> EpisodeStore:
    """Episodes of unequal lengths; some are terminated, and at the end each environment is within one."""
    generator = torch.Generator().manual_seed(3)
    store = EpisodeStore(CAPACITY_STEPS * num_envs, num_envs)
    shown = drawn((num_envs, *spec.observation_shape), generator)
    for _ in range(NUM_STEPS):
        ended = torch.rand(num_envs, generator=generator) < 0.2
        after = drawn((num_envs, *spec.observation_shape), generator)
        action = 2 * torch.rand(num_envs, spec.action_size, generator=generator) - 1
        goals = [drawn((num_envs, *spec.goal_shape), generator) for _ in range(3)]
        step = Step(
            observation=shown, action=action.argmax(1) if spec.discrete else action, next_observation=after,
            reward=torch.randn(num_envs, generator=generator), next_achieved_goal=goals[0], goal=goals[1],
            desired_goal=goals[2], terminated=ended & (torch.rand(num_envs, generator=generator) < 0.5), ended=ended,
            cost=torch.rand(num_envs, generator=generator) if with_costs else None,
            sim_state=torch.randn(num_envs, 3, generator=generator, dtype=torch.float64),
        )  # fmt: skip
        store.add(step)
        shown = torch.where(ended.reshape(-1, *[1] * (shown.ndim - 1)), drawn(tuple(shown.shape), generator), after)
    return store
