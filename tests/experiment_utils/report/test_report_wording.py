"""Numbers and names as they are written: for people, and as nothing but text for HTML, Markdown and LaTeX."""

import pytest

from experiment_utils.report.wording import (
    as_html,
    as_latex,
    as_markdown,
    heading,
    name_of,
    number,
    plain,
    without_folders,
)

RATE, RETURN = "evaluation/multi/success_rate", "evaluation/multi/return_mean"


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.975, RATE, "97.5"), (1.0, RATE, "100.0"), (16812.4, RETURN, "16,812"), (-42.13, RETURN, "-42.1"),
        (1.234, RETURN, "1.23"), (0.1234, RETURN, "0.123"), (0.0000123, RETURN, "1.23e-05"), (0.0, RETURN, "0"),
        (float("nan"), RETURN, ""), (12345678.9, RETURN, "1.23e+07"),
    ],
)  # fmt: skip
def test_a_number_has_the_digits_that_it_needs(value: float, metric: str, text: str):
    assert number(value, metric) == text


def test_a_column_has_equally_many_digits():
    assert [number(value, RETURN, 120.0) for value in (139.51, 0.36, 0.0)] == ["139.5", "0.4", "0.0"]


def test_metrics_are_headed_by_words():
    assert heading(RATE) == "multi: success, %"
    assert heading("evaluation/single/normalized_score") == "single: normalized score"
    assert heading("trainer/critic_loss") == "trainer: critic loss"


@pytest.mark.parametrize(
    ("text", "html", "markdown", "latex"),
    [
        ("<script>", "&lt;script&gt;", "&lt;script&gt;", r"\textless{}script\textgreater{}"),
        (r"\input{x}", r"\input{x}", r"\\input{x}", r"\textbackslash{}input\{x\}"),
        ("a|b", "a|b", r"a\|b", r"a\textbar{}b"),
        ("50 % & $x_1^2$ #1~", "50 % &amp; $x_1^2$ #1~", r"50 % &amp; $x\_1^2$ \#1\~",
         r"50 \% \& \$x\_1\textasciicircum{}2\$ \#1\textasciitilde{}"),
        ("[a](javascript:x) `b` *c*", "[a](javascript:x) `b` *c*", r"\[a\](javascript:x) \`b\` \*c\*",
         "{[}a{]}(javascript:x) `b` *c*"),
        ('" onload="x', "&quot; onload=&quot;x", '" onload="x', r"\textquotedbl{} onload=\textquotedbl{}x"),
    ],
)  # fmt: skip
def test_no_name_is_markup(text: str, html: str, markdown: str, latex: str):
    assert (as_html(text), as_markdown(text), as_latex(text)) == (html, markdown, latex)


def test_what_cannot_be_seen_is_left_out():
    assert plain("a\n\x00b\u202egnp.exe\ud800") == "a b gnp.exe\ufffd"
    assert len(name_of("x" * 500)) == 60


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("--data_dir /home/ada/private/data --seeds 1", "--data_dir …/data --seeds 1"),
        ("/home/ada/x/metrics.jsonl, line 2: torn", "…/metrics.jsonl, line 2: torn"),
        ("python run_scripts/qrl_maze.py", "python run_scripts/qrl_maze.py"),
        ("https://example.org/a/b and 1/2", "https://example.org/a/b and 1/2"),
        ("open('/etc/x/y.json')", "open('…/y.json')"),
    ],
)
def test_of_paths_the_last_name_is_told(text: str, kept: str):
    assert without_folders(text) == kept
