"""File formats: one module each for its files, one table for all."""

from deepbench_torch.storage.formats.table import FORMATS, Format

__all__ = ["FORMATS", "Format"]
