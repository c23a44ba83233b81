"""Any model can be stepped in a batch; each state goes its own way."""

import mujoco
import numpy as np
import pytest

from lifelong_rl.envs.batched_mujoco import BatchedMujoco

PENDULUM = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <body><joint name="hinge" type="hinge" axis="0 1 0"/><geom type="capsule" fromto="0 0 0 0 0 -1" size="0.05"/></body>
  </worldbody>
  <actuator><motor joint="hinge" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>
"""


@pytest.mark.parametrize("num_threads", [1, 2])
def test_each_of_many_states_moves_as_it_would_alone(num_threads):
    model = mujoco.MjModel.from_xml_string(PENDULUM)
    batch, generator = BatchedMujoco(model, num_envs=5, num_threads=num_threads), np.random.default_rng(0)
    batch.position[:] = generator.uniform(-1, 1, (5, 1))
    alone = [mujoco.MjData(model) for _ in range(5)]
    for data, position in zip(alone, batch.position.copy(), strict=True):
        data.qpos[:] = position
    for _ in range(100):
        control = generator.uniform(-1, 1, (5, 1))
        batch.step(control)
        for data, force in zip(alone, control, strict=True):
            data.ctrl[:] = force
            mujoco.mj_step(model, data)

    assert batch.position[:, 0] == pytest.approx([data.qpos[0] for data in alone], abs=1e-12)
    assert batch.velocity[:, 0] == pytest.approx([data.qvel[0] for data in alone], abs=1e-12)
    assert batch.state[:, 0] == pytest.approx([1.0] * 5)


def test_a_state_put_back_repeats_the_future():
    batch = BatchedMujoco(mujoco.MjModel.from_xml_string(PENDULUM), num_envs=3)
    batch.velocity[:] = [[1.0], [2.0], [3.0]]
    kept = batch.state.copy()
    batch.step(np.ones((3, 1)))
    future = batch.state.copy()
    batch.state[:] = kept
    batch.step(np.ones((3, 1)))
    assert np.array_equal(batch.state, future)
