"""Films that a run makes of its agent on its way: at each snapshot of a phase, the same fresh episodes."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiment_configs.experiment import ExperimentConfig, GoalSet
from experiment_configs.footage import played_footage
from experiment_configs.learned_values import has_values
from experiment_configs.rollout import Rollout, about, caption_of, evaluator_of, play, write_report
from experiment_configs.trajectories import draw_trajectories, played_trajectories
from experiment_configs.value_map import draw_values
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.film import draw_film
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.guard import one_line
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.mujoco_import import NoRendererError
from lifelong_rl.recording.video import write_video
from lifelong_rl.types import Agent

FRAMES_PER_SECOND = 25

_log = logging.getLogger(__name__)


class SnapshotFilm:
    """Writes `videos/<snapshot>_policy_<goals>.mp4` and, as JSON beside it, what its episodes were worth.

    Of mazes and grids also `pictures/<snapshot>_trajectories.png` and, where the agent has values, their map. What is
    there is not made again. Where it fails (no OpenGL, a full disk) a warning says so, and training goes on.
    """

    def __init__(self, config: ExperimentConfig, run_dir: Path, num_episodes: int) -> None:
        self._config, self._run_dir, self._num_episodes = config, run_dir, num_episodes
        self._goals: GoalSet = (*config.evaluated_goals, "multi")[0]
        self._cannot_be_drawn = False

    def __call__(self, agent: Agent, snapshot: str, counters: Mapping[str, Any]) -> None:
        report = self._run_dir / "videos" / f"{snapshot}_policy_{self._goals}.json"
        if report.exists() or self._cannot_be_drawn:  # it is written last
            return
        try:
            self._make(agent, snapshot, counters, report)
        except (ConfigError, NoRendererError) as error:
            self._cannot_be_drawn = True
            _log.warning("no films in this run, training goes on: %s", " ".join(str(error).split()))
        except Exception as error:  # whatever a simulator, a renderer or a disk raises: the run is worth more
            _log.warning("no film of %s, training goes on: %s", snapshot, one_line(error))

    def _make(self, agent: Agent, snapshot: str, counters: Mapping[str, Any], report: Path) -> None:
        goals, seed = self._goals, self._config.evaluation.seed
        rollout = play(agent, evaluator_of(self._config, goals, self._num_episodes))
        title = caption_of(rollout, snapshot, goals)
        if isinstance(rollout.task, Maze2dTask | GridTask):
            self._draw(agent, rollout, rollout.task, snapshot, title)
        write_video(report.with_suffix(".mp4"), draw_film(played_footage(rollout, title)), FRAMES_PER_SECOND)
        content = about(self._run_dir / snapshot, counters, goals, seed) | rollout.report()
        write_report(report, content)

    def _draw(self, agent: Agent, rollout: Rollout, task: Maze2dTask | GridTask, snapshot: str, title: str) -> None:
        folder = self._run_dir / "pictures"
        draw_trajectories(folder / f"{snapshot}_trajectories.png", task, played_trajectories(rollout), title)
        if has_values(agent):
            draw_values(folder / f"{snapshot}_value_map.png", agent, task, self._config.sampler.discount)
