"""Plays episodes with the agent of a snapshot, and with a fresh controller and a random policy on the same ones."""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiment_utils.script_parser import ScriptParser, named, number, run_script

if TYPE_CHECKING:
    from experiment_configs.experiment import ExperimentConfig
    from experiment_configs.loading import LoadedAgent

EXPLANATION = """\
Columns of the table:
  success         episodes that were within the goal's radius at any step
  at the end      episodes that were there at the last step
  steps to goal   until the first success; an episode without one counts as its length + 1
  ratio           the same, as a multiple of what the controller took, freshly planned on these starts and goals
  time held       share of the steps from the first success on that were spent at the goal
  return          summed rewards of an episode, on average
  D4RL score      0 is D4RL's random policy, 100 its expert; only where those are published
All episodes last for the task's whole horizon. The same seed gives the same starts and goals to every agent; without
flags they are those of the run's own evaluation.

Exit status: 0, or 2 with one line that says what is wrong.

Examples:
  python scripts/evaluate.py data/qrl-maze/RUN/offline_itr_50
  python scripts/evaluate.py data/qrl-maze/RUN --goals single --num_episodes 200 --json numbers.json
  python scripts/evaluate.py data/qrl-maze/RUN/itr_20 --value_map value_map.png
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table, and writes what the command line asks for."""
    flags = _parse(argv)
    return run_script(lambda: _evaluate(flags))


def _evaluate(flags: argparse.Namespace) -> None:
    from experiment_configs.loading import load_run
    from experiment_configs.measures import build_measures

    loaded = load_run(flags.snapshot)
    config = _asked_config(flags, loaded)
    results: dict[str, Any] = {}
    for name, measure in build_measures(config, loaded.agent).items():
        ours = measure.evaluate(loaded.agent)
        references = getattr(measure, "reference_metrics", None)
        results[name] = _plain(ours) if references is None else {"ours": _plain(ours)} | _with_ratios(references)
    _print_table(config, results)
    if flags.json:
        _write_json(flags.json, loaded, config, results)
    if flags.value_map:
        _draw_value_map(flags.value_map, loaded, config)


def _asked_config(flags: argparse.Namespace, loaded: "LoadedAgent") -> "ExperimentConfig":
    """The run's own config, but for the task and the evaluation that the flags ask for."""
    from dataclasses import replace

    from experiment_configs.experiment import TaskConfig
    from lifelong_rl.config import from_dict

    own = loaded.config
    goals = own.evaluation.goals or None  # an empty choice is that of a run which never evaluates
    evaluation = replace(
        own.evaluation,
        num_episodes=own.evaluation.num_episodes if flags.num_episodes is None else flags.num_episodes,
        goals={"both": ("multi", "single"), None: goals}.get(flags.goals, (flags.goals,)),
        seed=own.evaluation.seed if flags.seed is None else flags.seed,
    )
    task = from_dict(TaskConfig, {"name": flags.task}, "--task") if flags.task else own.task
    config = replace(own, task=task, evaluation=evaluation)
    if flags.task:
        _check_task(config, loaded)
    return config


def _check_task(config: "ExperimentConfig", loaded: "LoadedAgent") -> None:
    from experiment_configs.assemble import build_task
    from experiment_configs.loading import check_same_shapes
    from lifelong_rl.seeding import Seeds

    asked = build_task(config, 1, Seeds(0), "task", random_goals=False)
    check_same_shapes(loaded.task.spec, asked.spec)


def _with_ratios(references: Mapping[str, Any]) -> dict[str, Any]:
    """The reference policies' numbers, the controller first, each with its steps as a multiple of the controller's."""
    plain = {name: _plain(metrics) for name, metrics in sorted(references.items())}
    if "controller" in plain:
        steps = plain["controller"]["steps_to_goal_mean"]
        for metrics in plain.values():
            metrics["steps_over_controller"] = metrics["steps_to_goal_mean"] / steps
    return plain


def _plain(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    values = {name: float(value) for name, value in metrics.items()}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _print_table(config: "ExperimentConfig", results: Mapping[str, Any]) -> None:
    from rich.console import Console

    from experiment_configs.evaluation_table import evaluation_table

    rows = [(goals, policy, numbers) for goals in config.evaluated_goals for policy, numbers in results[goals].items()]
    episodes = f"{config.evaluation.num_episodes} episodes a row, seed {config.evaluation.seed}"
    console = Console()
    console.print(evaluation_table(f"{config.task.name}: {episodes}", rows))
    if "distance" in results:
        spearman, error = (results["distance"][name] for name in ("spearman", "rmse_steps"))
        correlation = "undefined" if spearman is None else f"{spearman:.3f}"
        error_text = "undefined" if error is None else f"{error:.1f} steps"
        console.print(f"learned distance against the shortest way: Spearman {correlation}, RMSE {error_text}")


def _write_json(path: Path, loaded: "LoadedAgent", config: "ExperimentConfig", results: Mapping[str, Any]) -> None:
    from experiment_utils.provenance import provenance
    from lifelong_rl.config import to_dict

    origin = provenance()
    content = {
        "snapshot": str(loaded.path),
        "counters": loaded.snapshot.meta.get("counters"),
        "task": to_dict(config.task),
        "evaluation": to_dict(config.evaluation),
        "results": results,
        "created": origin["created"],
        "versions": origin["versions"],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(path)


def _draw_value_map(path: Path, loaded: "LoadedAgent", config: "ExperimentConfig") -> None:
    from experiment_configs.assemble import build_task
    from experiment_configs.value_map import draw_values
    from lifelong_rl.seeding import Seeds

    task = build_task(config, 1, Seeds(0), "task", random_goals=False)
    draw_values(path, loaded.agent, task, config.sampler.discount)
    print(path)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    count = number(int, "a whole number from 1 up", lambda value: value >= 1)
    seed = number(int, "a whole number from 0 up", lambda value: value >= 0)
    parser = ScriptParser(__doc__, EXPLANATION)
    parser.add_argument("snapshot", type=Path, metavar="SNAPSHOT", help="a snapshot, or a run (its newest snapshot)")
    parser.add_argument("--num_episodes", type=count, metavar="N", help="for each policy and set of goals")
    parser.add_argument("--goals", choices=["single", "multi", "both"], help="the task's own goal, or one per episode")
    parser.add_argument("--seed", type=seed, help="of the episodes")
    parser.add_argument("--task", metavar="NAME", help="another task with the same shapes, e.g. maze2d-medium-v1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument(
        "--value_map",
        type=named(".png", ".svg", ".pdf"),
        metavar="FILE.png",
        help="draw learned and true steps to the goal",
    )
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())
