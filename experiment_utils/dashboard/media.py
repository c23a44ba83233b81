"""Pictures and films of a run, served by the run's id and the file's, never by a path.

SVG is left out: it is a document that can carry scripts.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from flask import Flask, Response

MIMETYPES = {".mp4": "video/mp4", ".gif": "image/gif", ".png": "image/png"}
PLACES = ("videos/*", "pictures/*", "*.png", "exports/*/replay.mp4")
HEX_ID = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class Media:
    """A file that a browser can show; a gif is a picture to it. `name` is the path below the run's directory, `path`
    is where it leads, links followed."""

    id: str
    name: str
    kind: Literal["video", "picture"]
    path: Path


def hex_id(name: str) -> str:
    """16 hex digits that stand for the name."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def media_of(directory: Path) -> list[Media]:
    """What the run has to show, by name. A link that leads out of its directory is left out."""
    root = directory.resolve()
    found = (path for place in PLACES for path in directory.glob(place) if path.suffix in MIMETYPES)
    targets = {path.relative_to(directory).as_posix(): path.resolve() for path in found}
    own = sorted((name, path) for name, path in targets.items() if path.is_relative_to(root) and path.is_file())
    return [_media(name, path) for name, path in own]


def media_url(run_id: str, media: Media) -> str:
    """Where `serve_media` serves it; for the `src` of a picture or a film."""
    return f"/media/{run_id}/{media.id}"


def serve_media(server: "Flask", find_run: Callable[[str], Path | None]) -> None:
    """`find_run` gives the directory of a run by its id, None if there is no such run."""
    from flask import abort, send_file

    @server.get("/media/<run_id>/<file_id>")
    def media(run_id: str, file_id: str) -> "Response":
        directory = find_run(run_id) if HEX_ID.fullmatch(file_id) else None
        files = {entry.id: entry for entry in media_of(directory)} if directory is not None else {}
        if file_id not in files:
            abort(404)
        return send_file(files[file_id].path, mimetype=MIMETYPES[Path(files[file_id].name).suffix], conditional=True)


def _media(name: str, path: Path) -> Media:
    return Media(id=hex_id(name), name=name, kind="video" if name.endswith(".mp4") else "picture", path=path)
