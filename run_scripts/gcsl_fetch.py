"""Goal-conditioned supervised learning on Fetch; the weighted kind by `-s agent.name=wgcsl`. From nothing, online."""

from experiment_utils.launch import launch


def fetch(task, *, epochs, nearness=None, batch=256, sizes=(256, 256)):
    """An epoch is 250 env steps, collected by one environment, with an update for each. `nearness` is of future goals:
    ways that a wandering arm took are good examples where they are short."""
    return dict(
        task=dict(name=task),
        sampler=dict(batch_size=batch, discount=0.98,
                     hindsight=dict(behaviour=0.2, future=0.8, future_discount=nearness)),
        agent=dict(
            name="gcsl", cloning="squared_error", normalizer=dict(),
            actor=dict(learning_rate=1e-3, hidden_sizes=sizes),
        ),
        phases=[
            dict(name="online", num_epochs=epochs, rounds_per_epoch=5, env_steps_per_round=50, updates_per_round=50,
                 random_env_steps=500, exploration_noise=0.2, random_action_fraction=0.2),
        ],
        num_envs=1, evaluation=dict(num_episodes=20, goals=["multi"]),
    )  # fmt: skip


variant = fetch("FetchReach-v4", epochs=8, nearness=0.6)
presets = {
    "push": fetch("FetchPush-v4", epochs=2000, sizes=(256, 256, 256)),
}
sweep_values: dict = {}  # {"agent.name": ["gcsl", "wgcsl"]} compares the two

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="gcsl-fetch")
