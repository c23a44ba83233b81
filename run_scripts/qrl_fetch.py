"""Quasimetric RL on Fetch, online, with no look at a reward; or from a recorded run first (--preset offline_to_online).

Pictures in place of states: run_scripts/qrl_fetch_images.py, or --preset paper -s task.name=fetch-reach-image-v1.
"""

from experiment_utils.launch import launch

NETWORK = dict(num_frequencies=64, frequency_scale=10.0, energy=dict(name="iqe", components=16))
CRITIC = dict(push_offset=15.0, push_sharpness=0.1, dynamics_weight=0.1)
ACTOR = dict(learning_rate=3e-4, behaviour_cloning_weight=0.0, minimise_to_future_goals=True)


def fetch(task, *phases, frequency_scale=10.0, still_redraws=0, cloning=0.0, num_envs=8):
    """Distances of up to 15 steps are pushed: an episode has 50."""
    return dict(
        task=dict(name=task), num_envs=num_envs, evaluation=dict(num_episodes=20),
        sampler=dict(still_redraws=still_redraws),
        agent=dict(name="qrl", network=NETWORK | dict(frequency_scale=frequency_scale), critic=CRITIC,
                   actor=ACTOR | dict(behaviour_cloning_weight=cloning)), phases=list(phases),
    )  # fmt: skip


def online(num_epochs, env_steps, updates, **more):
    """Five rounds an epoch."""
    return dict(name="online", num_epochs=num_epochs, rounds_per_epoch=5, env_steps_per_round=env_steps,
                updates_per_round=updates, exploration_noise=0.3, **more)  # fmt: skip


variant = fetch("FetchReach-v4", online(10, 100, 50, random_env_steps=1000), num_envs=2)
BLOCKS, OFFLINE = dict(frequency_scale=5.0, still_redraws=5), dict(name="offline", num_epochs=5, updates_per_round=250)
WIDE = dict(encoder_sizes=[512, 512], projector_sizes=[512], projector_size=2048, dynamics_sizes=[512, 512],
            layer_norm=False, num_frequencies=0, energy=dict(name="iqe", components=64))  # fmt: skip
presets = {
    "push": fetch("FetchPush-v4", online(50, 800, 400, random_env_steps=20_000), **BLOCKS),
    "slide": fetch("FetchSlide-v4", online(100, 800, 400, random_env_steps=20_000), **BLOCKS),
    "offline_to_online": fetch("FetchReach-v4", OFFLINE, online(5, 50, 50, offline_fraction=0.5), cloning=0.05)
    | dict(dataset=dict(path="agent_data/reach.hdf5")),  # scripts/export_dataset.py RUN --output agent_data/reach.hdf5
    "paper": fetch("FetchReach-v4", online(396, 500, 500, random_env_steps=10_000), num_envs=1) | dict(
        evaluation=dict(num_episodes=50), agent=dict(
            name="qrl", num_critics=2, network=WIDE, critic=CRITIC | dict(learning_rate=1e-4),
            goals=dict(name="state", motion="rest"), acting=dict(name="actor", mode="likeliest"), actor=ACTOR | dict(
                hidden_sizes=[512, 512], layer_norm=False, learning_rate=3e-5, adaptive_entropy=True))),
}  # fmt: skip
if __name__ == "__main__":
    launch(variant=variant, sweep_values={}, presets=presets, description=__doc__, exp_name="qrl-fetch")
