"""Where machines share no folder: a run is brought before its job starts, and sent back while it works and after."""

import socket
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from experiment_utils.run_lock import HeldError
from experiment_utils.stores.store import Store, StoreError


class Results:
    """Sends in a thread of its own: a slow line keeps no signal from the job. Without a store it does nothing."""

    def __init__(self, store: Store | None, run_dir: Path, push_seconds: float) -> None:
        self._store, self._run_dir, self._push_seconds = store, run_dir, push_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._send_meanwhile, name="results", daemon=True)
        self.are_ours = True  # false where another process works in the run directory, and sends them
        self.are_sent = True

    def bring(self) -> None:
        """HeldError, StoreError."""
        if self._store is not None:
            self._store.pull(self._run_dir)

    def __enter__(self) -> Self:
        if self._store is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is None:
            return
        self._is_over.set()
        self._thread.join()
        self.are_sent = not self.are_ours or self._send("They lie on {host}, and the next start there sends them.")

    def _send_meanwhile(self) -> None:
        while not self._is_over.wait(self._push_seconds):
            self._send("The next time may go better.")

    def _send(self, hope: str) -> bool:
        try:
            self._store.push(self._run_dir)  # type: ignore[union-attr]
        except (StoreError, HeldError, OSError) as error:
            hope = hope.format(host=socket.gethostname())
            print(f"warning: results of {self._run_dir} were not sent: {error} {hope}", file=sys.stderr, flush=True)
            return False
        return True
