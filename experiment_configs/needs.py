"""That agent and batches fit the task, checked before the first step: each line says what fits instead."""

from experiment_configs.agents import NEED_GOALS
from experiment_configs.experiment import ExperimentConfig, SamplerConfig
from lifelong_rl.config import ConfigError
from lifelong_rl.types import TaskSpec


def check_goals(agent: str, spec: TaskSpec) -> None:
    """A ConfigError where the agent of that name needs goals, and the task has none."""
    if agent in NEED_GOALS and 0 in spec.goal_shape:
        line = f"{agent!r} learns to reach goals, {spec.name} has none"
        raise ConfigError(f"variant.agent: {line}: use {_without_goals(spec)}.")


def check_batches(config: ExperimentConfig, spec: TaskSpec) -> None:
    """A ConfigError where batches are to be drawn in a way that the task does not know."""
    if 0 in spec.goal_shape and _is_asked_for_hindsight(config.sampler):
        chosen = "mix" if config.sampler.mix is not None else "hindsight"
        line = f"{spec.name} has no goals, so none can be chosen in hindsight"
        raise ConfigError(f"variant.sampler.{chosen}: {line}: leave it out, and use {_without_goals(spec)}.")
    if config.sampler.still_redraws and len(spec.goal_shape) != 1:
        line = f"goals of {spec.name} are pictures, in which everything moves"
        raise ConfigError(f"variant.sampler.still_redraws: {line}: leave it at 0.")
    steps = {"sampler": config.sampler.n_step}
    steps |= {f"phases[{index}]": phase.n_step or 1 for index, phase in enumerate(config.phases)}
    for place, n_step in steps.items():
        if n_step > spec.horizon:
            line = f"episodes of {spec.name} have {spec.horizon} steps, {n_step} cannot be joined"
            raise ConfigError(f"variant.{place}.n_step: {line}.")


def _is_asked_for_hindsight(sampler: SamplerConfig) -> bool:
    """The default does no harm where there are no goals: then it chooses among nothings."""
    chosen = sampler.goals
    return chosen != SamplerConfig().hindsight and set(chosen.sources) != {"behaviour"}


def _without_goals(spec: TaskSpec) -> str:
    """The agents that need no goals and act as the task wants it."""
    return "'dqn'" if spec.discrete else "'sac', 'td3' or 'ddpg'"
