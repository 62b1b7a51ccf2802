"""DataLoaders of a trainer, which may be nested in lists and mappings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lightning.pytorch.utilities import CombinedLoader
from torch.utils.data import DataLoader


def flat(loaders: object) -> Iterator[DataLoader[Any]]:
    """Yield each torch DataLoader of nested loaders."""
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
