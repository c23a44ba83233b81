"""The table of agents: name -> config class; and how each config becomes an agent."""

from lifelong_rl.config import Table

AGENTS: Table = {
    "qrl": "experiment_configs.agents.qrl:QRLConfig",
}
BUILDERS: Table = {
    "qrl": "experiment_configs.agents.qrl:build_qrl",
}
