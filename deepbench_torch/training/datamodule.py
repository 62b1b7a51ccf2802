"""CatalogueDataModule: the three splits of a catalogue for Lightning."""

from pathlib import Path
from typing import Any

import lightning
from torch.utils.data import DataLoader, Sampler
from typing_extensions import override

from deepbench_torch.datasets import Catalogue, RowDataset, Split, Transform, split_rows
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samplers import EachOnce, EpochShuffle
from deepbench_torch.storage import StoredCatalogue, materialize
from deepbench_torch.streams import CatalogueStream, StreamLoader
from deepbench_torch.streams.dealing import rank_and_world
from deepbench_torch.targets import Target


class CatalogueDataModule(lightning.LightningDataModule):
    """Training, validation and test loaders of one catalogue.

    Where several processes train, each has its own part: of training rows equally many, of
    validation and test rows each row once over all of them, in equally many batches.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe.
        size: How many images there are before splitting 60 : 20 : 20.
        seed: Of the images, and of the order in which training sees them.
        batch_size: Images a step.
        root: A folder to store the catalogue in and read it from; None to make images on the fly.
            One process writes the file; a file that is there is checked by its checksums.
        num_workers: Processes of each loader; 0 for this one.
        image_size: Height and width [pixel], one number for a square; the recipe's if None.
        target: As in Catalogue.
        train_transform: Called with each training image, for augmentation.
        fresh: Train on rows that come after those of the catalogue, others in each epoch, instead
            of on its training split. A checkpoint keeps the place among them, so that a run which
            was stopped within an epoch goes on with the row after, on any number of processes.

    Raises:
        ValueError: If the recipe, size or target is not as in Catalogue.
    """

    def __init__(
        self,
        recipe: str | Path | AbstractRecipe,
        *,
        size: int = 10_000,
        seed: int = 0,
        batch_size: int = 64,
        root: str | Path | None = None,
        num_workers: int = 0,
        image_size: int | tuple[int, int] | None = None,
        target: Target = "label",
        train_transform: Transform | None = None,
        fresh: bool = False,
    ) -> None:
        super().__init__()
        self.catalogue = Catalogue(
            recipe, size=size, seed=seed, image_size=image_size, target=target
        )
        self.batch_size = batch_size
        self.root = None if root is None else Path(root)
        self.num_workers = num_workers
        self.train_transform = train_transform
        self.fresh = fresh
        self._stream: StreamLoader | None = None
        self._place: dict[str, Any] | None = None

    @property
    def classes(self) -> list[str]:
        """The names of the labels, in their order."""
        return self.catalogue.classes

    @property
    def path(self) -> Path | None:
        """The stored file; its name tells recipe, seed and size."""
        if self.root is None:
            return None
        recipe, c = self.catalogue.recipe, self.catalogue
        return self.root / f"{recipe.name}-{recipe.digest[:12]}-seed{c.seed}-{c.size}.h5"

    def prepare_data(self) -> None:
        """Store the catalogue if there is a folder for it, or check the one that is there.

        Raises:
            ValueError: If the file there is damaged, or another catalogue.
        """
        if self.path is None:
            return
        if not self.path.exists():
            try:
                materialize(self.catalogue, self.path)
            except FileExistsError:  # another process was faster
                pass
            else:
                return
        c = self.catalogue
        StoredCatalogue(self.path, recipe=c.recipe, seed=c.seed, verify=True)

    def train_dataloader(self) -> DataLoader[Any]:
        """Training rows in an order of their own each epoch; the last short batch is left out."""
        if self.fresh:
            return self._fresh_loader()
        dataset = self._dataset("train", self.train_transform)
        order = EpochShuffle(dataset, seed=self.catalogue.seed)
        drop_last = len(order) > self.batch_size
        return self._loader(dataset, order, batch_size=self.batch_size, drop_last=drop_last)

    def _fresh_loader(self) -> StreamLoader:
        """As many rows in an epoch as the training split has."""
        c, rows = self.catalogue, len(split_rows(self.catalogue.size, "train"))
        stream = CatalogueStream(
            c.recipe,
            seed=c.seed,
            start=c.size,
            size=rows,
            batch_size=self.batch_size,
            drop_last=rows > self.batch_size * rank_and_world()[1],
            target=c.target,
            transform=self.train_transform,
        )
        self._stream = StreamLoader(
            stream, num_workers=self.num_workers, persistent_workers=self.num_workers > 0
        )
        if self._place is not None:
            self._stream.load_state_dict(self._place)
        return self._stream

    @override
    def state_dict(self) -> dict[str, Any]:
        """The place among fresh rows.

        Lightning saves it from the loader too, but does not give it back where the schedule has
        asked for the number of steps, as that of Classifier does.
        """
        return {} if self._stream is None else {"stream": self._stream.state_dict()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on at a place among fresh rows."""
        self._place = state_dict.get("stream")
        if self._stream is not None and self._place is not None:
            self._stream.load_state_dict(self._place)

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation rows in order."""
        return self._evaluation("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Test rows in order."""
        return self._evaluation("test")

    def _evaluation(self, split: Split) -> DataLoader[Any]:
        dataset = self._dataset(split)
        order = EachOnce(dataset)
        batch_size = order.batch_size(self.batch_size)
        return self._loader(dataset, order, batch_size=batch_size, drop_last=False)

    def _dataset(self, split: Split, transform: Transform | None = None) -> RowDataset:
        c = self.catalogue
        if self.path is not None:
            return StoredCatalogue(
                self.path,
                split=split,
                target=c.target,
                transform=transform,
                recipe=c.recipe,
                seed=c.seed,
            )
        return Catalogue(
            c.recipe, size=c.size, seed=c.seed, split=split, target=c.target, transform=transform
        )

    def _loader(
        self, dataset: RowDataset, order: Sampler[int], *, batch_size: int, drop_last: bool
    ) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=order,
            drop_last=drop_last,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )
