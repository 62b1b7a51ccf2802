"""Runs: task, protocol and seed, and the recipe, data and network that follow from them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

import deepbench_torch as db
from baselines.scoring.predictions import image_recipe
from baselines.scoring.results import Protocol, run_name
from baselines.training.augment import flip_and_turn
from baselines.training.settings import Settings, Task, load_settings
from deepbench_torch.generate import GENERATOR_VERSION


@dataclass(frozen=True)
class Run:
    """Training and test of one network.

    Attributes:
        task: Task of runs.yaml.
        settings: Settings of all runs, with the tasks.
        protocol: "paper" for the same training images each epoch, "stream" for fresh ones.
        seed: Seed of the images, the weights and the training order.
    """

    task: str
    settings: Settings
    protocol: Protocol = "paper"
    seed: int = 0

    @property
    def task_settings(self) -> Task:
        """Settings of the task."""
        return self.settings.tasks[self.task]

    @cached_property
    def recipe(self) -> db.Recipe:
        """Recipe of the images, at the size of the task."""
        return image_recipe(
            db.Catalogue(self.task_settings.recipe, image_size=self.task_settings.image_size)
        )

    @property
    def image_size(self) -> str:
        """Height and width [pixel]."""
        return f"{self.recipe.image.height}x{self.recipe.image.width}"

    @property
    def name(self) -> str:
        """Unique name of the run and of its folder."""
        return run_name(
            self.task,
            self.settings.architecture,
            protocol=self.protocol,
            digest=self.recipe.digest,
            size=self.settings.size,
            epochs=self.settings.epochs,
            seed=self.seed,
        )

    def data(self, root: Path, *, processes: int = 1) -> db.CatalogueDataModule:
        """Return the images, stored under `root`; processes divide each batch.

        Raises:
            ValueError: If they cannot divide it evenly.
        """
        batch_size, rest = divmod(self.settings.batch_size, processes)
        if rest:
            raise ValueError(
                f"devices: expected a number of processes that divides a batch of "
                f"{self.settings.batch_size} images, got {processes}; choose another --devices"
            )
        return db.CatalogueDataModule(
            self.recipe,
            size=self.settings.size,
            seed=self.seed,
            batch_size=batch_size,
            root=root / "data",
            train_transform=flip_and_turn,
            fresh=self.protocol == "stream",
        )

    def model(self) -> db.Classifier:
        """Return the network, its weights initialised from the global generator."""
        return db.Classifier(
            self.settings.architecture,
            classes=self.recipe.classes,
            multilabel=self.recipe.label == "present",
            lr=self.settings.lr,
            weight_decay=self.settings.weight_decay,
            image_size=(self.recipe.image.height, self.recipe.image.width),
        )

    def claim(self, folder: Path) -> None:
        """Write run.yaml, the description of the run, into its folder.

        Raises:
            ValueError: If the folder has a checkpoint of a run with other settings.
        """
        file, own = folder / "run.yaml", self.to_plain()
        if (folder / "last.ckpt").is_file() and file.is_file():
            other = yaml.safe_load(file.read_text(encoding="utf-8"))
            # `recipe` is not compared: keys that change no row are not in its digest
            differing = [key for key in own if key != "recipe" and other.get(key) != own[key]]
            if differing:
                key = differing[0]
                raise ValueError(
                    f"{str(folder)!r}: expected a run with {key} {own[key]!r}, got "
                    f"{other.get(key)!r}; remove the folder, or choose another --root"
                )
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")

    def to_plain(self) -> dict[str, Any]:
        """Return all settings of the run as numbers, texts and mappings."""
        return {
            "task": self.task,
            "protocol": self.protocol,
            "seed": self.seed,
            **self.settings.model_dump(exclude={"tasks"}),
            **self.task_settings.model_dump(),
            "recipe_digest": self.recipe.digest,
            "generator_version": GENERATOR_VERSION,
            "recipe": self.recipe.to_plain(),
        }


def choose(
    task: str,
    *,
    seed: int = 0,
    protocol: Protocol = "paper",
    epochs: int | None = None,
    architecture: str | None = None,
    size: int | None = None,
) -> Run:
    """Return a run of runs.yaml, or a variation of it.

    Args:
        task: Task of runs.yaml.
        seed: Seed of the images, the weights and the training order.
        protocol: "paper" for the same training images each epoch, "stream" for fresh ones.
        epochs: Number of epochs; None for 60.
        architecture: Network of torchvision; None for that of the paper.
        size: Number of images before splitting; None for 10,000.

    Raises:
        ValueError: If the task is unknown.
    """
    settings = load_settings()
    if task not in settings.tasks:
        names = ", ".join(settings.tasks)
        raise ValueError(f"task: expected one of {names}, got {task!r}; choose one of these")
    options = {"architecture": architecture, "size": size, "epochs": epochs}
    changes = {key: value for key, value in options.items() if value is not None}
    return Run(task, settings.model_copy(update=changes), protocol=protocol, seed=seed)
