"""Quasimetric RL on Fetch from 64 x 64 pictures, goals included: online. Set MUJOCO_GL=osmesa, or egl with a GPU."""

from experiment_utils.launch import launch

CHANNELS = [16, 32, 32]


def images(task, *, epochs):
    """An epoch is 1,000 env steps in two rounds, with 250 updates after each."""
    return dict(
        task=dict(name=task), sampler=dict(batch_size=64),
        agent=dict(
            name="qrl",
            network=dict(encoder_sizes=[128], latent_size=64, projector_sizes=[128], projector_size=128,
                         dynamics_sizes=[128, 128], image_channels=CHANNELS, energy=dict(name="iqe", components=16)),
            critic=dict(initial_multiplier=5.0, push_offset=15.0, push_sharpness=0.1),
            actor=dict(hidden_sizes=[128, 128], image_channels=CHANNELS, learning_rate=5e-4,
                       behaviour_cloning_weight=0.0, minimise_to_future_goals=True),
        ),
        phases=[
            dict(name="online", num_epochs=epochs, rounds_per_epoch=2, env_steps_per_round=500, updates_per_round=250,
                 random_env_steps=2000, exploration_noise=0.3, evaluation_interval=2, snapshot_interval=10),
        ],
        num_envs=10, replay_capacity=100_000, evaluation=dict(num_episodes=20, goals=["multi"]),
    )  # fmt: skip


variant = images("fetch-reach-image-v1", epochs=40)
presets = {"push": images("fetch-push-image-v1", epochs=100)}
sweep_values: dict = {}

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="qrl-images")
