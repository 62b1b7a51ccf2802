"""Single output files, such as pictures and schemas: only those of this package are replaced."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepbench_torch.storage.refusals import writing
from deepbench_torch.storage.work.atomic import replacing

MARK = b"deepbench_torch"  # in the metadata or the text of every output file
_ENDS = 1 << 16  # bytes at the beginning and at the end of a file in which the mark can be


@contextmanager
def output_file(path: Path, what: str) -> Iterator[Path]:
    """Provide a path to write to, which becomes the output file in the end.

    Args:
        path: The output file; the folder that it is in is made if it is missing.
        what: The noun for it.

    Raises:
        FileExistsError: If a file of that name was not written by this package.
        OSError: If it cannot be written.
    """
    with writing(path, what):
        target = Path(os.path.realpath(path))
        check_replaceable(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as new:
            yield new


def check_replaceable(path: Path) -> None:
    """Refuse to replace what this package did not write.

    Raises:
        FileExistsError: If something else stands there.
    """
    if os.path.lexists(path) and not _is_marked(path):
        raise FileExistsError(
            f"path: expected a name that is free or an output of deepbench_torch, got "
            f"{str(path)!r}, which this package did not write; choose another name"
        )


def _is_marked(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(0, file.seek(0, 2) - _ENDS))
        return MARK in start or MARK in file.read()
