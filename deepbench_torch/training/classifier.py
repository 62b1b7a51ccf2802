"""Classifier: any torchvision network on catalogue images, trained as in the paper."""

from collections.abc import Sequence
from typing import Any

import lightning
import torch
import torchmetrics.classification as metrics
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from typing_extensions import override

from deepbench_torch.datasets.streams import StreamLoader
from deepbench_torch.training import networks
from deepbench_torch.training.checks import (
    check_batch,
    check_dataset,
    check_images,
    class_names,
    rate,
)
from deepbench_torch.training.datamodule import CatalogueDataModule
from deepbench_torch.training.loaders import flat
from deepbench_torch.training.provenance import (
    Rows,
    from_state,
    leaks,
    rows_of,
    to_state,
    union,
)
from deepbench_torch.training.schedule import OneCycle, cycle_factor

TRAINED = "deepbench_torch.trained_rows"  # key of a checkpoint


class Classifier(lightning.LightningModule):
    """Network of torchvision with a loss, metrics and a schedule.

    Learning rate and weight decay are those of the paper, which states neither optimiser nor
    schedule. The optimiser is SGD without momentum. The learning rate follows one cycle: half a
    cosine up to `lr` over the first tenth of the run, half a cosine down over the rest. Steps,
    epochs or `max_time` set the length of the cycle; a run without a limit keeps `lr` after a
    warm-up. A resumed run follows the cycle of its new length, at its own `lr` and `weight_decay`.

    Networks with auxiliary outputs (googlenet, inception_v3) add their auxiliary losses in
    training, weighted by 0.3 and 0.4.

    A checkpoint stores the recipe, seed and range of the training rows in `trained_rows`. A test
    or validation on such rows warns.

    Args:
        architecture: Name in `torchvision.models.list_models(module=torchvision.models)`.
        classes: Names of the labels, in their order.
        multilabel: Whether an image may have several labels.
        lr: Largest learning rate.
        weight_decay: Weight decay of all weights.
        image_size: Height and width [pixel], one number for a square. Networks for one size
            (vit_*, maxvit_t) are built for it; others are checked against it. None for
            torchvision's size; the data are then checked when training starts.

    Raises:
        ValueError: If an argument is not as above, or the network does not work on images of this
            size. When training starts, also if the data have other labels or images.

    Example:
        >>> import deepbench_torch as db
        >>> data = db.CatalogueDataModule("sky", size=1000)
        >>> model = db.Classifier("resnet18", classes=data.classes, multilabel=True)
    """

    def __init__(
        self,
        architecture: str = "resnet50",
        *,
        classes: Sequence[str],
        multilabel: bool,
        lr: float = 0.524,
        weight_decay: float = 0.00125,
        image_size: int | tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        classes = class_names(classes, multilabel=multilabel)
        lr = rate(lr, "lr", zero=False)
        weight_decay = rate(weight_decay, "weight_decay", zero=True)
        size = networks.checked_size(image_size)
        self.save_hyperparameters()
        self.model = networks.build(architecture, outputs=len(classes), image_size=size)
        self.architecture = architecture
        self.classes = classes
        self.multilabel = multilabel
        self.lr = lr
        self.weight_decay = weight_decay
        self.loss: nn.Module = nn.BCEWithLogitsLoss() if multilabel else nn.CrossEntropyLoss()
        scores = _metrics(len(classes), multilabel=multilabel)
        self.val_metrics = scores.clone(prefix="val/")
        self.test_metrics = scores.clone(prefix="test/")
        self.trained_rows: Rows = {}
        self._recorded: list[object] = []  # datasets whose rows are in `trained_rows`
        self._warned: set[str] = set()
        self._working_sizes: set[tuple[networks.Size, bool]] = set()  # size, in training
        if size is not None:
            self._check_size(size, training=True)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (B, K) of images (B, 1, H, W), repeated to three channels."""
        return self._logits(check_images(image))[0]

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss of a batch, with the weighted losses of auxiliary outputs."""
        image, label = self._check_batch(batch, batch_idx, training=True)
        logits, *auxiliary = self._logits(image)
        loss: Tensor = self.loss(logits, label)
        for other in auxiliary:
            loss = loss + networks.AUXILIARY_WEIGHTS[self.architecture] * self.loss(other, label)
        self.log("train/loss", loss, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Log loss and metrics of the validation images."""
        image, label = self._check_batch(batch, batch_idx)
        logits = self(image)
        self.val_metrics.update(logits, label.long())
        self.log("val/loss", self.loss(logits, label), sync_dist=True)
        self.log_dict(self.val_metrics, prog_bar=True)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Log metrics of the test images."""
        image, label = self._check_batch(batch, batch_idx)
        self.test_metrics.update(self(image), label.long())
        self.log_dict(self.test_metrics)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the probabilities of a batch of images, with or without labels."""
        image = check_images(batch if isinstance(batch, Tensor) else batch[0])
        self._check_size(_size(image), training=False)
        return self.probability(image)

    def probability(self, image: Tensor) -> Tensor:
        """Return the probability of each label, float32, shape (B, K), of images (B, 1, H, W).

        The probabilities of an image add to 1 unless `multilabel`.
        """
        logits: Tensor = self(image).float()
        return logits.sigmoid() if self.multilabel else logits.softmax(1)

    @override
    def setup(self, stage: str) -> None:
        """Check the labels and the image size of the data module."""
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, CatalogueDataModule):
            return
        if stage != "predict":
            self._check_labels(data.catalogue)
        if data.image_size is not None and not data.has_transforms:
            self._check_size(data.image_size, training=stage == "fit")

    @override
    def on_train_start(self) -> None:
        """Check the labels of the training data, and set this module's weight decay."""
        for loader in flat(self.trainer.train_dataloader):
            self._check_labels(loader.dataset)
        for group in self.trainer.optimizers[0].param_groups:  # a checkpoint restores its own
            group["weight_decay"] = self.weight_decay

    @override
    def on_train_epoch_start(self) -> None:
        """Record the rows of this epoch's training data."""
        self._record_rows()

    @override
    def on_train_end(self) -> None:
        """Record the rows of a stream, which has now returned all of them."""
        self._record_rows()
        self._recorded = []

    @override
    def on_validation_start(self) -> None:
        """Check the labels of the validation data; warn if rows were used for training."""
        self._check_evaluation(self.trainer.val_dataloaders, "validation")

    @override
    def on_test_start(self) -> None:
        """Check the labels of the test data; warn if rows were used for training."""
        self._check_evaluation(self.trainer.test_dataloaders, "test")

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the rows that the network was trained on."""
        self._record_rows()
        checkpoint[TRAINED] = to_state(self.trained_rows)

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Read the rows that the network was trained on."""
        self.trained_rows = union([self.trained_rows, from_state(checkpoint.get(TRAINED, []))])

    def configure_optimizers(self) -> Any:
        """Return SGD, and one cycle over the run."""
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        schedule = OneCycle(
            optimizer,
            peak=self.lr,
            factor=cycle_factor(self.trainer),
            step=self.trainer.global_step,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _logits(self, image: Tensor) -> tuple[Tensor, ...]:
        grey = image.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        return networks.logits_of(self.model(grey))

    def _check_batch(
        self, batch: Any, batch_idx: int, *, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        image, label = check_batch(
            batch, classes=self.classes, multilabel=self.multilabel, values=batch_idx == 0
        )
        self._check_size(_size(image), training=training)
        if training and len(image) == 1:
            networks.check_single(self.model, self.architecture, _size(image))
        return image, label

    def _check_size(self, size: networks.Size, *, training: bool) -> None:
        if (size, training) not in self._working_sizes:
            networks.check_size(self.model, self.architecture, size, training=training)
            self._working_sizes.add((size, training))

    def _record_rows(self) -> None:
        """Add the rows of new training loaders, and the further rows of streams."""
        loaders = list(flat(self.trainer.train_dataloader))
        new = [
            loader
            for loader in loaders
            if isinstance(loader, StreamLoader)
            or not any(loader.dataset is known for known in self._recorded)
        ]
        if new:
            self.trained_rows = union([self.trained_rows, *map(rows_of, new)])
            self._recorded = [loader.dataset for loader in loaders]

    def _check_evaluation(self, loaders: object, stage: str) -> None:
        """Check the labels of evaluation data; warn once if rows were used for training."""
        for loader in flat(loaders):
            self._check_labels(loader.dataset)
        if self.trainer.sanity_checking or self._overfits:
            return
        if self.trainer.training:  # the rows of this epoch are not all recorded yet
            self._record_rows()
        for leak in leaks(self.trained_rows, union(map(rows_of, flat(loaders)))):
            if leak not in self._warned:
                self._warned.add(leak)
                rank_zero_warn(
                    f"Classifier: {stage}: {leak}; the score is too high, so use splits of "
                    "one size and seed",
                    category=UserWarning,
                )

    @property
    def _overfits(self) -> bool:
        trainer: Any = self.trainer
        return bool(trainer.overfit_batches > 0)

    def _check_labels(self, dataset: object) -> None:
        check_dataset(dataset, classes=self.classes, multilabel=self.multilabel)


def _size(image: Tensor) -> networks.Size:
    return image.shape[2], image.shape[3]


def _metrics(outputs: int, *, multilabel: bool) -> MetricCollection:
    """Return accuracy; for several labels, the mean accuracy of the labels and exact match."""
    if not multilabel:
        return MetricCollection({"accuracy": metrics.MulticlassAccuracy(outputs, average="micro")})
    scores: dict[str, Metric | MetricCollection]
    if outputs == 1:  # the multilabel metrics of torchmetrics need two labels or more
        scores = {"accuracy": metrics.BinaryAccuracy(), "exact_match": metrics.BinaryAccuracy()}
    else:
        scores = {
            "accuracy": metrics.MultilabelAccuracy(outputs, average="macro"),
            "exact_match": metrics.MultilabelExactMatch(outputs),
        }
    return MetricCollection(scores)
