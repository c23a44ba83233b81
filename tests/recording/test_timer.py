"""Seconds per section, and over a run that was cut in two."""

import time

import pytest

from lifelong_rl.recording.timer import Timer


def test_sections_add_up_until_they_are_read():
    timer = Timer()
    for _ in range(2):
        with timer.section("update"):
            time.sleep(0.02)
    metrics = timer.read()
    assert 0.04 <= metrics["time/update_seconds"] <= metrics["time/epoch_seconds"]
    assert set(timer.read()) == {"time/epoch_seconds", "time/total_seconds"}


def test_a_section_that_ends_in_an_error_counts_too():
    timer = Timer()
    with pytest.raises(KeyError), timer.section("evaluate"):
        raise KeyError
    assert timer.read()["time/evaluate_seconds"] >= 0


def test_the_total_goes_on_from_a_state():
    timer = Timer()
    timer.load_state_dict({"total_seconds": 100.0})
    assert 100 <= timer.read()["time/total_seconds"] < 101
    assert timer.state_dict()["total_seconds"] > 100
