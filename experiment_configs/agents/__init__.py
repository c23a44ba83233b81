"""The table of agents: name -> config class; and how each config becomes an agent."""

from lifelong_rl.config import Table

AGENTS: Table = {
    "qrl": "experiment_configs.agents.qrl:QRLConfig",
    "ddpg": "experiment_configs.agents.off_policy:DDPGConfig",
    "td3": "experiment_configs.agents.off_policy:TD3Config",
    "sac": "experiment_configs.agents.off_policy:SACConfig",
    "dqn": "experiment_configs.agents.dqn:DQNConfig",
}
BUILDERS: Table = {
    "qrl": "experiment_configs.agents.qrl:build_qrl",
    "ddpg": "experiment_configs.agents.off_policy:build_ddpg",
    "td3": "experiment_configs.agents.off_policy:build_td3",
    "sac": "experiment_configs.agents.off_policy:build_sac",
    "dqn": "experiment_configs.agents.dqn:build_dqn",
}
