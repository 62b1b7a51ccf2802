"""Trainer without output, small network and small data for the tests of training."""

from pathlib import Path
from typing import Any

import lightning
import pytest

import deepbench_torch as db

TRAINING_MARKS = [
    # weights and the seeds of a loader's workers come from the global generators
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.* is deprecated"),
    # Lightning warns that a length could be wrong; that of a stream is correct for every rank
    pytest.mark.filterwarnings("ignore:Your .IterableDataset. has .__len__. defined"),
    pytest.mark.filterwarnings("ignore:.*number of training batches"),
    pytest.mark.filterwarnings("ignore:.*have no .val_dataloader"),
]


def trainer(folder: Path, **options: Any) -> lightning.Trainer:
    """Return a trainer on one CPU that writes and prints nothing."""
    quiet: dict[str, Any] = {
        "default_root_dir": folder,
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return lightning.Trainer(**quiet | options)


def classifier(**options: Any) -> db.Classifier:
    """Return a small network for the recipe astro."""
    defaults: dict[str, Any] = {
        "classes": ["star", "galaxy", "spiral"],
        "multilabel": False,
        "lr": 0.01,
    }
    return db.Classifier(options.pop("architecture", "squeezenet1_1"), **defaults | options)


def module(recipe: Any = "astro", **options: Any) -> db.CatalogueDataModule:
    """Return a data module of forty rows in batches of eight."""
    return db.CatalogueDataModule(recipe, **{"size": 40, "batch_size": 8} | options)


def never() -> Any:
    """Replace a loader that must not be created."""
    pytest.fail("a loader was created")
