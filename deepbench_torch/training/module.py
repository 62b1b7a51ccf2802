"""Base of Classifier and Regressor: network, optimiser, schedule and record of training rows."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from typing_extensions import override

from deepbench_torch.datasets.streams import StreamLoader
from deepbench_torch.training import networks
from deepbench_torch.training.checks import check_images, rate
from deepbench_torch.training.datamodule import CatalogueDataModule
from deepbench_torch.training.layers import channels_of, head_of, with_outputs, without_head
from deepbench_torch.training.loaders import flat
from deepbench_torch.training.models import WeightSource, find_weights, load_weights
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
NOT_SAVED = ["weights", "optimizer", "schedule", "architecture"]  # arguments not in a checkpoint
ALSO_NETWORK = [*NOT_SAVED, "network"]

MakeOptimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
MakeSchedule = Callable[[torch.optim.Optimizer], Any] | Literal["constant"]
ImageSize = int | tuple[int, int] | None


class NetworkModule(lightning.LightningModule):
    """Network with an optimiser and a schedule; see Classifier for the arguments.

    Args:
        network: Name of a network, or a network.
        outputs: Number of outputs.
        weights: Weights to start from, as in `db.get_model`.
        freeze: "backbone" to train the head only.
        optimizer: Function of the parameters that returns an optimiser; None for SGD.
        schedule: Function of the optimiser that returns a schedule; "constant"; None for one cycle.
        lr: Largest learning rate of SGD.
        weight_decay: Weight decay of SGD.
        image_size: Height and width [pixel].
    """

    def __init__(
        self,
        network: str | nn.Module,
        *,
        outputs: int,
        weights: WeightSource,
        freeze: Literal["backbone"] | None,
        optimizer: MakeOptimizer | None,
        schedule: MakeSchedule | None,
        lr: float,
        weight_decay: float,
        image_size: ImageSize,
    ) -> None:
        super().__init__()
        self.lr = rate(lr, self.where("lr"), zero=False)
        self.weight_decay = rate(weight_decay, self.where("weight_decay"), zero=True)
        self.frozen = _checked_freeze(freeze, where=self.where("freeze"))
        self.make_optimizer = _checked_call(optimizer, where=self.where("optimizer"))
        self.make_schedule = _checked_call(schedule, where=self.where("schedule"), or_="constant")
        size = networks.checked_size(image_size)
        self.architecture = network if isinstance(network, str) else type(network).__name__
        self.sizes_checked = isinstance(network, str)
        self.model = _build(network, outputs=outputs, weights=weights, size=size)
        self.channels = channels_of(self.model)
        self.trained_rows: Rows = {}
        self._recorded: list[object] = []  # datasets whose rows are in `trained_rows`
        self._warned: set[str] = set()
        self._working_sizes: set[tuple[networks.Size, bool]] = set()  # size, in training
        if self.frozen is not None:
            self.backbone.requires_grad_(False)
        if size is not None:
            self._check_size(size, training=True)

    @property
    def backbone(self) -> nn.Module:
        """Network without its last layer, which returns features (B, D); it shares all weights."""
        return without_head(self.model)

    @property
    def head(self) -> nn.Module:
        """Last layer of the network."""
        return head_of(self.model)

    @classmethod
    def where(cls, name: str) -> str:
        """Return the name of an argument for messages."""
        return f"{cls.__name__}.{name}"

    @override
    def train(self, mode: bool = True) -> "NetworkModule":
        """Set the training mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if mode and self.frozen is not None:
            self.backbone.eval()
        return self

    def forward(self, image: Tensor) -> Tensor:
        """Return outputs (B, K) of images (B, 1, H, W), repeated to the network's channels."""
        return self._outputs(image)[0]

    @override
    def setup(self, stage: str) -> None:
        """Check the data and the image size of the data module."""
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, CatalogueDataModule):
            return
        if stage != "predict":
            self.check_data(data.catalogue)
        if data.image_size is not None and not data.has_transforms:
            self._check_size(data.image_size, training=stage == "fit")

    def check_data(self, dataset: object) -> None:
        """Check that a dataset has the targets of this module."""

    @override
    def on_train_start(self) -> None:
        """Check the training data, and set this module's weight decay."""
        for loader in flat(self.trainer.train_dataloader):
            self.check_data(loader.dataset)
        if self.make_optimizer is None:
            for group in self.trainer.optimizers[0].param_groups:  # a checkpoint has its own
                group["weight_decay"] = self.weight_decay

    @override
    def on_train_epoch_start(self) -> None:
        """Record the rows of this epoch's training data; a frozen backbone is evaluated."""
        self._record_rows()
        if self.frozen is not None:
            self.backbone.eval()

    @override
    def on_train_end(self) -> None:
        """Record the rows of a stream, which has now returned all of them."""
        self._record_rows()
        self._recorded = []

    @override
    def on_validation_start(self) -> None:
        """Check the validation data; warn if rows were used for training."""
        self._check_evaluation(self.trainer.val_dataloaders, "validation")

    @override
    def on_test_start(self) -> None:
        """Check the test data; warn if rows were used for training."""
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
        """Return the optimiser of all weights that are not frozen, and its schedule."""
        weights = [weight for weight in self.parameters() if weight.requires_grad]
        if self.make_optimizer is None:
            optimizer: Any = torch.optim.SGD(weights, lr=self.lr, weight_decay=self.weight_decay)
        else:
            optimizer = self.make_optimizer(weights)
        if self.make_schedule == "constant":
            return optimizer
        if self.make_schedule is not None:
            return {"optimizer": optimizer, "lr_scheduler": self.make_schedule(optimizer)}
        factor, step = cycle_factor(self.trainer), self.trainer.global_step
        schedule = OneCycle(optimizer, factor=factor, step=step)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _outputs(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of the network, then its auxiliary outputs."""
        image = check_images(image, where=type(self).__name__, channels=self.channels)
        if self.channels is not None and self.channels != image.shape[1]:
            image = image.expand(-1, self.channels, -1, -1)
        image = image.contiguous(memory_format=torch.channels_last)
        return networks.logits_of(self.model(image))

    def _check_image(self, image: Tensor, *, training: bool) -> None:
        """Check the size of a batch of images, and that it is no single one in training."""
        size = (image.shape[2], image.shape[3])
        self._check_size(size, training=training)
        if training and len(image) == 1 and self.sizes_checked:
            networks.check_single(self.model, self.architecture, size)

    def _check_size(self, size: networks.Size, *, training: bool) -> None:
        if self.sizes_checked and (size, training) not in self._working_sizes:
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
        """Check evaluation data; warn once if rows were used for training."""
        for loader in flat(loaders):
            self.check_data(loader.dataset)
        trainer: Any = self.trainer
        if trainer.sanity_checking or trainer.overfit_batches > 0:
            return
        if trainer.training:  # the rows of this epoch are not all recorded yet
            self._record_rows()
        for leak in leaks(self.trained_rows, union(map(rows_of, flat(loaders)))):
            if leak not in self._warned:
                self._warned.add(leak)
                rank_zero_warn(
                    f"{type(self).__name__}: {stage}: {leak}; the score is too high, so use "
                    "splits of one size and seed",
                    category=UserWarning,
                )


def _build(
    network: str | nn.Module, *, outputs: int, weights: WeightSource, size: networks.Size | None
) -> nn.Module:
    """Return a network with a number of outputs, and with weights if they are requested."""
    if isinstance(network, str):
        model = networks.build(network, outputs=outputs, image_size=size)
    elif isinstance(network, nn.Module):
        model = with_outputs(network, outputs)
    else:
        raise ValueError(
            "network: expected the name of a network or a torch.nn.Module, got "
            f"{type(network).__name__}; see torchvision.models.list_models()"
        )
    name = network if isinstance(network, str) else None
    found = find_weights(weights, name)
    if found is not None:
        load_weights(model, found, architecture=name or type(network).__name__)
    return model


def _checked_freeze(freeze: object, *, where: str) -> Literal["backbone"] | None:
    if freeze is None or freeze == "backbone":
        return freeze
    raise ValueError(
        f"{where}: expected None or 'backbone', got {freeze!r}; for parts of a backbone set "
        "requires_grad, or use BackboneFinetuning of Lightning"
    )


def _checked_call(value: Any, *, where: str, or_: str | None = None) -> Any:
    if value is None or value == or_ or callable(value):
        return value
    options = "None or a function" if or_ is None else f"None, {or_!r} or a function"
    raise ValueError(
        f"{where}: expected {options}, got {value!r}; for example "
        "optimizer=functools.partial(torch.optim.AdamW, lr=1e-3)"
    )
