"""Classifier: any torchvision network on catalogue images, trained as the paper trains."""

from collections.abc import Sequence
from typing import Any

import lightning
import torch
import torchmetrics.classification as metrics
import torchvision
from torch import Tensor, nn
from torchmetrics import MetricCollection

from deepbench_torch.arguments import nearest

Batch = tuple[Tensor, Tensor]


class Classifier(lightning.LightningModule):
    """A torchvision network with a loss, metrics and a schedule.

    Learning rate and weight decay are the paper's. It gives neither optimiser nor schedule; these
    are plain SGD without momentum, and one cycle: a linear warm-up over the first tenth of all
    steps to `lr`, then a half cosine down.

    Args:
        architecture: A name of `torchvision.models.list_models()`.
        classes: The names of the labels, in their order.
        multilabel: Whether an image may have several labels, so that each is a yes or no.
        lr: The largest learning rate.
        weight_decay: Weight decay of all weights.

    Raises:
        ValueError: If torchvision has no such network.
    """

    def __init__(
        self,
        architecture: str = "resnet50",
        *,
        classes: Sequence[str],
        multilabel: bool,
        lr: float = 0.524,
        weight_decay: float = 0.00125,
    ) -> None:
        super().__init__()
        classes = list(classes)
        self.save_hyperparameters()
        self.model = _build(architecture, len(classes))
        self.classes = classes
        self.multilabel = multilabel
        self.lr = lr
        self.weight_decay = weight_decay
        self.loss: nn.Module = nn.BCEWithLogitsLoss() if multilabel else nn.CrossEntropyLoss()
        scores = _metrics(len(classes), multilabel=multilabel)
        self.val_metrics = scores.clone(prefix="val/")
        self.test_metrics = scores.clone(prefix="test/")

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, K) of images (B, 1, H, W); grey is fed to all three channels of the stem."""
        grey = image.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.model(grey)
        return logits

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch."""
        image, label = batch
        loss: Tensor = self.loss(self(image), label)
        self.log("train/loss", loss, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Loss and metrics of the validation images."""
        image, label = batch
        logits = self(image)
        self.val_metrics.update(logits, label.long())
        self.log("val/loss", self.loss(logits, label), sync_dist=True)
        self.log_dict(self.val_metrics, prog_bar=True)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Metrics of the test images."""
        image, label = batch
        self.test_metrics.update(self(image), label.long())
        self.log_dict(self.test_metrics)

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Probabilities of a batch, as `probability` gives them."""
        return self.probability(batch[0])

    def probability(self, image: Tensor) -> Tensor:
        """What each label's probability is, float32, shape (B, K), of images (B, 1, H, W).

        They add to 1 where an image has one label.
        """
        logits: Tensor = self(image).float()
        return logits.sigmoid() if self.multilabel else logits.softmax(1)

    def configure_optimizers(self) -> Any:
        """SGD and one cycle over all steps of the run."""
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self.lr,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=0.1,
            cycle_momentum=False,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def _build(architecture: str, outputs: int) -> nn.Module:
    known = torchvision.models.list_models(module=torchvision.models)
    if architecture not in known:
        raise ValueError(
            f"torchvision has no classification network {architecture!r}; "
            f"{nearest(architecture, known)}torchvision.models.list_models() tells all names"
        )
    network: nn.Module = torchvision.models.get_model(
        architecture, weights=None, num_classes=outputs
    )
    # channels last: faster convolutions on CPUs and GPUs alike
    return network.to(memory_format=torch.channels_last)


def _metrics(outputs: int, *, multilabel: bool) -> MetricCollection:
    """Accuracy; for several labels it is the mean of each label's, with exact match beside it."""
    if multilabel:
        return MetricCollection(
            {
                "accuracy": metrics.MultilabelAccuracy(outputs, average="macro"),
                "exact_match": metrics.MultilabelExactMatch(outputs),
            }
        )
    return MetricCollection({"accuracy": metrics.MulticlassAccuracy(outputs, average="micro")})
