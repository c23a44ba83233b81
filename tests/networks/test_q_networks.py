"""Members are independent; both kinds of critic have the study's numbers of weights; inputs are normalised exactly."""

import re

import pytest
import torch

from experiment_configs.agents.off_policy import DDPGConfig
from lifelong_rl.config import ConfigError, from_dict, resolve, to_dict
from lifelong_rl.networks.actors import DeterministicActor, ExponentialTanhNormalActor, TanhNormal
from lifelong_rl.networks.energies import ENERGIES
from lifelong_rl.networks.ensemble import EnsembleMLP
from lifelong_rl.networks.normalizer import NormalizerConfig, RunningNormalizer
from lifelong_rl.networks.optimizer import Optimizer
from lifelong_rl.networks.q_networks import Q_NETWORKS, MonolithicQConfig, PairCriticConfig, build_q_network
from tests.source_tree import ROOT

STATE, ACTION, GOAL = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0)).unbind()


@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_member_is_a_plain_network_with_its_own_weights(layer_norm):
    torch.manual_seed(0)
    ensemble = EnsembleMLP(3, 4, (8,), 2, layer_norm=layer_norm)
    hidden = STATE @ ensemble.weights[0][1] + ensemble.biases[0][1]
    if layer_norm:
        with torch.no_grad():
            ensemble.scales[0][1] *= 2
            ensemble.shifts[0][1] += 1
        hidden = torch.nn.functional.layer_norm(hidden, (8,)) * 2 + 1
    expected = hidden.relu() @ ensemble.weights[1][1] + ensemble.biases[1][1]
    assert torch.allclose(ensemble(STATE)[1], expected, atol=1e-6)
    assert not torch.allclose(ensemble(STATE)[0], expected)


def test_members_see_one_input_or_each_its_own_and_the_first_can_be_asked_alone():
    torch.manual_seed(0)
    ensemble = EnsembleMLP(2, 4, (8, 8), 3)
    each = ensemble(torch.stack([STATE, GOAL]))
    assert torch.equal(each[0], ensemble(STATE)[0]) and torch.equal(each[1], ensemble(GOAL)[1])
    assert torch.equal(ensemble(STATE, 1), ensemble(STATE)[:1])


def num_weights(config: object, observation_size: int, action_size: int, goal_size: int) -> int:
    network = build_q_network(config, 1, observation_size, action_size, goal_size)
    return sum(parameter.numel() for parameter in network.parameters())


CRITICS = (ROOT / "docs/algorithms/mrn.md").read_text(encoding="utf-8").partition("## Our deviations")[0]
THOUSANDS = dict(re.findall(r"^\| `(\w+)`.*?\| (\d+\.\d) \| ", CRITICS, re.MULTILINE))


@pytest.mark.parametrize("name", [name for name in Q_NETWORKS if name != "pair"])
def test_critics_of_the_study_are_matched_in_weights_for_fetch_push_as_their_page_says(name):
    config = MonolithicQConfig(hidden_sizes=(256, 256, 256)) if name == "monolithic" else resolve(Q_NETWORKS[name])()
    thousands = num_weights(config, 25, 4, 3) / 1000
    assert thousands == pytest.approx(float(THOUSANDS[name]), abs=0.05)
    assert thousands == pytest.approx(140, rel=0.01)


def test_a_named_critic_is_written_out_and_some_of_its_head_can_be_changed():
    config = from_dict(DDPGConfig, {"network": {"name": "wide_norm", "energy": {"reduction": "max"}}})
    energy = to_dict(config)["network"]["energy"]
    assert energy == {
        "name": "wide_norm", "components": 62, "component_size": 16, "concave_lines": 8, "reduction": "max",
    }  # fmt: skip
    assert from_dict(DDPGConfig, to_dict(config)) == config


def test_a_projector_is_one_network_for_both_sides():
    config = from_dict(
        PairCriticConfig, {"encoder_sizes": [8], "embedding_size": 8, "projector_sizes": [8], "projection_size": 4,
                           "energy": {"name": "l2"}},
    )  # fmt: skip
    torch.manual_seed(0)
    network = build_q_network(config, 2, 4, 4, 4)
    x = network.projector(network.action_side(torch.cat([STATE, ACTION], -1)))
    y = network.projector(network.goal_side(torch.cat([STATE, GOAL], -1)))
    assert x.shape == (2, 5, 4)
    assert torch.allclose(network(STATE, ACTION, GOAL), -(x - y).norm(dim=-1), atol=1e-6)
    with pytest.raises(ConfigError, match=r"projector_sizes \[8\] need a projection_size, got None."):
        from_dict(PairCriticConfig, {"projector_sizes": [8]})
    with pytest.raises(ConfigError, match="energy does not fit projection_size 4: .*Nearest: 2"):
        from_dict(PairCriticConfig, {"projection_size": 4, "energy": {"name": "iqe", "components": 3}})


@pytest.mark.parametrize("name", [name for name in Q_NETWORKS if name not in ("monolithic", "bilinear", "cosine")])
def test_critics_with_a_metric_head_never_value_a_goal_above_zero(name):
    torch.manual_seed(0)
    q = build_q_network(resolve(Q_NETWORKS[name])(), 1, 4, 4, 4)(STATE, ACTION, GOAL)
    assert (q <= 1e-6).all() and q.min() < 0


SMALL_PAIR = {"encoder_sizes": [8], "embedding_size": 8}


