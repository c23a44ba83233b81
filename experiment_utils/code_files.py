"""Which files of a checkout go to other machines: what git tracks or does not ignore, and never a credential.

Names of `NEVER` and lines of `.codeignore` (shell patterns) are left out; a file that holds a credential stops it all.
"""

import fnmatch
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lifelong_rl.config import ConfigError
from lifelong_rl.secret_names import is_random
from lifelong_rl.secrets import MASK, Known, known_secrets, mask_secrets

PACKAGES = ("lifelong_rl", "experiment_configs", "experiment_utils")
IGNORE = ".codeignore"
NEVER = (
    ".env", ".env.*", ".envrc", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc", ".git-credentials", ".vault_pass",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.kdbx", "id_*",
)  # fmt: skip
NEVER_FOLDERS = {".git", ".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", "wandb", "__pycache__"}
NEVER_AT_TOP = {"data", "agent_data"}
MIN_DISTINCT = 9  # characters of a credential; an example like "hunter2hunter2" has fewer

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:\\n|[\s\"'+,])*[A-Za-z0-9+/=]{40}")


@dataclass(frozen=True, order=True)
class ShippedFile:
    """`path` from the root on. A link has a target instead of content."""

    path: str
    content: bytes
    is_executable: bool = False
    target: str | None = None


def code_files(root: Path) -> tuple[list[str], list[str]]:
    """What is shipped and what is left out, sorted. Of an installed package, which is no checkout, its sources."""
    listed = _listed_by_git(root) or _sources(root)
    if not listed:
        raise ConfigError(f"{root}: no code to ship. Start from a checkout: git clone, then pip install -e .")
    patterns = _patterns(root)
    shipped = [path for path in listed if not is_left_out(path, patterns)]
    return sorted(shipped), sorted(set(listed) - set(shipped))


def is_left_out(path: str, patterns: Sequence[str] = ()) -> bool:
    """By its name alone, whatever git says."""
    *folders, name = path.split("/")
    if folders and (folders[0] in NEVER_AT_TOP or not NEVER_FOLDERS.isdisjoint(folders)):
        return True
    is_key = any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in NEVER)
    is_module = name.startswith("id_") and name.endswith(".py")  # scanned like any other
    return (is_key and not is_module) or any(_matches(path, pattern) for pattern in patterns)


def read_file(root: Path, path: str, known: Known | None = None) -> ShippedFile:
    """Refuses links that lead out, and credentials; the complaint names the file."""
    place = root / path
    if place.is_symlink():
        target = place.readlink().as_posix()
        if PurePosixPath(target).is_absolute() or not place.resolve().is_relative_to(root.resolve()):
            raise ConfigError(f"{place}: a link that leads out of {root} cannot be shipped; list it in {IGNORE}.")
        return ShippedFile(path, b"", target=target)
    if not place.is_file():
        raise ConfigError(f"{place}: neither a file nor a link, it cannot be shipped; list it in {IGNORE}.")
    content = place.read_bytes()
    if line := credential_line(content, known_secrets(os.environ) if known is None else known):
        raise ConfigError(f"{place}, line {line}: holds a credential. Take it out, or list the file in {IGNORE}.")
    return ShippedFile(path, content, is_executable=bool(place.stat().st_mode & 0o100))


def credential_line(content: bytes, known: Known) -> int:
    """The line of the first private key, credential of the environment, or random-looking one; 0 if there is none."""
    text = content.decode("utf-8", errors="replace")
    starts = [text.find(value) for value in known]
    starts += [match.start() for match in [_PRIVATE_KEY.search(text)] if match]
    starts = [start for start in starts if start >= 0]
    if starts:
        return text.count("\n", 0, min(starts)) + 1
    if b"\0" in content[:8192] or mask_secrets(text, ()) == text:
        return 0
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if _looks_real(line, mask_secrets(line, ()))), 0)


def git(root: Path, *words: str) -> bytes | None:
    """What git prints; None where there is none, or no repository."""
    try:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _looks_real(line: str, masked: str) -> bool:
    """What was masked is long, random, and no example of a few repeated letters."""
    if line == masked:
        return False
    around = re.fullmatch("(.+?)".join(map(re.escape, masked.split(MASK))), line)
    pieces = around.groups() if around else (line,)
    return any(is_random(piece) and len(set(piece)) >= MIN_DISTINCT for piece in pieces)


def _listed_by_git(root: Path) -> list[str]:
    """Of repositories within it (submodules), their files."""
    found = []
    for name in (git(root, "ls-files", "-z", "-co", "--exclude-standard") or b"").split(b"\0"):
        path = os.fsdecode(name).rstrip("/")
        place = root / path
        if path and place.is_dir() and not place.is_symlink():
            found += [f"{path}/{inner}" for inner in _listed_by_git(place) if (place / ".git").exists()]
        elif path and (place.exists() or place.is_symlink()):
            found.append(path)
    return sorted(set(found))


def _sources(root: Path) -> list[str]:
    files = [path for package in PACKAGES for path in (root / package).rglob("*") if path.is_file()]
    return [path.relative_to(root).as_posix() for path in files if path.suffix not in (".pyc", ".so")]


def _patterns(root: Path) -> list[str]:
    path = root / IGNORE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _matches(path: str, pattern: str) -> bool:
    """A folder stands for all in it: `tests/`."""
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, f"{pattern.rstrip('/')}/*")
