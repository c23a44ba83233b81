"""How long does a maze2d dataset take, and is it like D4RL's? Also the scores of its controller, and of chance.

python benchmarks/maze2d_dataset.py [--mazes umaze medium large] [--size 1000000] [--episodes 512]
"""

import argparse
import time

import numpy as np
import torch

from lifelong_rl.envs.maze2d_config import Maze2dConfig
from lifelong_rl.envs.maze2d_generate import D4RL_NOISE, Maze2dDatasetConfig, generate_maze2d
from lifelong_rl.envs.registry import make_task
from lifelong_rl.envs.waypoint import WaypointPolicy


def main() -> None:
    """Prints two datasets and four scores for each maze."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mazes", nargs="+", default=["umaze", "medium", "large"])
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--episodes", type=int, default=512)
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    for maze in arguments.mazes:
        for noise in (0.0, D4RL_NOISE):
            report_dataset(maze, noise, arguments.size)
        for random_goals in (False, True):
            report_scores(maze, random_goals, arguments.episodes)


def report_dataset(maze: str, noise: float, size: int) -> None:
    """Prints the time it took, and the figures by which D4RL's data is known."""
    wall, cpu = time.perf_counter(), time.process_time()
    config = Maze2dDatasetConfig(task=Maze2dConfig(name=f"maze2d-{maze}-v1"), size=size, noise=noise)
    columns = generate_maze2d(config)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu

    ends = np.flatnonzero(columns["timeouts"])
    lengths = np.diff(ends, prepend=-1)
    speed = np.linalg.norm(columns["infos/qvel"], axis=1).mean()
    print(
        f"{maze:7s} noise {noise:3.1f}: {wall:5.1f} s wall, {cpu:5.1f} CPU s; {len(ends)} segments, "
        f"mean length {lengths.mean():.1f}, longest {lengths.max()}, mean speed {speed:.2f} m/s"
    )


def report_scores(maze: str, random_goals: bool, episodes: int) -> None:
    """Prints return and D4RL score of the freshly planned controller and of uniformly random actions."""
    for name in ("controller", "random"):
        generator = np.random.default_rng(1)
        task = make_task(f"maze2d-{maze}-v1", num_envs=episodes, generator=generator, random_goals=random_goals)
        controller = WaypointPolicy(task.grid, num_envs=episodes, generator=generator)
        chance = torch.Generator().manual_seed(2)
        observed, returns, reached = task.reset(), torch.zeros(episodes), torch.zeros(episodes, dtype=torch.bool)
        for _ in range(task.spec.horizon):
            if name == "controller":
                action = controller(observed.observation, observed.desired_goal)
            else:
                action = torch.empty(episodes, 2).uniform_(-1, 1, generator=chance)
            outcome = task.step(action)
            observed, returns, reached = outcome.observed, returns + outcome.reward, reached | outcome.success
        low, high = task.spec.score_range or (0.0, 1.0)
        score = 100 * (float(returns.mean()) - low) / (high - low)
        error = float(returns.std()) / episodes**0.5
        print(
            f"{maze:7s} {'multi ' if random_goals else 'single'} {name:10s}: return {returns.mean():6.1f} "
            f"+- {error:.1f}, score {score:6.1f}, reached {reached.float().mean():.3f}"
        )


if __name__ == "__main__":
    main()
