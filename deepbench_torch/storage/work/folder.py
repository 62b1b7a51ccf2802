"""Work folders: rows that are done, kept beside a catalogue until it is complete."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from deepbench_torch.storage.names import beside, keyed

PARTIAL = ".partial"
MARK = "work.json"  # proves that this package made a work folder, and for which catalogue


def work_path(target: Path, key: str) -> Path:
    """Return the work folder of a catalogue: that of an earlier call if it can be used, or another.

    A folder of that name which others made, or which this user may not change, stays as it is: a
    folder with a name of this user's own is used instead.

    Args:
        target: The catalogue.
        key: Twelve hexadecimal digits for its metadata.
    """
    own_key = hashlib.sha256(f"{key} {os.geteuid()}".encode()).hexdigest()[:12]
    for each in (key, own_key):
        folder = beside(target, f".{each}{PARTIAL}", hidden=True)
        if not os.path.lexists(folder) or (_is_work(folder, target) and _is_usable(folder)):
            return folder
    return beside(target, f".{uuid4().hex[:12]}{PARTIAL}", hidden=True)


def begin_work(folder: Path, target: Path) -> None:
    """Make a work folder and mark it, unless an earlier call did."""
    folder.mkdir(exist_ok=True)
    if not (folder / MARK).exists():
        text = json.dumps({"package": "deepbench_torch", "catalogue": target.name})
        (folder / MARK).write_text(text, encoding="utf-8")


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """Provide a folder for work that a later call can resume; remove it in the end.

    On an error it is kept if it holds a finished file, one without a temporary name.
    """
    try:
        yield folder
    except BaseException:
        files = (each for each in folder.rglob("*") if each.is_file())
        if all(_is_temporary(each.relative_to(folder)) for each in files):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def remove_other_work(target: Path, *, keep: Path) -> None:
    """Remove work on earlier contents of a catalogue, as far as this user may."""
    for folder in keyed(target, PARTIAL, hidden=True):
        if folder != keep and _is_work(folder, target) and _is_usable(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_work(folder: Path, target: Path) -> bool:
    """Return whether this package made a folder for work on a catalogue, or it is empty."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        if not any(folder.iterdir()):
            return True
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(mark == {"package": "deepbench_torch", "catalogue": target.name})


def _is_usable(folder: Path) -> bool:
    """Return whether this user may read and replace all that a folder holds."""
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return False
    for path in folder.iterdir():
        is_folder = path.is_dir() and not path.is_symlink()
        if not (_is_usable(path) if is_folder else os.access(path, os.R_OK)):
            return False
    return True


def _is_temporary(path: Path) -> bool:
    return path.name == MARK or any(part.endswith(".tmp") for part in path.parts)
