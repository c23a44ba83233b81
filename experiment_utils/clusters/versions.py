"""Which versions are installed here: hosts must have the same of some."""

from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str | None:
    """None where it is not installed; nothing is imported."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
