"""Models of what a step does: in whose units they speak, and that they come to know a linear world."""

import pytest
import torch

from lifelong_rl.agents.dynamics_learner import DynamicsLearner, DynamicsLearningConfig, own_rows
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.dynamics import absolute_error
from lifelong_rl.networks.dynamics import Dynamics, DynamicsConfig

SMALL = DynamicsConfig(num_models=2, hidden_sizes=(32,))


def make(config: DynamicsConfig = SMALL) -> Dynamics:
    torch.manual_seed(0)
    return Dynamics(config, 2, 1)


def steps(size: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A place, a thousand times as wide as its moves, and a speed: it moves by the speed, which the action changes."""
    generator = torch.Generator().manual_seed(seed)
    place, speed, action = torch.rand(3, size, 1, generator=generator) * 2 - 1
    observation = torch.cat([1000 * place, speed], -1)
    return observation, action, torch.cat([1000 * place + speed, speed + 0.1 * action], -1)


def test_the_error_of_each_model_is_a_mean_and_they_are_summed():
    predicted = torch.tensor([[[1.0, 2.0]], [[0.0, -4.0]]])
    assert absolute_error(predicted, torch.zeros(2, 1, 2)).item() == 1.5 + 2.0


def test_predictions_are_the_observation_and_a_change_in_units_of_the_usual_one():
    model = make()
    observation, action, after = steps(100)
    model.learn(observation, after)
    change = after - observation
    wanted = model.wanted(observation, after)
    assert torch.allclose(wanted.mean(0), torch.zeros(2), atol=1e-5)
    assert torch.allclose(wanted.std(0, correction=0), torch.ones(2), atol=1e-4)
    for parameter in model.members.parameters():
        torch.nn.init.zeros_(parameter)
    model.members.biases[-1].data[1] = torch.tensor([[1.0, 0.0]])  # the second model: one spread more of place
    first, second = model.predictions(observation, action)
    assert torch.allclose(first, observation + change.mean(0))
    assert torch.allclose(second - first, change.std(0, correction=0) * torch.tensor([1.0, 0.0]), atol=1e-3)
    assert torch.allclose(model.predict(observation, action), (first + second) / 2)


def test_models_get_rows_of_their_own_and_few_rows_in_turn():
    device = torch.device("cpu")
    assert own_rows(3, 8, device).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert own_rows(3, 2, device).tolist() == [[0], [1], [0]]
    assert own_rows(1, 3, device).tolist() == [[0, 1, 2]]


def test_it_comes_to_know_a_linear_world_whose_moves_are_tiny_beside_its_width():
    model = make()
    learner = DynamicsLearner(DynamicsLearningConfig(learning_rate=3e-3), model)
    errors = [float(learner.update(*steps(64, seed))["model_error"]) for seed in range(250)]
    observation, action, after = steps(200, seed=1000)
    worst = (model.predict(observation, action) - after).abs().amax(0)
    assert worst[0] < 0.3 and worst[1] < 0.05  # standing still would be off by up to 1 and 0.1
    assert errors[-1] < 0.1 < errors[0]


def test_a_model_learns_from_its_own_rows_alone():
    observation, action, after = steps(8)
    disturbed = after.clone()
    disturbed[4:] = after[4:].flip(0)  # rows of the second model; moments are those of both
    models = [make(), make()]
    for model, led_to in zip(models, (after, disturbed), strict=True):
        model.observation.learn(observation)
        rows = own_rows(2, 8, torch.device("cpu"))
        loss = absolute_error(model(observation[rows], action[rows]), led_to[rows])
        loss.backward()
    first, second = (model.members.weights[0].grad for model in models)
    assert first is not None and second is not None
    assert torch.equal(first[0], second[0]) and not torch.equal(first[1], second[1])


@pytest.mark.parametrize("settings", [{"num_models": 0}, {"hidden_sizes": (16, 0)}])
def test_models_of_no_size_are_refused(settings):
    with pytest.raises(ConfigError, match="num_models and hidden_sizes must be at least 1, got"):
        DynamicsConfig(**settings)


def test_a_batch_that_is_fitted_never_is_refused():
    with pytest.raises(ConfigError, match="fits_per_batch must be at least 1, got 0"):
        DynamicsLearningConfig(fits_per_batch=0)
