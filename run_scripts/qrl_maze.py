"""Quasimetric RL on maze2d: pretrained offline, then fine-tuned online. The dataset is generated if it is absent."""

from experiment_utils.launch import launch

variant = dict(
    task=dict(name="maze2d-umaze-v1"),
    dataset=dict(path="agent_data/maze2d-umaze-v1.hdf5", num_transitions=1_000_000),
    agent=dict(name="qrl"),
    phases=[
        dict(name="offline", num_epochs=2, updates_per_round=50),
        dict(name="online", num_epochs=2, env_steps_per_round=500, updates_per_round=50, offline_fraction=0.5),
    ],
)
sweep_values: dict = {}

if __name__ == "__main__":
    launch(variant=variant, sweep_values=sweep_values, description=__doc__, exp_name="qrl-maze")
