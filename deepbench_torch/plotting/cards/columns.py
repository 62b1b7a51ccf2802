"""Labels and parameters of a catalogue's first rows, as columns of numbers."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from deepbench_torch.datasets import Catalogue
from deepbench_torch.datasets.statistics import ROWS, Statistics, statistics_of
from deepbench_torch.objects.photometry import UNITS
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samples import AbstractSample
from deepbench_torch.samples.lines import lines_of

DERIVED = "derived"
CHUNK = 64  # rows in a batch of the statistics


class Column(NamedTuple):
    """Values of one parameter in all objects that are present.

    Attributes:
        owner: Kind of object, or system.
        name: Name of the parameter.
        unit: Unit; empty without one.
        prior: Prior in words, in the units of the recipe; DERIVED for a quantity that follows from
            the parameters.
        values: Values, shape (N,).
    """

    owner: str
    name: str
    unit: str
    prior: str
    values: NDArray[Any]

    @property
    def varies(self) -> bool:
        """Whether the values differ."""
        return len(self.values) > 0 and bool((self.values != self.values[0]).any())


class Columns(NamedTuple):
    """Labels, parameters and statistics of the first rows of a catalogue.

    Attributes:
        rows: Number of rows.
        labels: Number of rows with each label, by name; empty for time series.
        parameters: Values of every parameter, and of what follows from them.
        statistics: Range, mean and standard deviation of the pixels or channels.
    """

    rows: int
    labels: dict[str, int]
    parameters: list[Column]
    statistics: Statistics


def columns_of(catalogue: Catalogue) -> Columns:
    """Return the labels, parameters and statistics of the first rows of a catalogue."""
    rows = catalogue.rows[:ROWS]
    sample = catalogue.samples(rows=rows)
    tables = {path: table.numpy() for path, table in sample.tables().items()}
    parameters = []
    for path, values in tables.items():
        match path.split("/"):
            case ["parameters", owner, name]:
                present = tables.get(f"present/{owner}")
                by_slot = present is not None and present.shape == values.shape
                kept = values[present] if by_slot else values.ravel()
                unit = catalogue.recipe.unit(path) or ""
                prior = _prior(catalogue.recipe, owner, name)
                parameters.append(Column(owner, name, unit, prior, kept))
            case ["conditions", name]:
                unit = catalogue.recipe.unit(path) or ""
                prior = words(catalogue.recipe.condition_priors[name].to_plain())
                parameters.append(Column("conditions", name, unit, prior, values))
    parameters += _derived_columns(catalogue.recipe, sample)
    labels = _labels(catalogue.recipe, tables["label"])
    statistics = statistics_of(torch.split(sample.data, CHUNK))
    return Columns(len(rows), labels, parameters, statistics)


def _derived_columns(recipe: AbstractRecipe, sample: AbstractSample) -> list[Column]:
    """Return what follows from the parameters of objects, which no file holds."""
    lines, columns = lines_of(recipe, sample.tables(), sample.index), []
    for owner in dict.fromkeys(lines.kind.tolist()):
        for name in UNITS:
            is_parameter = f"parameters/{owner}/{name}" in sample.tables()
            if name in lines.columns and not is_parameter:
                values, absent, unit = lines.columns[name]
                kept = values[(lines.kind == owner) & ~absent]
                if len(kept):
                    sampled = name in (recipe.priors_of(owner) or {})
                    prior = _prior(recipe, owner, name) if sampled else DERIVED
                    columns.append(Column(owner, name, unit, prior, kept))
    return columns


def _labels(recipe: AbstractRecipe, label: NDArray[Any]) -> dict[str, int]:
    if not recipe.class_labels:
        return {}
    counts = np.bincount(label, minlength=len(recipe.classes)) if label.ndim == 1 else label.sum(0)
    return dict(zip(recipe.classes, (int(count) for count in counts), strict=True))


def _prior(recipe: AbstractRecipe, owner: str, name: str) -> str:
    """Return the prior of a parameter in words."""
    priors = recipe.priors_of(owner)
    if priors is None:
        return "see the scene"
    return words(priors[name].to_plain()) if name in priors else DERIVED


def words(plain: object) -> str:
    """Return a prior in words."""
    if not isinstance(plain, dict):
        return number(plain)
    ((name, arguments),) = plain.items()
    if isinstance(arguments, dict):
        text = ", ".join(f"{key} {_list(value)}" for key, value in arguments.items())
    else:
        text = _list(arguments)
    return f"{name} {text}".replace("_", "-")


def _list(value: object) -> str:
    return ", ".join(map(number, value)) if isinstance(value, list) else number(value)


def number(value: object) -> str:
    """Return a number with four digits."""
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def statistics_facts(recipe: AbstractRecipe, statistics: Statistics) -> dict[str, str]:
    """Return the statistics of pixels, or of each channel of time series, as text by name."""
    rows = f"of {statistics.rows:,} {recipe.plural}"
    columns = (statistics.least, statistics.greatest, statistics.mean, statistics.std)
    if not recipe.channels:
        return {"pixels": f"{_span(*columns)}, {rows}"}
    by_channel = zip(*(each for each in columns if isinstance(each, tuple)), strict=True)
    return {
        f"channel {channel.name}": f"{_span(*numbers)} {channel.unit}, {rows}"
        for channel, numbers in zip(recipe.channels, by_channel, strict=True)
    }


def calibration_facts(recipe: AbstractRecipe) -> dict[str, str]:
    """Return the zero point and the pixel scale of images as text, if the recipe has them."""
    values = {}
    zero_point, pixel_scale = recipe.calibration
    if zero_point is not None:
        values["zero point"] = f"{number(zero_point)} mag, of an object whose pixels sum to 1"
    if pixel_scale is not None:
        values["pixel scale"] = f"{number(pixel_scale)} arcsec a pixel"
    return values


def _span(least: object, greatest: object, mean: object, std: object) -> str:
    return (
        f"{number(least)} to {number(greatest)}, mean {number(mean)}, "
        f"standard deviation {number(std)}"
    )
