"""Catalogues on disk: writing them in several formats, and reading rows back bit for bit."""

from deepbench_torch.storage.append import append
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.hdf5.header import Header, read_header, stored_bytes
from deepbench_torch.storage.materialize import materialize
from deepbench_torch.storage.reproduce import Reproduction, reproduce
from deepbench_torch.storage.stored_catalogue import StoredCatalogue
from deepbench_torch.storage.suffixes import is_file_name
from deepbench_torch.storage.verify import verified, verified_folder, verified_header

__all__ = [
    "Description",
    "Header",
    "Reproduction",
    "StoredCatalogue",
    "append",
    "describe",
    "is_file_name",
    "materialize",
    "read_header",
    "reproduce",
    "stored_bytes",
    "verified",
    "verified_folder",
    "verified_header",
]
