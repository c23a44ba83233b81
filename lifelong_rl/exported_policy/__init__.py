"""Policies without the rest of their runs: `load_policy` reads what `scripts/export_policy.py` wrote."""

from lifelong_rl.exported_policy.load import ExportedPolicy, load_policy

__all__ = ["ExportedPolicy", "load_policy"]
