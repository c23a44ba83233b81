"""IQE against a union of intervals that is taken apart in plain Python, ties included."""

from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lifelong_rl.networks.energies import build_energy, intervals
from lifelong_rl.networks.energies.intervals import union_length
from lifelong_rl.networks.energies.iqe import IQEConfig

numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-4, 4, width=32))
boxes = st.integers(1, 9).flatmap(
    lambda size: st.lists(st.lists(st.tuples(numbers, numbers), min_size=size, max_size=size), min_size=1, max_size=6)
)
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def covered(x: list[float], y: list[float]) -> float:
    """Adds up the stretches between neighbouring ends that lie in some interval."""
    ends = sorted({*x, *y})
    return sum(
        right - left
        for left, right in pairwise(ends)
        if any(a <= left and right <= b for a, b in zip(x, y, strict=True))
    )


def of_pairs(box: list[list[tuple[float, float]]], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    x, y = torch.tensor(box, dtype=dtype).unbind(-1)
    return x.clone().requires_grad_(), y.clone().requires_grad_()


@both_precisions
@settings(max_examples=80, deadline=None)
@given(box=boxes)
def test_length_is_that_of_the_union(dtype: torch.dtype, box: list[list[tuple[float, float]]]):
    x, y = of_pairs(box, dtype)
    expected = torch.tensor([covered(*row) for row in zip(x.tolist(), y.tolist(), strict=True)], dtype=dtype)

    assert torch.allclose(union_length(x, y), expected, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(union_length(x, y), expected, atol=1e-5)


@both_precisions
@settings(max_examples=80, deadline=None)
@given(box=boxes)
def test_gradient_leads_from_exposed_left_ends_to_exposed_right_ends(dtype: torch.dtype, box):
    x, y = of_pairs(box, dtype)
    union_length(x, y).sum().backward()

    assert set(x.grad.unique().tolist()) <= {-1.0, 0.0}
    assert set(y.grad.unique().tolist()) <= {1.0, 0.0}
    assert (x.grad[y <= x] == 0).all()
    assert (y.grad[y <= x] == 0).all()
    # Homogeneous of degree one, so the gradient alone gives the value back; and shifting all ends changes nothing.
    assert torch.allclose((x.grad * x + y.grad * y).sum(-1), union_length(x, y), atol=1e-5)
    assert torch.equal((x.grad + y.grad).sum(-1), torch.zeros(len(x), dtype=dtype))


@settings(max_examples=50, deadline=None)
@given(box=boxes)
def test_gradient_at_ties_is_a_slope_in_some_direction(box: list[list[tuple[float, float]]]):
    x, y = (end.detach().double() for end in of_pairs(box, torch.float32))
    assume(not _close_ends(x, y))
    x_near, y_near = (end.float().requires_grad_() for end in (x, y))
    union_length(x_near, y_near).sum().backward()

    small = 1e-6
    for ends, gradient in ((x, x_near.grad), (y, y_near.grad)):
        for place in torch.cartesian_prod(*(torch.arange(size) for size in ends.shape)).tolist():
            slopes = []
            for sign in (-1, 1):
                moved = ends.clone()
                moved[tuple(place)] += sign * small
                pair = (moved, y) if ends is x else (x, moved)
                slopes.append(sign * (union_length(*pair) - union_length(x, y)).sum().item() / small)
            assert min(slopes) - 0.01 <= gradient[tuple(place)].item() <= max(slopes) + 0.01


def _close_ends(x: Tensor, y: Tensor) -> bool:
    """Whether two different ends are so near that a finite difference sees both as one."""
    ends = torch.cat((x, y), -1).sort(-1).values.diff(dim=-1)
    return bool(((ends > 0) & (ends < 1e-4)).any())


def test_numbers_without_ties_give_the_same_gradient_in_either_precision():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(300, 32, generator=generator).requires_grad_() for _ in range(2))
    weight = torch.randn(300, generator=generator)

    fast = torch.autograd.grad((weight * union_length(x, y)).sum(), (x, y))
    wide = torch.autograd.grad((weight * union_length(x.double(), y.double())).sum(), (x, y))

    assert torch.equal(fast[0], wide[0])
    assert torch.equal(fast[1], wide[1])


def test_splitting_into_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(37, 8, generator=generator).requires_grad_() for _ in range(2))
    whole = union_length(x, y)
    whole_gradient = torch.autograd.grad(whole.sum(), (x, y))

    monkeypatch.setattr(intervals, "NUMBERS_IN_CACHE", 5 * 8)
    parts = union_length(x, y)
    parts_gradient = torch.autograd.grad(parts.sum(), (x, y))

    assert torch.equal(whole, parts)
    assert all(torch.equal(a, b) for a, b in zip(whole_gradient, parts_gradient, strict=True))


def test_an_embedding_that_is_not_a_number_is_not_hidden():
    for bad in ((float("nan"), 1.0), (1.0, float("nan"))):
        x, y = torch.zeros(2, 3), torch.ones(2, 3)
        x[0, 1], y[0, 1] = bad
        assert union_length(x, y).isnan().tolist() == [True, False]


def test_no_rows_give_no_lengths():
    x = torch.zeros(0, 4, requires_grad=True)
    assert union_length(x, x).shape == (0,)


def test_maxmean_starts_with_a_quarter_of_the_maximum():
    head = build_energy(IQEConfig(components=2), 4)
    x, y = torch.zeros(4), torch.tensor([1.0, 2.0, -1.0, 4.0])  # lengths 2 and 4

    assert -head(x, y).item() == pytest.approx(3 + 0.2689414)


@pytest.mark.parametrize(("reduction", "expected"), [("sum", 6), ("mean", 3), ("max", 4)])
def test_reductions_of_the_lengths(reduction, expected: float):
    head = build_energy(IQEConfig(components=2, reduction=reduction), 4)
    x, y = torch.zeros(4), torch.tensor([1.0, 2.0, -1.0, 4.0])

    assert -head(x, y).item() == expected
    assert not list(head.parameters())


def test_distances_keep_a_hundred_thousandth_far_from_zero():
    x = torch.full((1, 4), 100.0)
    assert union_length(x, x + 1).item() == pytest.approx(1, abs=1e-5)
