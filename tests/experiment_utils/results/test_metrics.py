"""What is read from a run's files: every number that was written, and no other."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_utils.results import jsonl, tables
from experiment_utils.results.metrics import Metrics
from tests.experiment_utils.results.run_files import rows_of, write_run

NAN = math.nan
keys = st.text(min_size=1, max_size=8) | st.sampled_from(['a"b', "a\\", "a, b", "x: y", "{", "updates"])
values = st.floats() | st.integers(-(10**6), 10**6) | st.booleans() | st.none() | st.text(max_size=12)


def table(folder: Path, text: str, name: str = "progress.csv") -> Metrics:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return Metrics(folder)


def same(found: np.ndarray, expected: list[float]) -> bool:
    return np.array_equal(found, np.array(expected, dtype=float), equal_nan=True)


@given(st.lists(st.dictionaries(keys, values, max_size=6), min_size=1, max_size=8), keys)
def test_a_column_is_what_parsing_every_row_would_give(tmp_path_factory, rows: list[dict], name: str):
    path = tmp_path_factory.mktemp("rows") / "metrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    is_number = [isinstance(row.get(name), int | float) and not isinstance(row.get(name), bool) for row in rows]
    expected = [float(row[name]) if yes else NAN for row, yes in zip(rows, is_number, strict=True)]
    assert same(jsonl.read_numbers(path, [name])[name], expected)
    texts = [row.get(name) if isinstance(row.get(name), str) else None for row in rows]
    assert jsonl.read_texts(path, name) == texts


def test_rows_without_spaces_are_read_as_well(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"a":1,"b":2}\n{"a":3}\n')
    assert same(jsonl.read_numbers(path, ["b"])["b"], [2, NAN])


def test_a_key_that_appears_late_or_vanishes_has_no_value_where_it_is_not(tmp_path: Path):
    rows = rows_of("a/x", [1.0, 2.0, 3.0])
    del rows[2]["a/x"]
    rows[1]["a/late"] = 7.0
    metrics = Metrics(write_run(tmp_path / "run", rows))
    found = metrics.numbers(["a/x", "a/late", "a/never"])
    assert same(found["a/x"], [1, 2, NAN])
    assert same(found["a/late"], [NAN, 7, NAN])
    assert same(found["a/never"], [NAN] * 3)
    assert metrics.names() == ["epoch", "env_steps", "updates", "phase", "a/x", "a/late"]


@pytest.mark.parametrize("end", ['{"epoch": 3, "a/x"', '{"epoch": 3, "a/x": 0.12', '{"epoch": 3, "a/x": 0.12}', ""])
def test_a_last_line_that_is_being_written_is_not_read_yet(tmp_path: Path, end: str):
    directory = write_run(tmp_path / "run", rows_of("a/x", [1.0, 2.0]))
    with (directory / "metrics.jsonl").open("a") as file:
        file.write(end)
    metrics = Metrics(directory)
    assert same(metrics.numbers(["a/x"])["a/x"], [1, 2])
    with (directory / "metrics.jsonl").open("a") as file:
        file.write('{"a/x": 5}\n' if not end else "\n" if end.endswith("}") else "1}\n" if "0.12" in end else ": 4}\n")
    assert same(metrics.numbers(["a/x"])["a/x"], [1, 2, {"": 5, "}": 0.12, "2": 0.121, '"': 4}[end[-1:]]])


@pytest.mark.parametrize("line", ["nonsense", '{"a/x": 1', '{"a/x": 0.1{"a/x": 2}', '{"a/x": }', "", '{"a/x": "}'])
def test_a_damaged_row_is_named_and_nothing_is_taken_from_its_file(tmp_path: Path, line: str):
    directory = write_run(tmp_path / "run", rows_of("a/x", [1.0]))
    with (directory / "metrics.jsonl").open("a") as file:
        file.write(line + '\n{"a/x": 3}\n')
    metrics = Metrics(directory)
    assert len(metrics.numbers(["a/x"])["a/x"]) == 0
    assert metrics.problem == f"{directory}/metrics.jsonl, line 2: expected a JSON object, got {line!r}."


def test_infinity_and_nan_are_what_was_written(tmp_path: Path):
    metrics = Metrics(write_run(tmp_path / "run", rows_of("a/x", [math.inf, NAN, -math.inf])))
    assert same(metrics.numbers(["a/x"])["a/x"], [math.inf, NAN, -math.inf])


def test_a_table_of_another_logger_is_read_cell_by_cell(tmp_path: Path):
    text = 'Epoch,"Return, mean",note\n0,1.5,"a ""quoted"", cell"\n1,,\n2,nan,"two\nlines"\n3,1e3,x\n'
    metrics = table(tmp_path, text)
    assert metrics.names() == ["Epoch", "Return, mean", "note"]
    assert same(metrics.numbers(["Return, mean"])["Return, mean"], [1.5, NAN, NAN, 1000])
    assert metrics.texts("note") == ['a "quoted", cell', "", "two\nlines", "x"]
    assert same(metrics.numbers(["note"])["note"], [NAN] * 4)


@pytest.mark.parametrize(
    "cell", ["", " ", "None", "True", "1_000", '"1,5"', "0x10", "1.2.3", "--1", "nan", "1 2", "\uff11"]
)
def test_what_is_no_number_is_missing_and_never_zero(tmp_path: Path, cell: str):
    assert same(table(tmp_path, f"x,y\n{cell},1\n").numbers(["x"])["x"], [NAN])


def test_rows_of_another_width_than_the_header_belong_to_nobody(tmp_path: Path):
    text = "a,b\n1,2\n3\n4,5,6\na,b\n7,8\n"  # too short, too long, and a header that a restart wrote again
    found = table(tmp_path, text).numbers(["a", "b"])
    assert same(found["a"], [1, 7]) and same(found["b"], [2, 8])


@pytest.mark.parametrize("text", ["", "\n", "a,b\n", "a,b", "a,b\n1,2", 'a,b\n1,"2\n'])
def test_a_table_without_a_whole_row_has_none(tmp_path: Path, text: str):
    assert len(table(tmp_path, text).numbers(["a"])["a"]) == 0


def test_a_half_written_last_line_of_a_table_is_left_out(tmp_path: Path):
    assert same(table(tmp_path, "a,b\n1,2\n3,4.12").numbers(["b"])["b"], [2])


def test_offline_rows_stand_before_the_others(tmp_path: Path):
    table(tmp_path, "epoch,loss\n1,5\n", "offline_progress.csv")
    metrics = table(tmp_path, "epoch,return\n1,7\n")
    found = metrics.numbers(["loss", "return", "row"])
    assert same(found["loss"], [5, NAN]) and same(found["return"], [NAN, 7]) and same(found["row"], [1, 2])


def test_numbers_are_read_again_when_their_file_has_changed(tmp_path: Path):
    directory = write_run(tmp_path / "run", rows_of("a/x", [1.0]))
    metrics = Metrics(directory)
    assert same(metrics.numbers(["a/x"])["a/x"], [1])
    with (directory / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(rows_of("a/x", [1.0, 2.0])[1]) + "\n")
    assert same(metrics.numbers(["a/x"])["a/x"], [1, 2])


def test_a_number_in_a_table_is_read_to_its_last_digit():
    assert tables.numbers(["0.1", "-1e-300", " 7 ", "+.5", "1.", "Inf", "-infinity"]).tolist() == [
        0.1, -1e-300, 7.0, 0.5, 1.0, math.inf, -math.inf,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values", [[1.0, 2.0], [1.0, NAN], [NAN, math.inf], [5.0] + [NAN] * 3000, [float(i) for i in range(3000)]]
)
def test_the_last_finite_value_is_that_of_the_whole_column(tmp_path: Path, values: list[float]):
    directory = write_run(tmp_path / "run", rows_of("a/x", values))
    whole = Metrics(directory).numbers(["a/x"])["a/x"]
    finite = whole[np.isfinite(whole)]
    expected = [float(finite[-1]) if len(finite) else NAN]
    assert same(np.array([Metrics(directory).last("a/x")]), expected)
    assert same(np.array([Metrics(directory).last("a/never")]), [NAN])


def test_the_last_value_of_a_damaged_file_is_none(tmp_path: Path):
    directory = write_run(tmp_path / "run", rows_of("a/x", [1.0]))
    with (directory / "metrics.jsonl").open("a") as file:
        file.write("nonsense\n")
    assert math.isnan(Metrics(directory).last("a/x"))


def test_columns_come_in_the_order_that_was_asked_for_and_rows_that_came_in_between_are_left_out(tmp_path: Path):
    metrics = Metrics(write_run(tmp_path / "run", rows_of("a/x", [5.0, 6.0])))
    assert list(metrics.numbers(["row", "a/x"])) == ["row", "a/x"]
    metrics.numbers(["a/x"])
    metrics.keep({"updates": np.array([10.0, 20.0, 30.0])})  # another process read it a moment later
    found = metrics.numbers(["updates", "a/x", "row"])
    assert same(found["updates"], [10, 20]) and same(found["a/x"], [5, 6]) and same(found["row"], [1, 2])
