"""Dataset files: D4RL's layout and a user's own arrays."""
