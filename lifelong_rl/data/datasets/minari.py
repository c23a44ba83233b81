"""Minari's folders (Younis et al. 2024, https://minari.farama.org): a group per episode, the spaces in a file beside.

    NAME/data/metadata.json     observation_space, action_space, env_spec, ...
    NAME/data/main_data.hdf5    episode_0, episode_1, ..., in each, for T steps:
        observations            (T + 1, O), or a group of observation, achieved_goal and desired_goal
        actions                 (T, A), in the bounds of action_space, or (T,) choices
        rewards, terminations, truncations (T,)   infos/... (T + 1, ...)

Here they are columns with T + 1 rows for each episode: row t + 1 follows row t, and an episode's last row is no
transition. Actions come from the dataset's action space to [-1, 1], as tasks take them. Of the infos only those are
read that our writer (minari_writer.py) puts there; without `followed_goal`, the desired goal was followed.
"""

from lifelong_rl.data.datasets.files import DatasetFile
from lifelong_rl.data.datasets.minari_columns import LAST_ROW
from lifelong_rl.data.datasets.segments import Segments, cut_into_segments

REQUIRED = ("observations", "actions", "rewards", "terminals", "timeouts", LAST_ROW)
OPTIONAL = ("achieved_goals", "desired_goals", "goals", "costs", "sim_states")
GOAL = "goals"
REWARD_DELAY = 0


def find_segments(file: DatasetFile) -> Segments:
    """Episodes of a folder whose columns have been checked."""
    terminated = file.flags("terminals")
    return cut_into_segments(terminated | file.flags("timeouts"), ~file.flags(LAST_ROW), terminated)
