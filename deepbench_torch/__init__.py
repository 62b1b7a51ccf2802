"""Simple, physically exact simulated images for machine learning."""

from deepbench_torch import reference
from deepbench_torch.classifier import Classifier
from deepbench_torch.datamodule import CatalogueDataModule
from deepbench_torch.datasets import Catalogue
from deepbench_torch.generate import Sample, generate
from deepbench_torch.grid import Grid
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import Recipe, list_recipes, load_recipe
from deepbench_torch.storage import StoredCatalogue, materialize

__all__ = [
    "OBJECTS",
    "Catalogue",
    "CatalogueDataModule",
    "Classifier",
    "Grid",
    "Recipe",
    "Sample",
    "StoredCatalogue",
    "generate",
    "list_recipes",
    "load_recipe",
    "materialize",
    "reference",
]
