"""The loaders of a trainer, however they are nested."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lightning.pytorch.utilities import CombinedLoader
from torch.utils.data import DataLoader


def flat(loaders: object) -> Iterator[DataLoader[Any]]:
    """Yield each torch DataLoader among loaders, however they are nested."""
    if isinstance(loaders, CombinedLoader):
        yield from flat(loaders.iterables)
    elif isinstance(loaders, DataLoader):
        yield loaders
    elif isinstance(loaders, Mapping):
        for loader in loaders.values():
            yield from flat(loader)
    elif isinstance(loaders, Sequence) and not isinstance(loaders, str):
        for loader in loaders:
            yield from flat(loader)
