"""Settings of the runs, read from runs.yaml."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).parents[1] / "runs.yaml"


class Task(BaseModel):
    """Row of the paper's table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    image_size: int
    paper_accuracy: float


class Settings(BaseModel):
    """Settings of all runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    size: int
    batch_size: int
    lr: float
    weight_decay: float
    optimiser: str
    schedule: str
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    epochs: int
    augmentation: str
    tasks: dict[str, Task]


def load_settings() -> Settings:
    """Return the settings in runs.yaml."""
    return Settings.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
