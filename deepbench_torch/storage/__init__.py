"""Catalogues on disk: writing one to HDF5 and reading its rows back bit for bit."""

from deepbench_torch.storage.header import Header, read_header
from deepbench_torch.storage.materialize import materialize
from deepbench_torch.storage.reader import StoredCatalogue

__all__ = ["Header", "StoredCatalogue", "materialize", "read_header"]
