"""File formats: one module for each, and one table of all."""

from deepbench_torch.storage.formats.table import DEFAULT, FORMATS, Format

__all__ = ["DEFAULT", "FORMATS", "Format"]
