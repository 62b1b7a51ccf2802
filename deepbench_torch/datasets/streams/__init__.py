"""Streams: rows generated on the fly, each assigned to one rank and one worker."""

from deepbench_torch.datasets.streams.loader import StreamLoader
from deepbench_torch.datasets.streams.stream import CatalogueStream

__all__ = ["CatalogueStream", "StreamLoader"]
