"""Final scores of a report: recomputed by hand, of finished runs, without an interval below three of them."""

from pathlib import Path

import numpy as np
import pytest

from experiment_utils.report.notes import notes_of
from experiment_utils.report.scores import Score, clearly_best, scores_of
from experiment_utils.report.tables import score_tables
from tests.experiment_utils.report.written_runs import RETURN, SCORE, SUCCESS, study_of, write_finals, write_run

T_OF_2 = 4.302653  # Student's t with two degrees of freedom at 97.5 %


def test_a_mean_has_students_interval_where_its_runs_lie_evenly(tmp_path: Path):
    write_finals(tmp_path, "sac", [80.0, 90.0, 100.0])
    (score,) = scores_of(study_of(tmp_path)).measured
    half = T_OF_2 * 10 / np.sqrt(3)
    assert (score.task, score.method, score.metric) == ("", "sac", RETURN)
    assert (score.estimate, score.low, score.high) == pytest.approx((90, 90 - half, 90 + half), abs=1e-4)


def test_rates_stay_rates_and_their_episodes_have_wilsons_interval(tmp_path: Path):
    write_finals(tmp_path, "sac", [0.8, 0.9, 1.0], SUCCESS, evaluation={"num_episodes": 100})
    (score,) = scores_of(study_of(tmp_path)).measured
    assert score.estimate == pytest.approx(0.9)
    assert score.low == pytest.approx(0.9 - T_OF_2 * 0.1 / np.sqrt(3), abs=1e-6) and score.high == 1.0
    assert score.episodes is not None and score.episodes.episodes == 300
    assert (score.episodes.low, score.episodes.high) == pytest.approx((0.8608, 0.9290), abs=1e-4)


@pytest.mark.parametrize("rule", ["last_tenth", "highest"])
def test_what_is_no_single_evaluation_is_no_share_of_its_episodes(tmp_path: Path, rule: str):
    write_finals(tmp_path, "sac", [0.8, 0.9, 1.0], SUCCESS, evaluation={"num_episodes": 100})
    (score,) = scores_of(study_of(tmp_path, rule=rule)).measured
    assert score.episodes is None


@pytest.mark.parametrize(("summary", "estimate"), [("mean_se", 30.0), ("iqm", 5.0), ("median", 5.0)])
def test_the_summary_decides_what_is_estimated(tmp_path: Path, summary: str, estimate: float):
    write_finals(tmp_path, "sac", [0.0, 0.0, 5.0, 5.0, 140.0])
    (score,) = scores_of(study_of(tmp_path, summary=summary)).measured
    assert score.estimate == pytest.approx({"iqm": 10 / 3}.get(summary, estimate))
    assert score.has_interval


def test_two_runs_have_no_interval_and_that_is_said(tmp_path: Path):
    write_finals(tmp_path, "sac", [1.0, 2.0])
    study = study_of(tmp_path)
    scores = scores_of(study)
    assert not scores.measured[0].has_interval
    assert any("Fewer than 3 runs" in note and "sac (2 runs)" in note for note in notes_of(study, scores))


def test_only_finished_runs_count_unless_all_are_asked_for(tmp_path: Path):
    write_finals(tmp_path, "sac", [1.0, 2.0, 3.0])
    write_run(tmp_path, "00000001-s3", {"task": {"name": "maze"}, "agent": {"name": "sac"}, "seed": 3},
              [{RETURN: 9.0}], state="failed", error="out of memory")  # fmt: skip
    study, every = study_of(tmp_path), study_of(tmp_path, unfinished=True)
    assert list(scores_of(study).measured[0].values) == [1.0, 2.0, 3.0]
    assert sorted(scores_of(every).measured[0].values) == [1.0, 2.0, 3.0, 9.0]
    (note,) = [note for note in notes_of(study, scores_of(study)) if "not finished" in note]
    assert "1 run has not finished (1 failed)" in note and "sac 1 of 4" in note
    assert any("count with the last values" in note for note in notes_of(every, scores_of(every)))


def test_a_value_picked_after_the_fact_is_called_so(tmp_path: Path):
    write_finals(tmp_path, "sac", [1.0, 2.0, 3.0])
    study = study_of(tmp_path, rule="highest")
    assert "chosen after the fact" in " ".join(notes_of(study, scores_of(study)))


def test_mixed_uneven_and_repeated_runs_are_said(tmp_path: Path):
    write_finals(tmp_path / "one", "sac", [1.0, 2.0, 3.0], rate=1)
    write_finals(tmp_path / "one", "td3", [1.0, 2.0])
    write_finals(tmp_path / "two", "td3", [1.0, 2.0])
    study = study_of(tmp_path, group=("task.name",))
    words = " ".join(notes_of(study, scores_of(study)))
    assert "differ in agent.name, rate" in words and "not independent" in words
    study = study_of(tmp_path)
    assert "3 runs in one cell, 4 runs in one cell" in " ".join(notes_of(study, scores_of(study)))


def test_a_run_without_a_value_is_named(tmp_path: Path):
    write_finals(tmp_path, "sac", [1.0, 2.0, 3.0])
    write_run(tmp_path, "0000000f-s7", {"task": {"name": "maze"}, "agent": {"name": "sac"}}, [{RETURN: float("nan")}])
    study = study_of(tmp_path)
    assert any("0000000f-s7" in note for note in notes_of(study, scores_of(study)))


def test_published_scores_stand_apart_with_their_source(tmp_path: Path):
    write_finals(tmp_path, "qrl", [150.0, 160.0, 170.0], SCORE, task="maze2d-umaze-v1")
    scores = scores_of(study_of(tmp_path))
    cited = {one.reference.name: one.reference for one in scores.cited}
    assert cited["D4RL, waypoint controller"].value == 100 and "CORL" in cited["BC"].source
    assert [score.method for score in scores.measured] == ["qrl"]


def test_the_first_metrics_table_is_whole_and_others_have_what_was_recorded(tmp_path: Path):
    write_finals(tmp_path, "qrl", [0.5] * 3, SUCCESS, task="maze")
    write_finals(tmp_path, "qrl", [1.0] * 3, task="ant")
    write_finals(tmp_path, "sac", [1.0] * 3, task="ant")
    study = study_of(tmp_path)
    first, second = score_tables(study, scores_of(study))
    assert [list(table.columns) for table in (first, second)] == [["ant", "maze"], ["ant"]]
    assert [[cell.value for cell in row.cells] for row in first.measured] == [["–", "50.0"], ["–", "–"]]
    assert [(row.name, row.cells[0].value) for row in second.measured] == [("qrl", "1.00"), ("sac", "1.00")]


def score(method: str, estimate: float, half: float) -> Score:
    return Score(
        task="", method=method, metric=RETURN, runs=[], values=np.full(3, estimate), estimate=estimate,
        low=estimate - half, high=estimate + half, episodes=None,
    )  # fmt: skip


def test_the_best_is_clear_only_beyond_every_other_interval():
    low, high = score("a", 1.0, 0.4), score("b", 2.0, 0.4)
    assert clearly_best([low, high], lower=False) is high
    assert clearly_best([low, high], lower=True) is low
    assert clearly_best([low, high, score("c", 1.9, 0.1)], lower=False) is None
    assert clearly_best([low, high, score("c", 0.0, np.nan)], lower=False) is None
    assert clearly_best([high], lower=False) is None
