"""A phase says what is wrong with it, and what it leaves open."""

import pytest

from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.training.phase import Phase


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"num_epochs": 0}, "variant: num_epochs must be at least 1, got 0."),
        ({"rounds_per_epoch": 0}, "variant: rounds_per_epoch must be at least 1, got 0."),
        ({"evaluation_interval": 0}, "variant: evaluation_interval must be at least 1, got 0."),
        ({"snapshot_interval": -1}, "variant: snapshot_interval must be at least 1, got -1."),
        ({"env_steps_per_round": -1}, "variant: env_steps_per_round must not be negative, got -1."),
        ({"updates_per_round": -5}, "variant: updates_per_round must not be negative, got -5."),
        ({"random_env_steps": -1}, "variant: random_env_steps must not be negative, got -1."),
        ({"warmup_env_steps": -1}, "variant: warmup_env_steps must not be negative, got -1."),
        ({"offline_fraction": 1.5}, "variant: offline_fraction must lie in [0, 1], got 1.5."),
        ({"num_epochs": "3"}, "variant.num_epochs must be int, got '3'."),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_in_one_line(values, complaint):
    with pytest.raises(ConfigError) as caught:
        from_dict(Phase, {"name": "offline", "num_epochs": 1, **values})
    assert str(caught.value) == complaint


def test_a_phase_without_env_steps_is_offline_and_learns_from_the_dataset_alone():
    phase = Phase(name="offline", num_epochs=1, updates_per_round=10)
    assert phase.is_offline and phase.dataset_share == 1


@pytest.mark.parametrize("steps", ["env_steps_per_round", "random_env_steps", "warmup_env_steps"])
def test_any_env_steps_make_it_online_and_it_learns_from_what_it_collects(steps):
    phase = Phase(name="online", num_epochs=1, **{steps: 1})
    assert not phase.is_offline and phase.dataset_share == 0


def test_a_given_fraction_of_old_data_stands():
    assert Phase(name="online", num_epochs=1, env_steps_per_round=1, offline_fraction=0.25).dataset_share == 0.25
