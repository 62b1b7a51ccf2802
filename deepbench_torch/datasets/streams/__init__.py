"""Streams: rows made on the fly, without end if wished, dealt to ranks and workers once each."""

from deepbench_torch.datasets.streams.loader import StreamLoader
from deepbench_torch.datasets.streams.stream import CatalogueStream

__all__ = ["CatalogueStream", "StreamLoader"]
