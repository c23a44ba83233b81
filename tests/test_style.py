"""The house style, as far as a test can watch it; ruff watches the rest."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

from tests.source_tree import FOLDERS, PACKAGES, imports, source, source_files, tree

MAX_FILE_LINES = 250
MAX_RUN_SCRIPT_LINES = 45
MAX_FUNCTION_LINES = 40
DUPLICATE_LINES = 12

OWNED_RANDOMNESS = {"default_rng", "Generator", "SeedSequence", "BitGenerator", "PCG64"}
BARE_RANDOMNESS = re.compile(r"torch\.(rand|randn|randint|randperm|normal|multinomial|bernoulli|rand_like|randn_like)")

everywhere = pytest.mark.parametrize("path", source_files(*FOLDERS), ids=str)
in_runs = pytest.mark.parametrize("path", source_files(*PACKAGES, "run_scripts", "scripts"), ids=str)
in_packages = pytest.mark.parametrize("path", source_files(*PACKAGES), ids=str)


def unowned_randomness(module: ast.Module) -> list[str]:
    """Draws from a generator that nobody owns. The first values of an `nn.Parameter` may: torch's own layers do."""
    found = [f"line {line}: import {name}" for line, name in imports(module, Path("x.py")) if name == "random"]
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    first_values = {id(part) for call in calls if ast.unparse(call.func) == "nn.Parameter" for part in ast.walk(call)}
    for node in ast.walk(module):
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if re.fullmatch(r"(np|numpy)\.random\.\w+", name) and name.split(".")[-1] not in OWNED_RANDOMNESS:
            found.append(f"line {node.lineno}: {name}")
        is_draw = isinstance(node, ast.Call) and BARE_RANDOMNESS.fullmatch(ast.unparse(node.func))
        if is_draw and id(node) not in first_values and "generator" not in {keyword.arg for keyword in node.keywords}:
            found.append(f"line {node.lineno}: {ast.unparse(node)} has no generator")
    return found


def long_functions(module: ast.Module) -> list[str]:
    """Functions that do not fit on a screen."""
    functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    return [f"{name} has {lines} lines" for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES]


def duplicates(texts: dict[str, str]) -> list[str]:
    """Where a run of `DUPLICATE_LINES` lines stands a second time; imports, comments and brackets do not count."""
    first_place: dict[tuple[str, ...], tuple[str, int]] = {}
    found = []
    for name, text in texts.items():
        numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
        code = [(number, line) for number, line in numbered if re.search(r"^(?!#|import |from ).*\w", line)]
        for start in range(len(code) - DUPLICATE_LINES + 1):
            window = tuple(line for _, line in code[start : start + DUPLICATE_LINES])
            place = first_place.setdefault(window, (name, start))
            if place[0] != name or start - place[1] >= DUPLICATE_LINES:
                found.append(f"{name}:{code[start][0]} repeats lines of {place[0]}")
    return found


def import_graph() -> dict[str, set[str]]:
    """Module -> the modules of ours that importing it runs."""
    paths = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in source_files(*PACKAGES)}
    graph: dict[str, set[str]] = {module: set() for module in paths}
    for module, path in paths.items():
        for _, name in imports(tree(path), path, inside_functions=False):
            target = name if name in paths else name.rpartition(".")[0]
            if target in paths and target != module:
                graph[module].add(target)
    return graph


@everywhere
def test_a_file_opens_with_a_docstring_and_stays_short(path: Path):
    lines = source(path).splitlines()
    limit = MAX_RUN_SCRIPT_LINES if path.parts[0] == "run_scripts" else MAX_FILE_LINES
    assert lines[0].startswith('"""')
    assert len(lines) <= limit, f"{path} has {len(lines)} lines; at most {limit}"


@everywhere
def test_functions_fit_on_a_screen(path: Path):
    assert not long_functions(tree(path))



@in_runs
def test_randomness_has_an_owner(path: Path):
    if path.name == "global_randomness.py":  # the one file that keeps what nobody owns
        return
    assert not unowned_randomness(tree(path))


@everywhere
def test_names_are_imported_one_by_one_and_no_note_to_self_is_left(path: Path):
    assert not [name for _, name in imports(tree(path), path) if name.endswith(".*")]
    assert not re.search(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b", source(path))


@in_packages
def test_time_outs_and_ends_have_names_of_their_own(path: Path):
    names = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    assert "done" not in names, "say terminated, truncated or ended"


def test_no_module_imports_itself_by_way_of_others():
    graphlib.TopologicalSorter(import_graph()).prepare()


def test_nothing_is_written_twice():
    paths = source_files(*(set(FOLDERS) - {"run_scripts"}))
    assert not duplicates({str(path): source(path) for path in paths})


def test_the_rules_catch_what_they_forbid():
    random = "import random\nnp.random.rand(3)\ntorch.randn(3)\ntorch.randperm(3)"
    long = "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES
    block = "\n".join(f"x{i} = {i}" for i in range(DUPLICATE_LINES))

    assert len(unowned_randomness(ast.parse(random))) == 4
    assert long_functions(ast.parse(long)) == ["f has 41 lines"]
    assert duplicates({"a.py": block, "b.py": "y = 0\n" + block}) == ["b.py:2 repeats lines of a.py"]


def test_the_rules_leave_alone_what_only_looks_alike():
    owned = "np.random.default_rng(0)\ntorch.randn(3, generator=g)\nx: np.random.Generator"
    weights = "nn.Parameter(torch.randn(3) * 2)"
    block = "\n".join(f"x{i} = {i}" for i in range(DUPLICATE_LINES - 1))

    assert unowned_randomness(ast.parse(owned + "\n" + weights)) == []
    assert duplicates({"a.py": block, "b.py": block}) == []
