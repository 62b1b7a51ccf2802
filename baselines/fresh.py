"""Training images that are never repeated, beside the validation and test images of a catalogue."""

from typing import Any

from typing_extensions import override

import deepbench_torch as db
from deepbench_torch.datasets import split_rows


class FreshDataModule(db.CatalogueDataModule):
    """A CatalogueDataModule whose training rows begin after the catalogue's and never come twice.

    An epoch is as many images as the catalogue's training split, so steps and schedule are the
    same; validation and test images are the catalogue's own. The place in the stream is kept in
    checkpoints here: Lightning forgets a loader's own where the schedule asked for the number of
    steps before.
    """

    _fresh: db.StreamLoader | None = None
    _place: dict[str, Any] | None = None

    @override
    def train_dataloader(self) -> db.StreamLoader:
        catalogue = self.catalogue
        rows = len(split_rows(catalogue.size, "train"))
        stream = db.CatalogueStream(
            catalogue.recipe,
            seed=catalogue.seed,
            start=catalogue.size,
            size=rows,
            batch_size=self.batch_size,
            drop_last=rows > self.batch_size,
            transform=self.train_transform,
        )
        self._fresh = db.StreamLoader(stream, num_workers=self.num_workers)
        if self._place is not None:
            self._fresh.load_state_dict(self._place)
        return self._fresh

    @override
    def state_dict(self) -> dict[str, Any]:
        return {} if self._fresh is None else {"stream": self._fresh.state_dict()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._place = state_dict.get("stream")
