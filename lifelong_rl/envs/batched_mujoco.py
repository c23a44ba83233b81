"""One MuJoCo model, N states, one call a step: MuJoCo's own multi-threaded rollout (Todorov et al. 2012)."""

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.envs.mujoco_import import mujoco, rollout

Floats = NDArray[np.float64]


class BatchedMujoco:
    """`position`, `velocity` are views of `state`: writing to them moves the simulation.

    `rollout` does not hand out the acceleration that the contact solver starts from in the next step: it starts from
    `warmstart` [N, V], zeros unless the owner of the model writes there what it knows the last acceleration to be.
    """

    #          |  0   | 1 ... nq | nq + 1 ... nq + nv | ...
    # state    | time | position | velocity           | activation        [N, S] float64

    def __init__(self, model: mujoco.MjModel, *, num_envs: int, num_threads: int = 1) -> None:
        self.model, self.num_envs = model, num_envs
        self.state: Floats = np.zeros((num_envs, mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS.value)))
        self.control: Floats = np.zeros((num_envs, model.nu))
        self.position: Floats = self.state[:, 1 : 1 + model.nq]
        self.velocity: Floats = self.state[:, 1 + model.nq : 1 + model.nq + model.nv]
        self.warmstart: Floats = np.zeros((num_envs, model.nv))
        self._after: Floats = np.zeros((num_envs, 1, self.state.shape[1]))
        self._models = [model] * num_envs
        self._data = [mujoco.MjData(model) for _ in range(max(1, num_threads))]
        self._rollout = rollout.Rollout(nthread=num_threads if num_threads > 1 else 0)

    def step(self, control: Floats) -> None:
        """Moves all states on by one time step of the model; control [N, nu]."""
        np.copyto(self.control, control)
        self._rollout.rollout(
            self._models,
            self._data,
            self.state,
            self.control[:, None],
            nstep=1,
            initial_warmstart=self.warmstart,
            skip_checks=True,  # the shapes are fixed here
            state=self._after,
        )
        np.copyto(self.state, self._after[:, 0])
