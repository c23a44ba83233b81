"""An export is whole or not there, says what it is, and replaces nothing that is not one."""

import json
from functools import partial

import gymnasium
import pytest
import yaml
from scipy.stats import binomtest

from experiment_configs.acting import load_to_act
from experiment_configs.loading import load_run
from experiment_configs.model_card import model_card
from experiment_configs.policy_environment import environment_of, making_lines
from experiment_configs.policy_evaluation import evaluate_policy
from experiment_configs.policy_export import check_target, new_folder
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.gymnasium_view import make_view
from lifelong_rl.exported_policy.description import read_description
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from tests.experiment_configs.tiny_policies import case, exported, make_snapshot


def test_a_snapshot_whose_optimizers_are_of_another_version_can_be_exported(tmp_path):
    path = make_snapshot(tmp_path, **case("td3"))
    snapshot = load_snapshot(path)
    state = snapshot.parts["agent"]
    state["critic"]["optimizer"] = {"moments of old": [1, 2]}
    del state["target_actor"]
    old = path.with_name("itr_2")
    save_snapshot(old, {"agent": state}, snapshot.meta)
    with pytest.raises(SnapshotError):
        load_run(old)
    assert load_to_act(old)[0].path == old

    state["actor"] = {"net": state["actor"]["network"]}
    save_snapshot(path.with_name("itr_3"), {"agent": state}, snapshot.meta)
    with pytest.raises(SnapshotError, match=r"itr_3: agent\.actor\.network: written by another version"):
        load_to_act(path.with_name("itr_3"))


def test_only_what_acting_needs_is_written(tmp_path):
    _, _, policy = exported(tmp_path, "sac")
    names = {name.split(".")[0] for name in policy._networks.state_dict()}
    assert names == {"actor", "normalizer"}
    assert {path.name for path in (tmp_path / "policy").iterdir()} == {"config.json", "policy.safetensors"}


def test_the_description_says_spaces_environment_training_and_agent(tmp_path):
    _, _, policy = exported(tmp_path, "dqn, no goals")
    told = read_description(tmp_path / "policy")
    assert told.environment == {"id": "CartPole-v1", "entry_point": None, "options": {}}
    counters = {"env_steps": 1234, "updates": 56}
    assert told.training == {"snapshot": "itr_1", "run": "run", "seed": 0, "counters": counters}
    assert told.agent["name"] == "dqn" and told.versions["lifelong_rl"] and told.task.horizon == 500
    tree = json.loads((tmp_path / "policy" / "config.json").read_text())
    assert tree["spaces"]["observation"]["high"][1] is None or tree["spaces"]["observation"]["high"][1] > 1e38
    assert tree["spaces"]["action"] == {"name": "discrete", "n": 2, "start": 0}
    assert policy.observation_space.shape == (4,)


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (
            {"name": "grid-rooms-v1"},
            'gymnasium.make("lifelong_rl.envs.gymnasium_ids:lifelong_rl/Grid-Rooms-v1", random_goals=True)',
        ),
        (
            {"name": "maze2d-custom", "layout": r"#####\#OOG#\#####"},
            r'make_view(name="maze2d-custom", layout="#####\\#OOG#\\#####", random_goals=True)',
        ),
        ({"name": "CartPole-v1", "horizon": 99}, 'gymnasium.make("CartPole-v1", max_episode_steps=99)'),
    ],
)
def test_the_line_that_makes_the_environment_makes_it(tmp_path, task, line):
    agent = {"name": "dqn"} if "maze" not in task["name"] else {"name": "td3"}
    loaded, _ = load_to_act(make_snapshot(tmp_path, task=task, agent=agent))
    spaces, environment = environment_of(loaded)
    assert making_lines(environment)[-1] == f"env = {line}"
    make = make_view if environment["id"] is None else partial(gymnasium.make, environment["id"])
    env = make(**environment["options"])
    assert env.observation_space == spaces.observation_space() and env.action_space == spaces.action.space()
    env.close()


def test_the_card_has_the_front_matter_of_the_hub_and_wilsons_interval(tmp_path):
    loaded, acting, policy = exported(tmp_path, "gcivl")
    evaluation, rows = evaluate_policy(loaded, 6)
    assert [len(part) for part in rows] == [1000, 1000] and len(rows[0].unique(dim=0)) > 500
    assert set(evaluation) == {"multi", "single"}
    numbers = evaluation["multi"] = evaluation["multi"] | {"success_rate": 0.5}
    low, high = numbers["success_rate_interval"]
    assert any(
        (low, high) == tuple(binomtest(k, 6).proportion_ci(method="wilson")) for k in range(7)
    ) and numbers["num_episodes"] == 6

    description = policy.description
    object.__setattr__(description, "evaluation", evaluation)
    card = model_card(description, "the sun went down")
    _, front, text = card.split("---\n", 2)
    told = yaml.safe_load(front)
    assert told["library_name"] == "lifelong_rl" and "reinforcement-learning" in told["tags"]
    result = told["model-index"][0]["results"][0]
    assert result["dataset"]["type"] == "maze2d-umaze-v1" and result["task"]["type"] == "reinforcement-learning"
    metrics = {metric["type"]: metric for metric in result["metrics"]}
    assert metrics["success_rate"]["value"] == 0.5 and metrics["mean_reward"]["verified"] is False
    assert f"{low:.1%} to {high:.1%}" in text and "There is no film: the sun went down." in text


def test_nothing_is_left_where_an_export_stops_half_way(tmp_path):
    with pytest.raises(RuntimeError, match="half way"), new_folder(tmp_path / "a", overwrite=False) as folder:
        (folder / "config.json").write_text("{}")
        raise RuntimeError("half way")
    assert list(tmp_path.iterdir()) == []


def test_only_an_export_is_replaced_and_only_when_asked_to(tmp_path):
    folder = tmp_path / "a"
    for text in ("one", "two"):
        with new_folder(folder, overwrite=True) as here:
            (here / "config.json").write_text(text)
    assert (folder / "config.json").read_text() == "two" and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(ConfigError, match="exists already. Name another --output, or add --overwrite"):
        check_target(folder, overwrite=False)
    (folder / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match="holds thesis.tex, which is of no export"):
        check_target(folder, overwrite=True)
    (tmp_path / "b").mkdir()
    with pytest.raises(ConfigError, match="holds no config.json"):
        check_target(tmp_path / "b", overwrite=True)


def test_an_agent_that_nobody_has_described_is_refused_in_one_line(tmp_path, monkeypatch):
    path = make_snapshot(tmp_path, **case("sac"))
    monkeypatch.delitem(load_to_act.__globals__["ACTING_OF"], "sac")
    with pytest.raises(ConfigError, match="how agent 'sac' acts is not in the table ACTING_OF"):
        load_to_act(path)
