"""Twin delayed DDPG on MuJoCo's locomotion tasks (Fujimoto et al. 2018), online."""

from experiment_utils.launch import launch


def locomotion(task, *, epochs, random_env_steps):
    """An epoch is 5,000 env steps of one environment, with an update for each."""
    return dict(
        task=dict(name=task),
        sampler=dict(batch_size=256, discount=0.99),
        agent=dict(
            name="td3", critic=dict(learning_rate=3e-4), actor=dict(learning_rate=3e-4),
            smoothing=dict(std=0.2, clip=0.5), policy_delay=2, target=dict(rate=0.005),
        ),
        phases=[
            dict(name="online", num_epochs=epochs, rounds_per_epoch=100, env_steps_per_round=50, updates_per_round=50,
                 random_env_steps=random_env_steps, exploration_noise=0.1, snapshot_interval=5),
        ],
        num_envs=1, evaluation=dict(num_episodes=5),
    )  # fmt: skip


variant = locomotion("HalfCheetah-v5", epochs=20, random_env_steps=5000)
presets = {
    "hopper": locomotion("Hopper-v5", epochs=60, random_env_steps=1000),
    "walker": locomotion("Walker2d-v5", epochs=100, random_env_steps=1000),
    "ant": locomotion("Ant-v5", epochs=200, random_env_steps=5000),
    "humanoid": locomotion("Humanoid-v5", epochs=400, random_env_steps=5000),
    "paper": locomotion("HalfCheetah-v5", epochs=600, random_env_steps=10_000),  # 3 million steps
}
sweep_values: dict = {}  # {"task.name": ["HalfCheetah-v5", "Hopper-v5", "Ant-v5"]} compares tasks

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="td3-mujoco")
