"""CatalogueDataModule: the three splits of a catalogue for Lightning."""

from pathlib import Path
from typing import Any

import lightning
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from typing_extensions import override

from deepbench_torch.datasets import Catalogue, Split, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.streams import CatalogueStream, StreamLoader
from deepbench_torch.datasets.streams.sharding import rank_and_world
from deepbench_torch.datasets.targets import Target
from deepbench_torch.generate import ImageSize
from deepbench_torch.numerics.checks import check_flag, check_integer
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage import StoredCatalogue, materialize
from deepbench_torch.training.samplers import EachOnce, EpochShuffle
from deepbench_torch.training.sources import (
    Source,
    SplitSource,
    members_of,
    open_source,
    select_split,
)


class CatalogueDataModule(lightning.LightningDataModule):
    """Training, validation, test and prediction loaders of one source.

    Each of several processes has its own part. Training rows are divided equally; each validation
    or test row is in exactly one part, and all parts have equally many batches. Detection targets
    are collated as lists.

    `Trainer(overfit_batches=...)` trains on the training split in order, the same in each epoch.

    Args:
        recipe: Name of a packaged recipe, a YAML file, or a recipe. Or rows of all splits: a
            Catalogue, StoredCatalogue or Collection, or the path of a stored one.
        size: Number of rows before splitting 60 : 20 : 20. If None, that of the source, or 10,000.
        seed: Seed of the rows and of the training order. If None, that of the source, or 0.
        batch_size: Number of images a step.
        root: Folder of the stored catalogue; one process writes the file, and an existing file is
            verified. None to generate images when they are read.
        num_workers: Number of worker processes of each loader; 0 for none.
        image_size: Height and width [pixel], one number for a square. If None, that of the source.
        target: Target, as in Catalogue. If None, that of the source, or "label".
        transform: Function of each image, for the splits without a transform of their own.
        train_transform: Function of each training image, for augmentation.
        val_transform: Function of each validation image.
        test_transform: Function of each test image, also for prediction.
        fresh: Whether to train on new rows in each epoch, as many as in the training split and
            outside every catalogue. A checkpoint stores the position. A run that stopped within an
            epoch resumes at the next row, on any number of processes. A new Trainer starts again
            at the first row.

    Raises:
        TypeError: If the source has another type.
        ValueError: If an argument is not as above, or does not fit the source.

    Example:
        >>> import deepbench_torch as db
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
        self.catalogue: SplitSource = open_source(
            recipe, size=size, seed=seed, image_size=image_size, target=target
        )
        rule = "CatalogueDataModule.{}: expected a whole number >= {}"
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
        self.fresh = check_flag(fresh, where="CatalogueDataModule.fresh")
        self._check_source()
        self._stream: StreamLoader | None = None
        self._stream_state: dict[str, Any] | None = None

    def _check_source(self) -> None:
        kind = type(self.catalogue).__name__
        if self.root is not None and not isinstance(self.catalogue, Catalogue):
            raise ValueError(
                f"CatalogueDataModule.root: expected None for a {kind}, got {str(self.root)!r}; "
                "omit root, or store the data with materialize"
            )
        if self.fresh and isinstance(self.catalogue, Collection):
            raise ValueError(
                "CatalogueDataModule.fresh: expected False for a Collection, got True; use one "
                "recipe instead"
            )

    @property
    def classes(self) -> list[str]:
        """Names of the labels, in their order."""
        return self.catalogue.classes

    @property
    def recipe(self) -> AbstractRecipe:
        """Recipe of the rows; the recipe of the first member of a collection."""
        return members_of(self.catalogue)[0].recipe

    @property
    def seed(self) -> int:
        """Seed of the training order."""
        return members_of(self.catalogue)[0].seed

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the images before transforms [pixel]; None for time series."""
        return self.recipe.image_size

    @property
    def has_transforms(self) -> bool:
        """Whether any split has a transform of its images."""
        c = self.catalogue
        transforms = [*self.split_transforms.values(), c.transform, c.transforms]
        return any(each is not None for each in transforms)

    @property
    def path(self) -> Path | None:
        """Path of the stored file, named by recipe, seed and size; None without root."""
        c = self.catalogue
        if self.root is None or not isinstance(c, Catalogue):
            return None
        return self.root / f"{c.recipe.name}-{c.recipe.digest[:12]}-seed{c.seed}-{c.size}.h5"

    def prepare_data(self) -> None:
        """Store the catalogue if root is set, or verify the existing file.

        Raises:
            ValueError: If the file is damaged, or stores another catalogue.
        """
        path, c = self.path, self.catalogue
        if path is None or not isinstance(c, Catalogue):
            return
        if not path.exists():
            try:
                materialize(Catalogue(c.recipe, size=c.size, seed=c.seed), path)
            except FileExistsError:  # another process has written it meanwhile
                pass
            else:
                return
        StoredCatalogue(path, recipe=c.recipe, seed=c.seed, verify=True)

    @override
    def setup(self, stage: str) -> None:
        """Start at the first fresh row, unless the same trainer continues."""
        if stage == "fit" and self.trainer is not None and self.trainer.global_step == 0:
            self._stream = None

    def train_dataloader(self) -> DataLoader[Any]:
        """Return training rows in another order each epoch, without a short last batch."""
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

        Lightning also saves it from the loader. It does not restore it if the schedule has read
        the number of steps, as that of Classifier does.
        """
        return {} if self._stream is None else {"stream": self._stream.state_dict()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume at a position among fresh rows."""
        state = state_dict.get("stream")
        if self._stream is not None and state is not None:
            self._stream.load_state_dict(state)
        else:
            self._stream_state = state

    @property
    def _overfits(self) -> bool:
        trainer: Any = self.trainer
        return trainer is not None and trainer.overfit_batches > 0

    def _fresh_loader(self) -> StreamLoader:
        """Return the rows after those of the last epoch, as many as in the training split."""
        dataset = select_split(self.catalogue, "train", transform=self.split_transforms["train"])
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
        if self._stream_state is not None:
            loader.load_state_dict(self._stream_state)
        elif self._stream is not None:  # the loader of the previous epochs
            loader.load_state_dict(self._stream.next_epoch())
        self._stream, self._stream_state = loader, None
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

    def _dataset(self, split: Split) -> SplitSource:
        transform, path, c = self.split_transforms[split], self.path, self.catalogue
        if path is not None and not path.exists():  # a loader without a trainer
            self.prepare_data()
        return select_split(c, split, transform=transform, path=path)

    def _loader(
        self, dataset: SplitSource, order: Sampler[int], *, batch_size: int, drop_last: bool
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
