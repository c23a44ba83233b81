"""Quasimetric RL on maze2d: pretrained offline, then fine-tuned online. The dataset is generated if it is absent."""

from experiment_utils.launch import launch

DECAY = dict(updates=2000, final_fraction=0.1)
variant = dict(
    task=dict(name="maze2d-umaze-v1"),
    dataset=dict(path="agent_data/maze2d-umaze-v1.hdf5", num_transitions=1_000_000),
    sampler=dict(batch_size=256, n_step=10, mean_action=True),
    agent=dict(
        name="qrl",
        network=dict(energy=dict(name="iqe", components=16)),
        critic=dict(
            learning_rate=1e-3, decay=DECAY, initial_multiplier=2.0, multiplier_learning_rate=0.02, slack=2.5,
            passed_push_fraction=0.5,
        ),
        actor=dict(learning_rate=1e-3, decay=DECAY),
        goals=dict(name="node", cost=10.0),
    ),
    phases=[
        dict(name="offline", num_epochs=4, updates_per_round=500),
        dict(name="online", num_epochs=8, rounds_per_epoch=5, env_steps_per_round=600, updates_per_round=50,
             offline_fraction=0.5, exploration_noise=0.1),
    ],
    evaluation=dict(num_episodes=200),
)  # fmt: skip
sweep_values: dict = {}

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, description=__doc__, exp_name="qrl-maze")
