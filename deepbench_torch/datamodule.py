"""CatalogueDataModule: the three splits of a catalogue for Lightning."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from deepbench_torch import rng
from deepbench_torch.datasets import Catalogue, RowDataset, Split, Transform
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage import StoredCatalogue, materialize
from deepbench_torch.targets import Target


class CatalogueDataModule(lightning.LightningDataModule):
    """Training, validation and test loaders of one catalogue.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe.
        size: How many images there are before splitting 60 : 20 : 20.
        seed: Of the images, and of the order in which training sees them.
        batch_size: Images a step.
        root: A folder to store the catalogue in and read it from; None to make images on the fly.
        num_workers: Processes of each loader; 0 for this one.
        image_size: Height and width [pixel], one number for a square; the recipe's if None.
        target: As in Catalogue.
        train_transform: Called with each training image, for augmentation.

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
    ) -> None:
        super().__init__()
        self.catalogue = Catalogue(
            recipe, size=size, seed=seed, image_size=image_size, target=target
        )
        self.batch_size = batch_size
        self.root = None if root is None else Path(root)
        self.num_workers = num_workers
        self.train_transform = train_transform

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
        """Store the catalogue, if there is a folder for it and it is not there yet."""
        if self.path is not None and not self.path.exists():
            materialize(self.catalogue, self.path)

    def train_dataloader(self) -> DataLoader[Any]:
        """Training rows in an order of their own each epoch; the last short batch is left out."""
        dataset = self._dataset("train", self.train_transform)
        order = EpochShuffle(dataset, seed=self.catalogue.seed)
        return self._loader(dataset, sampler=order, drop_last=len(dataset) > self.batch_size)

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation rows in order."""
        return self._loader(self._dataset("val"))

    def test_dataloader(self) -> DataLoader[Any]:
        """Test rows in order."""
        return self._loader(self._dataset("test"))

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
        self,
        dataset: RowDataset,
        *,
        sampler: Sampler[int] | None = None,
        drop_last: bool = False,
    ) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=sampler,
            drop_last=drop_last,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )


class EpochShuffle(Sampler[int]):
    """All places of a dataset in an order that depends on seed and epoch and on nothing else.

    Lightning calls `set_epoch`, so a run that is resumed goes on with the orders it would have had.
    """

    def __init__(self, dataset: Dataset[Any], *, seed: int) -> None:
        self.count = len(dataset)  # type: ignore[arg-type]
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        epoch = torch.tensor([self.epoch])
        words = rng.words(self.seed, ("loader.shuffle",), epoch, self.count)[0, 0]
        return iter(words.argsort(stable=True).tolist())
