"""A user's own HDF5 or npz file of transitions.

observations (rows, O)                   required
actions (rows, A), or (rows,) integers   required
rewards (rows,)                          of transition t: for what its action led to
terminals, timeouts (rows,) 0 or 1       last row of an episode: the task is over for good; out of time
next_observations (rows, O)              without it, row t + 1 gives row t's, and an episode's last row is no transition
costs (rows,)                            length of each step; without it 1
goals (rows, G)                          what the behaviour policy was told to do; without it desired_goals
desired_goals (rows, G)                  what the environment asked for; without it goals
next_achieved_goals (rows, G)            what the action led to, as a goal; without it, it follows from the observation
sim_states (rows, S)                     of the simulator, before the step
"""

import numpy as np

from lifelong_rl.data.datasets.files import DatasetFile
from lifelong_rl.data.datasets.segments import Segments, cut_into_segments

REQUIRED = ("observations", "actions")
OPTIONAL = (
    "rewards", "terminals", "timeouts", "next_observations", "costs", "goals", "desired_goals", "next_achieved_goals",
    "sim_states",
)  # fmt: skip
GOAL = "goals"
REWARD_DELAY = 0  # rows until the reward of a transition is written

KEYS = {  # of a store's columns; timeouts are those of `ended` that are no terminals
    "observation": "observations", "action": "actions", "reward": "rewards", "terminated": "terminals",
    "next_observation": "next_observations", "cost": "costs", "goal": "goals", "desired_goal": "desired_goals",
    "next_achieved_goal": "next_achieved_goals", "sim_state": "sim_states",
}  # fmt: skip


def find_segments(file: DatasetFile) -> Segments:
    """Episodes of a file whose keys and shapes have been checked."""
    terminated = file.flags("terminals")
    ended = terminated | file.flags("timeouts")
    ended[-1] = True
    is_transition = np.ones_like(ended) if "next_observations" in file.keys else ~ended
    return cut_into_segments(ended, is_transition, terminated)
