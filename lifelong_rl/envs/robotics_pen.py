"""The reward of gymnasium-robotics' pen tasks, for whole batches: theirs is right for one pair of goals only.

A pen looks the same from all sides, so its rotation about its own axis does not count. gymnasium-robotics leaves it out
by `euler_a[2] = euler_b[2]`: the third angle of one pair, but the third row of a batch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reward = Callable[[Any, Any, Any], Any]


def pen_reward(pen: Any) -> Reward:
    """What `pen.compute_reward` gives for each pair alone; goals are [..., 7]: position, then quaternion."""
    from gymnasium_robotics.utils import rotations

    def compute_reward(achieved: NDArray[Any], desired: NDArray[Any], info: Any) -> NDArray[Any]:
        distance = np.zeros(achieved.shape[:-1])
        if pen.target_position != "ignore":
            distance = np.linalg.norm(achieved[..., :3] - desired[..., :3], axis=-1)

        euler = rotations.quat2euler(achieved[..., 3:])
        euler[..., 2] = rotations.quat2euler(desired[..., 3:])[..., 2]
        between = rotations.quat_mul(rotations.euler2quat(euler), rotations.quat_conjugate(desired[..., 3:]))
        angle = 2 * np.arccos(np.clip(between[..., 0], -1.0, 1.0))

        if pen.reward_type == "sparse":
            return ((distance < pen.distance_threshold) & (angle < pen.rotation_threshold)).astype(np.float32) - 1
        dense: NDArray[Any] = -(10 * distance + angle)
        return dense

    return compute_reward
