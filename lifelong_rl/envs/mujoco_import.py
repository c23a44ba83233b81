"""Imports mujoco, and says in one line what to install where its drawing library is missing: import it from here."""

import os


class NoRendererError(RuntimeError):
    """There is no GL library, or the wrong one was asked for. One line, for the user."""


def no_renderer(error: Exception) -> NoRendererError:
    """What to tell the user; each backend fails in its own obscure way."""
    backend = os.environ.get("MUJOCO_GL") or "unset"
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:60]}"
    return NoRendererError(
        f"cannot draw with MUJOCO_GL={backend} ({reason}). Install the package libosmesa6 and set MUJOCO_GL=osmesa, "
        "or libegl1 and libgl1 and set MUJOCO_GL=egl, before Python starts."
    )


try:
    import mujoco
    from mujoco import rollout
except (AttributeError, ImportError, RuntimeError) as error:
    if not os.environ.get("MUJOCO_GL"):
        raise
    raise no_renderer(error) from error

__all__ = ["NoRendererError", "mujoco", "no_renderer", "rollout"]
