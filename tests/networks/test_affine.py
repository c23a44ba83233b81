"""The quick product computes what PyTorch's own does: values, gradients, any layout; small ones are left alone."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.networks import affine as module
from lifelong_rl.networks.affine import affine, is_wide

SIZES = [(256, 17, 256), (300, 130, 64), (64, 256, 300)]  # rows, in, out: all of them large enough


@pytest.fixture(params=[True, False], ids=["onednn", "pytorch"])
def quick(request, monkeypatch):
    """Both ways, whatever this processor is called."""
    monkeypatch.setattr(module, "halves_its_width", lambda: request.param)
    return request.param


def numbers(rows: int, size: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows)
    shapes = (rows, size), (width, size), (width,)
    x, weight, bias = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return x, weight, bias


def check(x: Tensor, weight: Tensor, bias: Tensor | None, relu: bool) -> None:
    """Against float64."""
    given = [x, weight] if bias is None else [x, weight, bias]
    single = [each.float().requires_grad_() for each in given]
    double = [each.clone().requires_grad_() for each in given]
    assert is_wide(single[0], single[1]) == module.halves_its_width()
    y = affine(single[0], single[1], None if bias is None else single[2], relu=relu)
    expected = F.linear(double[0], double[1], None if bias is None else double[2])
    expected = expected.relu() if relu else expected
    slopes = torch.linspace(-1, 1, y.numel(), dtype=torch.float64).view(y.shape)
    assert torch.allclose(y.double(), expected, atol=1e-4)
    ours = torch.autograd.grad(y, single, slopes.float())
    for one, wanted in zip(ours, torch.autograd.grad(expected, double, slopes), strict=True):
        assert torch.allclose(one.double(), wanted, atol=1e-3)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("relu", [True, False])
def test_values_and_gradients_are_those_of_double_precision(quick, sizes, relu):
    x, weight, bias = numbers(*sizes)
    check(x, weight, bias, relu)
    check(x, weight, None, relu)


@pytest.mark.parametrize("sizes", SIZES)
def test_gradients_lie_as_their_weights_do(quick, sizes):
    x, weight, bias = (each.float() for each in numbers(*sizes))
    for own in (weight.clone(), weight.t().contiguous().t()):
        own.requires_grad_()
        (gradient,) = torch.autograd.grad(affine(x, own, bias).square().sum(), [own])
        reference = weight.clone().requires_grad_()
        (expected,) = torch.autograd.grad(F.linear(x, reference, bias).square().sum(), [reference])
        assert gradient.stride() == own.stride() and torch.allclose(gradient, expected, rtol=1e-4, atol=1e-2)


def test_any_number_of_leading_dimensions_goes(quick):
    x, weight, bias = (each.float() for each in numbers(256, 17, 256))
    assert torch.equal(affine(x.view(4, 64, 17), weight, bias).view(256, 256), affine(x, weight, bias))


def test_what_needs_no_gradient_gets_none(quick):
    x, weight, bias = (each.float() for each in numbers(256, 17, 256))
    y = affine(x.requires_grad_(), weight, bias, relu=True)
    assert torch.autograd.grad(y.sum(), [x])[0].abs().sum() > 0
    assert y.grad_fn is not None and not weight.requires_grad
    with torch.no_grad():
        assert affine(x, weight, bias).grad_fn is None


def test_small_products_other_types_and_devices_are_left_to_pytorch(monkeypatch):
    monkeypatch.setattr(module, "halves_its_width", lambda: True)
    x, weight, _ = (each.float() for each in numbers(256, 17, 256))
    assert is_wide(x, weight)
    assert not is_wide(x[:128], weight)
    assert not is_wide(x.double(), weight.double())
    assert not is_wide(x.to("meta"), weight.to("meta"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not is_wide(x, weight)
        assert affine(x, weight, None).dtype == torch.bfloat16
