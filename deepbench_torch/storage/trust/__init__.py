"""Trust: checks of files of strangers, before they are read.

Nothing outside a catalogue's own files is read, nothing is unpickled, and nothing is allocated that
the file does not hold. Each refusal is a ValueError that names the file and the reason.
"""

from deepbench_torch.storage.trust.files import (
    inside,
    parse_recipe,
    read_json,
    read_rows,
    read_text,
    refused,
    regular_file,
)
from deepbench_torch.storage.trust.hdf5 import check_hdf5
from deepbench_torch.storage.trust.metadata import check_metadata
from deepbench_torch.storage.trust.npy import mapped_array
from deepbench_torch.storage.trust.row_files import read_fits, read_jpeg

__all__ = [
    "check_hdf5",
    "check_metadata",
    "inside",
    "mapped_array",
    "parse_recipe",
    "read_fits",
    "read_jpeg",
    "read_json",
    "read_rows",
    "read_text",
    "refused",
    "regular_file",
]
