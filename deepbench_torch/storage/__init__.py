"""Catalogues on disk: writing one to HDF5 and reading its rows back bit for bit."""

from deepbench_torch.storage.header import Header, read_header, stored_bytes
from deepbench_torch.storage.materialize import materialize
from deepbench_torch.storage.reader import StoredCatalogue
from deepbench_torch.storage.verify import verified_header

__all__ = [
    "Header",
    "StoredCatalogue",
    "materialize",
    "read_header",
    "stored_bytes",
    "verified_header",
]
