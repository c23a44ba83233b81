"""Quasimetric RL on maze2d: pretrained offline, then fine-tuned online. The dataset is generated if it is absent."""

from experiment_utils.launch import launch


def cpu(maze, *, size, offline, passed, cloning, critic, online):
    """A minute and a half (umaze), ten minutes (medium), half an hour (large) on one core. An epoch is 250 updates."""
    decay = dict(updates=250 * offline, final_fraction=0.1)
    critic = dict(learning_rate=1e-3, decay=decay, passed_push_fraction=passed, **critic)
    collecting = dict(env_steps_per_round=5000, warmup_env_steps=50_000, offline_fraction=0.5, steps_after_success=30)
    return dict(
        task=dict(name=f"maze2d-{maze}-v1"),
        dataset=dict(path=f"agent_data/maze2d-{maze}-v1.hdf5", num_transitions=size),
        sampler=dict(n_step=10, mean_action=True),
        agent=dict(name="qrl", goals=dict(name="node", cost=10.0), network=dict(energy=dict(name="iqe", components=16)),
                   actor=dict(learning_rate=1e-3, decay=decay, behaviour_cloning_weight=cloning), critic=critic),
        phases=[
            dict(name="offline", num_epochs=offline, updates_per_round=250, evaluation_interval=max(1, offline // 20)),
            dict(name="online", rounds_per_epoch=5, updates_per_round=50, **collecting, **online),
        ],
        num_envs=100, evaluation=dict(num_episodes=200), matmul_precision="bfloat16",
    )  # fmt: skip


PAPER = dict(encoder_sizes=[1024] * 3, latent_size=256, projector_sizes=[1024] * 2, projector_size=2048,
             dynamics_sizes=[1024] * 3, energy=dict(name="iqe", components=64), num_frequencies=0, layer_norm=False)
SHORT = dict(critic=dict(initial_multiplier=300.0, multiplier_learning_rate=1.0, slack=0.1), cloning=0.1,
             online=dict(num_epochs=4, n_step=3))
LONG = dict(critic=dict(initial_multiplier=400.0, multiplier_learning_rate=0.02, multiplier_scale=100.0), cloning=0.05,
            online=dict(num_epochs=12, explores=False))  # what steers into dead ends is seen there, and learned from
variant = cpu("umaze", size=1_000_000, offline=6, passed=0.5, **SHORT)
presets = {
    "medium": cpu("medium", size=2_000_000, offline=60, passed=0.3, **LONG),
    "large": cpu("large", size=4_000_000, offline=160, passed=0.2, **LONG),
    "paper": dict(  # Wang et al. 2023; other mazes by -s task.name=maze2d-large-v1 -s dataset.path=...
        task=variant["task"], dataset=variant["dataset"], sampler=dict(batch_size=4096),
        agent=dict(name="qrl", num_critics=2, network=PAPER, goals=dict(name="state"),
                   actor=dict(hidden_sizes=[1024] * 4, layer_norm=False), acting=dict(name="actor", mode="likeliest")),
        phases=[dict(name="offline", num_epochs=200, updates_per_round=1000, evaluation_interval=10)],
    ),
}
sweep_values: dict = {}  # {"agent.critic.slack": [0.1, 0.25]} would train both, for every seed

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="qrl-maze")
