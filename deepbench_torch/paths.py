"""Turn what a user wrote into a path: the one place, which every entrance uses once."""

import os
from pathlib import Path


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path that a user meant.

    A leading `~` is expanded as a shell does it; every other character stands for itself, so a path
    is never a pattern. Symbolic links are kept.

    Args:
        path: What the user wrote.

    Raises:
        TypeError: If it is not a text or a path.
        ValueError: If it is empty or holds a null character.

    Example:
        >>> user_path("/data/[a].h5").name
        '[a].h5'
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"path: expected a text or a pathlib.Path, got {type(path).__name__}")
    if not text or "\0" in text:
        raise ValueError(
            f"path: expected the name of a file or folder, got {text!r}; write one without null "
            "characters"
        )
    return Path.cwd() / os.path.expanduser(text)
