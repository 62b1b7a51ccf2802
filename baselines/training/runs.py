"""A run: which task, by which protocol, from which seed; and what that makes."""

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
    """One training and its test.

    Attributes:
        task: A task of runs.yaml.
        settings: What all runs share, and the tasks.
        protocol: "paper" for the same training images each epoch, "stream" for fresh ones.
        seed: Of the images, the weights and the order of training.
    """

    task: str
    settings: Settings
    protocol: Protocol = "paper"
    seed: int = 0

    @property
    def chosen(self) -> Task:
        """The task's own settings."""
        return self.settings.tasks[self.task]

    @cached_property
    def recipe(self) -> db.Recipe:
        """What the images hold, at their size."""
        return image_recipe(db.Catalogue(self.chosen.recipe, image_size=self.chosen.image_size))

    @property
    def image_size(self) -> str:
        """Height and width [pixel]."""
        return f"{self.recipe.image.height}x{self.recipe.image.width}"

    @property
    def name(self) -> str:
        """What tells this run from every other; its folder's name."""
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
        """The images, stored under `root`; a step's batch is shared among processes.

        Raises:
            ValueError: If it cannot be shared evenly.
        """
        batch_size, rest = divmod(self.settings.batch_size, processes)
        if rest:
            raise ValueError(
                f"a batch of {self.settings.batch_size} images cannot be shared evenly among "
                f"{processes} processes; choose a number of devices that divides it"
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
        """The network, its weights drawn from the global generator."""
        return db.Classifier(
            self.settings.architecture,
            classes=self.recipe.classes,
            multilabel=self.recipe.label == "present",
            lr=self.settings.lr,
            weight_decay=self.settings.weight_decay,
            image_size=(self.recipe.image.height, self.recipe.image.width),
        )

    def claim(self, folder: Path) -> None:
        """Say in its folder what the run is.

        Raises:
            ValueError: If a run of other settings has begun there.
        """
        file, own = folder / "run.yaml", self.to_plain()
        if (folder / "last.ckpt").is_file() and file.is_file():
            other = yaml.safe_load(file.read_text(encoding="utf-8"))
            # the recipe's digest leaves out what decides no row, as new keys at their defaults
            differing = [key for key in own if key != "recipe" and other.get(key) != own[key]]
            if differing:
                key = differing[0]
                raise ValueError(
                    f"{str(folder)!r} holds a run with {key} {other.get(key)!r}, this one has "
                    f"{own[key]!r}; take the folder away, or choose another --root"
                )
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")

    def to_plain(self) -> dict[str, Any]:
        """All that decides the run, resolved."""
        return {
            "task": self.task,
            "protocol": self.protocol,
            "seed": self.seed,
            **self.settings.model_dump(exclude={"tasks"}),
            **self.chosen.model_dump(),
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
    """A run of runs.yaml, or of a variation of it.

    Args:
        task: A task of runs.yaml.
        seed: Of the images, the weights and the order of training.
        protocol: "paper" for the same training images each epoch, "stream" for fresh ones.
        epochs: Instead of 60.
        architecture: A torchvision network, instead of the paper's.
        size: How many images there are before splitting, instead of 10,000.

    Raises:
        ValueError: If the task is not known.
    """
    settings = load_settings()
    if task not in settings.tasks:
        raise ValueError(f"there is no task {task!r}; the tasks are {', '.join(settings.tasks)}")
    wanted = {"architecture": architecture, "size": size, "epochs": epochs}
    changes = {key: value for key, value in wanted.items() if value is not None}
    return Run(task, settings.model_copy(update=changes), protocol=protocol, seed=seed)
