"""How numbers and names are written, so that HTML, Markdown and LaTeX read them as nothing but text."""

import html
import math
import re

from experiment_utils.results.finals import is_success_rate

MAX_NAME = 60  # characters
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")  # and what turns text round
_SURROGATES = re.compile("[\ud800-\udfff]")
_FOLDERS = re.compile(r"(?<![\w./:~-])~?/(?:[^\s/'\",:;]+/)+")
_MARKDOWN = re.compile(r"([\\`*_\[\]#|~])")
_LATEX = {sign: f"\\{sign}" for sign in "{}$&#_%"} | {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}",
    "±": r"$\pm$", "−": "$-$", "…": r"\dots{}",
}  # fmt: skip


def plain(text: object) -> str:
    """One line of what can be seen."""
    return _SURROGATES.sub("\ufffd", _UNSEEN.sub(" ", str(text))).strip()


def name_of(text: str) -> str:
    """For a legend or a heading: plain, and not longer than anybody reads."""
    words = plain(text)
    return words if len(words) <= MAX_NAME else f"{words[: MAX_NAME - 1]}…"


def without_folders(text: str) -> str:
    """Of absolute paths only the last name: how somebody's disk is laid out is nobody's business."""
    return _FOLDERS.sub("…/", text)


def heading(metric: str) -> str:
    """`evaluation/multi/success_rate` is "multi: success, %"."""
    *area, last = metric.removeprefix("evaluation/").split("/")
    words = last.removesuffix("_rate") + ", %" if is_success_rate(metric) else last
    return plain(": ".join([*area, words]).replace("_", " "))


def number(value: float, metric: str, size: float | None = None) -> str:
    """As many digits as a number of that size needs, by default its own; a rate of success in percent, without the
    sign. Empty where there is none."""
    if not math.isfinite(value):
        return ""
    if is_success_rate(metric):
        return f"{100 * value:.1f}"
    size = abs(value) if size is None else size
    if value == 0 or 1e-3 <= size < 1e7:
        return f"{value:,.{_digits(size)}f}"
    return f"{value:.3g}"


def runs_in_words(count: int) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} run{'s' * (count != 1)}"


def share(value: float, digits: int = 2) -> str:
    """A probability, or another part of 1."""
    return f"{value:.{digits}f}"


def as_html(text: object) -> str:
    """In an element or between quotes of an attribute."""
    return html.escape(plain(text))


def as_markdown(text: object) -> str:
    """In a paragraph or a cell: neither markup, nor HTML, nor the cell's end."""
    escaped = _MARKDOWN.sub(r"\\\1", plain(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_latex(text: object) -> str:
    """In a paragraph or a cell: no sign of it is a command."""
    return "".join(_LATEX.get(sign, sign) for sign in plain(text))


def _digits(size: float) -> int:
    return 0 if size >= 1000 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
