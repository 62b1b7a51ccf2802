"""Settings of pre-training, read from pretrain.yaml."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

import deepbench_torch as db
from deepbench_torch.numerics.checks import nearest
from deepbench_torch.recipes import Recipe, require_images
from deepbench_torch.training.quantize import Precision
from deepbench_torch.training.standardize import Standardize
from deepbench_torch.training.tasks import TargetKind, Task, tasks_of

FILE = Path(__file__).parents[1] / "pretrain.yaml"


class Source(BaseModel):
    """Packaged recipe, and changes to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    changes: dict[str, Any] = {}

    def load(self) -> Recipe:
        """Return the changed recipe."""
        recipe = require_images(db.load_recipe(self.recipe), "recipe", remedy="choose images")
        return recipe.replace(**self.changes) if self.changes else recipe


class Network(BaseModel):
    """Network to train, with its tasks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    recipes: list[str]
    targets: list[TargetKind]
    side: int
    steps: int
    batch: int
    lr: float
    weight_decay: float
    precision: Precision


class Settings(BaseModel):
    """All settings of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    test_seed: int
    test_rows: int
    recipes: dict[str, Source]
    networks: dict[str, Network]


class Pretraining:
    """Pre-training of one network.

    Args:
        name: Name of the network in pretrain.yaml.
        steps: Number of batches; None for that of the file.

    Raises:
        ValueError: If the file has no such network.
    """

    def __init__(self, name: str, *, steps: int | None = None) -> None:
        self.settings = load_settings()
        if name not in self.settings.networks:
            names = ", ".join(self.settings.networks)
            raise ValueError(
                f"NAME: expected a network of pretrain.yaml, got {name!r}; "
                f"{nearest(name, self.settings.networks)}there are {names}"
            )
        self.name = name
        own = self.settings.networks[name]
        self.network = own if steps is None else own.model_copy(update={"steps": steps})

    @cached_property
    def recipes(self) -> Mapping[str, Recipe]:
        """Recipes by name."""
        return {name: self.settings.recipes[name].load() for name in self.network.recipes}

    @cached_property
    def tasks(self) -> list[Task]:
        """Tasks of the network."""
        return tasks_of(self.recipes, self.network.targets)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        last = self.tasks[-1]
        return last.start + len(last.names)

    @property
    def transforms(self) -> Standardize:
        """Preparation of the images."""
        return Standardize(least_side=self.network.side)


def load_settings() -> Settings:
    """Return the settings in pretrain.yaml."""
    plain = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return Settings.model_validate(plain)
