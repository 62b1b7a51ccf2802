"""Table of the file formats, in the order in which help prints them.

A new format is one module beside this one and one row here; its name is also a `Format`.
"""

from pathlib import Path
from typing import Literal

from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.file_format import FileFormat
from deepbench_torch.storage.formats.fits import FITS
from deepbench_torch.storage.formats.h5 import H5
from deepbench_torch.storage.formats.jpeg import JPEG
from deepbench_torch.storage.formats.npy import NPY

Format = Literal["h5", "npy", "jpeg", "fits"]  # keys of FORMATS, for type checkers and typer
DEFAULT: Format = "h5"
FORMATS: dict[str, FileFormat] = {"h5": H5, "npy": NPY, "jpeg": JPEG, "fits": FITS}


def describe_file(path: Path) -> Description:
    """Return the metadata of a single file, by the format of its ending or the default."""
    readers = {form.suffixes: form.describe for form in FORMATS.values() if form.describe}
    named = (read for suffixes, read in readers.items() if path.suffix.lower() in suffixes)
    return next(named, next(iter(readers.values())))(path)
