"""A point on a line, moved by up to 2: what tests of agents say of their task."""

from lifelong_rl.types import TaskSpec

SPEC = TaskSpec(
    name="line", observation_shape=(1,), goal_shape=(1,), action_size=1, action_low=-2.0, action_high=2.0, horizon=5,
    reward_fn=lambda achieved, goal: -(achieved - goal).abs()[..., 0],
    success_fn=lambda achieved, goal: (achieved - goal).abs()[..., 0] < 0.1,
)  # fmt: skip
