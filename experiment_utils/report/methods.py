"""What a report calls a task and a method: by the keys in which runs differ, a method by one name on all its tasks."""

from collections.abc import Callable, Sequence

from experiment_utils.dashboard.selection import MAX_DEFAULT_KEYS, Figure
from experiment_utils.report.wording import name_of
from experiment_utils.results.groups import ABSENT, Groups, order_of, spoken, spoken_pair, swept_keys, telling_keys
from experiment_utils.results.runs import Run
from experiment_utils.sweep import short_labels

AGENT = "agent.name"
ALL_RUNS = "all runs"


def figures_of(runs: Sequence[Run], split: Sequence[str], group: Sequence[str] | None) -> list[Figure]:
    """A figure a task. Without `group`, a method is named after parts with several names among all the runs, and after
    whatever else tells the variants of its own task apart; so a task's own settings make no other method of it."""
    tasks = _grouped(runs, _labels(split)) if split else {"": list(runs)}
    if group is not None:
        label = _labels(_varied(runs, group) or group)
        return [Figure(title=title, groups=_grouped(members, label)) for title, members in tasks.items()]
    telling = {title: default_keys(members, split) for title, members in tasks.items()}
    every = dict.fromkeys(key for keys in telling.values() for key in keys)
    names = sorted((key for key in _varied(runs, list(every)) if key.endswith("name")), key=lambda key: key != AGENT)
    return [
        Figure(title=title, groups=_grouped(members, _labels(list(dict.fromkeys([*names, *telling[title]])))))
        for title, members in tasks.items()
    ]


def default_keys(runs: Sequence[Run], split: Sequence[str] = ()) -> list[str]:
    """What tells variants apart; their experiment only where they have no variant that would."""
    swept = [key for key in swept_keys(runs) if key not in split]
    if all(run.variant for run in runs):
        swept = [key for key in swept if key != "experiment"]
    return telling_keys(runs, swept)[:MAX_DEFAULT_KEYS]


Label = tuple[Callable[[Run], str], Sequence[str]]


def _labels(keys: Sequence[str]) -> Label:
    """Values by their keys' short names, parts by their own names alone; what a run does not have is not said."""
    short = short_labels(keys)

    def label(run: Run) -> str:
        present = [(key, run.values[key]) for key in keys if run.values.get(key, ABSENT) != ABSENT]
        return ", ".join(spoken_pair(short[key], value) for key, value in present)

    return label, keys


def _grouped(runs: Sequence[Run], how: Label) -> Groups:
    """Where a label says nothing, the runs go by their agent, if they have but one."""
    label, keys = how
    ordered = sorted(runs, key=lambda run: [order_of(run.values.get(key, ABSENT)) for key in keys])
    groups: dict[str, list[Run]] = {}
    for run in ordered:
        groups.setdefault(label(run), []).append(run)
    named: Groups = {}
    for words, members in groups.items():
        agents = {spoken(run.values.get(AGENT, ALL_RUNS)) for run in members}
        name = name_of(words or (agents.pop() if len(agents) == 1 else ALL_RUNS))
        named[name if name not in named else f"{name} ({len(named) + 1})"] = members
    return named


def _varied(runs: Sequence[Run], keys: Sequence[str]) -> list[str]:
    return [key for key in keys if len({spoken(run.values.get(key, ABSENT)) for run in runs}) > 1]
