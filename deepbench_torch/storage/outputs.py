"""Single output files, such as pictures and schemas; only those of this package are replaced."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepbench_torch.storage.refusals import writing
from deepbench_torch.storage.work.atomic import replacing

MARK = b"deepbench_torch"  # in the metadata or the text of every output file
_ENDS = 1 << 16  # the mark is in the first or in the last bytes of a file


@contextmanager
def output_file(path: Path, what: str) -> Iterator[Path]:
    """Yield a path to write to, and rename it to the output file at the end.

    Args:
        path: Output file; its folder is created if it is missing.
        what: Noun for the file in errors.

    Raises:
        FileExistsError: If the path is a file that this package did not write.
        OSError: If the file cannot be written.
    """
    with writing(path, what):
        target = Path(os.path.realpath(path))
        check_replaceable(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as new:
            yield new


def check_replaceable(path: Path) -> None:
    """Check that a path is free, or a file that this package wrote.

    Raises:
        FileExistsError: If the path is another file, a folder or a broken link.
    """
    if os.path.lexists(path) and not _is_marked(path):
        raise FileExistsError(
            f"path: expected a free name or an output of deepbench_torch, got "
            f"{str(path)!r}, which this package did not write; choose another name"
        )


def _is_marked(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(0, file.seek(0, 2) - _ENDS))
        return MARK in start or MARK in file.read()
