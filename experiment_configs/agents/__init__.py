"""The table of agents: name -> config class; and how each config becomes an agent."""

from lifelong_rl.config import Table

AGENTS: Table = {
    "qrl": "experiment_configs.agents.qrl:QRLConfig",
    "ddpg": "experiment_configs.agents.off_policy:DDPGConfig",
    "td3": "experiment_configs.agents.off_policy:TD3Config",
    "sac": "experiment_configs.agents.off_policy:SACConfig",
    "dqn": "experiment_configs.agents.dqn:DQNConfig",
    "gcbc": "experiment_configs.agents.imitation:GCBCConfig",
    "gcsl": "experiment_configs.agents.imitation:GCSLConfig",
    "wgcsl": "experiment_configs.agents.imitation:WGCSLConfig",
    "gcivl": "experiment_configs.agents.offline_values:GCIVLConfig",
    "gciql": "experiment_configs.agents.offline_values:GCIQLConfig",
    "hiql": "experiment_configs.agents.offline_values:HIQLConfig",
    "mher": "experiment_configs.agents.mher:MHERConfig",
}
BUILDERS: Table = {
    "qrl": "experiment_configs.agents.qrl:build_qrl",
    "ddpg": "experiment_configs.agents.off_policy:build_ddpg",
    "td3": "experiment_configs.agents.off_policy:build_td3",
    "sac": "experiment_configs.agents.off_policy:build_sac",
    "dqn": "experiment_configs.agents.dqn:build_dqn",
    "gcbc": "experiment_configs.agents.imitation:build_imitation",
    "gcsl": "experiment_configs.agents.imitation:build_imitation",
    "wgcsl": "experiment_configs.agents.imitation:build_wgcsl",
    "gcivl": "experiment_configs.agents.offline_values:build_gcivl",
    "gciql": "experiment_configs.agents.offline_values:build_gciql",
    "hiql": "experiment_configs.agents.offline_values:build_hiql",
    "mher": "experiment_configs.agents.mher:build_mher",
}
NEED_WAYPOINTS = {"hiql"}  # learn from batches with `waypoint_observation`
NEED_GOALS = {"qrl", "gcbc", "gcsl", "wgcsl", "gcivl", "gciql", "hiql", "mher"}  # tasks without goals are refused
NEED_EXAMPLES = {"gcbc", "gcsl", "wgcsl", "gcivl", "gciql", "hiql"}  # act as rows do whose goal their episode achieved
NEED_SINGLE_STEPS = {"mher"}  # cannot learn from n steps joined into one
