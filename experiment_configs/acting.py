"""What greedy acting needs of each agent: which networks, where its state holds them, and how to build them again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from experiment_configs.loading import LoadedAgent, open_run
from lifelong_rl.agents.learners import ActorLearner
from lifelong_rl.agents.qrl_policies import ByActorConfig, GreedyConfig
from lifelong_rl.config import ConfigError, to_dict
from lifelong_rl.exported_policy.architecture import (
    ActorShape,
    Architecture,
    ByActor,
    ByChoiceValues,
    ByQuasimetric,
    ByWaypoints,
)
from lifelong_rl.goals.views import NodeGoalsConfig, StateGoals, StateGoalsConfig
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.state_tree import check_shapes

Place = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Acting:
    """`networks` are the agent's own; `places` says where in its state each of them lies."""

    architecture: Architecture
    networks: dict[str, nn.Module]
    places: dict[str, Place]

    def with_normalizer(self, normalizer: nn.Module | None) -> "Acting":
        if normalizer is None:
            return self
        networks, places = self.networks | {"normalizer": normalizer}, self.places | {"normalizer": ("normalizer",)}
        return Acting(architecture=self.architecture, networks=networks, places=places)


def load_to_act(path: Path) -> tuple[LoadedAgent, Acting]:
    """As `load_run`, but only the networks that greedy acting needs are taken over: nothing of learning."""
    loaded = open_run(path)
    acting = acting_of(loaded)
    for name, network in acting.networks.items():
        state, place = loaded.snapshot.parts["agent"], acting.places[name]
        where = ".".join(map(str, ("agent", *place)))
        try:
            for key in place:
                state = state[key]
        except (KeyError, IndexError, TypeError) as error:
            raise SnapshotError(f"{loaded.path}: {where}: written by another version of the program.") from error
        check_shapes(network.state_dict(), state, f"{loaded.path}: {where}")
        network.load_state_dict(state)
    return loaded, acting


def acting_of(loaded: LoadedAgent) -> Acting:
    """A ConfigError where nobody has said it of this agent yet."""
    name = to_dict(loaded.config)["agent"]["name"]
    if name not in ACTING_OF:
        line = f"how agent {name!r} acts is not in the table ACTING_OF of experiment_configs/acting.py"
        raise ConfigError(f"{loaded.path}: {line}; known: {', '.join(ACTING_OF)}.")
    return ACTING_OF[name](loaded.agent, loaded.config.agent)


def _by_actor(agent: Any, config: Any) -> Acting:
    return _actor(agent.actor, config.normalizer).with_normalizer(agent.normalizer)


def _by_imitator(agent: Any, config: Any) -> Acting:
    return _actor(agent.imitator.actor, None)


def _actor(actor: ActorLearner[Any], normalizer: Any) -> Acting:
    architecture = ByActor(actor=ActorShape.of(actor.network, actor.config), normalizer=normalizer)
    return Acting(
        architecture=architecture, networks={"actor": actor.network}, places={"actor": ("actor", "network")}
    )


def _by_choice_values(agent: Any, config: Any) -> Acting:
    architecture = ByChoiceValues(
        hidden_sizes=config.hidden_sizes, layer_norm=config.layer_norm, is_dueling=config.is_dueling,
        normalizer=config.normalizer,
    )  # fmt: skip
    networks, places = {"choice_values": agent.network}, {"choice_values": ("network",)}
    acting = Acting(architecture=architecture, networks=networks, places=dict(places))
    return acting.with_normalizer(agent.normalizer)


def _by_waypoints(agent: Any, config: Any) -> Acting:
    actors = {"high": agent.high.actor, "low": agent.low.actor}
    shapes = {name: ActorShape.of(actor.network, actor.config) for name, actor in actors.items()}
    return Acting(
        architecture=ByWaypoints(representation_size=config.representation_size, **shapes),
        networks={name: actor.network for name, actor in actors.items()},
        places={name: (name, "network") for name in actors},
    )


def _by_quasimetric(agent: Any, config: Any) -> Acting:
    default = StateGoalsConfig() if isinstance(agent.goals, StateGoals) else NodeGoalsConfig()
    goals = config.goals or default
    acting = config.acting or (GreedyConfig() if config.actor is None else ByActorConfig())
    if isinstance(acting, ByActorConfig):
        shape = ActorShape.of(agent.actor, config.actor)
        architecture = ByQuasimetric(acting=acting, goals=goals, actor=shape)
        return Acting(architecture=architecture, networks={"actor": agent.actor}, places={"actor": ("actor",)})
    count = config.num_critics
    return Acting(
        architecture=ByQuasimetric(acting=acting, goals=goals, critic=config.network, num_critics=count),
        networks={f"critic_{index}": learner.critic for index, learner in enumerate(agent.critics)},
        places={f"critic_{index}": ("critics", index, "critic") for index in range(count)},
    )


ACTING_OF: dict[str, Callable[[Any, Any], Acting]] = {
    "qrl": _by_quasimetric,
    "dqn": _by_choice_values,
    "hiql": _by_waypoints,
    **dict.fromkeys(("ddpg", "td3", "sac", "wgcsl", "mher", "gcbc", "gcsl"), _by_actor),
    **dict.fromkeys(("gcivl", "gciql"), _by_imitator),
}
