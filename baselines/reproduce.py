"""Reproduce a row of the paper's table: `python -m baselines.reproduce astro`.

Makes the data, trains, tests and adds one line to results.csv. A run that was killed goes on from
its last whole epoch when the same command is given again.
"""

import logging
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import lightning
import torch
import typer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger

import deepbench_torch as db
from baselines import results
from baselines.augment import flip_and_turn
from baselines.settings import Settings, Task, load_settings
from deepbench_torch.cli import run_command
from deepbench_torch.generate import GENERATOR_VERSION


def run(
    task: str,
    *,
    seed: int = 0,
    epochs: int | None = None,
    architecture: str | None = None,
    size: int | None = None,
    root: Path = Path("runs"),
    results_file: Path = results.FILE,
) -> results.Result:
    """Train and test on one task and record it.

    Args:
        task: A task of runs.yaml.
        seed: Of the images, the weights and the order of training.
        epochs: Instead of the task's own.
        architecture: A torchvision network, instead of the paper's.
        size: How many images there are before splitting, instead of 10,000.
        root: Where the data and the folder of the run go.
        results_file: Where the line goes.

    Returns:
        The line.

    Raises:
        ValueError: If the task is not known.
    """
    settings, chosen = _choose(task, epochs=epochs, architecture=architecture, size=size)
    lightning.seed_everything(seed, workers=True, verbose=False)
    data = db.CatalogueDataModule(
        chosen.recipe,
        size=settings.size,
        seed=seed,
        batch_size=settings.batch_size,
        image_size=chosen.image_size,
        root=root / "data",
        train_transform=flip_and_turn,
    )
    recipe = data.catalogue.recipe
    if not isinstance(recipe, db.Recipe):
        raise TypeError(f"the baselines classify images, but {recipe.name} holds time series")
    model = db.Classifier(
        settings.architecture,
        classes=recipe.classes,
        multilabel=recipe.label == "present",
        lr=settings.lr,
        weight_decay=settings.weight_decay,
    )
    name = (
        f"{task}-{settings.architecture}-{recipe.digest[:8]}-size{settings.size}"
        f"-epochs{chosen.epochs}-seed{seed}"
    )
    watch = Stopwatch()
    trainer = _trainer(root / name, epochs=chosen.epochs, watch=watch)
    scores = _fit_and_test(trainer, model, data, root / name)
    accuracy = 100 * scores["test/accuracy"]
    result = results.Result(
        task=task,
        architecture=settings.architecture,
        accuracy=round(accuracy, 2),
        exact_match=round(100 * scores.get("test/exact_match", accuracy / 100), 2),
        paper_accuracy=chosen.paper_accuracy,
        seed=seed,
        epochs=chosen.epochs,
        optimiser=settings.optimiser,
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        batch_size=settings.batch_size,
        schedule=settings.schedule,
        augmentation=settings.augmentation,
        size=settings.size,
        image_size=f"{recipe.image.height}x{recipe.image.width}",
        recipe_digest=recipe.digest,
        generator_version=GENERATOR_VERSION,
        commit=results.commit(),
        torch_version=torch.__version__,
        device=_device(trainer),
        wall_time=round(watch.seconds),
        date=datetime.now(UTC).date().isoformat(),
    )
    results.append(result, results_file)
    return result


class Stopwatch(Callback):
    """Seconds of training, kept in the checkpoint so that a resumed run adds up."""

    def __init__(self) -> None:
        self.before = 0.0
        self.start: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self.before + (0.0 if self.start is None else time.monotonic() - self.start)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start to count."""
        self.start = time.monotonic()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Stop counting."""
        self.before, self.start = self.seconds, None

    def state_dict(self) -> dict[str, Any]:
        """What the checkpoint keeps."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.before = state_dict["seconds"]


def _choose(
    task: str, *, epochs: int | None, architecture: str | None, size: int | None
) -> tuple[Settings, Task]:
    settings = load_settings()
    if task not in settings.tasks:
        raise ValueError(f"there is no task {task!r}; the tasks are {', '.join(settings.tasks)}")
    wanted = {"architecture": architecture, "size": size}
    changes = {key: value for key, value in wanted.items() if value is not None}
    chosen = settings.tasks[task]
    if epochs is not None:
        chosen = chosen.model_copy(update={"epochs": epochs})
    return settings.model_copy(update=changes), chosen


def _trainer(folder: Path, *, epochs: int, watch: Stopwatch) -> lightning.Trainer:
    checkpoint = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    return lightning.Trainer(
        max_epochs=epochs,
        devices=1,
        logger=CSVLogger(folder, name=None, version="log"),
        callbacks=[checkpoint, watch, TQDMProgressBar(refresh_rate=10)],
        enable_model_summary=False,
        log_every_n_steps=10,
    )


def _fit_and_test(
    trainer: lightning.Trainer,
    model: db.Classifier,
    data: db.CatalogueDataModule,
    folder: Path,
) -> dict[str, float]:
    """Train from the last checkpoint, if there is one, and test the last weights."""
    last = folder / "last.ckpt"
    with warnings.catch_warnings():
        # reading an image from mapped memory takes microseconds: a process more would only cost
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # Lightning 2.6 asks torch 2.14 in a way of before
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        # a checkpoint of ours in a folder of ours is what is meant to be there
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        trainer.fit(model, data, ckpt_path=str(last) if last.exists() else None)
        (scores,) = trainer.test(model, data, verbose=False)
    return {key: float(value) for key, value in scores.items()}


def _device(trainer: lightning.Trainer) -> str:
    device = trainer.strategy.root_device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} x {torch.get_num_threads()} threads"


def main(
    task: Annotated[str, typer.Argument(help="The task: astro.")],
    seed: Annotated[int, typer.Option(help="Of images, weights and order.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Instead of the task's own.")] = None,
    architecture: Annotated[str | None, typer.Option(help="A torchvision network.")] = None,
    size: Annotated[int | None, typer.Option(help="Images before splitting.")] = None,
    root: Annotated[Path, typer.Option(help="Folder of data and runs.")] = Path("runs"),
    results_file: Annotated[Path, typer.Option(help="Where the line goes.")] = results.FILE,
) -> None:
    """Reproduce a row of the paper's table and add it to results.csv."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    result = run(
        task,
        seed=seed,
        epochs=epochs,
        architecture=architecture,
        size=size,
        root=root,
        results_file=results_file,
    )
    typer.echo(
        f"{result.task}: test accuracy {result.accuracy:.2f} % "
        f"(paper {result.paper_accuracy:.1f} %), {result.architecture}, {result.epochs} epochs, "
        f"{result.wall_time} s on {result.device}"
    )


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.reproduce")
