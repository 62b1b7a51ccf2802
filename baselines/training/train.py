"""Training of a run, resumed from its last checkpoint if it has one."""

import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger

import deepbench_torch as db
from baselines.training.runs import Run


class Trained(NamedTuple):
    """Trained network.

    Attributes:
        model: Network with its last weights.
        seconds: Duration of training, over all parts of a resumed run [s].
        device: Device of training.
        before: Whether the run was complete before, so that nothing was trained now.
        first: Whether this process is the first of its training; the others record nothing.
    """

    model: db.Classifier
    seconds: float
    device: str
    before: bool
    first: bool


def train(run: Run, *, root: Path, devices: str = "auto", nodes: int = 1) -> Trained:
    """Train a run to its end; read a complete run from its checkpoint.

    Args:
        run: Run to train.
        root: Folder for the data and the folder of the run.
        devices: Number of devices, as in Lightning; on a CPU, the number of processes.
        nodes: Number of machines.

    Raises:
        ValueError: If the processes cannot divide a batch evenly.
    """
    lightning.seed_everything(run.seed, workers=True, verbose=False)
    watch = Stopwatch()
    folder = root / run.name
    trainer = _trainer(run, folder, watch=watch, devices=devices, nodes=nodes)
    data = run.data(root, processes=trainer.world_size)
    model = run.model()
    last = folder / "last.ckpt"
    before = last.is_file() and _is_complete(last, run.settings.epochs)
    if before:
        checkpoint = torch.load(last, weights_only=True, map_location="cpu")
        model.load_state_dict(checkpoint["state_dict"])
        watch.load_state_dict(checkpoint["callbacks"][watch.state_key])
        data.prepare_data()
    else:
        _fit(trainer, model, data, last=last)
    return Trained(
        model, watch.seconds, _device(trainer), before=before, first=trainer.is_global_zero
    )


class Stopwatch(Callback):
    """Seconds of training, stored in the checkpoint, so that a resumed run adds to them."""

    def __init__(self) -> None:
        self.before = 0.0
        self.start: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self.before + (0.0 if self.start is None else time.monotonic() - self.start)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock."""
        self.start = time.monotonic()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop the clock."""
        self.before, self.start = self.seconds, None

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds for the checkpoint."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from the seconds of a checkpoint."""
        self.before = state_dict["seconds"]


def log_files(folder: Path) -> list[Path]:
    """Return the logs of the parts of a run in the order of training: log, log-2, log-3, ..."""
    later = folder.glob("log-[0-9]*/metrics.csv")
    return [
        *folder.glob("log/metrics.csv"),
        *sorted(later, key=lambda path: int(path.parent.name.removeprefix("log-"))),
    ]


def _trainer(
    run: Run, folder: Path, *, watch: Stopwatch, devices: str, nodes: int
) -> lightning.Trainer:
    checkpoint = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    # Lightning empties an existing log folder, so each part of a resumed run has its own
    parts = len(log_files(folder))
    logger = CSVLogger(
        folder,
        name=None,
        version=f"log-{parts + 1}" if parts else "log",
        flush_logs_every_n_steps=1,  # a killed run loses no step
    )
    return lightning.Trainer(
        max_epochs=run.settings.epochs,
        precision=run.settings.precision,
        devices=devices,
        num_nodes=nodes,
        logger=logger,
        callbacks=[checkpoint, watch, TQDMProgressBar(refresh_rate=10)],
        enable_model_summary=False,
        log_every_n_steps=1,  # metrics are logged by epoch
    )


def _fit(
    trainer: lightning.Trainer, model: db.Classifier, data: db.CatalogueDataModule, *, last: Path
) -> None:
    """Train from the last checkpoint, if there is one."""
    with warnings.catch_warnings():
        # reading an image from mapped memory takes microseconds, so workers would be slower
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # Lightning 2.6 uses a deprecated interface of torch 2.14
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        # the folder of a resumed run has a checkpoint
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        # a stream divides its rows among processes itself, each row once
        warnings.filterwarnings("ignore", message=".*has `__len__` defined.*")
        trainer.fit(model, data, ckpt_path=str(last) if last.is_file() else None)


def _is_complete(checkpoint: Path, epochs: int) -> bool:
    """Return whether the last epoch is complete; checkpoints are written after epochs only."""
    epoch: int = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)["epoch"]
    return epoch + 1 >= epochs


def _device(trainer: lightning.Trainer) -> str:
    device = trainer.strategy.root_device
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{device.type} x {torch.get_num_threads()} threads"
    return name if trainer.world_size == 1 else f"{trainer.world_size} x {name}"
