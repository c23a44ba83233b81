"""A run on a GPU trains, is evaluated, stops and goes on as on the CPU; without a GPU it is refused in one line."""

import re

import pytest
import torch

from lifelong_rl.config import ConfigError
from lifelong_rl.recording.snapshot import load_snapshot
from tests.experiment_configs.tiny_variant import NETWORK, OFFLINE, ONLINE, tiny_build

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named_before_anything_is_built(tmp_path):
    line = f"variant.device is 'cuda:1', but this torch ({torch.__version__}) sees no GPU."
    with pytest.raises(ConfigError, match=re.escape(line)):
        tiny_build(tmp_path, "run", device="cuda:1")
    assert not list((tmp_path / "run").iterdir()) and not (tmp_path / "umaze.hdf5").exists()


@needs_gpu
@pytest.mark.parametrize("acting", ["actor", "greedy", "mppi"])
def test_a_run_on_a_gpu_trains_both_phases_and_goes_on_from_its_snapshots(tmp_path, acting):
    agent = {"name": "qrl", "network": NETWORK, "actor": {"hidden_sizes": [16]}, "acting": {"name": acting}}
    tiny_build(tmp_path, "run", device="cuda", agent=agent, phases=[OFFLINE, ONLINE | {"num_epochs": 1}]).train()
    (tmp_path / "run/itr_1").rename(tmp_path / "run/interrupted")
    again = tiny_build(tmp_path, "run", device="cuda", agent=agent, phases=[OFFLINE, ONLINE | {"num_epochs": 1}])
    assert again.algorithm.updates == 9
    again.train()
    noisy = ONLINE | {"name": "noisy", "exploration_noise": 0.2, "random_env_steps": 8, "steps_after_success": 0}
    tiny_build(tmp_path, "more", device="cuda", agent=agent, phases=[noisy | {"n_step": 2}]).train()
    assert load_snapshot(tmp_path / "more/itr_2").meta["counters"]["updates"] == 6


@needs_gpu
def test_networks_begin_with_the_same_weights_on_every_device(tmp_path):
    states = [
        tiny_build(tmp_path, device, device=device).algorithm.agent.state_dict()["critics"][0]["critic"]
        for device in ("cpu", "cuda")
    ]
    assert all(torch.equal(states[0][name], states[1][name].cpu()) for name in states[0])
