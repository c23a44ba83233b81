"""What a page shows, its address, and the figures that follow from it."""

import base64
import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_utils.dashboard.bars import bar_figures
from experiment_utils.dashboard.export import csv_of, json_of
from experiment_utils.dashboard.figures import curve_figures
from experiment_utils.dashboard.selection import Selection, label_of, select, with_defaults
from experiment_utils.dashboard.source import Source
from experiment_utils.dashboard.view import View
from experiment_utils.results.runs import Run
from lifelong_rl.config import ConfigError
from tests.experiment_utils.results.run_files import rows_of, write_run, write_sweep

SUCCESS = "evaluation/success_rate"
words = st.text(min_size=1, max_size=20)


def selected(folder: Path, **choices) -> Selection:
    found = Source([folder]).found()
    return select(with_defaults(View(**choices), found), found)


def numbers(packed: dict) -> list[float]:
    return np.frombuffer(base64.b64decode(packed["bdata"]), "<f8").tolist()


def lines(figure: dict) -> dict[str, dict]:
    return {trace["name"]: trace for trace in figure["data"] if "name" in trace}


@given(
    st.builds(
        View, show=words, hide=words, x=words, y=st.tuples(words, words), group=st.just(()) | st.tuples(words),
        split=st.tuples(words), best=words, summary=st.sampled_from(["iqm", "median"]), rule=st.just("highest"),
        seeds=st.booleans(), log_y=st.booleans(), smooth=st.integers(1, 1000), low=st.floats(-1e9, 1e9) | st.none(),
        legend=words, tab=st.sampled_from(["runs", "curves"]),
    )
)  # fmt: skip
def test_an_address_says_all_of_a_view(view: View):
    default = View(y=("a",), group=("b",), x="c")
    assert with_defaults_of(View.from_search(view.to_search(default)), default) == view


def with_defaults_of(view: View, default: View) -> View:
    return View(**{
        name: getattr(default, name) if value in (None, "") and name in ("x", "y", "group") else value
        for name, value in vars(view).items()
    })  # fmt: skip


@pytest.mark.parametrize(
    "search",
    ["?smooth=x&lines=-1&rule=eval&low=nan&tab=../x", "?" + "y=a&" * 9000, "?%00=%ff&=&&;", "?lines=1e9", "nonsense"],
)
def test_what_an_address_may_not_say_counts_as_not_said(search: str):
    view = View.from_search(search)
    assert (view.smooth, view.lines, view.rule, view.low, view.tab) == (1, 40, "last", None, "curves")
    assert len(view.y or ()) <= 40


def test_the_first_page_shows_success_over_what_was_swept(tmp_path: Path):
    write_sweep(tmp_path, [0.3, 0.6])
    selection = selected(tmp_path)
    assert (selection.view.x, selection.view.y, selection.view.group) == ("env_steps", (SUCCESS,), ("agent.rate",))
    (figure,) = curve_figures(selection)
    shown = lines(figure)
    assert list(shown) == ["rate=0.3 (n=3)", "rate=0.6 (n=3)"]
    assert numbers(shown["rate=0.6 (n=3)"]["x"]) == [10, 20, 30, 40, 50]
    assert numbers(shown["rate=0.6 (n=3)"]["y"]) == pytest.approx([0.62 * i / 5 for i in range(1, 6)])
    assert [trace.get("fill") for trace in figure["data"]].count("toself") == 2


def test_lines_and_figures_are_those_of_the_keys_that_were_chosen(tmp_path: Path):
    write_sweep(tmp_path, [0.3, 0.6, 0.9], 1)
    by_figure = selected(tmp_path, split=("agent.rate",))
    assert [(figure.title, list(figure.groups)) for figure in by_figure.figures] == [
        ("rate=0.3", ["all runs"]), ("rate=0.6", ["all runs"]), ("rate=0.9", ["all runs"]),
    ]  # fmt: skip
    together = selected(tmp_path, group=())
    assert list(together.figures[0].groups) == ["all runs"]
    assert together.notes == ["Lines put runs together that differ in agent.rate: group by it to tell them apart."]


def test_filters_choose_runs_and_exclusions_leave_them_out(tmp_path: Path):
    write_sweep(tmp_path, [0.3, 0.6])
    selection = selected(tmp_path, show="agent.rate > 0.5", hide="seed = 1")
    assert [(run.values["agent.rate"], run.seed) for run in selection.runs] == [(0.6, 0), (0.6, 2)]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"show": "agent.raet = 1"}, "column 1: unknown key 'agent.raet'. Did you mean 'agent.rate'?"),
        ({"group": ("agent.raet",)}, "no run has 'agent.raet'. Did you mean 'agent.rate'?"),
        ({"y": ("evaluation/sucess_rate",)}, "no run recorded 'evaluation/sucess_rate'. Did you mean"),
        ({"x": "env_stepz"}, "no run recorded 'env_stepz'. Did you mean 'env_steps'?"),
    ],
)
def test_what_is_wrong_with_a_view_is_one_line_with_the_nearest_name(tmp_path: Path, choices: dict, message: str):
    write_sweep(tmp_path, [0.3], 1)
    with pytest.raises(ConfigError) as refusal:
        selected(tmp_path, **choices)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_too_many_lines_leave_the_best_and_say_so(tmp_path: Path):
    write_sweep(tmp_path, [0.1, 0.2, 0.3, 0.4], 1)
    selection = selected(tmp_path, lines=2)
    assert list(selection.figures[0].groups) == ["rate=0.3", "rate=0.4"]
    assert selection.notes == [f"2 of 4 lines are shown, those with the best final {SUCCESS}."]
    assert list(selected(tmp_path, lines=1, lowest=True).figures[0].groups) == ["rate=0.1"]


