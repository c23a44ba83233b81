"""IQE head, forward and backward, one thread: ours against its formula written plainly, which sorts all 2m ends.

    python benchmarks/iqe.py

Both run in turn in this process; figures are the least CPU time of several runs, so other load matters little.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from lifelong_rl.networks.energies.intervals import union_length
from lifelong_rl.networks.energies.pieces import Reduce

SHAPES = [(4096, 2048, 64), (256, 2048, 64), (1024, 256, 16), (256, 256, 16)]  # batch, embedding, components
Lengths = Callable[[Tensor, Tensor], Tensor]


def main() -> None:
    """Prints a line per shape."""
    torch.set_num_threads(1)
    torch.manual_seed(0)

    print(" batch embedding components  plain ms  ours ms  ratio difference")
    for batch, size, components in SHAPES:
        shape = (batch, components, size // components)
        pair = (torch.randn(shape, requires_grad=True), torch.randn(shape, requires_grad=True))
        plain, ours = _least_milliseconds([full_sort, union_length], pair, repeats=max(4, 4000 // batch))
        difference = (full_sort(*pair) - union_length(*pair)).abs().max().item()
        print(f"{batch:6} {size:9} {components:10} {plain:9.2f} {ours:8.2f} {plain / ours:6.1f} {difference:10.1e}")


def full_sort(x: Tensor, y: Tensor) -> Tensor:
    """Sweeps over all ends in order; what lies where more intervals have begun than ended is covered."""
    some = x < y
    ends, index = torch.cat((x, y), -1).sort(-1)
    change = torch.cat((some.int(), -some.int()), -1)
    covered = change.gather(-1, index).cumsum(-1)[..., :-1] > 0
    return (ends.diff(dim=-1) * covered).sum(-1)


def _least_milliseconds(rivals: list[Lengths], pair: tuple[Tensor, Tensor], repeats: int) -> list[float]:
    reduce = Reduce("maxmean")
    least = [float("inf")] * len(rivals)
    for _ in range(repeats + 1):
        for number, lengths in enumerate(rivals):
            for end in pair:
                end.grad = None
            start = time.process_time()
            reduce(lengths(*pair)).sum().backward()
            least[number] = min(least[number], 1000 * (time.process_time() - start))
    return least


if __name__ == "__main__":
    main()
