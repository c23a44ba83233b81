"""Figures for a paper, as PDF with embedded fonts and as SVG: curves, final scores, profiles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiment_utils.report.comparisons import Profile, unit_of
from experiment_utils.report.curve_drawing import draw_curves
from experiment_utils.report.paper import STYLE, Place, dressed, look_of, new_figure, places_of, save
from experiment_utils.report.scores import Cited, Score, Scores
from experiment_utils.report.study import Study
from experiment_utils.report.wording import heading
from experiment_utils.results.finals import is_success_rate

ROW, AROUND = 0.24, 0.95  # inches: of a method, and of all around a panel's rows
PLOT, LETTER = 2.9, 0.062  # inches: of a panel's plot, and of a letter of the names beside it
LONG = 40  # letters of a name; with longer ones, panels stand below one another


def draw_all(study: Study, scores: Scores, profiles: Sequence[Profile], folder: Path) -> list[str]:
    """Writes curves, finals and, where there are any, profiles; the names of the files."""
    places = places_of(study)
    with rc_context(STYLE):
        names = save(draw_curves(study, places), folder, "curves")
        names += save(_finals(study, places, scores), folder, "finals")
        if profiles:
            names += save(_profiles(profiles, study.methods, study.metric), folder, "profiles")
    return names


def _finals(study: Study, places: Sequence[Place], scores: Scores) -> Figure:
    """A row a method: its runs, their estimate and its interval; below them in grey what others reached."""
    valued = {(score.task, score.metric) for score in scores.measured}
    places = [place for place in places if (place.task, place.metric) in valued] or places[:1]
    own = [[s for s in scores.measured if (s.task, s.metric) == (place.task, place.metric)] for place in places]
    cited = [[c for c in scores.cited if (c.task, c.metric) == (place.task, place.metric)] for place in places]
    names = [score.method for score in scores.measured] + [one.reference.name for one in scores.cited]
    longest = max(map(len, names), default=0)
    columns = min(2 if longest <= LONG else 1, len(places))
    heights = [ROW * max(1, len(ours) + len(theirs)) + AROUND for ours, theirs in zip(own, cited, strict=True)]
    lines = [max(heights[start : start + columns]) for start in range(0, len(places), columns)]
    figure = new_figure((PLOT + LETTER * longest) * columns, sum(lines))
    grid = figure.subplots(len(lines), columns, squeeze=False, height_ratios=lines).flatten()
    for number, (axes, place) in enumerate(zip(grid, places, strict=False)):
        _draw_finals(axes, own[number], cited[number], study.methods, place.metric)
        axes.set_ylim((lines[number // columns] - AROUND) / ROW - 0.5, -0.5)  # rows are equally far apart everywhere
        axes.set_title(place.title, fontsize=9, loc="left")
    for axes in grid[len(places) :]:
        axes.set_visible(False)
    return figure


def _draw_finals(axes: Axes, own: Sequence[Score], cited: Sequence[Cited], methods: Sequence[str], metric: str) -> None:
    for row, score in enumerate(own):
        colour, _ = look_of(methods, score.method)
        axes.plot(score.values, [row] * len(score.values), "|", color=colour, alpha=0.6, markersize=9)
        if score.has_interval:
            axes.plot([score.low, score.high], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot(score.estimate, row, "o", color=colour, markersize=5)
    for row, one in enumerate(cited, len(own)):
        value, spread = one.reference.value, one.reference.spread
        if spread is not None:
            axes.plot([value - spread, value + spread], [row, row], ":", color="0.6", linewidth=1)
        axes.plot(value, row, "D", color="0.6", markersize=3.5, markerfacecolor="white")
    names = [f"{score.method} (n={len(score.values)})" for score in own] + [one.reference.name for one in cited]
    axes.set_yticks(range(len(names)), names)
    dressed(axes)
    for label in axes.get_yticklabels()[len(own) :]:
        label.set(color="0.45", style="italic")
    if is_success_rate(metric):
        low, high = axes.get_xlim()
        high = min(high, 1.02)
        axes.set_xlim(max(-0.02, min(low, high - 0.1)), max(high, 0.08))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def _profiles(profiles: Sequence[Profile], methods: Sequence[str], metric: str) -> Figure:
    figure = new_figure(5.2, 3.4 + 0.19 * -(-len(profiles) // 2))
    axes = figure.subplots()
    for profile in profiles:
        colour, dash = look_of(methods, profile.method)
        steps: dict[str, Any] = {"color": colour, "linestyle": dash, "drawstyle": "steps-post", "linewidth": 1.8}
        axes.plot(profile.thresholds, profile.share, label=profile.method, **steps)
        if np.isfinite(profile.low).all():
            band: dict[str, Any] = {"color": colour, "alpha": 0.18, "linewidth": 0, "step": "post"}
            axes.fill_between(profile.thresholds, profile.low, profile.high, **band)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("runs with more than that", fontsize=8)
    axes.set_xlabel(heading(metric) + (" / 100" if unit_of(metric) == 100 else ""), fontsize=8)
    if is_success_rate(metric):
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    dressed(axes)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False, fontsize=7.5)
    return figure
