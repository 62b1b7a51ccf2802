"""Classifier: a network with class labels, trained as in the paper."""

from collections.abc import Sequence
from typing import Any, Literal

import torchmetrics.classification as metrics
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from typing_extensions import override

from deepbench_torch.training import networks
from deepbench_torch.training.checks import check_batch, check_dataset, check_images, class_names
from deepbench_torch.training.models import WeightSource
from deepbench_torch.training.module import (
    ALSO_NETWORK,
    NOT_SAVED,
    ImageSize,
    MakeOptimizer,
    MakeSchedule,
    NetworkModule,
)


class Classifier(NetworkModule):
    """Network with a loss, metrics and a schedule.

    Learning rate and weight decay are those of the paper, which states neither optimiser nor
    schedule. The optimiser is SGD without momentum. The learning rate follows one cycle: half a
    cosine up to `lr` over the first tenth of the run, half a cosine down over the rest. Steps,
    epochs or `max_time` set the length of the cycle; a run without a limit keeps `lr` after a
    warm-up. A resumed run follows the cycle of its new length, at its own `lr` and `weight_decay`.

    Networks with auxiliary outputs (googlenet, inception_v3) add their auxiliary losses in
    training, weighted by 0.3 and 0.4.

    `backbone` is the network without its last layer, `head` the last layer, so that Lightning's
    `BackboneFinetuning` works.

    A checkpoint stores the recipe, seed and range of the training rows in `trained_rows`. A test
    or validation on such rows warns. It stores neither a network given as a module nor
    `optimizer` and `schedule`: pass them to `load_from_checkpoint` again.

    Args:
        network: Name in `torchvision.models.list_models(module=torchvision.models)`; "small" for
            the small network of this package; or a network, whose last linear layer is replaced
            in place if it has another number of outputs.
        classes: Names of the labels, in their order.
        multilabel: Whether an image may have several labels.
        weights: Weights to start from, as in `db.get_model`: None, True, a name or a path. Prepare
            the images by `db.get_weights(name).transforms()`.
        freeze: "backbone" to train the last layer only, with the statistics of BatchNorm kept.
        optimizer: Function of the weights that returns an optimiser, such as
            `functools.partial(torch.optim.AdamW, lr=1e-3)`; None for SGD.
        schedule: Function of the optimiser that returns a schedule for each epoch, or a dict as in
            `configure_optimizers` of Lightning; "constant"; None for one cycle up to the
            optimiser's rate.
        lr: Largest learning rate of SGD. For weights that are trained already, a tenth or less.
        weight_decay: Weight decay of all weights by SGD.
        image_size: Height and width [pixel], one number for a square. Networks for one size
            (vit_*, maxvit_t) are built for it; others are checked against it. None for
            torchvision's size; the data are then checked when training starts.
        architecture: Earlier name of `network`.

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
        network: str | nn.Module = "resnet50",
        *,
        classes: Sequence[str],
        multilabel: bool,
        weights: WeightSource = None,
        freeze: Literal["backbone"] | None = None,
        optimizer: MakeOptimizer | None = None,
        schedule: MakeSchedule | None = None,
        lr: float = 0.524,
        weight_decay: float = 0.00125,
        image_size: ImageSize = None,
        architecture: str | None = None,
    ) -> None:
        classes = class_names(classes, multilabel=multilabel)
        network = network if architecture is None else architecture
        super().__init__(
            network,
            outputs=len(classes),
            weights=weights,
            freeze=freeze,
            optimizer=optimizer,
            schedule=schedule,
            lr=lr,
            weight_decay=weight_decay,
            image_size=image_size,
        )
        lr, weight_decay = self.lr, self.weight_decay
        self.save_hyperparameters(ignore=NOT_SAVED if isinstance(network, str) else ALSO_NETWORK)
        self.classes = classes
        self.multilabel = multilabel
        self.loss: nn.Module = nn.BCEWithLogitsLoss() if multilabel else nn.CrossEntropyLoss()
        scores = _metrics(len(classes), multilabel=multilabel)
        self.val_metrics = scores.clone(prefix="val/")
        self.test_metrics = scores.clone(prefix="test/")

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss of a batch, with the weighted losses of auxiliary outputs."""
        image, label = self._check_batch(batch, batch_idx, training=True)
        logits, *auxiliary = self._outputs(image)
        loss: Tensor = self.loss(logits, label)
        for other in auxiliary:
            weight = networks.AUXILIARY_WEIGHTS.get(self.architecture, networks.OTHER_AUXILIARY)
            loss = loss + weight * self.loss(other, label)
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
        image = check_images(
            batch if isinstance(batch, Tensor) else batch[0], channels=self.channels
        )
        self._check_image(image, training=False)
        return self.probability(image)

    def probability(self, image: Tensor) -> Tensor:
        """Return the probability of each label, float32, shape (B, K), of images (B, 1, H, W).

        The probabilities of an image add to 1 unless `multilabel`.
        """
        logits: Tensor = self(image).float()
        return logits.sigmoid() if self.multilabel else logits.softmax(1)

    @override
    def check_data(self, dataset: object) -> None:
        """Check that a dataset has the labels of this classifier."""
        check_dataset(dataset, classes=self.classes, multilabel=self.multilabel)

    def _check_batch(
        self, batch: Any, batch_idx: int, *, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        image, label = check_batch(
            batch,
            classes=self.classes,
            multilabel=self.multilabel,
            values=batch_idx == 0,
            channels=self.channels,
        )
        self._check_image(image, training=training)
        return image, label


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
