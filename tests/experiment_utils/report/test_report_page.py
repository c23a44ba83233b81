"""The report's files: whole, alike for the same runs, closed to hostile names, and without anybody's secrets."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from experiment_utils.report.making import FILES, make_report
from tests.experiment_utils.report.written_runs import SCORE, SUCCESS, study_of, write_finals, write_run

SECRET = "hf_" + "a1B2" * 8
HOSTILE = [
    "<script>window.hacked=1</script>", r"\input{/etc/passwd}", "a|b", "</script><img src=x onerror=hacked()>",
    r"$\frac{", "$x$ $y$", "`b`\n# c", "\u202etxt.exe\x00", "_hidden", "%s{}",
]  # fmt: skip


class Page(HTMLParser):
    """Tags with their attributes, texts, and what stands in scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.scripts.append(data)
        elif self.lasttag != "style":
            self.words += data


def report(folder: Path, **wishes: object) -> tuple[Path, Page]:
    """Of the runs in `folder`, without scripts."""
    output = folder / "report"
    make_report(study_of(folder, **wishes), output, static=True)
    return output, Page((output / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    """A report of tasks, methods, a metric and a folder with such names, and of secrets."""
    folder = tmp_path_factory.mktemp("data") / "x<b>y"
    for number, name in enumerate(HOSTILE):
        variant = {"task": {"name": HOSTILE[number % 2]}, "agent": {"name": name}, "key": SECRET, "api_key": "hunter2"}
        write_run(folder, f"{number:08x}-s0", variant, [{SUCCESS: 0.5, "<i>$x$": 1.0}])
    write_run(folder, "ffffffff-s0", {"agent": {"name": "late"}}, [{SUCCESS: 0.1}], state="failed",
              error=f"<b>no</b> /home/ada/x.py token={SECRET}")  # fmt: skip
    return report(folder, y=(SUCCESS, "<i>$x$"))


@pytest.fixture(scope="module")
def maze(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    """A report of two methods on a task of which published scores are known."""
    folder = tmp_path_factory.mktemp("data")
    for agent, scores in (("qrl", [150.0, 151.0, 152.0]), ("bc", [1.0, 2.0, 3.0])):
        write_finals(folder, agent, scores, SCORE, task="maze2d-umaze-v1")
    return report(folder)


def test_hostile_names_are_shown_and_never_read(hostile: tuple[Path, Page]):
    output, page = hostile
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "object", "b", "i"} == set()
    assert all(attributes["src"].startswith("data:image/svg+xml;") for tag, attributes in page.tags if tag == "img")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>window.hacked=1</script>" in page.words and r"\input{/etc/passwd}" in page.words
    latex, markdown = (output / "table.tex").read_text(), (output / "table.md").read_text()
    assert r"\input{" not in latex and r"\textbackslash{}input\{/etc/passwd\}" in latex
    assert "<" not in markdown
    rows = re.search(r"\| --- .*?\n\n", markdown, re.DOTALL)[0].strip().splitlines()
    assert len(rows) == 2 + len(HOSTILE) and len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_secrets_and_folders_are_masked_everywhere(hostile: tuple[Path, Page]):
    output, page = hostile
    for path in output.iterdir():
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [word for word in (SECRET, "hunter2", "/home/ada", str(output.parent)) if word in text], path
    assert "<b>no</b> …/x.py token=***" in page.words


def test_a_policy_lets_only_the_pages_own_scripts_run(tmp_path: Path):
    write_finals(tmp_path, "</script>", [0.1, 0.2, 0.3], SUCCESS)
    make_report(study_of(tmp_path), tmp_path / "report")
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    bodies = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    assert len(bodies) == 2 and re.findall(r"sha256-([^']*)", policy) == digests
    assert not re.search(r'(src|href)="(?!data:)', text.replace(bodies[0], ""))
    figures = re.findall(r'<script type="application/json" id="figure[^>]*>(.*?)</script>', text, re.DOTALL)
    assert [json.loads(figure)["data"][0]["type"] for figure in figures] == ["scatter"]


def test_cited_scores_stand_below_with_their_sources_and_are_never_bold(maze: tuple[Path, Page]):
    output, page = maze
    text = (output / "report.html").read_text()
    measured, cited = re.search(r'<tbody>(.*?)</tbody>\n<tbody class="cited">(.*?)</tbody>', text, re.DOTALL).groups()
    assert "<b>151.0</b>" in measured and "<b>" not in cited and "SAC-N<sup>" in cited
    assert "CORL" in page.words and "Not measured here:" in page.words
    markdown, latex = (output / "table.md").read_text(), (output / "table.tex").read_text()
    assert "**151.0**" in markdown and "tinkoff-ai/CORL" in markdown
    assert r"\textbf{151.0}" in latex and r"\emph{SAC-N}$^{" in latex and latex.count(r"\textbf") == 1


def test_the_numbers_are_those_of_the_runs(maze: tuple[Path, Page]):
    numbers = json.loads((maze[0] / "scores.json").read_text())
    cloning, qrl = numbers["scores"]
    assert (cloning["estimate"], [run["value"] for run in qrl["runs"]]) == (2.0, [150.0, 151.0, 152.0])
    assert qrl["low"] == pytest.approx(151 - 4.302653 / 3**0.5) and qrl["is_clearly_best"]
    assert [one["probability"] for one in numbers["improvements"]] == [0.0]
    assert {one["name"] for one in numbers["cited"]} >= {"SAC-N", "D4RL, waypoint controller"}


def test_the_same_runs_make_the_same_files_but_for_the_date(maze: tuple[Path, Page], tmp_path: Path):
    make_report(study_of(maze[0].parent), tmp_path, static=True)
    date = re.compile(rb"20\d\d-\d\d-\d\d \d\d:\d\d UTC")
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    for path in tmp_path.iterdir():
        assert date.sub(b"", path.read_bytes()) == date.sub(b"", (maze[0] / path.name).read_bytes()), path.name


def test_a_report_replaces_an_older_one_and_leaves_other_files(tmp_path: Path):
    write_finals(tmp_path, "qrl", [0.1, 0.9, 0.4], SUCCESS)
    for number, run in enumerate(sorted(tmp_path.iterdir())):
        matplotlib.image.imsave(run / "value_map.png", np.full((4, 4), number))
        (run / "huge.png").write_bytes(b"x" * 600_000)
    output = tmp_path / "report"
    output.mkdir()
    for name in ("profiles.pdf", "report.html", "mine.txt"):
        (output / name).write_text("old")
    _, page = report(tmp_path)
    assert not (output / "profiles.pdf").exists() and (output / "mine.txt").read_text() == "old"
    assert page.words and not list(output.glob(".*"))
    assert not page.scripts and "script-src 'none'" in (output / "report.html").read_text()
    shown = [attributes["src"] for tag, attributes in page.tags if tag == "img" and "image/png" in attributes["src"]]
    assert len(shown) == 1 and "-s2 · value_map.png" in page.words, "of the middle run, and the huge one not"
