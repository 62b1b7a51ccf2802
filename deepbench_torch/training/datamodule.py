"""CatalogueDataModule: the three splits of a catalogue for Lightning."""

from pathlib import Path
from typing import Any

import lightning
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from typing_extensions import override

from deepbench_torch.arguments import check_integer
from deepbench_torch.datasets import Catalogue, Split, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.streams import CatalogueStream, StreamLoader
from deepbench_torch.datasets.streams.sharding import rank_and_world
from deepbench_torch.datasets.targets import Target
from deepbench_torch.generate import ImageSize
from deepbench_torch.paths import user_path
from deepbench_torch.recipes import AbstractRecipe, Recipe
from deepbench_torch.storage import StoredCatalogue, materialize
from deepbench_torch.training.samplers import EachOnce, EpochShuffle
from deepbench_torch.training.sources import (
    Source,
    Whole,
    members_of,
    open_source,
    split_of,
)


class CatalogueDataModule(lightning.LightningDataModule):
    """Training, validation, test and prediction loaders of one source.

    With several processes, each has its own part: of training rows equally many, of validation and
    test rows each row once over all of them, in equally many batches. Detection targets are
    collated as lists by themselves.

    `Trainer(overfit_batches=...)` gets the training split in order, the same in each epoch.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe. Or rows of all splits: a
            Catalogue, StoredCatalogue or Collection, or the path of a stored one.
        size: Rows before splitting 60 : 20 : 20; the source's own, or 10,000, if None.
        seed: Of the rows, and of the order of training; the source's own, or 0, if None.
        batch_size: Images a step.
        root: A folder to store a generated catalogue in and read it from; None to make images when
            they are needed. One process writes the file; an existing file is verified.
        num_workers: Processes of each loader; 0 for this one.
        image_size: Height and width [pixel], one number for a square; the source's if None.
        target: As in Catalogue; the source's, or "label", if None.
        transform: Called with each image of a split without a transform of its own.
        train_transform: Called with each training image, for augmentation.
        val_transform: Called with each validation image.
        test_transform: Called with each test image, also for prediction.
        fresh: Train on new rows in each epoch, as many as the training split has, instead of that
            split; they lie beyond every catalogue. A checkpoint keeps the position among them, so
            a run that was stopped within an epoch continues with the next row, on any number of
            processes. A fit with a new Trainer begins again.

    Raises:
        TypeError: If the source is none of these.
        ValueError: If an argument is not as above, or the source cannot have it.

    Example:
        >>> data = db.CatalogueDataModule("astro", size=1000, batch_size=32)
        >>> images, labels = next(iter(data.train_dataloader()))
    """

    def __init__(
        self,
        recipe: Source,
        *,
        size: int | None = None,
        seed: int | None = None,
        batch_size: int = 64,
        root: str | Path | None = None,
        num_workers: int = 0,
        image_size: ImageSize = None,
        target: Target | None = None,
        transform: Transform | None = None,
        train_transform: Transform | None = None,
        val_transform: Transform | None = None,
        test_transform: Transform | None = None,
        fresh: bool = False,
    ) -> None:
        super().__init__()
        self.catalogue: Whole = open_source(
            recipe, size=size, seed=seed, image_size=image_size, target=target
        )
        rule = "CatalogueDataModule.{}: expected a whole number from {} on"
        self.batch_size = check_integer(
            batch_size, rule.format("batch_size", 1), least=1, most=1 << 31
        )
        self.num_workers = check_integer(
            num_workers, rule.format("num_workers", 0), least=0, most=1 << 15
        )
        self.root = None if root is None else user_path(root)
        own = {"train": train_transform, "val": val_transform, "test": test_transform}
        self.split_transforms = {
            split: transform if each is None else each for split, each in own.items()
        }
        self.fresh = fresh
        self._check_source()
        self._stream: StreamLoader | None = None
        self._place: dict[str, Any] | None = None

    def _check_source(self) -> None:
        kind = type(self.catalogue).__name__
        if self.root is not None and not isinstance(self.catalogue, Catalogue):
            raise ValueError(
                f"CatalogueDataModule.root: expected None for a {kind}, got {str(self.root)!r}; "
                "only generated catalogues are stored, others by materialize"
            )
        if self.fresh and isinstance(self.catalogue, Collection):
            raise ValueError(
                "CatalogueDataModule.fresh: expected False for a Collection, got True; new rows "
                "come from one recipe, so give that"
            )

    @property
    def classes(self) -> list[str]:
        """Names of the labels, in their order."""
        return self.catalogue.classes

    @property
    def recipe(self) -> AbstractRecipe:
        """Recipe of the rows; of a collection that of its first member."""
        return members_of(self.catalogue)[0].recipe

    @property
    def seed(self) -> int:
        """Seed of the order of training."""
        return members_of(self.catalogue)[0].seed

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the images before transforms [pixel]; None for time series."""
        recipe = self.recipe
        return (recipe.image.height, recipe.image.width) if isinstance(recipe, Recipe) else None

    @property
    def has_transforms(self) -> bool:
        """Whether images of any split pass through a transform."""
        given = [*self.split_transforms.values(), self.catalogue.transform]
        return any(each is not None for each in (*given, self.catalogue.transforms))

    @property
    def path(self) -> Path | None:
        """Path of the stored file, named by recipe, seed and size; None without root."""
        c = self.catalogue
        if self.root is None or not isinstance(c, Catalogue):
            return None
        return self.root / f"{c.recipe.name}-{c.recipe.digest[:12]}-seed{c.seed}-{c.size}.h5"

    def prepare_data(self) -> None:
        """Store the catalogue if there is a folder for it, or verify the existing file.

        Raises:
            ValueError: If the file is damaged, or holds another catalogue.
        """
        path, c = self.path, self.catalogue
        if path is None or not isinstance(c, Catalogue):
            return
        if not path.exists():
            try:
                materialize(Catalogue(c.recipe, size=c.size, seed=c.seed), path)
            except FileExistsError:  # another process was faster
                pass
            else:
                return
        StoredCatalogue(path, recipe=c.recipe, seed=c.seed, verify=True)

    @override
    def setup(self, stage: str) -> None:
        """Begin with the first fresh rows, unless the same trainer trains on."""
        if stage == "fit" and self.trainer is not None and self.trainer.global_step == 0:
            self._stream = None

    def train_dataloader(self) -> DataLoader[Any]:
        """Return training rows in another order each epoch, without a last short batch."""
        if self._overfits:
            return self._in_order("train", drop_last=True)
        if self.fresh:
            return self._fresh_loader()
        dataset = self._dataset("train")
        order = EpochShuffle(dataset, seed=self.seed)
        drop_last = len(order) > self.batch_size
        return self._loader(dataset, order, batch_size=self.batch_size, drop_last=drop_last)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return validation rows in order."""
        return self._evaluation("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Return test rows in order."""
        return self._evaluation("test")

    def predict_dataloader(self) -> DataLoader[Any]:
        """Return test rows in order, for predictions."""
        return self._evaluation("test")

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the position among fresh rows.

        Lightning saves it from the loader too, but does not restore it where the schedule has
        asked for the number of steps, as that of Classifier does.
        """
        return {} if self._stream is None else {"stream": self._stream.state_dict()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue at a position among fresh rows."""
        place = state_dict.get("stream")
        if self._stream is not None and place is not None:
            self._stream.load_state_dict(place)
        else:
            self._place = place

    @property
    def _overfits(self) -> bool:
        trainer: Any = self.trainer
        return trainer is not None and trainer.overfit_batches > 0

    def _fresh_loader(self) -> StreamLoader:
        """Return as many rows in an epoch as the training split has, after those of the last."""
        dataset = split_of(self.catalogue, "train", transform=self.split_transforms["train"])
        rows = len(dataset)
        stream = CatalogueStream(
            self.recipe,
            seed=self.seed,
            size=rows,
            batch_size=self.batch_size,
            drop_last=rows > self.batch_size * rank_and_world()[1],
            target=dataset.target,
            transform=dataset.transform,
            target_transform=dataset.target_transform,
            transforms=dataset.transforms,
        )
        loader = StreamLoader(
            stream, num_workers=self.num_workers, persistent_workers=self.num_workers > 0
        )
        if self._place is not None:
            loader.load_state_dict(self._place)
        elif self._stream is not None:  # the loader of the epochs before
            loader.load_state_dict(self._stream.next_epoch())
        self._stream, self._place = loader, None
        return loader

    def _evaluation(self, split: Split) -> DataLoader[Any]:
        if self._overfits:
            return self._in_order(split, drop_last=False)
        dataset = self._dataset(split)
        order = EachOnce(dataset)
        batch_size = order.batch_size(self.batch_size)
        return self._loader(dataset, order, batch_size=batch_size, drop_last=False)

    def _in_order(self, split: Split, *, drop_last: bool) -> DataLoader[Any]:
        dataset = self._dataset(split)
        order = SequentialSampler(dataset)
        drop_last = drop_last and len(dataset) > self.batch_size
        return self._loader(dataset, order, batch_size=self.batch_size, drop_last=drop_last)

    def _dataset(self, split: Split) -> Whole:
        transform, path, c = self.split_transforms[split], self.path, self.catalogue
        if path is not None and not path.exists():  # a loader without a trainer
            self.prepare_data()
        return split_of(c, split, transform=transform, path=path)

    def _loader(
        self, dataset: Whole, order: Sampler[int], *, batch_size: int, drop_last: bool
    ) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=order,
            drop_last=drop_last,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            collate_fn=dataset.collate_fn,
        )
