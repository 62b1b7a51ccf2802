"""Replace only files that this package wrote, and keep all others."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from deepbench_torch.storage.hdf5.owned import is_own_file
from deepbench_torch.storage.names import LIST, METADATA, beside, keyed
from deepbench_torch.storage.owned import every_file, is_empty, own_files

OLD = ".old"  # end of the name of what is replaced, until it is removed


class Existing(NamedTuple):
    """File or folder that exists before a catalogue is written.

    Attributes:
        folder: Whether it is a folder.
        own: The files of a folder that this package wrote, relative to it.
        others: All other files, links and empty folders in it.
        empty: Whether it is a folder that holds no file but litter.
    """

    folder: bool
    own: frozenset[Path]
    others: tuple[Path, ...]
    empty: bool


def real_target(path: Path) -> Path:
    """Return the path that a symbolic link leads to, or the path itself.

    Raises:
        OSError: If the link leads to itself.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


def find_existing(target: Path) -> Existing | None:
    """Return the file or folder at a path; None if it does not exist.

    Raises:
        FileExistsError: If it is not a catalogue or a collection of this package.
        OSError: If the system refuses to read it.
    """
    try:
        mode = target.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISREG(mode) and is_own_file(target):
        return Existing(folder=False, own=frozenset(), others=(), empty=False)
    if not stat.S_ISDIR(mode):
        raise FileExistsError(
            f"path: expected a catalogue of deepbench_torch to replace, got {str(target)!r}, which "
            "this package did not write; delete it yourself, or choose another path"
        )
    own = own_files(target)
    if own is None and not is_empty(target):
        first = next(every_file(target))
        raise FileExistsError(
            f"path: expected a catalogue of deepbench_torch to replace, got {str(target)!r}, which "
            f"is a folder that holds no catalogue but {first.as_posix()!r}; choose another path"
        )
    others = tuple(path for path in every_file(target) if path not in (own or ()))
    return Existing(folder=True, own=frozenset(own or ()), others=others, empty=own is None)


def check_kept(existing: Existing | None, target: Path, *, folder: bool) -> None:
    """Refuse to replace a folder by a file where something in the folder would be lost.

    Args:
        existing: File or folder at the path.
        target: The path.
        folder: Whether a folder is written.

    Raises:
        FileExistsError: If the folder is empty or holds files of others.
        PermissionError: If the files of a folder may not be removed from it.
    """
    if existing is None or not existing.folder:
        return
    for parent in {target / path.parent for path in existing.own}:
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(parent))
    if folder:
        return
    if existing.empty:
        raise FileExistsError(
            f"path: expected the name of a file, got the folder {str(target)!r}; name a file in "
            "it, or pass a format that is a folder"
        )
    if existing.others:
        raise FileExistsError(
            f"path: expected a folder without files of others to replace by a file, got "
            f"{str(target / existing.others[0])!r}; move it elsewhere, or choose another path"
        )


def replace(written: Path, target: Path, *, key: str) -> None:
    """Move what was written into place and remove what this package wrote there before.

    A folder needs two renames: the old one is moved aside first. Files of others in it are linked
    into the new folder before, so that they always exist.

    Args:
        written: The new file or folder, on the same disk.
        target: Its final name.
        key: Twelve hexadecimal digits for the name of the old one.

    Raises:
        FileExistsError: If a file of others cannot be kept; nothing has changed then.
    """
    existing = find_existing(target)
    check_kept(existing, target, folder=written.is_dir())
    if existing is None or not (existing.folder or written.is_dir()):
        os.replace(written, target)
        return
    for path in existing.others:
        _keep(target / path, written / path)
    aside = beside(target, f".{key}{OLD}", hidden=True)
    os.replace(target, aside)
    try:
        os.replace(written, target)
    except BaseException:
        os.replace(aside, target)
        raise
    _clear(aside, target)


def recover(target: Path) -> None:
    """Finish or undo a replacement that was stopped between its two renames."""
    for aside in keyed(target, OLD, hidden=True):
        if not aside.is_dir() and not is_own_file(aside):
            continue
        if not os.path.lexists(target):
            os.replace(aside, target)
        else:
            _clear(aside, target)


def _keep(path: Path, copy: Path) -> None:
    """Give a file of others a second name in the new folder.

    Raises:
        FileExistsError: If there is another of that name, or the disk knows no second names.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            copy.mkdir(parents=True, exist_ok=True)
            return
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            copy.symlink_to(os.readlink(path))
        else:
            os.link(path, copy)
    except OSError as error:
        raise FileExistsError(
            f"path: expected only files of this catalogue in the folder, got {str(path)!r}, which "
            f"cannot be kept ({error.strerror}); move it elsewhere"
        ) from error


def _clear(aside: Path, target: Path) -> None:
    """Remove the replaced catalogue; what others wrote is left under its second name."""
    if not aside.is_dir():
        aside.unlink()
        return
    own = own_files(aside) or set()
    proof = (
        Path(METADATA),
        Path(LIST),
    )  # removed last, as proof after a kill
    for path in sorted(every_file(aside), key=lambda path: (path in proof, path)):
        if path in own or _same(aside / path, target / path):
            _remove(aside, path)
    if aside.exists():  # written by others meanwhile
        os.replace(aside, beside(target, f".{uuid4().hex[:12]}.kept"))


def _remove(folder: Path, path: Path) -> None:
    """Remove a file or an empty folder, and the folders that it leaves empty."""
    at = folder / path
    if at.is_dir() and not at.is_symlink():
        at.rmdir()
    else:
        at.unlink()
    for parent in path.parents:
        with suppress(OSError):  # it holds something else
            (folder / parent).rmdir()


def _same(path: Path, other: Path) -> bool:
    """Return whether two names are of one file, of equal links, or both of folders."""
    try:
        one, two = path.lstat(), other.lstat()
    except OSError:
        return False
    if stat.S_ISLNK(one.st_mode) and stat.S_ISLNK(two.st_mode):
        return os.readlink(path) == os.readlink(other)
    return os.path.samestat(one, two) or (stat.S_ISDIR(one.st_mode) and stat.S_ISDIR(two.st_mode))
