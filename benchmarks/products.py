"""What a layer's products take: PyTorch's own (MKL) against the one that the networks have, forward and backward.

    python benchmarks/products.py [--rounds 15]

One thread; the two take turns in this process. Microseconds of processor time, medians, of relu(x W^T + b) and of the
gradients of x, W and b; quotients are medians of neighbours. On a processor where `halves_its_width` says no, both are
the same.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.networks.affine import affine, halves_its_width

SHAPES = [(256, 17, 256), (256, 256, 256), (1024, 256, 256), (256, 1024, 1024), (1024, 1024, 1024)]  # rows, in, out
Layer = Callable[[Tensor, Tensor, Tensor], Tensor]


def main() -> None:
    """Prints a line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"oneDNN asked: {halves_its_width()}")
    print("rows   in  out     MKL us    ours us  MKL/ours  ours GFLOP/s")
    for rows, size, width in SHAPES:
        layers: list[Layer] = [lambda x, w, b: F.linear(x, w, b).relu(), lambda x, w, b: affine(x, w, b, relu=True)]
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for layer, spent in zip(layers, times, strict=True):
                spent.append(measure(layer, rows, size, width))
        theirs, ours = map(statistics.median, times)
        ratio = statistics.median(a / b for a, b in zip(*times, strict=True))
        rate = 6 * rows * size * width / ours / 1e3
        print(f"{rows:4} {size:4} {width:4} {theirs:10.0f} {ours:10.0f} {ratio:9.2f} {rate:13.1f}", flush=True)


def measure(layer: Layer, rows: int, size: int, width: int) -> float:
    """Microseconds of a pass forward and backward."""
    given = torch.ones(rows, size), torch.ones(width, size), torch.ones(width)
    inputs = [each.requires_grad_() for each in given]
    gradient, repeats = torch.ones(rows, width), max(3, 4 * 10**8 // (rows * size * width))
    start = time.process_time()
    for _ in range(repeats):
        torch.autograd.grad(layer(*inputs), inputs, gradient)
    return (time.process_time() - start) / repeats * 1e6


if __name__ == "__main__":
    main()