def test_only_the_best_value_of_a_key_is_shown_where_that_is_asked_for(tmp_path: Path):
    write_sweep(tmp_path, [0.1, 0.4, 0.2])
    selection = selected(tmp_path, group=("agent.name",), best="agent.rate")
    assert list(selection.figures[0].groups) == ["ddpg, best rate=0.4"] and selection.notes == []


def test_a_legend_says_what_its_template_says(tmp_path: Path):
    write_sweep(tmp_path, [0.3, 0.6], 2)
    selection = selected(tmp_path, legend="{agent.name} at {agent.rate}, seeds {seed}: {never}")
    assert list(selection.figures[0].groups)[0] == "ddpg at 0.3, seeds 0|1: absent"
    assert label_of("{0.__class__}{", selection.runs, "x") == "absent{"


def test_where_seeds_have_come_differently_far_the_line_says_how_many(tmp_path: Path):
    for seed, length in enumerate((6, 4, 4, 2)):
        write_run(tmp_path / f"r-0a1b2c3d-s{seed}", rows_of("a/x", [1.0] * length), {"seed": seed})
    (figure,) = curve_figures(selected(tmp_path, y=("a/x",)))
    (line,) = lines(figure).values()
    assert line["name"] == "all runs (n=3 to 4)" and numbers(line["x"]) == [10, 20, 30, 40]
    (marks,) = [trace for trace in figure["data"] if trace.get("text")]
    assert (marks["x"], marks["text"]) == ([30], ["n=3"])


def test_values_beyond_the_limits_are_drawn_at_them_and_the_best_so_far_never_falls(tmp_path: Path):
    write_run(tmp_path / "run", rows_of("a/x", [1.0, 5.0, 2.0, -3.0]), {"seed": 0})
    (clipped,) = lines(curve_figures(selected(tmp_path, y=("a/x",), low=0, high=3))[0]).values()
    assert numbers(clipped["y"]) == [1, 3, 2, 0]
    (best,) = lines(curve_figures(selected(tmp_path, y=("a/x",), so_far=True))[0]).values()
    assert numbers(best["y"]) == [1, 5, 5, 5]
    (lowest,) = lines(curve_figures(selected(tmp_path, y=("a/x",), so_far=True, lowest=True))[0]).values()
    assert numbers(lowest["y"]) == [1, 1, 1, -3]


def test_bars_have_a_dot_for_each_run_and_an_interval_from_three_on(tmp_path: Path):
    write_sweep(tmp_path, [0.3], 3)
    (figure,) = bar_figures(selected(tmp_path))
    bar, dots = figure["data"]
    assert bar["x"] == pytest.approx([0.32]) and dots["x"] == pytest.approx([0.3, 0.32, 0.34])
    assert bar["error_x"]["array"] == pytest.approx([0.02 / math.sqrt(3)])
    (few,) = bar_figures(selected(tmp_path, show="seed < 2"))
    assert "error_x" not in few["data"][0] and "too few for an interval" in few["data"][0]["hovertemplate"]


def test_an_export_holds_the_numbers_of_the_figures(tmp_path: Path):
    write_sweep(tmp_path, [0.3, 0.6])
    selection = selected(tmp_path)
    rows = list(csv.DictReader(io.StringIO(csv_of(selection))))
    assert len(rows) == 10 and rows[-1]["group"] == "rate=0.6" and float(rows[-1]["value"]) == pytest.approx(0.62)
    held = json.loads(json.dumps(json_of(selection), allow_nan=False))
    assert [row["value"] for row in held["finals"]] == pytest.approx([0.32, 0.62]) and len(held["runs"]) == 6
    finals = list(csv.DictReader(io.StringIO(csv_of(selected(tmp_path, tab="finals")))))
    assert len(finals) == 6 and float(finals[0][SUCCESS]) == pytest.approx(0.3)


def test_a_text_that_a_spreadsheet_would_calculate_is_exported_as_a_text(tmp_path: Path):
    write_run(tmp_path / "run", rows_of(SUCCESS, [1.0]), {"note": "=cmd|' /C calc'!A0", "seed": 0})
    write_run(tmp_path / "other", rows_of(SUCCESS, [1.0]), {"note": "@x", "seed": 0})
    text = csv_of(selected(tmp_path, legend="{note}"))
    assert {row["group"] for row in csv.DictReader(io.StringIO(text))} == {"'=cmd|' /C calc'!A0", "'@x"}


def test_only_the_runs_that_are_drawn_are_read(tmp_path: Path):
    write_sweep(tmp_path, [0.1, 0.2, 0.3, 0.4], 1)
    found = Source([tmp_path]).found()
    asked: list[tuple[list[float], list[str]]] = []

    def read(runs: Sequence[Run], names: Sequence[str]) -> None:
        asked.append((sorted(run.values["agent.rate"] for run in runs), list(names)))

    select(with_defaults(View(lines=2), found), found, read)
    assert asked == [([0.3, 0.4], ["env_steps", SUCCESS])]
    asked.clear()
    select(with_defaults(View(lines=2, rule="mean"), found), found, read)
    assert asked == [([0.1, 0.2, 0.3, 0.4], [SUCCESS]), ([0.3, 0.4], ["env_steps", SUCCESS])]
