"""What each energy head promises, for every line of the table."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lifelong_rl.networks.energies import ENERGIES, EnergyHead, build_energy
from lifelong_rl.networks.energies.cosine import CosineConfig
from lifelong_rl.networks.energies.deep_norm import DeepNormConfig
from lifelong_rl.networks.energies.iqe import IQEConfig
from lifelong_rl.networks.energies.l2 import L2Config
from lifelong_rl.networks.energies.mlp import MLPConfig
from lifelong_rl.networks.energies.mrn import MRNConfig
from lifelong_rl.networks.energies.pqe import PQEConfig
from lifelong_rl.networks.energies.wide_norm import WideNormConfig

SIZE = 12
SMALL = {
    "iqe": IQEConfig(components=3),
    "mrn": MRNConfig(hidden_sizes=(8,), part_size=4),
    "pqe": PQEConfig(width=8),
    "deep_norm": DeepNormConfig(components=5, hidden_size=6),
    "wide_norm": WideNormConfig(components=3, component_size=4),
    "mlp": MLPConfig(hidden_sizes=(8,)),
}


def build(name: str, seed: int = 0) -> EnergyHead:
    """A small head in float64, its parameters pushed away from their first values."""
    torch.manual_seed(seed)
    head = build_energy(SMALL[name] if name in SMALL else ENERGIES[name](), SIZE).double()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return head


def points(count: int, seed: int = 1, step: float | None = None) -> Tensor:
    """Float64 embeddings [count, SIZE]; multiples of `step`, with many ties, if one is given."""
    drawn = 2 * torch.randn(count, SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return drawn if step is None else (drawn / step).round() * step


VARIANTS = {  # the study's ablations and other reductions
    "mrn without residual": MRNConfig(hidden_sizes=(8,), part_size=4, residual=None),
    "mrn without metric": MRNConfig(hidden_sizes=(8,), part_size=4, has_metric=False),
    "mrn, softmax": MRNConfig(hidden_sizes=(8,), part_size=4, residual="softmax"),
    "mrn, log_mean_exp": MRNConfig(hidden_sizes=(8,), part_size=4, residual="log_mean_exp"),
    "wide_norm, mean": WideNormConfig(components=3, component_size=4, reduction="mean"),
    "wide_norm, max": WideNormConfig(components=3, component_size=4, reduction="max"),
    "wide_norm, softmax": WideNormConfig(components=3, component_size=4, reduction="softmax"),
    "deep_norm, mean": DeepNormConfig(components=5, hidden_size=6, layers=2, concave_lines=8, reduction="mean"),
}  # fmt: skip
SMALL |= VARIANTS
NAMES = [*ENERGIES, *VARIANTS]
QUASIMETRIC = [name for name in NAMES if build(name).is_quasimetric]
OTHER = [name for name in ENERGIES if name not in QUASIMETRIC]
FASTER_THAN_THEIR_PARTS = [name for name in VARIANTS if name not in QUASIMETRIC]
seeds = st.integers(0, 2**31)
steps = st.sampled_from([None, 0.5, 1.0, 2.0])


def test_which_heads_are_quasimetrics():
    assert set(OTHER) == {"dot", "cosine", "mlp"}
    assert set(FASTER_THAN_THEIR_PARTS) == {"mrn, softmax", "mrn, log_mean_exp", "wide_norm, softmax"}


@pytest.mark.parametrize("name", [*QUASIMETRIC, *FASTER_THAN_THEIR_PARTS])
@settings(max_examples=25, deadline=None)
@given(seed=seeds, step=steps)
def test_distance_is_never_negative_and_zero_to_itself(name: str, seed: int, step: float | None):
    head, x = build(name, seed), points(20, seed, step)

    assert (head(x, x) == 0).all()
    assert (head(x[:, None], x) <= 0).all()
    assert (head(x[:, None], x) < -1e-6).any()


@pytest.mark.parametrize("name", QUASIMETRIC)
@settings(max_examples=25, deadline=None)
@given(seed=seeds, step=steps)
def test_a_detour_is_never_shorter(name: str, seed: int, step: float | None):
    head, x = build(name, seed), points(12, seed, step)

    distance = -head(x[:, None], x)  # [12, 12]
    detour = distance[:, :, None] + distance[None, :, :]  # [from, over, to]

    assert (distance[:, None, :] <= detour + 1e-9 * (1 + detour)).all()


@pytest.mark.parametrize("name", NAMES)
def test_symmetry_is_as_claimed(name: str):
    head, x = build(name), points(20)
    energy = head(x[:, None], x)

    assert torch.allclose(energy, energy.T, rtol=1e-12, atol=1e-12) == head.is_symmetric


@pytest.mark.parametrize("name", OTHER)
def test_heads_that_are_no_quasimetrics_give_both_signs(name: str):
    head, x = build(name), points(40)
    energy = head(x[:, None], x)

    assert energy.min() < 0 < energy.max()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_the_energy(name: str):
    head = build(name)
    x, y = points(4, 2).requires_grad_(), points(4, 3).requires_grad_()

    def energy(x: Tensor, y: Tensor, *_: Tensor) -> Tensor:
        return head(x, y)

    assert torch.autograd.gradcheck(energy, (x, y, *head.parameters()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [torch.zeros_like, torch.clone], ids=["at zero", "at a point"])
def test_gradients_are_finite_where_both_embeddings_are_the_same(name: str, make: Callable[[Tensor], Tensor]):
    head, x = build(name), make(points(5)).requires_grad_()
    y = x.detach().clone().requires_grad_()

    head(x, y).sum().backward()

    gradients = [x.grad, y.grad, *(parameter.grad for parameter in head.parameters())]
    assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)


@pytest.mark.parametrize("name", NAMES)
def test_leading_shapes_broadcast(name: str):
    head, x, y = build(name), points(3, 4), points(5, 5)

    together = head(x[:, None], y)

    assert together.shape == (3, 5)
    assert torch.allclose(together, torch.stack([head(x, row.expand_as(x)) for row in y], 1))
    assert torch.allclose(head(x[0], y[0]), together[0, 0])


@pytest.mark.parametrize("name", ENERGIES)
def test_energies_of_half_precision_embeddings_are_float32(name: str):
    head, x, y = build(name).float(), points(6, 4).bfloat16(), points(6, 5).bfloat16()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        energy = head(x, y)

    assert energy.dtype == torch.float32
    assert torch.allclose(energy, head(x.float(), y.float()))


@pytest.mark.parametrize("name", ENERGIES)
def test_one_seed_gives_one_head(name: str):
    first, again, other = build(name, 7), build(name, 7), build(name, 8)
    x = points(2)

    assert torch.equal(first(x[0], x[1]), again(x[0], x[1]))
    assert bool(list(first.parameters())) == (not torch.equal(first(x[0], x[1]), other(x[0], x[1])))


@pytest.mark.parametrize("name", QUASIMETRIC)
def test_gradient_descent_halves_a_distance(name: str):
    head = build(name)
    x, y = points(1, 6).requires_grad_(), points(1, 7).requires_grad_()
    target = head(x, y).item() / 2
    optimizer = torch.optim.Adam([x, y, *head.parameters()], lr=0.02)

    for _ in range(200):
        error = (head(x, y) - target).square().sum()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()

    assert head(x, y).item() == pytest.approx(target, rel=0.05)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (IQEConfig(components=5), "iqe.components must divide the input size 12, got 5. Nearest: 4"),
        (IQEConfig(components=0), "iqe.components must divide the input size 12, got 0. Nearest: 1"),
        (PQEConfig(component_size=9), "pqe.component_size must divide the input size 12, got 9. Nearest: 6"),
        (CosineConfig(temperature=0.0), "cosine.temperature must be positive, got 0.0"),
        (MRNConfig(has_metric=False, residual=None), "mrn.residual must not be None where has_metric is false"),
        (
            IQEConfig(components=1, reduction="median"),
            "reduction must be one of maxmean, max, mean, sum, softmax, log_mean_exp, got 'median'",
        ),
    ],
)
def test_impossible_configs_are_refused_by_name(config: object, message: str):
    with pytest.raises(ValueError, match=message):
        build_energy(config, SIZE)


def test_an_unknown_config_is_refused_with_the_table():
    with pytest.raises(TypeError, match="must be one of iqe, mrn, .* got str"):
        build_energy("iqe", SIZE)


def test_values_of_the_plain_heads():
    x, y = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])

    assert build_energy(L2Config(), 2)(x, y).item() == -5
    assert build_energy(ENERGIES["dot"](), 2)(x, x).item() == 9
    assert build_energy(CosineConfig(temperature=0.5), 2)(x, 7 * x).item() == pytest.approx(2)


def test_value_of_a_poisson_head():
    head = build_energy(PQEConfig(component_size=2, width=1, scale=3.0), 2)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.fill_(1.0)

    x, y = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 5.0])  # falls by 1 and by 0: 0.5 on average

    assert -head(x, y).item() == pytest.approx(3 * (1 - 0.6065307))
