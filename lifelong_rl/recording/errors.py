"""What goes wrong with snapshots, in one line each."""


class SnapshotError(ValueError):
    """A snapshot cannot be written, read or used; the text is one line that names the place."""


class DiskError(SnapshotError):
    """The disk did not take it: another time it may."""
