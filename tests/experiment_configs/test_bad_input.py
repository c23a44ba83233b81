"""What a task, an agent and batches may not be together: whole commands that end in one line, before the first step."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box

from experiment_utils.flags import Script
from experiment_utils.launch import run_command
from lifelong_rl.envs.gymnasium_probe import SEEDS
from run_scripts import her_fetch
from tests.envs.gymnasium_fixtures import FIXTURES, robotics, slide_id
from tests.source_tree import ROOT

TINY = {
    "phases.0.num_epochs": 1, "phases.0.rounds_per_epoch": 1, "phases.0.env_steps_per_round": 4,
    "phases.0.updates_per_round": 1, "phases.0.random_env_steps": 4, "evaluation.num_episodes": 2,
}  # fmt: skip
PLAIN: dict[str, Any] = {"sampler.mix": None}  # batches as tasks without goals want them
QUIET = PLAIN | {"phases.0.exploration_noise": 0.0}  # and behaviour as discrete actions want it
SLIDE = f"{FIXTURES}{slide_id('')}"  # a small task with goals
NO_HINDSIGHT = "has no goals, so none can be chosen in hindsight: leave it out, and use"
CAMERA = f"{FIXTURES}Camera-v0"  # discrete actions, images, no goals
GOAL_AGENTS = ["qrl", "gcbc", "gcsl", "wgcsl", "gcivl", "gciql", "hiql", "mher"]


class NanLater(gymnasium.Env[Any, Any]):
    """In order for the seeds that are looked at before a run, and then not."""

    observation_space = Box(-np.inf, np.inf, (2,), np.float32)
    action_space = Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.array([0.0, 0.0 if seed in SEEDS else np.nan], np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.zeros(2, np.float32), 0.0, False, False, {}


gymnasium.register("NanLater-v0", NanLater, max_episode_steps=5)
gymnasium.register("Demanding-v0", "no_such_package:Environment", max_episode_steps=5)


def refused(folder: Path, capsys: pytest.CaptureFixture[str], **settings: Any) -> tuple[int, str]:
    """The exit status and the line of a run of `her_fetch.py`; without a step taken, or a traceback."""
    words = ["--data_dir", str(folder)]
    for path, value in (TINY | settings).items():
        words += ["-s", f"{path}={value if isinstance(value, str) else json.dumps(value)}"]
    status = run_command(Script(variant=her_fetch.variant, exp_name="refused"), words)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert not list(folder.glob("*/*/metrics.jsonl"))
    return status, lines[0]


@pytest.mark.parametrize("agent", GOAL_AGENTS)
def test_an_agent_that_needs_goals_is_refused_where_there_are_none(agent, tmp_path, capsys):
    waypoints = {"sampler.waypoint_steps": 2} if agent == "hiql" else {}
    settings = {"task.name": "Pendulum-v1", "agent": {"name": agent}, **PLAIN, **waypoints}
    status, line = refused(tmp_path, capsys, **settings)
    text = f"variant.agent: {agent!r} learns to reach goals, Pendulum-v1 has none: use 'sac', 'td3' or 'ddpg'."
    assert status == 2 and line.endswith(f": {text}")


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a goal agent where actions are choices": (
        {"task.name": "CartPole-v1", "agent": {"name": "qrl"}, **QUIET},
        "variant.agent: 'qrl' learns to reach goals, CartPole-v1 has none: use 'dqn'.",
    ),
    "hindsight without goals": (
        {"task.name": "Pendulum-v1"},
        f"variant.sampler.mix: Pendulum-v1 {NO_HINDSIGHT} 'sac', 'td3' or 'ddpg'.",
    ),
    "hindsight of one's own without goals": (
        {"task.name": "CartPole-v1", "agent": {"name": "dqn"}, **QUIET, "sampler.hindsight": {"final": 1.0}},
        f"variant.sampler.hindsight: CartPole-v1 {NO_HINDSIGHT} 'dqn'.",
    ),
    "a discrete agent on continuous actions": (
        {"task.name": SLIDE, "agent": {"name": "dqn"}},
        f"variant.agent: DQN needs discrete actions, {SLIDE} has continuous ones: use 'sac', 'td3' or 'ddpg'.",
    ),
    "a continuous agent on discrete actions": (
        {"task.name": "CartPole-v1", **QUIET},
        "variant.agent: DDPG needs continuous actions, CartPole-v1 has discrete ones: use 'dqn'.",
    ),
    "an actor on discrete actions": (
        {"task.name": "grid-rooms-v1", "agent": {"name": "qrl"}, **QUIET},
        "variant.agent.actor: grid-rooms-v1 has discrete actions; QRL acts there with actor=None.",
    ),
    "noise on discrete actions": (
        {"task.name": "CartPole-v1", "agent": {"name": "dqn"}, **PLAIN},
        "variant.phases (online): exploration_noise is for continuous actions only.",
    ),
    "a reward that is not batched": (
        {"task.name": f"{FIXTURES}{slide_id('one number')}"},
        f"{slide_id('one number')} returned shape (), expected (8,): make it work on batches.",
    ),
    "a reward that fails on batches": (
        {"task.name": f"{FIXTURES}{slide_id('raises')}"},
        "Use a.any() or a.all()): make it work on batches.",
    ),
    "observations with NaN": (
        {"task.name": f"{FIXTURES}{slide_id('nan')}"},
        f"{FIXTURES}{slide_id('nan')}: observation holds nan; only finite numbers can be learned.",
    ),
    "images": (
        {"task.name": CAMERA, "agent": {"name": "dqn"}, **QUIET},
        f"variant.agent: {CAMERA} shows observations of shape [8, 6, 3]; expected one axis, [O].",
    ),
    "an environment whose package is not there": (
        {"task.name": "Demanding-v0", **PLAIN},
        "task.name: 'Demanding-v0' cannot be made: ModuleNotFoundError: No module named 'no_such_package'",
    ),
    "an environment without a time limit": (
        {"task.name": f"{FIXTURES}SlideEndless-v0"},
        f"task.horizon: '{FIXTURES}SlideEndless-v0' has no time limit of its own; give one, say 1000.",
    ),
    "a horizon of nothing": ({"task.name": SLIDE, "task.horizon": 0}, "task.horizon must be at least 1 step, got 0."),
    "a maze's layout elsewhere": (
        {"task.name": SLIDE, "task.layout": "#"}, f"task.layout belongs to the mazes, got '#' for '{SLIDE}'.",
    ),
    "more steps joined than there are": (
        {"task.name": SLIDE, "sampler.n_step": 13},
        f"variant.sampler.n_step: episodes of {SLIDE} have 12 steps, 13 cannot be joined.",
    ),
    "more steps joined in a phase than there are": (
        {"task.name": SLIDE, "phases.0.n_step": 13},
        f"variant.phases[0].n_step: episodes of {SLIDE} have 12 steps, 13 cannot be joined.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_only_a_look_at_the_task_can_tell_is_one_line(case, tmp_path, capsys):
    settings, text = CASES[case]
    status, line = refused(tmp_path, capsys, **settings)
    assert status == 2 and line.startswith("failed: ") and line.endswith(text)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"task.name": "Pendulun-v1"}, "unknown task 'Pendulun-v1'. Did you mean 'Pendulum-v1'? Valid: "),
        ({"task.name": "no_such_package:A-v0"}, "importing no_such_package failed (ModuleNotFoundError: "),
        ({"agent.name": "sca"}, "variant.agent: unknown name 'sca'. Did you mean 'sac'? Valid: "),
        ({"task.name": SLIDE, "evaluation.goals": ["multi", "single"]}, "evaluation.goals: "),
        ({"task.name": SLIDE, "collect_goals": "single"}, f"collect_goals: {SLIDE} draws its goals itself and has no"),
        ({"evaluation.goals": ["distant"]}, "evaluation.goals[0]: unknown value 'distant'. Valid: multi, single"),
        ({"sampler.mix": "futur_4"}, "variant.sampler: 'futur_4' is no mixture of goals; expected future_K"),
        ({"sampler.n_step": 0}, "variant.sampler: batch_size 256 and n_step 0 must be at least 1."),
        ({"phases.0.n_step": -1}, "variant.phases[0]: n_step must be at least 1, got -1."),
        ({"agent": {"name": "mher"}, "sampler.n_step": 3}, "'mher' learns from single steps: sampler.n_step must be 1"),
        ({"agent": {"name": "mher"}, "phases.0.n_step": 2}, "single steps: phases[0].n_step must be 1, got 2."),
        ({"agent.target": {"rate": 2}}, "variant.agent.target: rate must lie in (0, 1] and interval be"),
        ({"agent.target": {"interval": 0}}, "interval be at least 1, got 0.005, 0."),
        ({"agent.critic.target_range": [0.0, -5.0]}, "must be (low, high) with low < high, got (0.0, -5.0)."),
        ({"agent.policy_delay": 0}, "variant.agent: num_critics and policy_delay must be at least 1, got 1 and 0."),
        ({"agent.critic": {"max_gradient_value": -5}}, "max_gradient_value must be positive, got -5.0."),
    ],
)
def test_what_the_variant_itself_tells_ends_before_anything_is_written(settings, text, tmp_path, capsys):
    status, line = refused(tmp_path, capsys, **settings)
    assert status == 2 and line.startswith("error: variant") and text in line
    assert not list(tmp_path.iterdir())


def test_a_first_observation_that_is_not_a_number_stops_the_run_with_its_place(tmp_path, capsys):
    _, line = refused(tmp_path, capsys, **{"task.name": "NanLater-v0", **PLAIN})
    assert line.endswith("NanLater-v0: step 0: observation of environment 0 is nan.")


@robotics
def test_an_extra_that_is_not_installed_is_named_with_how_to_get_it(tmp_path):
    hidden = "import runpy, sys; sys.modules['gymnasium_robotics'] = None; sys.argv = sys.argv[1:]; "
    program = [sys.executable, "-c", hidden + "runpy.run_path(sys.argv[0], run_name='__main__')"]
    command = [*program, "run_scripts/her_fetch.py", "--data_dir", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    text = "'FetchReach-v4' belongs to gymnasium-robotics, which is not installed: pip install 'lifelong_rl[robotics]'"
    assert (ended.returncode, ended.stderr) == (2, f"error: variant.task: name: {text}\n")
    assert not list(tmp_path.iterdir())
