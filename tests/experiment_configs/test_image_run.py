"""A whole run on pictures, from the simulator to the snapshot: it ends, and killed and resumed it ends the same."""

from pathlib import Path
from typing import Any

import pytest

from experiment_configs.run import Run
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.comparison import run_differences
from tests.envs.gymnasium_fixtures import robotics
from tests.experiment_configs.tiny_variant import NETWORK, tiny_build

pytestmark = [robotics, pytest.mark.usefixtures("opengl")]
CHANNELS = {"image_channels": [4, 4, 4]}
ONLINE = {
    "name": "online", "num_epochs": 2, "random_env_steps": 8, "env_steps_per_round": 8, "updates_per_round": 2,
    "exploration_noise": 0.3,
}  # fmt: skip


class Killed(BaseException):
    """Ends a run without a word, as SIGKILL would."""


def built(folder: Path, name: str, agent: dict[str, Any]) -> Run:
    return tiny_build(
        folder, name, agent=agent, task={"name": "fetch-reach-image-v1", "horizon": 6}, dataset=None, phases=[ONLINE],
        num_envs=2, evaluation={"num_episodes": 1, "goals": ["multi"]}, sampler={"batch_size": 4},
    )  # fmt: skip


@pytest.mark.engines
def test_a_run_on_pictures_killed_and_begun_again_ends_as_if_it_had_not_been(tmp_path):
    agent = {"name": "qrl", "network": NETWORK | CHANNELS, "actor": {"hidden_sizes": [16]} | CHANNELS}
    built(tmp_path, "whole", agent).train()

    run = built(tmp_path, "again", agent)
    step, steps = run.algorithm.parts["task"].step, []  # type: ignore[attr-defined]

    def dying(action: Any) -> Any:
        steps.append(action)
        if len(steps) == 11:  # in the second epoch, in the middle of an episode
            raise Killed
        return step(action)

    run.algorithm.parts["task"].step = dying  # type: ignore[attr-defined]
    with pytest.raises(Killed):
        run.train()
    built(tmp_path, "again", agent).train()
    assert list(run_differences(tmp_path / "again", tmp_path / "whole")) == []


@pytest.mark.parametrize("name", ["ddpg", "sac", "gcbc"])
def test_agents_of_flat_observations_refuse_pictures_in_one_line(name, tmp_path):
    with pytest.raises(ConfigError, match=r"^variant.agent: fetch-reach-image-v1 shows .* \[64, 64, 3\]; expected"):
        built(tmp_path, "run", {"name": name})
