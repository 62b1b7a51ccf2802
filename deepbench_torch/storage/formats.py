"""The formats that a catalogue can be written in: one explicit table."""

from collections.abc import Callable
from pathlib import Path

from deepbench_torch.storage.hdf5 import write_file
from deepbench_torch.storage.job import Job


def _write_h5(job: Job, path: Path) -> None:
    write_file(job.contents, path, parts=job.parts(), compression=job.compression)


# A writer makes a new file or folder at the path; `materialize` gives it its final name.
FORMATS: dict[str, Callable[[Job, Path], None]] = {"h5": _write_h5}
