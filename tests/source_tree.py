"""Reads the repository's own source, for the tests that watch its shape."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("lifelong_rl", "experiment_configs", "experiment_utils")
FOLDERS = (*PACKAGES, "run_scripts", "scripts", "benchmarks", "tests")


@cache
def source_files(*folders: str) -> tuple[Path, ...]:
    """The Python files of these top-level folders, as paths from the root, empty ones left out."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.stat().st_size)
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def source(path: Path) -> str:
    """The text of a file, named from the root."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file, named from the root."""
    return ast.parse(source(path), filename=str(path))


def imports(module: ast.Module, path: Path, *, inside_functions: bool = True) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that a file imports, relative names made whole: `from a import b` gives a.b."""
    package = path.parent.parts
    for node in _walk(module, inside_functions):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = [*base, *(node.module or "").split(".")] if node.module else list(base)
            yield from ((node.lineno, ".".join([*parts, alias.name])) for alias in node.names)


def _walk(node: ast.AST, inside_functions: bool) -> Iterator[ast.AST]:
    """Every node below; without functions' bodies and `if TYPE_CHECKING:` blocks, only what runs on import."""
    for child in ast.iter_child_nodes(node):
        yield child
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if inside_functions or not (is_function or is_for_types):
            yield from _walk(child, inside_functions)
