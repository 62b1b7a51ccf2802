"""Simple simulated images and time series with exact truth, for machine learning.

Conventions: images are (C, H, W); pixel centres are at integers; x is the column, y the row and
grows downward; angles are in radians from +x toward +y, as astropy's `theta`. Lengths in a recipe
are fractions of the image's shorter side, positions are fractions of its width and height, so a
recipe has no resolution; parameters of a generated scene are in pixels.

Lightning, torchvision, astropy and matplotlib are imported when they are first used, so that worker
processes and the command line start quickly.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

from deepbench_torch.numerics.forks import watch_forks  # isort: skip - before torch
from deepbench_torch.datasets import Catalogue
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.streams import CatalogueStream, StreamLoader
from deepbench_torch.generate import generate
from deepbench_torch.images.observe import observe
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid
from deepbench_torch.recipes import Recipe, SeriesRecipe, list_recipes, load_recipe
from deepbench_torch.samples import Sample, SeriesSample
from deepbench_torch.storage import StoredCatalogue, materialize

if TYPE_CHECKING:
    from deepbench_torch import physics
    from deepbench_torch.datasets.detection import collate_detection
    from deepbench_torch.datasets.problems import list_problems, problem
    from deepbench_torch.datasets.target_tables import to_table
    from deepbench_torch.images.measure.fisher import fisher
    from deepbench_torch.images.measure.fit import fit
    from deepbench_torch.objects import lens_equation, reference
    from deepbench_torch.plotting.animation import animate
    from deepbench_torch.plotting.show import show
    from deepbench_torch.storage.stretch import to_uint8
    from deepbench_torch.training.classifier import Classifier
    from deepbench_torch.training.datamodule import CatalogueDataModule
    from deepbench_torch.training.models import get_model
    from deepbench_torch.training.regressor import Regressor
    from deepbench_torch.training.weights import get_weights, list_weights

    __version__: str

__all__ = [
    "OBJECTS",
    "Catalogue",
    "CatalogueDataModule",
    "CatalogueStream",
    "Classifier",
    "Collection",
    "Grid",
    "Recipe",
    "Regressor",
    "Sample",
    "SeriesRecipe",
    "SeriesSample",
    "StoredCatalogue",
    "StreamLoader",
    "__version__",
    "animate",
    "collate_detection",
    "fisher",
    "fit",
    "generate",
    "get_model",
    "get_weights",
    "lens_equation",
    "list_problems",
    "list_recipes",
    "list_weights",
    "load_recipe",
    "materialize",
    "observe",
    "physics",
    "problem",
    "reference",
    "show",
    "to_table",
    "to_uint8",
]

_LATER = {
    "CatalogueDataModule": "training.datamodule",
    "Classifier": "training.classifier",
    "Regressor": "training.regressor",
    "animate": "plotting.animation",
    "collate_detection": "datasets.detection",
    "fisher": "images.measure.fisher",
    "fit": "images.measure.fit",
    "get_model": "training.models",
    "get_weights": "training.weights",
    "list_problems": "datasets.problems",
    "list_weights": "training.weights",
    "problem": "datasets.problems",
    "show": "plotting.show",
    "to_table": "datasets.target_tables",
    "to_uint8": "storage.stretch",
}
_MODULES = {
    "lens_equation": "objects.lens_equation",
    "physics": "physics",
    "reference": "objects.reference",
}


watch_forks()


def __getattr__(name: str) -> object:
    if name == "__version__":
        return metadata.version("deepbench_torch")
    if name in _MODULES:
        return import_module(f"deepbench_torch.{_MODULES[name]}")
    if name in _LATER:
        return getattr(import_module(f"deepbench_torch.{_LATER[name]}"), name)
    raise AttributeError(f"module 'deepbench_torch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
