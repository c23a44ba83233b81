"""Hindsight experience replay on Fetch: DDPG, TD3, SAC or MHER (`-s agent.name=td3`), from nothing, online.

--preset push learns to push in about 60,000 env steps, with the metric residual network as its critic. Another critic:
-s "agent.network={name: monolithic, hidden_sizes: [256, 256, 256]}"; several: --sweep "agent.network=[...]".
"""

from experiment_utils.launch import launch


def fetch(task, *, discount, network, sizes, target_rate, action_l2, collecting, num_envs=1, redraws=0, episodes=20):
    """Goals are replaced in four fifths of the batch."""
    return dict(
        task=dict(name=task), num_envs=num_envs, evaluation=dict(num_episodes=episodes),
        sampler=dict(batch_size=256, discount=discount, mix="future_4", still_redraws=redraws),
        agent=dict(
            name="ddpg", network=network, normalizer=dict(),
            critic=dict(learning_rate=1e-3, target_range=[-1 / (1 - discount), 0.0]),
            actor=dict(learning_rate=1e-3, hidden_sizes=sizes, action_l2=action_l2), target=dict(rate=target_rate),
        ),
        phases=[dict(name="online", exploration_noise=0.2, **collecting)],
    )  # fmt: skip


def block(task, *, epochs):
    """An epoch is 4,000 env steps and 2,000 updates. Episodes that moved nothing are drawn seldom."""
    collecting = dict(num_epochs=epochs, rounds_per_epoch=10, env_steps_per_round=400, updates_per_round=200,
                      random_env_steps=20_000, random_action_fraction=0.3)  # fmt: skip
    return fetch(task, discount=0.98, network=dict(name="mrn"), sizes=(256, 256, 256), target_rate=0.02, action_l2=0.5,
                 collecting=collecting, num_envs=8, redraws=5, episodes=50)  # fmt: skip


reach = dict(num_epochs=20, rounds_per_epoch=5, env_steps_per_round=50, updates_per_round=50, random_env_steps=500,
             random_action_fraction=0.2)  # fmt: skip
variant = fetch("FetchReach-v4", discount=0.95, network=dict(name="monolithic"), sizes=(256, 256), target_rate=0.05,
                action_l2=0.1, collecting=reach)  # fmt: skip
presets = {"push": block("FetchPush-v4", epochs=30), "pick": block("FetchPickAndPlace-v4", epochs=60),
           "slide": block("FetchSlide-v4", epochs=200)}  # fmt: skip
sweep_values: dict = {}  # {"agent.name": ["ddpg", "td3", "sac"]} compares the three

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="her-fetch")
