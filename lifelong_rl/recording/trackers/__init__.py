"""Mirrors of a run's `metrics.jsonl` and videos in other tools: Weights & Biases and TensorBoard (docs/trackers.md)."""