@pytest.mark.parametrize("goal_side", ["observation_and_goal", "goal"])
@pytest.mark.parametrize("energy", ENERGIES)
def test_every_head_gives_k_estimates_that_move_with_the_action(energy, goal_side):
    torch.manual_seed(0)
    head = {"name": energy} | ({"components": 2} if energy == "iqe" else {})
    config = from_dict(PairCriticConfig, SMALL_PAIR | {"goal_side": goal_side, "energy": head})
    network = build_q_network(config, 2, 4, 4, 4)
    q = network(STATE, ACTION, GOAL)
    assert q.shape == (2, 5) and not torch.allclose(q[0], q[1])
    assert torch.equal(network(STATE, ACTION, GOAL, 1), q[:1])
    assert not torch.equal(network(STATE, -ACTION, GOAL), q)


def test_tasks_without_goals_have_goals_of_no_width():
    none = torch.zeros(5, 0)
    for config in (MonolithicQConfig(hidden_sizes=(8,)), from_dict(PairCriticConfig, SMALL_PAIR)):
        assert build_q_network(config, 2, 4, 4, 0)(STATE, ACTION, none).shape == (2, 5)
    with pytest.raises(ConfigError, match="goal_side 'goal' needs a task with goals"):
        build_q_network(from_dict(PairCriticConfig, SMALL_PAIR | {"goal_side": "goal"}), 2, 4, 4, 0)


def test_a_head_that_does_not_fit_is_refused_with_the_nearest_that_does():
    with pytest.raises(ConfigError, match="does not fit embedding_size 176: .*Nearest: 8"):
        from_dict(PairCriticConfig, {"energy": {"name": "iqe", "components": 7}})


def test_moments_of_batches_are_those_of_all_rows_together():
    rows = 7 + 3 * torch.randn(90, 2, generator=torch.Generator().manual_seed(0))
    normalizer = RunningNormalizer(NormalizerConfig(), 2)
    for part in rows.split([10, 50, 30]):
        normalizer.learn(part)
    assert normalizer.count == 90
    assert torch.allclose(normalizer.mean, rows.mean(0), atol=1e-5)
    assert torch.allclose(normalizer.variance, rows.var(0, correction=0), atol=1e-4)
    expected = (rows - rows.mean(0)) / rows.std(0, correction=0)
    assert torch.allclose(normalizer(rows), expected, atol=1e-4)


def test_what_hardly_changes_is_not_blown_up_and_what_comes_out_is_clipped():
    normalizer = RunningNormalizer(NormalizerConfig(), 2)
    assert torch.equal(normalizer(torch.tensor([[0.5, 900.0]])), torch.tensor([[0.5, 5.0]]))  # before any learning
    normalizer.learn(torch.tensor([[1.0, 0.0], [1.0, 2.0]]))
    assert normalizer(torch.tensor([[1.02, -50.0]]))[0].tolist() == pytest.approx([2.0, -5.0], abs=1e-4)


def test_moments_survive_a_state_dict():
    normalizer, again = (RunningNormalizer(NormalizerConfig(), 4) for _ in range(2))
    normalizer.learn(STATE)
    again.load_state_dict(normalizer.state_dict())
    assert torch.equal(again(GOAL), normalizer(GOAL)) and again.count == 5


def test_a_sample_comes_with_the_log_probability_that_its_action_has():
    distribution = TanhNormal(torch.full((1000, 2), 0.3).double(), torch.full((1000, 2), 0.4).double())
    action, log_prob = distribution.sample_with_log_prob(torch.Generator().manual_seed(0))
    assert torch.allclose(log_prob, distribution.log_prob(action), atol=1e-6)
    assert torch.equal(action, distribution.sample(torch.Generator().manual_seed(0)))


def test_log_probabilities_stay_finite_where_the_tanh_is_one():
    mean = torch.full((4, 1), 30.0, requires_grad=True)
    action, log_prob = TanhNormal(mean, torch.full((4, 1), 1e-4)).sample_with_log_prob(torch.Generator().manual_seed(0))
    assert (action == 1).all() and torch.isfinite(log_prob).all()
    assert torch.isfinite(torch.autograd.grad(log_prob.sum(), mean)[0]).all()


def test_soft_actors_keep_their_spread_in_bounds_and_deterministic_ones_start_in_the_middle():
    soft = ExponentialTanhNormalActor(4, 4, 2, (8,))
    assert torch.equal(soft(STATE, GOAL).std, torch.ones(5, 2))
    torch.nn.init.constant_(soft.body.layers[-1].bias, 50.0)
    assert soft(STATE, GOAL).std.max().item() == pytest.approx(7.389, abs=1e-3)
    assert torch.equal(DeterministicActor(4, 4, 2, (8,))(STATE, GOAL), torch.zeros(5, 2))


@pytest.mark.parametrize(("limit", "step"), [(None, [3.0, 4.0]), (1.0, [0.6, 0.8]), (10.0, [3.0, 4.0])])
def test_gradients_longer_than_the_limit_are_shortened_to_it(limit, step):
    weight = torch.zeros(2, requires_grad=True)
    optimizer = Optimizer([weight], 0.1, max_gradient_norm=limit)
    optimizer.descend((weight * torch.tensor([3.0, 4.0])).sum())
    assert (optimizer.state_dict()["means"][0] * 10).tolist() == pytest.approx(step, abs=1e-5)
