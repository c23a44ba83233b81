"""Importing this registers our ids with gymnasium: the one import that acts, since gymnasium asks for it.

gymnasium.make("lifelong_rl.envs.gymnasium_ids:lifelong_rl/Maze2d-UMaze-v1") imports it by itself.
"""

from lifelong_rl.envs.registry import register_gymnasium

register_gymnasium()
