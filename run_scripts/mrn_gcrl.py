"""The metric residual study: DDPG with hindsight, one run for each critic, on one environment.

--preset paper-FetchPush-v4 has the study's settings for that environment; -s "agent.network={name: iqe}" runs one
critic, --sweep "agent.network=[{name: mrn}, {name: iqe}]" those, --sweep "task.name=[...]" several environments.
"""

from experiment_utils.launch import launch

CRITICS = [dict(name="monolithic", hidden_sizes=[256] * 3)]
CRITICS += [dict(name=name) for name in ("bilinear", "deep_norm", "wide_norm", "pqe", "mrn")]
EPOCHS = {
    "FetchReach-v4": 25, "FetchPush-v4": 50, "FetchSlide-v4": 50, "FetchPickAndPlace-v4": 50,
    "HandManipulateBlockRotateZ-v1": 50, "HandManipulateBlockRotateParallel-v1": 100,
    "HandManipulateBlockRotateXYZ-v1": 100, "HandManipulateBlockFull-v1": 100, "HandManipulateEggRotate-v1": 50,
    "HandManipulateEggFull-v1": 100, "HandManipulatePenRotate-v1": 50, "HandManipulatePenFull-v1": 100,
}  # fmt: skip


def study(task, phase, *, num_envs, batch, target, episodes):
    """The network is swept."""
    learning = dict(learning_rate=1e-3, loss_scale=20.0)
    return dict(
        task=dict(name=task), sampler=dict(batch_size=batch, discount=0.98, mix="future_4"), num_envs=num_envs,
        agent=dict(
            name="ddpg", network=dict(name="mrn"), critic=dict(target_range=[-50.0, 0.0], **learning), target=target,
            actor=dict(hidden_sizes=[256] * 3, action_l2=1.0, **learning),
            normalizer=dict(least_std=1e-2, clip=5.0, input_clip=200.0),
        ), phases=[dict(name="online", **phase)], evaluation=dict(num_episodes=episodes, goals=["multi"]),
    )  # fmt: skip


def paper(task):
    """Cycles of 20 episodes (of 50 or 100 steps) and 40 updates."""
    phase = dict(num_epochs=EPOCHS[task], rounds_per_epoch=50, env_steps_per_round=2000 if "Hand" in task else 1000,
                 updates_per_round=40, exploration_noise=0.2, random_action_fraction=0.3)  # fmt: skip
    return study(task, phase, num_envs=20, batch=1024, target=dict(rate=0.1, interval=40), episodes=100)


small = dict(num_epochs=10, rounds_per_epoch=5, env_steps_per_round=50, updates_per_round=50, random_env_steps=500,
             exploration_noise=0.2, random_action_fraction=0.2)  # fmt: skip
variant = study("FetchReach-v4", small, num_envs=1, batch=256, target=dict(rate=0.05), episodes=20)
presets = {"paper": paper("FetchReach-v4"), **{f"paper-{task}": paper(task) for task in EPOCHS}}
if __name__ == "__main__":
    launch(variant=variant, sweep_values={"agent.network": CRITICS}, presets=presets, description=__doc__,
           exp_name="mrn-gcrl")  # fmt: skip
