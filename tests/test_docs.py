"""The documents tell the truth: links lead somewhere, commands and flags exist, and the recipes work."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from lifelong_rl.envs.registry import TASKS
from tests.source_tree import PACKAGES, ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
RECIPES = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
MAX_README_LINES = 150
LINK = re.compile(r"\]\(([^)\s]+)\)")
STEP = re.compile(r"\*\*`(?P<path>[\w/.]+)`\*\*\n```(?P<kind>python|diff)\n(?P<text>.*?)```", re.DOTALL)
TINY = {
    "phases.0.num_epochs": 1, "phases.0.random_env_steps": 100, "phases.0.env_steps_per_round": 20,
    "phases.0.updates_per_round": 3, "evaluation.num_episodes": 2, "task.horizon": 20,
}  # fmt: skip


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def commands(text: str) -> list[str]:
    """What stands in code and begins with python or make, lines that end in a backslash joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    blocks = re.findall(r"^    ((?:[A-Z_]+=\S+ )?(?:python|make) [^#\n`]+)", joined, flags=re.MULTILINE)
    return [line.strip() for line in blocks] + re.findall(r"`((?:python|make) [^`\n]+)`", joined)


@cache
def help_of(script: str) -> str:
    return run(ROOT, script, "-h")


def flags_of(script: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z]\w*", help_of(script)))


def run(root: Path, *words: str) -> str:
    """What a script prints that is run in `root` with the code there."""
    variables = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, *words]
    ended = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """A copy of the code in which every step of every recipe has been taken."""
    root = tmp_path_factory.mktemp("extended")
    for folder in (*PACKAGES, "run_scripts"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for step in STEP.finditer(RECIPES):
        take(root / step["path"], step["kind"], step["text"])
    return root


def take(path: Path, kind: str, text: str) -> None:
    """Writes a whole file, or replaces the lines of a diff, which must stand in the file exactly once."""
    if kind == "python":
        assert not path.exists(), f"the recipe would overwrite {path.name}"
        path.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] != "+")
    new = "".join(line[1:] for line in lines if line[0] != "-")
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, f"{path.name} does not hold these lines once:\n{old}"
    path.write_text(content.replace(old, new), encoding="utf-8")


def run_tiny(root: Path, *flags: str) -> str:
    tiny = [word for path, value in TINY.items() for word in ("-s", f"{path}={value}")]
    return run(root, "run_scripts/qrl_line.py", *tiny, *flags)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path):
    assert broken_links(page) == []


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MAX_README_LINES


def test_the_makefile_has_every_target_that_the_readme_names():
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {"demo", "test", "install"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_names_a_script_that_is_there(page: Path):
    made = {step["path"] for step in STEP.finditer(RECIPES)}  # by the reader, on the way
    scripts = re.findall(r"(?:run_scripts|scripts|benchmarks)/\w+\.py", page.read_text(encoding="utf-8"))
    assert [script for script in scripts if not (ROOT / script).exists() and script not in made] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_of_a_command_is_one_that_its_script_has(page: Path):
    for line in commands(page.read_text(encoding="utf-8")):
        script = re.match(r"(?:[A-Z_]+=\S+ )?python ((?:run_scripts|scripts)/\w+\.py)", line)
        if script and (ROOT / script[1]).exists():
            flags = re.findall(r"(?<=\s)--?[a-z]\w*", line)
            assert set(flags) <= flags_of(script[1]), line


def test_every_flag_that_the_readme_mentions_belongs_to_some_script():
    mentioned = set(re.findall(r"(?<![\w-])--[a-z]\w+", " ".join(re.findall(r"`[^`\n]+`", README))))
    scripts = ["run_scripts/qrl_maze.py", *(f"scripts/{path.name}" for path in (ROOT / "scripts").glob("*.py"))]
    assert mentioned <= set().union(*map(flags_of, scripts))


def test_a_broken_link_a_wrong_heading_and_commands_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One heading\n[a](none.md) [b](#one-heading) [c](#two) [d](page.md) `[e](f)`\n    make it so\n")
    assert broken_links(page) == ["none.md", "#two"]
    assert commands(page.read_text()) == ["make it so"]


def test_the_recipes_for_an_algorithm_and_a_launcher_work(extended):
    flags = ["-s", "task.name=maze2d-umaze-v1", "-s", "agent={name: cloning}", "--mode", "gentle"]
    assert "finished" in run_tiny(extended, *flags)


def test_the_recipes_for_an_environment_a_head_a_sampler_and_a_goal_source_work(extended):
    assert "line-v1" not in TASKS
    flags = ["-s", "agent.network.energy={name: one_sided}", "-s", "sampler.blur=0.01"]
    assert "line-v1: 2 episodes" in run_tiny(extended, *flags)
