"""Conversion of users' text to paths, and lists of folders without litter."""

import os
from pathlib import Path

# created by macOS, Windows, KDE, NFS and editors; compared without case
LITTER = frozenset(
    (".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory", "__macosx", ".localized")
)
LITTER_STARTS = ("._", ".nfs", ".#", ".trash", ".spotlight-v100", ".fseventsd")
LITTER_ENDS = ("~", ".swp", ".swo", ".swx")


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return a user's path as an absolute path.

    A leading `~` is expanded as in a shell; no other character has a special meaning, so a path is
    never a pattern. Symbolic links are kept.

    Args:
        path: The user's path.

    Raises:
        TypeError: If it is not a string or a path.
        ValueError: If it is empty or holds a null character.

    Example:
        >>> user_path("/data/[a].h5").name
        '[a].h5'
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        found = type(path).__name__
        raise TypeError(f"path: expected a str or a pathlib.Path, got {found}; write it as a str")
    if not text or "\0" in text:
        raise ValueError(
            f"path: expected the name of a file or folder, got {text!r}; write one without null "
            "characters"
        )
    return Path.cwd() / os.path.expanduser(text)


def is_litter(name: str) -> bool:
    """Return whether a file name is one that systems and editors create in any folder."""
    name = name.casefold()
    return name.startswith(LITTER_STARTS) or name.endswith(LITTER_ENDS) or name in LITTER


def entries(folder: Path) -> list[Path]:
    """Return the files and folders in a folder, sorted by name, without litter.

    Raises:
        OSError: If the folder cannot be listed.
    """
    return sorted(path for path in folder.iterdir() if not is_litter(path.name))


def files_in(folder: Path) -> list[Path]:
    """Return all files in a folder and its folders, sorted, without litter.

    Links to folders are not followed.

    Raises:
        OSError: If a folder cannot be listed.
    """
    found = []
    for path in entries(folder):
        if path.is_dir() and not path.is_symlink():
            found += files_in(path)
        else:
            found.append(path)
    return found
