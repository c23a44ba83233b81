"""A million sampled pairs, none of which may cross from one episode into another.

    python benchmarks/torture_crossing.py

Every step's observation says its environment, its episode and its number in it. Rings are overwritten several times, by
one and by eight environments, step by step and in pieces; goals come from every source. Exit status 1 if one crosses.
"""

import sys
from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from torch import Tensor

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler, MixedSampler
from lifelong_rl.types import Batch, Sampler, Step

NUM_PAIRS = 1_000_000
LONGEST = 60  # steps of an episode
RING = 700  # steps of each environment
WRITTEN = 3000  # steps of each environment: the ring is overwritten four times
TOLD, ASKED = -1, -2  # goals of the behaviour policy and of the environment
SOURCES = {
    "behaviour": HindsightConfig(behaviour=1),
    "future": HindsightConfig(future=1),
    "future, discounted": HindsightConfig(future=1, future_discount=0.9),
    "achieved": HindsightConfig(achieved=1),
    "desired": HindsightConfig(desired=1),
    "random": HindsightConfig(random=1),
    "all": HindsightConfig(behaviour=1, future=1, achieved=1, desired=1, random=1),
}


def main() -> int:
    """Prints the pairs that cross, for each way to fill a store and to choose goals."""
    torch.set_num_threads(1)
    num_pairs, num_crossing = 0, 0
    for label, sampler, n_step in samplers(np.random.default_rng(0), batch_size=12_000):
        batch = sampler.sample()
        crossing = int(crosses(batch, n_step).sum())
        num_pairs, num_crossing = num_pairs + len(batch.reward), num_crossing + crossing
        print(f"{crossing:>7} of {len(batch.reward):,}  {label}")
    print(f"{num_crossing} of {num_pairs:,} pairs cross an episode; 0 may")
    return 1 if num_crossing or num_pairs < NUM_PAIRS else 0


def samplers(generator: np.random.Generator, batch_size: int) -> Iterator[tuple[str, Sampler, int]]:
    """(what it is, a sampler, the steps it joins): every store, source and number of steps; and old mixed with new."""
    for num_envs, fill in product((1, 8), ("add", "extend")):
        store = filled_store(generator, num_envs, fill)
        for n_step, (source, hindsight) in product((1, 3, 10), SOURCES.items()):
            parts = [
                HindsightSampler(store, hindsight, torch.Generator().manual_seed(seed), batch_size=size, n_step=n_step)
                for seed, size in enumerate((batch_size // 2, batch_size - batch_size // 2))
            ]
            mixed = MixedSampler(parts, torch.Generator().manual_seed(2))
            yield f"{num_envs} environments, filled by {fill}, {n_step} steps, goals: {source}", mixed, n_step


def filled_store(generator: np.random.Generator, num_envs: int, fill: str, marked: bool = True) -> EpisodeStore:
    """A ring that holds the last of `WRITTEN` steps; the newest episodes are open. Not `marked`: it knows no ends."""
    columns = make_steps(generator, num_envs)
    columns["ended"] &= marked
    store = EpisodeStore(RING * num_envs, num_envs)
    first = 0
    while first < WRITTEN:
        count = 1 if fill == "add" else int(generator.integers(1, 2 * RING))
        part = {name: column[first : first + count] for name, column in columns.items()}
        if fill == "add":
            store.add(Step(**{name: column[0] for name, column in part.items()}))
        else:
            flat = {name: column if num_envs > 1 else column[:, 0] for name, column in part.items()}
            store.extend(flat, flat["ended"])
        first += count
    return store


def make_steps(generator: np.random.Generator, num_envs: int) -> dict[str, Tensor]:
    """Columns [T, N, ...]; observations are [environment, episode, step], goals the same with TOLD or ASKED as step."""
    episode = np.zeros((WRITTEN, num_envs))
    step = np.zeros((WRITTEN, num_envs))
    for env in range(num_envs):
        lengths = generator.integers(1, LONGEST + 1, WRITTEN)
        episode[:, env] = np.repeat(np.arange(WRITTEN), lengths)[:WRITTEN]
        step[:, env] = np.concatenate([np.arange(length) for length in lengths[:WRITTEN]])[:WRITTEN]
    env = np.broadcast_to(np.arange(num_envs), step.shape)
    here = torch.from_numpy(np.stack([env, episode, step], axis=-1)).float()
    after = here + torch.tensor([0.0, 0.0, 1.0])
    told, asked = (torch.cat([here[..., :2], torch.full_like(here[..., :1], kind)], -1) for kind in (TOLD, ASKED))
    ended = torch.from_numpy(np.append(step[1:] == 0, np.zeros((1, num_envs), bool), axis=0))
    return {
        "observation": here, "action": here, "reward": here[..., 2], "next_observation": after,
        "next_achieved_goal": after, "goal": told, "desired_goal": asked, "terminated": torch.zeros_like(ended),
        "ended": ended,
    }  # fmt: skip


def crosses(batch: Batch, n_step: int) -> Tensor:
    """Pairs [B] of which a part lies in another episode than the observation, or before it, where it must not."""
    spanned = batch.next_observation[:, 2] - batch.observation[:, 2]
    wrong = _differ(batch.next_observation, batch.observation) | (spanned < 1) | (spanned > n_step)
    wrong |= batch.cost != spanned  # summed over just these steps

    is_future = batch.steps_to_goal > 0
    ahead = batch.goal[:, 2] - batch.observation[:, 2]
    wrong |= is_future & (_differ(batch.goal, batch.observation) | (ahead != batch.steps_to_goal))

    wrong |= (batch.goal[:, 2] == TOLD) & _differ(batch.goal, batch.observation)
    return wrong | ((batch.goal[:, 2] > 0) & (batch.goal_observation != batch.goal).any(1))  # reached where it says


def _differ(some: Tensor, other: Tensor) -> Tensor:
    return (some[:, :2] != other[:, :2]).any(1)


if __name__ == "__main__":
    sys.exit(main())
