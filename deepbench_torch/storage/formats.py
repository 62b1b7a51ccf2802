"""The formats that a catalogue can be written in: one explicit table."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from deepbench_torch.storage.folder import write_folder
from deepbench_torch.storage.hdf5 import write_file
from deepbench_torch.storage.job import Job
from deepbench_torch.storage.jpeg import JpegFiles
from deepbench_torch.storage.npy import NpyFiles
from deepbench_torch.storage.seal import seal
from deepbench_torch.storage.shards import rows_in_shard, shard_folder, write_shards


def _write_h5(job: Job, path: Path) -> None:
    folder, step = shard_folder(job), rows_in_shard(job)
    if folder is not None and step is not None:
        write_shards(job, path, folder=folder, step=step)
        seal(path)
        return
    write_file(job.contents, path, parts=job.parts(), compression=job.compression)


def _write_fits(job: Job, path: Path) -> None:
    from deepbench_torch.storage.fits import FitsFiles

    write_folder(job, path, FitsFiles)


Format = Literal["h5", "npy", "jpeg", "fits"]

# A writer makes a new file or folder at the path; `materialize` gives it its final name.
FORMATS: dict[str, Callable[[Job, Path], None]] = {
    "h5": _write_h5,
    "npy": lambda job, path: write_folder(job, path, NpyFiles),
    "jpeg": lambda job, path: write_folder(job, path, JpegFiles),
    "fits": _write_fits,
}
