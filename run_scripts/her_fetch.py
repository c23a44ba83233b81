"""Hindsight experience replay on Fetch: DDPG, TD3 or SAC (`-s agent.name=td3`), from nothing, online."""

from experiment_utils.launch import launch


def fetch(task, *, epochs, batch=256, discount=0.95, sizes=(256, 256)):
    """An epoch is 250 env steps (reach), collected by one environment, with an update for each."""
    return dict(
        task=dict(name=task),
        sampler=dict(batch_size=batch, discount=discount, mix="future_4"),
        agent=dict(
            name="ddpg", network=dict(name="monolithic", hidden_sizes=sizes), normalizer=dict(),
            critic=dict(learning_rate=1e-3, target_range=[-1 / (1 - discount), 0.0]),
            actor=dict(learning_rate=1e-3, hidden_sizes=sizes, action_l2=0.1), target=dict(rate=0.05),
        ),
        phases=[
            dict(name="online", num_epochs=epochs, rounds_per_epoch=5, env_steps_per_round=50, updates_per_round=50,
                 random_env_steps=500, exploration_noise=0.2, random_action_fraction=0.2),
        ],
        num_envs=1, evaluation=dict(num_episodes=20, goals=["multi"]),
    )  # fmt: skip


variant = fetch("FetchReach-v4", epochs=20)
presets = {
    "push": fetch("FetchPush-v4", epochs=2000, discount=0.98, sizes=(256, 256, 256)),
}
sweep_values: dict = {}  # {"agent.name": ["ddpg", "td3", "sac"]} compares the three

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="her-fetch")
