"""Streams: rows generated on the fly, each assigned to one rank and one worker.

::

    stream = db.CatalogueStream("astro", batch_size=64, size=60_000)  # rows an epoch; None: no end
    loader = db.StreamLoader(stream, num_workers=4)
    for epoch in range(30):
        for image, label in loader:
            ...  # every epoch has new rows, none of them in any Catalogue("astro")

A stream assigns its rows to all ranks (of `torch.distributed`, or `RANK` and `WORLD_SIZE`) and
workers: together they have each row once, every rank equally many batches, in one order whatever
their number. `StreamLoader.state_dict()` is the number of rows that the job has used, so a stopped
run resumes with the next row on other numbers of ranks and workers; Lightning keeps it in its
checkpoints. A stock `DataLoader(stream, batch_size=None)` returns the same rows without such a
state; torchdata's `StatefulDataLoader` has one. A Collection can be streamed too: its members
alternate.

`db.CatalogueDataModule("astro", root="data", fresh=True)` trains on a stream and keeps the
catalogue's own rows for validation and test, each counted once however many processes there are.
Its source is a recipe, a Catalogue, a StoredCatalogue, a Collection or the path of a stored one.
`db.Classifier` refuses data of other labels and images too small for its network, and warns if it
is tested on rows that it was trained on.

Example:
    >>> import deepbench_torch as db
    >>> stream = db.CatalogueStream("astro", batch_size=4, size=8)
    >>> [tuple(image.shape) for image, _ in db.StreamLoader(stream)]
    [(4, 1, 28, 28), (4, 1, 28, 28)]
"""

from deepbench_torch.datasets.streams.loader import StreamLoader
from deepbench_torch.datasets.streams.stream import CatalogueStream

__all__ = ["CatalogueStream", "StreamLoader"]
