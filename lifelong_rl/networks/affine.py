"""x W^T + b, and its ReLU, by the quickest float32 product that this processor has.

PyTorch asks MKL for products, and MKL uses half the width of AMD's AVX-512 units. oneDNN, which PyTorch holds as well,
uses all of it: products take 0.45 times as long on an EPYC of 2024 (`benchmarks/products.py`). Elsewhere, on GPUs, in
other types and for small products PyTorch's own choice stands. The rule asks for the processor's name and never for
the time, so that a run which goes on computes as it began.
"""

import functools
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_WORK = 1 << 20  # multiplications, from which on oneDNN's 10 us a call are worth it


def affine(x: Tensor, weight: Tensor, bias: Tensor | None, *, relu: bool = False) -> Tensor:
    """x [..., I], weight [O, I], bias [O] -> [..., O]. `weight` may be a transposed view."""
    if not is_wide(x, weight):
        y = F.linear(x, weight, bias)
        return y.relu_() if relu else y  # in place: a product's result is in nobody's way, and fresh memory costs time
    if x.ndim != 2:
        return affine(x.reshape(-1, x.shape[-1]), weight, bias, relu=relu).view(*x.shape[:-1], len(weight))
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return cast(Tensor, _Affine.apply(x, weight, bias, relu))
    return _product(x, weight, bias, relu)


def is_wide(x: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN is asked for this product."""
    return (
        x.numel() * len(weight) >= LEAST_WORK and x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32
        and halves_its_width() and not torch.is_autocast_enabled("cpu")
    )  # fmt: skip


@functools.cache
def halves_its_width() -> bool:
    """Whether MKL does, on this processor; and oneDNN is there."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    cpus = Path("/proc/cpuinfo")
    is_amd = cpus.exists() and "AuthenticAMD" in cpus.read_text(encoding="utf-8")
    return is_amd and torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None, relu: bool = False) -> Tensor:
    """x [B, I], weight [O, I] -> [B, O] by oneDNN, which takes any strides."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "relu" if relu else "none", [], "")
    return result


class _Affine(torch.autograd.Function):
    """By oneDNN, both ways. Gradients are made where they are asked for by `requires_grad` of what is given."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, relu: bool) -> Tensor:
        y = _product(x, weight, bias, relu)
        ctx.save_for_backward(x, weight, y if relu else None)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight, y = ctx.saved_tensors
        needs_x, needs_weight, needs_bias, _ = ctx.needs_input_grad
        if y is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, y, 0)
        return (
            _product(gradient, weight.t()) if needs_x else None,
            _weight_gradient(gradient, x, weight) if needs_weight else None,
            gradient.sum(0) if needs_bias else None,
            None,
        )


def _weight_gradient(gradient: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """[O, I], laid out as `weight` is. The fewer rows a product's result has, the quicker it is."""
    out, into = gradient.t(), x.t()
    made = _product(out, into) if len(out) <= len(into) else _product(into, out).t()
    return made.contiguous() if weight.is_contiguous() else made.t().contiguous().t()
