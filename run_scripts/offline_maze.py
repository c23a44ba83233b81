"""Offline goal-conditioned RL on maze2d, then a short online phase: GCIVL here; GCIQL, HIQL and GCBC as presets."""

from experiment_utils.launch import launch

NETWORK = dict(hidden_sizes=[128, 128], layer_norm=True, learning_rate=1e-3)
TARGET = dict(rate=0.05)  # at the published 0.005, values of ways this long take ten times the updates
WEIGHTING = dict(scale=0.1, limit=10.0)  # of ten-step advantages; with 1.0, GCIVL missed two single goals of five


def maze(layout, agent, *, size=1_000_000, epochs=3):
    """An epoch is 1000 updates. Seven goals of ten lie ahead in the row's own episode, the others anywhere."""
    collecting = dict(env_steps_per_round=5000, warmup_env_steps=50_000, offline_fraction=0.5, steps_after_success=30)
    goals = dict(future=0.7, random=0.3, future_discount=0.99)
    return dict(
        task=dict(name=f"maze2d-{layout}-v1"),
        dataset=dict(path=f"agent_data/maze2d-{layout}-v1.hdf5", num_transitions=size),
        sampler=dict(n_step=10, mean_action=True, waypoint_steps=25, hindsight=goals), agent=agent,
        phases=[
            dict(name="offline", num_epochs=epochs, updates_per_round=1000),
            dict(name="online", num_epochs=2, rounds_per_epoch=5, updates_per_round=50, **collecting),
        ],
        num_envs=100, evaluation=dict(num_episodes=200),
    )  # fmt: skip


gcivl = dict(name="gcivl", value=NETWORK, actor=NETWORK, weighting=WEIGHTING, target=TARGET)
gciql = dict(name="gciql", value=NETWORK, actor=NETWORK, critic=dict(learning_rate=1e-3), target=TARGET,
             network=dict(name="monolithic", hidden_sizes=[128, 128], layer_norm=True),
             extraction=dict(name="ddpg_bc", cloning_weight=0.3))
hiql = dict(name="hiql", value=NETWORK | dict(expectile=0.7), high=NETWORK, low=NETWORK, target=TARGET,
            high_weighting=WEIGHTING, low_weighting=WEIGHTING)
gcbc = dict(name="gcbc", actor=NETWORK)
variant = maze("umaze", gcivl)
presets = {"gciql": maze("umaze", gciql), "hiql": maze("umaze", hiql), "gcbc": maze("umaze", gcbc)}
presets |= {
    f"medium-{agent['name']}": maze("medium", agent, size=2_000_000, epochs=10) for agent in (gcivl, gciql, hiql, gcbc)
}
sweep_values: dict = {}

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="offline-maze")
