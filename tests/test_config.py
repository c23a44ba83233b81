"""Variants become frozen dataclasses, or one line that says what is wrong."""

import dataclasses
import json
import sys
from typing import Any, Literal

import pytest

from lifelong_rl.config import ConfigError, did_you_mean, from_dict, nearest, one_of, resolve, to_dict
from lifelong_rl.config_paths import parse_value, set_path


@dataclasses.dataclass(frozen=True, kw_only=True)
class SAC:
    """One choice of agent."""

    discount: float = 0.99
    hidden_sizes: tuple[int, ...] = (256, 256)
    critic: Literal["mlp", "mrn", "iqe"] = "mlp"
    target_entropy: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.discount <= 1:
            raise ConfigError(f"discount must lie in [0, 1], got {self.discount}.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRL:
    """Another choice of agent."""

    energy: Literal["l2", "dot"] = "l2"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Maze:
    """One class that serves two names."""

    name: str
    horizon: int = 300


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """Elements of a tuple; `name` is a plain field here."""

    name: str = "online"
    num_epochs: int
    updates: int | Literal["as_many_as_steps"] = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
    """Every kind of field."""

    task: str
    phases: tuple[Phase, ...] = ()
    seed: int = 0
    agent: Any = one_of({"sac": SAC, "crl": CRL, "far": "colorsys:nothing_here"}, default="sac")
    maze: Any = one_of(lambda: {"maze-small": Maze, "maze-large": Maze}, default=None)
    size: tuple[int, float] = (1, 0.5)
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    verbose: bool = False
    first: Phase | None = None
    tolerance: int | float = 1


FULL = {
    "task": "reach",
    "seed": 1e6,
    "agent": {"name": "sac", "hidden_sizes": [64, 64], "discount": 1, "target_entropy": -2},
    "phases": [{"num_epochs": 3}, {"name": "offline", "num_epochs": 0, "updates": "as_many_as_steps"}],
    "maze": {"name": "maze-large"},
    "weights": {"a": 1, "b": 0.5},
    "first": {"num_epochs": 1},
    "tolerance": 1.0,
}


def test_builds_nested_types():
    config = from_dict(Experiment, FULL)

    assert config.agent == SAC(hidden_sizes=(64, 64), discount=1.0, target_entropy=-2.0)
    assert isinstance(config.agent.discount, float)
    assert config.phases[0] == Phase(num_epochs=3)
    assert config.phases[1] == Phase(name="offline", num_epochs=0, updates="as_many_as_steps")
    assert config.seed == 1_000_000 and isinstance(config.seed, int)
    assert config.maze == Maze(name="maze-large")
    assert config.weights == {"a": 1.0, "b": 0.5}
    assert config.first == Phase(num_epochs=1)
    assert isinstance(config.tolerance, float)


def test_an_absent_choice_is_its_default_and_an_absent_name_too():
    assert from_dict(Experiment, {"task": "reach"}).agent == SAC()
    assert from_dict(Experiment, {"task": "reach", "agent": {"discount": 0.5}}).agent == SAC(discount=0.5)
    assert from_dict(Experiment, {"task": "reach"}).maze is None
    assert from_dict(Experiment, {"task": "reach", "maze": None}).maze is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"agent": {"name": "sac", "discout": 0.9}},
            "variant.agent: unknown key 'discout'. Did you mean 'discount'? Valid: critic, ",
        ),
        ({"agent": {"name": "sca"}}, "variant.agent: unknown name 'sca'. Did you mean 'sac'? Valid: crl, far, sac."),
        ({"agent": {"name": "crl", "discount": 0.9}}, "variant.agent: unknown key 'discount'. Valid: energy."),
        ({"agent": {"critic": "iqee"}}, "variant.agent.critic: unknown value 'iqee'. Did you mean 'iqe'?"),
        ({"agent": {"name": "sac", "discount": 1.5}}, "variant.agent: discount must lie in [0, 1], got 1.5."),
        ({"agent": "sac"}, "variant.agent must be a dict with a 'name', one of: crl, far, sac; got 'sac'."),
        ({"maze": {"horizon": 3}}, "variant.maze must be a dict with a 'name', one of: maze-large, maze-small; got "),
        ({"phases": [{"num_epochs": "3"}]}, "variant.phases[0].num_epochs must be int, got '3'."),
        ({"phases": [{"num_epochs": True}]}, "variant.phases[0].num_epochs must be int, got True."),
        ({"phases": [{"num_epochs": 2.5}]}, "variant.phases[0].num_epochs must be int, got 2.5."),
        ({"phases": [{}]}, "variant.phases[0] lacks 'num_epochs'."),
        ({"phases": "many"}, "variant.phases must be a list or tuple, got 'many'."),
        ({"phases": [3]}, "variant.phases[0] must be a dict, got 3."),
        ({"size": [1]}, "variant.size must have 2 elements, got 1: [1]."),
        ({"weights": {"a": "heavy"}}, "variant.weights.a must be float, got 'heavy'."),
        ({"verbose": 1}, "variant.verbose must be bool, got 1."),
        ({"seed": None}, "variant.seed must be int, got None."),
        ({"tolerance": "none"}, "variant.tolerance must be int or float, got 'none'."),
        ({"agent": {"discount": float("nan")}}, "variant.agent.discount must be a number, got nan."),
        ({"taks": "reach"}, "variant: unknown key 'taks'. Did you mean 'task'?"),
    ],
)
def test_says_exactly_what_is_wrong_in_one_line(values, message):
    with pytest.raises(ConfigError) as error:
        from_dict(Experiment, {"task": "reach"} | values)

    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_names_what_is_missing_under_the_path_it_was_given():
    with pytest.raises(ConfigError, match=r"^snapshot lacks 'task'\.$"):
        from_dict(Experiment, {}, path="snapshot")


