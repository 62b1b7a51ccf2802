"""The datasets behind the loaders of a trainer."""

from collections.abc import Iterator, Mapping, Sequence

from lightning.pytorch.utilities import CombinedLoader
from torch.utils.data import DataLoader


def datasets_of(loaders: object) -> Iterator[object]:
    """Yield the dataset of each torch DataLoader among loaders, however they are nested."""
    if isinstance(loaders, CombinedLoader):
        yield from datasets_of(loaders.iterables)
    elif isinstance(loaders, DataLoader):
        yield loaders.dataset
    elif isinstance(loaders, Mapping):
        for loader in loaders.values():
            yield from datasets_of(loader)
    elif isinstance(loaders, Sequence) and not isinstance(loaders, str):
        for loader in loaders:
            yield from datasets_of(loader)
