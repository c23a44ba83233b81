"""The film of an exported policy."""

from pathlib import Path

from experiment_configs.footage import played_footage
from experiment_configs.loading import LoadedAgent
from experiment_configs.policy_evaluation import kinds_of_goals
from experiment_configs.rollout import evaluator_of, play
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.film import draw_film
from lifelong_rl.envs.mujoco_import import NoRendererError
from lifelong_rl.recording.video import write_video

NUM_EPISODES, FRAMES_PER_SECOND = 4, 25


def write_replay(path: Path, loaded: LoadedAgent) -> str | None:
    """Fresh episodes as mp4; or, in one line, why they cannot be drawn."""
    goals = kinds_of_goals(loaded.config)[0]
    rollout = play(loaded.agent, evaluator_of(loaded.config, goals, NUM_EPISODES))
    caption = f"{loaded.path.name}   {rollout.spec.name}"
    try:
        write_video(path, draw_film(played_footage(rollout, caption)), FRAMES_PER_SECOND)
    except (ConfigError, NoRendererError) as error:
        return " ".join(str(error).split()).removesuffix(".")
    return None
