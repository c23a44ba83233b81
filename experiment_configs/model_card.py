"""The README.md of an exported policy: front matter as the Hugging Face Hub has it of RL, numbers, use, limits."""

from typing import Any

import yaml

from experiment_configs.policy_environment import making_lines
from lifelong_rl.exported_policy.description import ONNX, REPLAY, Description

KINDS = {"multi": "a goal drawn for each episode", "single": "the task's own goal"}


def model_card(description: Description, not_filmed: str | None) -> str:
    """Markdown under YAML; `not_filmed` says why there is no film, if there is none."""
    front = yaml.safe_dump(_front_matter(description), sort_keys=False, allow_unicode=True)
    parts = [_opening(description, not_filmed), _table(description), _usage(description), _limits(description)]
    return f"---\n{front}---\n\n" + "\n\n".join(parts) + "\n"


def _front_matter(description: Description) -> dict[str, Any]:
    agent, task = description.agent["name"], description.task.name
    goals = ["goal-conditioned", "goal-conditioned-rl"] if 0 not in description.task.goal_shape else []
    results = [_result(description, kind, numbers) for kind, numbers in description.evaluation.items()]
    return {
        "library_name": "lifelong_rl",
        "pipeline_tag": "reinforcement-learning",
        "tags": [task, agent, "reinforcement-learning", "deep-reinforcement-learning", *goals, "lifelong_rl"],
        "model-index": [{"name": agent.upper(), "results": results}],
    }


def _result(description: Description, kind: str, numbers: dict[str, Any]) -> dict[str, Any]:
    task = description.task.name
    reward = f"{numbers['return_mean']:.2f} +/- {numbers['return_std']:.2f}"
    metrics = [{"type": "mean_reward", "value": reward, "name": "mean_reward", "verified": False}]
    if "success_rate" in numbers:
        value = numbers["success_rate"]
        metrics.append({"type": "success_rate", "value": value, "name": "success_rate", "verified": False})
    name = f"{task}, {KINDS[kind]}" if len(description.evaluation) > 1 else task
    return {
        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
        "dataset": {"name": name, "type": task},
        "metrics": metrics,
    }


def _opening(description: Description, not_filmed: str | None) -> str:
    agent, task, counters = description.agent["name"].upper(), description.task.name, description.training["counters"]
    steps = ", ".join(f"{counters[key]:,} {what}" for key, what in COUNTERS.items() if counters.get(key))
    lines = [
        f"# {agent} on {task}",
        "",
        f"The greedy policy of a {agent} agent, trained with lifelong_rl on `{task}` ({steps or 'not at all'};",
        f"run `{description.training['run']}`, snapshot `{description.training['snapshot']}`, seed",
        f"{description.training['seed']}).",
        f"`{REPLAY}` shows some episodes." if not_filmed is None else f"There is no film: {not_filmed}.",
    ]
    return "\n".join(lines)


COUNTERS = {"env_steps": "environment steps", "updates": "updates"}


def _table(description: Description) -> str:
    rows = [
        "## What it is worth",
        "Measured when it was exported, by nobody else:",
        "",
        "| goals | episodes | success | 95 % (Wilson) | at the end | return |",
        "|---|---|---|---|---|---|",
    ]
    for kind, numbers in description.evaluation.items():
        success, interval = numbers.get("success_rate"), numbers.get("success_rate_interval")
        end = numbers.get("success_at_end_rate")
        cells = [
            KINDS[kind] if success is not None else "none",
            str(numbers["num_episodes"]),
            "-" if success is None else f"{success:.1%}",
            "-" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}",
            "-" if end is None else f"{end:.1%}",
            f"{numbers['return_mean']:.2f} ± {numbers['return_std']:.2f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    rows += ["", "Success: at any step, and at the last one. Return: mean and standard deviation over episodes."]
    return "\n".join(rows)


def _usage(description: Description) -> str:
    steps = min(description.task.horizon, 1000)
    *imports, make = making_lines(description.environment) or [f"env = ...  # shows what {description.task.name} does"]
    code = [
        *imports,
        "from lifelong_rl.exported_policy import load_policy",
        "",
        'policy = load_policy("FOLDER")',
        make,
        "observation, info = env.reset(seed=0)",
        f"for _ in range({steps}):",
        "    observation, reward, terminated, truncated, info = env.step(policy(observation))",
    ]
    lines = ["## How to use it", "FOLDER is where this file lies.", "", "```python", *code, "```"]
    onnx = description.onnx
    if "inputs" in onnx:
        names = " and ".join(f"`{name}`" for name in onnx["inputs"])
        apart = f"{onnx['largest_difference']:.1g} on {onnx['num_observations']} observations"
        line = f"takes {names}, rows in front, and gives `action`; it differs from the policy by at most {apart}."
        lines += ["", f"`{ONNX}` {line}"]
    else:
        lines += ["", f"There is no `{ONNX}`: {onnx.get('left_out', onnx.get('removed'))}"]
    return "\n".join(lines)


def _limits(description: Description) -> str:
    one_pass = description.policy.why_not_one_pass(description.task.spec())
    lines = [
        "## Limits",
        f"* It was trained on `{description.task.name}` alone, in episodes of {description.task.horizon} steps.",
        "  Nothing is known of other tasks, other physics or other ranges of goals.",
        "* It acts greedily and does not learn: critics, optimizers and data are left behind in the run.",
        "* The numbers above come from a simulator, on starts and goals that follow from one seed.",
    ]
    if one_pass is not None:
        lines.append(f"* An action is more than one pass through its networks: {one_pass}.")
    return "\n".join(lines)
