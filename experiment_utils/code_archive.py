"""The code of a sweep as one file, named by its content: every job runs what was there when the sweep began.

    code-0a1b2c3d4e5f6071.tar.gz     the first 16 digits of the file's sha256; the same tree gives the same file
        lifelong_rl/...              as `code_files.py` says
        commit.txt                   what it was made of
        code.patch                   uncommitted changes, with credentials masked (they are in the files already)

`python -m experiment_utils.code_archive --list` prints what would be shipped, largest first.
"""

import argparse
import contextlib
import gzip
import hashlib
import io
import os
import re
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from experiment_utils.checkout import ROOT
from experiment_utils.code_files import IGNORE, ShippedFile, code_files, git, is_left_out, read_file
from lifelong_rl.config import ConfigError
from lifelong_rl.secrets import mask_secrets

LIMIT_MB = 50.0
NAME = re.compile(r"code-([0-9a-f]{16})\.tar\.gz")
COMMIT, PATCH = "commit.txt", "code.patch"
MAX_UNPACKED_BYTES, MAX_FILES = 2 << 30, 200_000
CHUNK = 1 << 20


def pack(folder: Path, root: Path = ROOT, limit_mb: float = LIMIT_MB) -> Path:
    """Writes the archive of the code at `root` into `folder`, if it is not there yet; returns its path."""
    paths, _ = code_files(root)
    check_size(root, paths, limit_mb)
    files = [read_file(root, path) for path in paths if path not in (COMMIT, PATCH)]
    content = _archive(sorted([*files, *_origin(root)]))

    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"code-{hashlib.sha256(content).hexdigest()[:16]}.tar.gz"
    if not archive.exists():
        temporary = archive.with_name(f".{archive.name}.{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(archive)
    return archive


def unpack(archive: Path, folder: Path) -> Path:
    """`folder`/code-<16 digits>, whole: the first of several processes unpacks, the others find it there."""
    match = NAME.fullmatch(archive.name)
    if match is None:
        raise ConfigError(f"{archive}: expected a name like code-<16 digits>.tar.gz, as `pack` gives it.")
    target = folder / archive.name.removesuffix(".tar.gz")
    if target.is_dir():
        return target
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    if digest != match[1]:
        raise ConfigError(f"{archive}: damaged, its sha256 begins with {digest}.")

    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.tmp-", dir=folder))
    try:
        _extract(archive, temporary)
        temporary.chmod(0o755)
        with contextlib.suppress(OSError):  # another one was quicker
            temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if not target.is_dir():
        raise ConfigError(f"{target}: cannot be made; something else is there.")
    return target


def check_size(root: Path, paths: list[str], limit_mb: float) -> None:
    """Raises ConfigError with the largest files where they are more than `limit_mb` together."""
    sizes = _sizes(root, paths)
    total = sum(sizes.values()) / 1e6
    if total > limit_mb:
        largest = ", ".join(f"{path} ({size / 1e6:.1f} MB)" for path, size in list(sizes.items())[:8])
        raise ConfigError(
            f"{root}: the code to ship is {total:.1f} MB, more than {limit_mb:g} MB. Largest: {largest}."
            f" Leave files out by .gitignore or {IGNORE}."
        )


def main() -> int:
    """The command line."""
    about = "Code for other machines."
    parser = argparse.ArgumentParser(prog="python -m experiment_utils.code_archive", description=about)
    parser.add_argument("--list", action="store_true", help="print what would be shipped, largest first (the default)")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write the archive there instead")
    parser.add_argument("--limit_mb", type=float, default=LIMIT_MB, help="size of all files together")
    flags = parser.parse_args()
    try:
        if flags.output is not None and not flags.list:
            print(pack(flags.output, limit_mb=flags.limit_mb))
        else:
            _print_list(ROOT)
    except (ConfigError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _print_list(root: Path) -> None:
    paths, left_out = code_files(root)
    sizes = _sizes(root, paths)
    for path, size in sizes.items():
        print(f"{size:>12,}  {path}")
    print(f"{len(paths)} files, {sum(sizes.values()) / 1e6:.1f} MB, of {root}")
    if left_out:
        print(f"left out by name: {', '.join(left_out[:20])}{', ...' if len(left_out) > 20 else ''}")
    for path in paths:
        read_file(root, path)  # complains of what would stop it


def _sizes(root: Path, paths: list[str]) -> dict[str, int]:
    sizes = {path: (root / path).lstat().st_size for path in paths}
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _origin(root: Path) -> list[ShippedFile]:
    commit = git(root, "rev-parse", "HEAD")
    changed = os.fsdecode(git(root, "diff", "HEAD", "--name-only", "--relative", "-z") or b"").split("\0")
    excluded = [f":(exclude,literal){path}" for path in changed if path and is_left_out(path)]
    words = ["--no-color", "--no-ext-diff", "--no-textconv", "--relative"]
    patch = git(root, "diff", "HEAD", *words, "--", ".", *excluded) or b""
    masked = mask_secrets(patch.decode("utf-8", errors="replace"))
    about = (commit or b"not a git checkout\n").decode()
    return [ShippedFile(COMMIT, about.encode()), ShippedFile(PATCH, masked.encode())]


def _archive(files: list[ShippedFile]) -> bytes:
    """No times, no owners, a fixed order."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in files:
            entry = tarfile.TarInfo(file.path)
            entry.mode = 0o755 if file.is_executable else 0o644
            if file.target is None:
                entry.size = len(file.content)
                tar.addfile(entry, io.BytesIO(file.content))
            else:
                entry.type, entry.linkname = tarfile.SYMTYPE, file.target
                tar.addfile(entry)
    return buffer.getvalue()


def _extract(archive: Path, folder: Path) -> None:
    """Files first and links last, so that no file goes through a link."""
    with tempfile.TemporaryFile() as unpacked:
        _decompress(archive, unpacked)
        try:
            with tarfile.open(fileobj=unpacked, mode="r:") as tar:
                links = []
                for number, entry in enumerate(tar):
                    _check(archive, entry, number)
                    if entry.issym():
                        links.append(entry)
                    else:
                        _write(tar, entry, folder / entry.name)
                _make_links(archive, links, folder)
        except (tarfile.TarError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ConfigError(f"{archive}: damaged, {type(error).__name__}: {error}.") from None


def _make_links(archive: Path, links: list[tarfile.TarInfo], folder: Path) -> None:
    root = folder.resolve()
    for entry in links:
        path = folder / entry.name
        if not path.parent.resolve().is_relative_to(root):
            raise ConfigError(f"{archive}: {entry.name!r} lies behind a link.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(entry.linkname)
    for entry in links:
        if not (folder / entry.name).resolve().is_relative_to(root):
            raise ConfigError(f"{archive}: the link {entry.name!r} leads out of the archive.")


def _decompress(archive: Path, target: IO[bytes]) -> None:
    try:
        with gzip.open(archive, "rb") as packed:
            while piece := packed.read(CHUNK):
                target.write(piece)
                if target.tell() > MAX_UNPACKED_BYTES:
                    raise ConfigError(f"{archive}: unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB.")
    except (EOFError, gzip.BadGzipFile) as error:
        raise ConfigError(f"{archive}: damaged, {error}.") from None
    target.seek(0)


def _check(archive: Path, entry: tarfile.TarInfo, number: int) -> None:
    parts = entry.name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts) or not entry.name.isprintable():
        raise ConfigError(f"{archive}: {entry.name!r} is no name within the archive.")
    if not (entry.isreg() or entry.issym()) or entry.linkname.startswith("/"):
        raise ConfigError(f"{archive}: {entry.name!r} is neither a file nor a link within the archive.")
    if number >= MAX_FILES:
        raise ConfigError(f"{archive}: more than {MAX_FILES} files.")


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(source, file)  # type: ignore[arg-type]
    path.chmod(0o755 if entry.mode & 0o100 else 0o644)


if __name__ == "__main__":
    sys.exit(main())
