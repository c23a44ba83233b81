"""The dashboard of some folders, from its parts."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_utils.dashboard.security import Access
from experiment_utils.dashboard.selection import select, with_defaults
from experiment_utils.dashboard.source import Found, Source
from experiment_utils.dashboard.view import View

RUNS_AT_ONCE, REST_SECONDS = 10, 0.1  # of reading ahead

if TYPE_CHECKING:
    from dash import Dash


def dashboard(folders: Sequence[Path], access: Access) -> tuple["Dash", Source]:
    """The app, and where its numbers come from: to be closed after it.

    What the first page shows is read while Dash is imported and the browser starts, and then the same of other runs.
    """
    source = Source(folders)
    found = source.found()
    if found.metric:
        threading.Thread(target=_read_ahead, args=[source, found], daemon=True).start()
    return _app(folders, access, source), source


def _read_ahead(source: Source, found: Found) -> None:
    view = with_defaults(View(), found)
    select(view, found, source.read)
    for start in range(0, len(found.runs), RUNS_AT_ONCE):
        time.sleep(REST_SECONDS)  # the processors are for what a user asks for
        source.read(found.runs[start : start + RUNS_AT_ONCE], [view.x, *(view.y or ())])


def _app(folders: Sequence[Path], access: Access, source: Source) -> "Dash":
    from experiment_utils.dashboard import controls
    from experiment_utils.dashboard.callbacks import register
    from experiment_utils.dashboard.export import serve_exports
    from experiment_utils.dashboard.server import make_app

    title = ", ".join(folder.absolute().name for folder in folders)
    app = make_app(
        controls.page, lambda app: register(app, source), access=access, find_run=source.directory_of, title=title
    )
    serve_exports(app.server, source)
    return app
