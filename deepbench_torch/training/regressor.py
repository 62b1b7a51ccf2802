"""Regressor: a network that measures the parameters of images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from deepbench_torch.datasets import RowDataset
from deepbench_torch.datasets.view import DatasetView
from deepbench_torch.recipes import AbstractRecipe, Recipe, load_recipe, require_images
from deepbench_torch.recipes.reader import recipe_from_plain
from deepbench_torch.recipes.vector import Vector
from deepbench_torch.training import networks
from deepbench_torch.training.checks import check_images
from deepbench_torch.training.determination import Determination
from deepbench_torch.training.models import WeightSource
from deepbench_torch.training.module import (
    ALSO_NETWORK,
    NOT_SAVED,
    ImageSize,
    MakeOptimizer,
    MakeSchedule,
    NetworkModule,
)

RecipeSource = str | Path | AbstractRecipe | Mapping[str, Any]


class Regressor(NetworkModule):
    """Network that measures parameters, in units of their priors; see Classifier for the training.

    The targets are those of `target="vector"`, or of a list of parameters: each column has mean 0
    and variance 1 under its prior, angles are two columns. Columns that are NaN, of kinds that an
    image does not hold, add nothing to the loss. `val/r2` and `test/r2` are the coefficient of
    determination, averaged over the columns.

    Args:
        network: As in Classifier.
        recipe: Recipe of the images: a name, a path or a recipe, as `data.recipe`.
        parameters: Names of the parameters to measure, such as "galaxy/radius"; None for all that
            vary, `recipe.vector.parameters`.
        deviation: Whether to estimate a standard deviation of each column too, by the likelihood of
            a normal distribution; else the loss is the mean squared error.
        weights: As in Classifier.
        freeze: As in Classifier.
        optimizer: As in Classifier.
        schedule: As in Classifier.
        lr: Largest learning rate of SGD.
        weight_decay: Weight decay of all weights by SGD.
        image_size: As in Classifier.

    Raises:
        ValueError: If an argument is not as above. When training starts, also if the data have
            other targets or images.

    Example:
        >>> import deepbench_torch as db
        >>> data = db.CatalogueDataModule("galaxy", size=1000, target="vector")
        >>> model = db.Regressor("small", recipe=data.recipe, lr=0.05)
        >>> len(model.vector.names), model.vector.names[0]
        (8, 'galaxy/x')
        >>> sample = db.generate("galaxy", 0, torch.arange(2))
        >>> model.eval().measure(sample.image)["galaxy/radius"].shape
        torch.Size([2])
    """

    def __init__(
        self,
        network: str | nn.Module = "resnet50",
        *,
        recipe: RecipeSource,
        parameters: Sequence[str] | None = None,
        deviation: bool = False,
        weights: WeightSource = None,
        freeze: Literal["backbone"] | None = None,
        optimizer: MakeOptimizer | None = None,
        schedule: MakeSchedule | None = None,
        lr: float = 0.05,
        weight_decay: float = 0.00125,
        image_size: ImageSize = None,
    ) -> None:
        source = _load(recipe)
        vector = source.vector if parameters is None else source.vector.select(parameters)
        super().__init__(
            network,
            outputs=len(vector) * (2 if deviation else 1),
            weights=weights,
            freeze=freeze,
            optimizer=optimizer,
            schedule=schedule,
            lr=lr,
            weight_decay=weight_decay,
            image_size=image_size,
        )
        recipe, parameters = source.to_plain(), list(vector.parameters)
        lr, weight_decay = self.lr, self.weight_decay
        self.save_hyperparameters(ignore=NOT_SAVED if isinstance(network, str) else ALSO_NETWORK)
        self.vector: Vector = vector
        self.deviation = deviation
        self.val_r2 = Determination(len(vector))
        self.test_r2 = Determination(len(vector))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss of a batch, with the weighted losses of auxiliary outputs."""
        image, target = self._check_batch(batch, training=True)
        outputs, *auxiliary = self._outputs(image)
        loss = self.loss(outputs, target)
        for other in auxiliary:
            weight = networks.AUXILIARY_WEIGHTS.get(self.architecture, networks.OTHER_AUXILIARY)
            loss = loss + weight * self.loss(other, target)
        self.log("train/loss", loss, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Log loss and coefficient of determination of the validation images."""
        image, target = self._check_batch(batch)
        outputs = self(image)
        self.val_r2.update(self._values(outputs), target)
        self.log("val/loss", self.loss(outputs, target), sync_dist=True)
        self.log("val/r2", self.val_r2, prog_bar=True)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Log loss and coefficient of determination of the test images."""
        image, target = self._check_batch(batch)
        outputs = self(image)
        self.test_r2.update(self._values(outputs), target)
        self.log("test/loss", self.loss(outputs, target), sync_dist=True)
        self.log("test/r2", self.test_r2)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the outputs of a batch of images: columns, then their deviations if estimated."""
        image = batch if isinstance(batch, Tensor) else batch[0]
        self._check_image(
            check_images(image, where="Regressor", channels=self.channels), training=False
        )
        outputs: Tensor = self(image).float()
        if not self.deviation:
            return outputs
        return torch.cat((self._values(outputs), self._deviations(outputs)), dim=1)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss of the columns that are not NaN.

        Args:
            outputs: Outputs of the network, shape (B, D) or, with deviations, (B, 2 D).
            target: Columns of the vector, shape (B, D).
        """
        known = torch.isfinite(target)
        if not bool(known.any()):
            return outputs.sum() * 0.0
        values, wanted = self._values(outputs)[known], target[known]
        if not self.deviation:
            return functional.mse_loss(values, wanted)
        return functional.gaussian_nll_loss(
            values, wanted, self._deviations(outputs)[known].square(), eps=1e-8
        )

    def measure(self, image: Tensor) -> dict[str, Tensor]:
        """Return the parameters of images by name, in pixels and radians; see `Vector.decode`.

        Args:
            image: Images, shape (B, 1, H, W), of the size of the recipe.
        """
        return self.vector.decode(self._values(self(image).float()))

    @override
    def check_data(self, dataset: object) -> None:
        """Check that a dataset has the targets of this module."""
        while isinstance(dataset, DatasetView) and not dataset.has_transforms:
            dataset = dataset.dataset
        if not isinstance(dataset, RowDataset) or dataset.target_transform is not None:
            return
        names = [dataset.target] if isinstance(dataset.target, str) else list(dataset.target)
        expected = [["vector"], list(self.vector.parameters)]
        if names not in expected:
            raise ValueError(
                f"Regressor: expected data with target='vector' or {expected[1]}, got "
                f"target={dataset.target!r}; use the recipe and parameters of the data"
            )
        own = dataset.recipe.vector
        if names == ["vector"] and own.parts != self.vector.parts:
            raise ValueError(
                f"Regressor.recipe: expected the {len(own)} columns of {dataset.recipe.name}, got "
                f"{len(self.vector)} of {self.vector.owner}; use Regressor(recipe=data.recipe)"
            )

    def _check_batch(self, batch: Any, *, training: bool = False) -> tuple[Tensor, Tensor]:
        rule = "Regressor: expected batches (image, vector)"
        if not isinstance(batch, Sequence) or len(batch) != 2:
            raise ValueError(f"{rule}, got {type(batch).__name__}; use data with target='vector'")
        image = check_images(batch[0], where="Regressor", channels=self.channels)
        self._check_image(image, training=training)
        target = batch[1]
        if isinstance(target, Mapping):
            columns = [target[name] for name in self.vector.parameters if name in target]
            target = torch.cat([each.reshape(len(image), -1) for each in columns or [image]], 1)
        shape = (len(image), len(self.vector))
        if not isinstance(target, Tensor) or target.shape != shape:
            found = tuple(target.shape) if isinstance(target, Tensor) else type(target).__name__
            raise ValueError(f"{rule} of shape {shape}, got {found}; use target='vector'")
        return image, target.float()

    def _values(self, outputs: Tensor) -> Tensor:
        return outputs[:, : len(self.vector)]

    def _deviations(self, outputs: Tensor) -> Tensor:
        """Return the positive deviations, which are 1 for an output of 0."""
        return functional.softplus(outputs[:, len(self.vector) :] + 0.5413) + 1e-4


def _load(recipe: RecipeSource) -> Recipe:
    if isinstance(recipe, Mapping):
        found: Any = recipe_from_plain(dict(recipe), source="Regressor.recipe")
    else:
        found = load_recipe(recipe)
    return require_images(found, "Regressor", remedy="write a LightningModule for other rows")
