"""Table of the file formats: the one list of them, in the order in which help prints them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.fits_rows import open_fits
from deepbench_torch.storage.formats.folder import write_folder
from deepbench_torch.storage.formats.h5 import H5Rows, write_h5
from deepbench_torch.storage.formats.jpeg import JpegFiles, open_jpeg
from deepbench_torch.storage.formats.npy import NpyFiles, NpyRows
from deepbench_torch.storage.formats.rows import RowReader
from deepbench_torch.storage.work.job import Job

Format = Literal["h5", "npy", "jpeg", "fits"]  # of FORMATS; the command line needs it as a type


@dataclass(frozen=True)
class FileFormat:
    """A file format.

    Attributes:
        write: Writes a new file or folder at a path; `materialize` moves it into place.
        open: Opens the rows of a stored catalogue in one process.
        same: What two catalogues of the same recipe and seed share: their bytes, or only their
            pixels, because the files also hold what the libraries write.
        exact: Whether rows are read as they were generated, to the bit.
    """

    write: Callable[[Job, Path], None]
    open: Callable[[Description], RowReader]
    same: Literal["bytes", "pixels"] = "bytes"
    exact: bool = True


def _write_fits(job: Job, path: Path) -> None:
    from deepbench_torch.storage.formats.fits import FitsFiles  # astropy is slow to import

    write_folder(job, path, FitsFiles)


FORMATS: dict[str, FileFormat] = {
    "h5": FileFormat(write_h5, H5Rows),
    "npy": FileFormat(lambda job, path: write_folder(job, path, NpyFiles), NpyRows),
    "jpeg": FileFormat(
        lambda job, path: write_folder(job, path, JpegFiles), open_jpeg, same="pixels", exact=False
    ),
    "fits": FileFormat(_write_fits, open_fits, same="pixels"),
}
