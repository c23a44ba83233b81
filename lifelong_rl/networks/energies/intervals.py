"""Length of a union of intervals, with its own backward: the whole cost of an interval quasimetric embedding.

The length of the union of the intervals [x_j, y_j] needs only the sorted left ends L and, apart from them, the sorted
right ends R: a point is covered where more intervals have begun than ended, so there is a gap between R_k and L_{k+1}
exactly where L_{k+1} > R_k, and length = sum_k R_k - max(L_k, R_{k-1}). Each end that borders a gap has gradient +1
(right) or -1 (left), every other end 0. The two sorts need no partner carried along.

Float32 on a processor: the index of an end rides in the spare low bits of its float64 copy (24 of 53 bits are used), so
one in-place sort of values gives order and index; numpy's is vectorised, ten times faster than a sort with an index.
"""

import torch
from torch import Tensor

NUMBERS_IN_CACHE = 1 << 16  # numbers of x worked on at a time; the temporaries then stay in the processor's cache
EMPTY = -3.0e38  # where both ends of an empty interval are put: left of everything, so that no tie touches the others


def union_length(x: Tensor, y: Tensor) -> Tensor:
    """Length of the union of [x_j, max(x_j, y_j)] over the last dimension: x [..., m], y [..., m] -> [...]."""
    x, y = torch.broadcast_tensors(x, y)
    shape = x.shape[:-1]
    x, y = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])

    if torch.is_grad_enabled() and (x.requires_grad or y.requires_grad):
        return _UnionLength.apply(x, y)[0].view(shape)
    return _by_blocks(x, y, None).view(shape)


class _UnionLength(torch.autograd.Function):
    """[N, m], [N, m] -> [N]; remembers one byte per end."""

    @staticmethod
    def forward(ctx, x, y):  # type: ignore[no-untyped-def]
        at_gap = torch.zeros((2, *x.shape), dtype=torch.bool, device=x.device)
        length = _by_blocks(x, y, at_gap)
        ctx.save_for_backward(at_gap)
        return (length,)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        left, right = ctx.saved_tensors[0].view(torch.int8)  # bytes multiply faster than bools
        gradient = gradient.unsqueeze(-1)
        grad_x = left * -gradient if ctx.needs_input_grad[0] else None
        grad_y = right * gradient if ctx.needs_input_grad[1] else None
        return grad_x, grad_y


def _by_blocks(x: Tensor, y: Tensor, at_gap: Tensor | None) -> Tensor:
    """Lengths [N]; writes to `at_gap` [2, N, m] which left and right ends border a gap."""
    rows = max(1, NUMBERS_IN_CACHE // max(1, x.shape[-1])) if x.device.type == "cpu" else max(1, len(x))
    length = x.new_empty(len(x))
    for start in range(0, len(x), rows):
        block = slice(start, start + rows)
        length[block] = _block(x[block], y[block], None if at_gap is None else at_gap[:, block])
    return length


def _block(x: Tensor, y: Tensor, at_gap: Tensor | None) -> Tensor:
    size = x.shape[-1]
    empty = y <= x  # false for NaN, which must show in the length
    away = empty.to(x.dtype)
    ends = torch.stack((x, y)).add_(away, alpha=EMPTY)  # rounds to EMPTY itself; several times faster than masked_fill

    (left, right), index = _sorted(ends, with_index=at_gap is not None)
    left, right = left.flatten(), right.flatten()  # rows end to end: one fast pass; row starts are put right after it
    begin = torch.empty_like(left)
    torch.maximum(left[1:], right[:-1], out=begin[1:])
    begin[::size] = left[::size]
    length = (right - begin).view_as(x).sum(-1)
    if at_gap is None:
        return length

    gap = torch.empty(len(left) + 1, dtype=torch.bool, device=x.device)  # [k]: a gap before the k-th left end
    torch.gt(left[1:], right[:-1], out=gap[1:-1])
    gap[::size] = True
    at_gap[0].scatter_(-1, index[0], gap[:-1].view_as(x))
    at_gap[1].scatter_(-1, index[1], gap[1:].view_as(x))
    at_gap.logical_and_(~empty)
    return length


def _sorted(ends: Tensor, with_index: bool) -> tuple[Tensor, Tensor]:
    """Values in order along the last dimension, and where each came from (anything, without `with_index`)."""
    if ends.device.type != "cpu" or ends.dtype != torch.float32:
        return torch.sort(ends, -1)
    if not with_index:
        ends.numpy().sort(-1)
        return ends, ends

    keys = ends.double()
    bits = keys.view(torch.int64)
    bits.bitwise_or_(torch.arange(ends.shape[-1]))
    keys.numpy().sort(-1)
    return keys.float(), bits.bitwise_and_((1 << 29) - 1)
