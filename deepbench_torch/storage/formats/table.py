"""Table of the file formats: the one list of them, in the order in which help prints them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepbench_torch.storage.folder import write_folder
from deepbench_torch.storage.formats.jpeg import JpegFiles
from deepbench_torch.storage.formats.npy import NpyFiles
from deepbench_torch.storage.hdf5 import write_file
from deepbench_torch.storage.job import Job
from deepbench_torch.storage.seal import seal
from deepbench_torch.storage.shards import rows_in_shard, shard_folder, write_shards

Format = Literal["h5", "npy", "jpeg", "fits"]  # of FORMATS; the command line needs it as a type


@dataclass(frozen=True)
class FileFormat:
    """A file format.

    Attributes:
        write: Write a new file or folder at a path; `materialize` moves it into place.
    """

    write: Callable[[Job, Path], None]


def _write_h5(job: Job, path: Path) -> None:
    folder, step = shard_folder(job), rows_in_shard(job)
    if folder is not None and step is not None:
        write_shards(job, path, folder=folder, step=step)
        seal(path)
        return
    write_file(job.contents, path, parts=job.parts(), compression=job.compression)


def _write_fits(job: Job, path: Path) -> None:
    from deepbench_torch.storage.formats.fits import FitsFiles  # astropy is slow to import

    write_folder(job, path, FitsFiles)


FORMATS: dict[str, FileFormat] = {
    "h5": FileFormat(_write_h5),
    "npy": FileFormat(lambda job, path: write_folder(job, path, NpyFiles)),
    "jpeg": FileFormat(lambda job, path: write_folder(job, path, JpegFiles)),
    "fits": FileFormat(_write_fits),
}
