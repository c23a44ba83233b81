"""Double deep Q-network with hindsight on a grid of four rooms, from nothing, online; CartPole by a preset."""

from experiment_utils.launch import launch

variant = dict(  # about half a minute on one core
    task=dict(name="grid-rooms-v1"),
    sampler=dict(batch_size=256, discount=0.95, hindsight=dict(future=0.5, achieved=0.5)),
    agent=dict(
        name="dqn", layer_norm=True, learning=dict(learning_rate=1e-3, target_range=[-20.0, 0.0]),
        target=dict(rate=0.03), exploration=dict(final=0.2, updates=1000),
    ),
    phases=[
        dict(name="online", num_epochs=10, rounds_per_epoch=10, env_steps_per_round=100, updates_per_round=50,
             random_env_steps=1000),
    ],
    num_envs=10, evaluation=dict(num_episodes=500, goals=["multi", "single"]),
)  # fmt: skip
cartpole = dict(  # no goals: rewards as the environment gives them
    task=dict(name="CartPole-v1"),
    sampler=dict(batch_size=128, discount=0.99, n_step=3, hindsight=dict(behaviour=1.0)),
    agent=dict(
        name="dqn", hidden_sizes=[128, 128], layer_norm=True, target=dict(rate=0.01),
        learning=dict(learning_rate=5e-4, max_gradient_norm=10.0), exploration=dict(updates=2000),
    ),
    phases=[
        dict(name="online", num_epochs=20, rounds_per_epoch=10, env_steps_per_round=100, updates_per_round=50,
             random_env_steps=1000),
    ],
    num_envs=4, evaluation=dict(num_episodes=20, goals=["multi"]),
)  # fmt: skip
presets = {"cartpole": cartpole}
sweep_values: dict = {}  # {"agent.learning.is_double": [True, False], "agent.is_dueling": [True, False]}

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="dqn-grid")
