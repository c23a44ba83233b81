"""Run directories for tests of what reads them: rows as the Logger writes them, a variant, a status."""

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def write_run(directory: Path, rows: list[Row], variant: Row | None = None, **status: Any) -> Path:
    """Returns the directory. `status` is that of `status.json`, which is left out without one."""
    directory.mkdir(parents=True)
    (directory / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if variant is not None:
        (directory / "variant.json").write_text(json.dumps(variant))
    if status:
        (directory / "status.json").write_text(json.dumps(status))
    return directory


def rows_of(name: str, values: list[float], every: int = 10) -> list[Row]:
    """An online phase in which `name` was recorded once an epoch."""
    return [
        {"epoch": i, "env_steps": i * every, "updates": i * every, "phase": "online", name: value}
        for i, value in enumerate(values, 1)
    ]


def write_sweep(folder: Path, rates: list[float], num_seeds: int = 3, length: int = 5) -> list[Path]:
    """A learning rate that was swept: success rises with it, and a little with the seed."""
    return [
        write_run(
            folder / f"rate-{rate}-{number:08x}-s{seed}",
            rows_of("evaluation/success_rate", [(rate + 0.02 * seed) * i / length for i in range(1, length + 1)]),
            {"agent": {"name": "ddpg", "rate": rate}, "evaluation": {"num_episodes": 50}, "seed": seed},
            state="finished",
        )
        for number, rate in enumerate(rates)
        for seed in range(num_seeds)
    ]
