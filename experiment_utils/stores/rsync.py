"""A folder of another Linux machine as a store, by the `rsync` and `ssh` programs: `ssh://user@host/folder`."""

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.stores.mirror import Mirror
from experiment_utils.stores.record import PART, Content, Reading
from experiment_utils.stores.retries import retried
from experiment_utils.stores.run_files import RUN_NAME, kept_aside
from experiment_utils.stores.shelf import Entry
from experiment_utils.stores.store import StoreError
from lifelong_rl.config import ConfigError
from lifelong_rl.secrets import mask_secrets

URL = re.compile(
    r"ssh://(?P<host>(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*)(?::(?P<port>\d{1,5}))?"
    r"(?P<folder>/(?:~/)?[A-Za-z0-9_.][A-Za-z0-9_./-]*)"
)
ATTEMPTS = 4
PASSING = {10, 11, 12, 23, 24, 30, 35, 255}  # rsync(1): sockets, streams, files that vanish, time-outs; 255 is ssh's
TAG = "%s-%T@-%i"  # for find(1): size, time and inode
HASH_AND_TAG = f'h=$(sha256sum -- "$1") && printf "%s " "${{h%% *}}" && find "$1" -maxdepth 0 -printf {TAG}'
COPY = f'mkdir -p -- "$2" && cp -- "$1" "$3" && mv -f -- "$3" "$4" && find "$4" -maxdepth 0 -printf {TAG}'
MISSING = "No such file or directory"


class RsyncStore(Mirror):
    """`/~/folder` lies in the home directory. `ssh_options` are words for ssh, like `-i` and a key file."""

    def __init__(self, url: str, ssh_options: Sequence[str] = ()) -> None:
        super().__init__(SshShelf(url, ssh_options))


class SshShelf:
    """rsync writes under a temporary name, verifies and renames. One ssh connection serves all; it never asks."""

    def __init__(self, url: str, ssh_options: Sequence[str] = ()) -> None:
        match = URL.fullmatch(url)
        if match is None or ".." in url:
            raise ConfigError(f"store {url!r}: expected ssh://USER@HOST/FOLDER of letters, digits and ._-, no spaces.")
        for program in ("rsync", "ssh"):
            if shutil.which(program) is None:
                raise ConfigError(f"store {url}: there is no program {program} here; install it.")
        self.url, self._host, folder = url, match["host"], match["folder"].rstrip("/")
        self._folder = folder.removeprefix("/~/")
        self._control = tempfile.TemporaryDirectory(prefix="ssh-")
        self._ssh = [
            "ssh", "-oBatchMode=yes", "-oConnectTimeout=10", "-oServerAliveInterval=15", "-oControlMaster=auto",
            "-oControlPersist=30", f"-oControlPath={self._control.name}/%C",
            *(["-p", match["port"]] if match["port"] else []), *ssh_options,
        ]  # fmt: skip
        if any(re.search(r"[\s'\"]", word) for word in self._ssh):
            raise ConfigError(f"store {url}: rsync takes no ssh options with spaces or quotes, got {self._ssh}.")
        self._folders: set[str] = set()  # made already
        self._patient = True

    def check(self) -> None:
        self._patient = False
        try:
            self._remote("mkdir", "-p", "--", self._folder)
            self._remote("test", "-w", self._folder)
            self._remote("rsync", "--version")
        finally:
            self._patient = True

    def run_names(self) -> list[str]:
        try:
            level = ["-mindepth", "1", "-maxdepth", "1", "-type", "d"]
            found = self._remote("find", self._folder, *level, "-printf", r"%f\0")
        except FileNotFoundError:
            return []
        return [name for name in found.split("\0") if RUN_NAME.fullmatch(name)]

    def entries(self, run: str) -> dict[str, Entry]:
        try:
            found = self._remote("find", f"{self._folder}/{run}", "-type", "f", "-printf", r"%s %T@ %i %P\0")
        except FileNotFoundError:
            return {}
        rows = [row.split(" ", 3) for row in found.split("\0") if row]
        return {path: Entry(int(size), f"{size}-{time}-{inode}") for size, time, inode, path in rows if _is_kept(path)}

    def sha256_of(self, name: str) -> str | None:
        try:
            found = re.match(r"\\?([0-9a-f]{64}) ", self._remote("sha256sum", "--", f"{self._folder}/{name}"))
        except FileNotFoundError:
            return None
        return found[1] if found else None

    def put(self, name: str, reading: Reading, content: Content) -> str:
        target = f"{self._folder}/{name}"
        with tempfile.TemporaryDirectory() as folder:  # the file may grow while rsync reads it
            staged = Path(folder, "staged")
            reading.seek(0)
            with staged.open("xb") as file:
                while piece := reading.read(PART):
                    file.write(piece)
            folder = target.rpartition("/")[0]
            if folder not in self._folders:
                self._remote("mkdir", "-p", "--", folder)
                self._folders.add(folder)
            self._rsync(str(staged), f"{self._host}:{target}")
        digest, _, tag = self._script(HASH_AND_TAG, target).partition(" ")
        if digest.lstrip("\\") != content.sha256:
            raise StoreError(f"store {self.url}/{name}: what is stored is not what was sent.")
        return tag.strip()

    def get(self, name: str, target: Path) -> str:
        self._rsync(f"{self._host}:{self._folder}/{name}", str(target.absolute()))
        with Reading(target) as reading:
            return reading.content().sha256

    def copy(self, source: str, target: str) -> str:
        place = f"{self._folder}/{target}"
        folder, _, file = place.rpartition("/")
        return self._script(COPY, f"{self._folder}/{source}", folder, f"{folder}/.{file}.copied", place)

    def delete(self, name: str) -> None:
        self._remote("rm", "-f", "--", f"{self._folder}/{name}")

    def _script(self, script: str, *words: str) -> str:
        """One of the constants below; what changes comes as `$1`, `$2`, and is never part of its text."""
        return self._remote("sh", "-c", script, "sh", *words)

    def _remote(self, *words: str) -> str:
        """ssh sends one text for the shell at the other end: each word is quoted for it."""
        return self._run([*self._ssh, self._host, shlex.join(["env", "LC_ALL=C", *words])])

    def _rsync(self, source: str, target: str) -> None:
        """Whatever the times of the files say; names are sent apart from the command (`-s`)."""
        self._run(["rsync", "-s", "--ignore-times", "--timeout=60", "-e", " ".join(self._ssh), "--", source, target])

    def _run(self, words: list[str]) -> str:
        return retried(lambda: self._once(words), _may_pass, ATTEMPTS if self._patient else 1)

    def _once(self, words: list[str]) -> str:
        with tempfile.TemporaryFile() as errors:  # not a pipe: the connection that stays open would keep it open
            ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, check=False)
            errors.seek(0)
            text = errors.read().decode(errors="replace").strip()
        if ended.returncode == 0:
            return ended.stdout.decode("utf-8", errors="surrogateescape")
        if MISSING in text and ended.returncode != 255:
            raise FileNotFoundError(text)
        last = (text.splitlines() or [f"exit status {ended.returncode}"])[-1]
        error = _PassingError if ended.returncode in PASSING else StoreError
        raise error(mask_secrets(f"store {self.url}: {words[0]}: {last}"))


class _PassingError(StoreError):
    """Of the connection."""


def _may_pass(error: Exception) -> bool:
    return isinstance(error, _PassingError)


def _is_kept(path: str) -> bool:
    *folders, name = path.split("/")
    hidden = [folder for folder in folders if folder.startswith(".") and not kept_aside(f"{folder}/")]
    return not hidden and not name.startswith(".")
