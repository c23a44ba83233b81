"""Drawing batches with future goals: ours against a matrix of probabilities over the longest episode, in one process.

    python benchmarks/sampling.py

The reference does what quasimetric-rl's loader does (Wang et al. 2023): for each row of the batch, the probabilities of
all delays up to the longest episode's, then one categorical draw. Both look up the same columns in the same store.
CPU milliseconds of one thread, median of interleaved repetitions.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler

NUM_TRANSITIONS = 1_000_000
DISCOUNT = 0.99
REPETITIONS = 20
COLUMNS = ("observation", "action", "reward", "next_observation", "terminated", "ended")


def main() -> None:
    """Prints one row per longest episode and batch size."""
    torch.set_num_threads(1)
    print(f"{'longest':>8} {'batch':>6} {'matrix ms':>10} {'ours ms':>8} {'ratio':>6}")
    for longest in (50, 600, 1000):
        store = make_store(longest)
        for batch_size in (256, 1024, 4096):
            generator = torch.Generator().manual_seed(0)
            hindsight = HindsightConfig(future=1, future_discount=DISCOUNT)
            ours = HindsightSampler(store, hindsight, generator, batch_size=batch_size)
            reference = MatrixSampler(store, longest, batch_size, generator)
            theirs_ms, ours_ms = measure(reference.sample, ours.sample)
            ratio = theirs_ms / ours_ms
            print(f"{longest:>8} {batch_size:>6} {theirs_ms:>10.2f} {ours_ms:>8.2f} {ratio:>6.1f}")


class MatrixSampler:
    """[batch, longest episode] probabilities and a categorical draw, as the reference."""

    def __init__(self, store: EpisodeStore, longest: int, batch_size: int, generator: torch.Generator) -> None:
        self._store, self._batch_size, self._generator = store, batch_size, generator
        self._delays = torch.arange(longest)
        self._weights = DISCOUNT ** self._delays.float()

    def sample(self) -> dict[str, Tensor]:
        """The same columns as ours, and the goal."""
        index = self._store.random_indices(self._generator, self._batch_size)
        possible = self._delays < self._store.steps_left(index)[:, None]
        probabilities = torch.where(possible, self._weights, 0)
        delay = torch.distributions.Categorical(probs=probabilities, validate_args=False).sample()
        batch = {name: self._store.at(name, index) for name in COLUMNS}
        return batch | {"goal_observation": self._store.at("next_observation", index + delay)}


def make_store(longest: int) -> EpisodeStore:
    """A million transitions of maze2d's shapes in episodes of at most `longest` steps, one of them that long."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(min(20, longest), longest + 1, (NUM_TRANSITIONS,), generator=generator)
    lengths[0] = longest
    ends = lengths.cumsum(0)
    ended = torch.zeros(NUM_TRANSITIONS, dtype=torch.bool)
    ended[ends[ends <= NUM_TRANSITIONS] - 1] = True
    observation = torch.randn(NUM_TRANSITIONS + 1, 4, generator=generator)
    columns = {
        "observation": observation[:-1],
        "action": torch.randn(NUM_TRANSITIONS, 2, generator=generator),
        "reward": torch.zeros(NUM_TRANSITIONS),
        "next_observation": observation[1:],
        "next_achieved_goal": observation[1:, :2],
        "terminated": torch.zeros(NUM_TRANSITIONS, dtype=torch.bool),
        "ended": ended,
    }
    store = EpisodeStore(NUM_TRANSITIONS)
    store.extend(columns, ended)
    return store


def measure(*functions: Callable[[], object]) -> list[float]:
    """Median CPU milliseconds of each, taking turns."""
    taken: list[list[float]] = [[] for _ in functions]
    for repetition in range(REPETITIONS + 3):
        for function, times in zip(functions, taken, strict=True):
            began = time.process_time()
            function()
            if repetition >= 3:
                times.append(1000 * (time.process_time() - began))
    return [statistics.median(times) for times in taken]


if __name__ == "__main__":
    main()
