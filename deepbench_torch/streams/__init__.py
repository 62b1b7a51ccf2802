"""Streams: rows made on the fly, without end if wished, dealt to ranks and workers once each."""

from deepbench_torch.streams.loader import StreamLoader
from deepbench_torch.streams.stream import CatalogueStream

__all__ = ["CatalogueStream", "StreamLoader"]