@pytest.mark.parametrize("values", [FULL, {"task": "reach"}, {"task": "reach", "agent": {"name": "crl"}}])
def test_a_config_survives_the_way_to_json_and_back_with_every_default_filled_in(values):
    config = from_dict(Experiment, values)
    plain = json.loads(json.dumps(to_dict(config)))

    assert from_dict(Experiment, plain) == config
    assert set(plain) == {field.name for field in dataclasses.fields(Experiment)}
    assert plain["agent"]["name"] in ("sac", "crl")


def test_a_class_in_a_table_is_imported_only_when_it_is_chosen():
    sys.modules.pop("colorsys", None)
    from_dict(Experiment, {"task": "reach", "agent": {"name": "sac"}})
    assert "colorsys" not in sys.modules

    with pytest.raises(AttributeError, match="nothing_here"):
        from_dict(Experiment, {"task": "reach", "agent": {"name": "far"}})
    assert resolve("lifelong_rl.config:ConfigError") is ConfigError


def test_a_field_of_a_type_that_no_variant_can_hold_is_the_programmers_mistake():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Wrong:
        callback: complex

    with pytest.raises(TypeError, match="cannot be of type"):
        from_dict(Wrong, {"callback": 3})


def test_finds_the_nearest_name_whatever_its_case():
    assert nearest("Discout", ["learning_rate", "discount"]) == "discount"
    assert nearest("zzz", ["learning_rate", "discount"]) is None
    assert did_you_mean("iqee", ["IQE"]) == " Did you mean 'IQE'?"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3), ("1e6", 1e6), ("-3", -3), ("1_000", 1000), (".5", 0.5), ("true", True), ("None", None),
        ("", None), ("no", "no"), ("10:30", "10:30"), ("2026-01-01", "2026-01-01"), ("#####\\#G.#", "#####\\#G.#"),
        ("a: b", "a: b"),
        ("maze2d-umaze-v1", "maze2d-umaze-v1"), ("'3'", "3"), ("[64, 1e-3, no]", [64, 1e-3, "no"]),
        ("{name: iqe, size: 16}", {"name": "iqe", "size": 16}),
    ],
)  # fmt: skip
def test_reads_values_as_people_write_them(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@pytest.mark.parametrize("text", ["[1,", "{a: [}", "[!!python/object/apply:os.getcwd []]"])
def test_refuses_text_that_is_no_value(text):
    with pytest.raises(ConfigError, match="is not a value"):
        parse_value(text)


def test_sets_values_by_dotted_path():
    values: dict[str, Any] = {"phases": [{"num_epochs": 1}, {"num_epochs": 2}], "dataset": None}
    set_path(values, "phases.1.num_epochs", 5)
    set_path(values, "phases[0].num_epochs", 4)
    set_path(values, "agent.critic.energy.name", "iqe")
    set_path(values, "dataset.file", "x.hdf5")

    assert values == {
        "phases": [{"num_epochs": 4}, {"num_epochs": 5}],
        "agent": {"critic": {"energy": {"name": "iqe"}}},
        "dataset": {"file": "x.hdf5"},
    }


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("phases.2.num_epochs", "variant.phases has 1 elements, so there is no variant.phases.2."),
        ("phases.first", "variant.phases is a list, so 'first' must be an index from 0 to 0."),
        ("phases.0.num_epochs.x", "variant.phases.0.num_epochs is 1, so there is no variant.phases.0.num_epochs.x."),
        (
            "phases..num_epochs",
            "'phases..num_epochs' is not a path: expected words joined by dots, e.g. agent.learning_rate.",
        ),
    ],
)
def test_says_which_step_of_a_path_leads_nowhere(path, message):
    with pytest.raises(ConfigError) as error:
        set_path({"phases": [{"num_epochs": 1}]}, path, 3)
    assert str(error.value) == message


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithConfigDefault:
    """A part that is something else than its class's defaults."""

    part: Any = one_of({"sac": SAC, "crl": CRL}, default=SAC(critic="mrn"))


def test_a_default_may_be_a_config_and_keys_without_a_name_change_it():
    assert from_dict(WithConfigDefault, {}).part == SAC(critic="mrn")
    changed = from_dict(WithConfigDefault, {"part": {"discount": 0.5}}).part
    assert changed == SAC(critic="mrn", discount=0.5)
    assert from_dict(WithConfigDefault, {"part": {"name": "sac"}}).part == SAC()
    assert to_dict(WithConfigDefault())["part"]["name"] == "sac"
