"""Galleries of time series: the path of each and its energies against time."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.datasets.any_dataset import AnyRows, recipe_of_row
from deepbench_torch.datasets.targets import target_rows
from deepbench_torch.plotting.style import (
    BLUE,
    GREY,
    ON_WHITE,
    VERMILION,
    Picture,
    check_table,
    table_size,
)
from deepbench_torch.priors import Fixed
from deepbench_torch.recipes import SeriesRecipe
from deepbench_torch.samples import SeriesSample

MOST = 100  # time series of a gallery
COLUMNS = 4  # where no number is set
WIDTH, HEIGHT = 2.3, 3.0  # of one time series [inch]
SERIES_TARGETS = ("clean", "energy", "parameters")
ENERGIES = {"kinetic": VERMILION, "potential": BLUE, "total": "#222222"}
MOTION = "motion"  # identifies the true paths in a figure


class BodyPath(NamedTuple):
    """Path of one body in the plane of two quantities.

    Attributes:
        measured: Measurements, shape (T, 2).
        clean: True motion, shape (T, 2).
        colour: Colour of the body.
    """

    measured: NDArray[np.float32]
    clean: NDArray[np.float32]
    colour: str


class SeriesPanel(NamedTuple):
    """One time series of a gallery.

    Attributes:
        recipe: Recipe of the time series.
        series: Measurements, shape (T, C).
        targets: Targets `SERIES_TARGETS` by name.
    """

    recipe: SeriesRecipe
    series: Tensor
    targets: Mapping[str, Any]


def first_series(dataset: AnyRows, *, columns: int, rows: int) -> list[SeriesPanel]:
    """Return the first time series of a dataset with the target `SERIES_TARGETS`.

    Raises:
        ValueError: If rows or columns are not positive, or too many.
    """
    check_table(columns, rows, most=MOST, noun="time series")
    indices = list(range(min(rows * columns, len(dataset))))
    pairs = dataset.__getitems__(indices)
    return [
        SeriesPanel(cast("SeriesRecipe", recipe_of_row(dataset, index)), series, targets)
        for index, (series, targets) in zip(indices, pairs, strict=True)
    ]


def sample_gallery(
    sample: SeriesSample, *, columns: int | None, rows: int | None, boxes: bool, masks: bool
) -> Picture:
    """Plot the time series of a sample in order, without boxes and masks.

    Raises:
        ValueError: If rows or columns are not positive, or too many.
    """
    targets = target_rows(sample, SERIES_TARGETS)
    panels = [
        SeriesPanel(sample.recipe, series.cpu(), each)
        for series, each in zip(sample.series, targets, strict=True)
    ]
    across, down = table_size(len(panels), columns=columns, rows=rows, usual=COLUMNS)
    check_table(across, down, most=MOST, noun="time series")
    return plot_series(panels[: across * down], columns=across, rows=down)


def series_gallery(
    dataset: AnyRows, *, columns: int | None, rows: int | None, boxes: bool, masks: bool
) -> Picture:
    """Plot the first time series of a dataset, without boxes and masks; see `gallery.gallery`."""
    columns, rows = COLUMNS if columns is None else columns, 2 if rows is None else rows
    panels = first_series(dataset, columns=columns, rows=rows)
    return plot_series(panels, columns=columns, rows=rows)


def plot_series(panels: Sequence[SeriesPanel], *, columns: int, rows: int) -> Picture:
    """Plot time series: the measured and true path of each above its energies.

    Args:
        panels: Time series, from `first_series`.
        columns: Number of time series side by side.
        rows: Number of lines.

    Returns:
        Figure, for `style.save`.
    """
    figure = Picture((columns * WIDTH, rows * HEIGHT + 0.3), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2.2, 1.0] * rows)
    for axis in axes.flat:
        axis.set_visible(False)
    for index, (recipe, series, targets) in enumerate(panels):
        row, column = divmod(index, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.set_title(_title(recipe, targets["parameters"]), fontsize=8, loc="left", pad=3)
        _plot_paths(above, _paths(recipe, series, targets=targets), recipe=recipe)
        _plot_energies(below, targets["energy"], recipe=recipe)
        if column == 0:
            above.set_ylabel(_label(recipe, 1), fontsize=7)
            below.set_ylabel(f"energy\n[{_raised(recipe.definition.energy_unit)}]", fontsize=7)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=5, fontsize=7, frameon=False)
    return figure


def _paths(recipe: SeriesRecipe, series: Tensor, *, targets: Mapping[str, Any]) -> list[BodyPath]:
    """Return the paths of all bodies that are present."""
    present, clean = targets["parameters"].get("present"), targets["clean"]
    return [
        BodyPath(
            series[:, channels].numpy(),
            clean[:, channels].numpy(),
            ON_WHITE[slot % len(ON_WHITE)],
        )
        for slot in range(recipe.slots)
        if (channels := _path_channels(recipe, slot)) and (present is None or present[slot])
    ]


def _path_channels(recipe: SeriesRecipe, slot: int) -> list[int]:
    """Return the indices of the two channels of a body's path."""
    return [
        index
        for quantity in recipe.definition.phase_plane
        for index, channel in enumerate(recipe.channels)
        if (channel.quantity, channel.slot) == (quantity, slot)
    ]


def _plot_paths(axis: Axes, paths: list[BodyPath], *, recipe: SeriesRecipe) -> None:
    for path in paths:
        axis.plot(*path.measured.T, ".", ms=2.4, color=path.colour, alpha=0.4, mew=0)
        axis.plot(*path.clean.T, lw=0.9, color=path.colour, gid=MOTION)
        axis.plot(*path.clean[0], "o", ms=3.5, color="white", mec=path.colour, mew=0.9)
    if recipe.slots > 1:
        axis.set_aspect("equal", adjustable="datalim")
    axis.set_xlabel(_label(recipe, 0), fontsize=7, labelpad=1)
    _format_axis(axis)


def _plot_energies(axis: Axes, energy: Mapping[str, Tensor], *, recipe: SeriesRecipe) -> None:
    time = np.linspace(0, recipe.time.duration, recipe.time.steps + 1)
    axis.axhline(0, lw=0.5, color=GREY)
    for name, colour in ENERGIES.items():
        axis.plot(time, energy[name].numpy(), lw=0.9, color=colour)
    axis.set_xlim(0, recipe.time.duration)
    axis.set_xlabel(f"time [{recipe.definition.time_unit}]", fontsize=7, labelpad=1)
    _format_axis(axis)


def _format_axis(axis: Axes) -> None:
    axis.set_visible(True)
    axis.tick_params(labelsize=6, length=2, width=0.5, pad=1.5)
    axis.locator_params(nbins=4)
    for side, spine in axis.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_linewidth(0.5)


def _legend() -> list[Line2D]:
    lines = [Line2D([], [], lw=1.2, color=colour, label=name) for name, colour in ENERGIES.items()]
    dots = Line2D([], [], ls="", marker=".", ms=4, color=GREY, label="measured")
    start = Line2D(
        [], [], lw=1.2, marker="o", ms=3.5, mfc="white", color=GREY, label="true, from its start"
    )
    return [*lines, dots, start]


def _title(recipe: SeriesRecipe, parameters: Mapping[str, Tensor]) -> str:
    """Return the varying constants of a time series, or its number of bodies, in a few words."""
    fields = recipe.definition.fields
    names = [
        name
        for name, prior in recipe.parameters.items()
        if not isinstance(prior, Fixed)
        and (name == "bodies" or (fields[name].role, fields[name].slots) == ("constant", False))
    ]
    return ", ".join(
        f"{float(parameters[name]):.3g} {_raised(fields[name].unit) or name}" for name in names
    )


def _label(recipe: SeriesRecipe, index: int) -> str:
    """Return the quantity and unit of an axis of the path."""
    quantity = recipe.definition.phase_plane[index]
    unit = next(channel.unit for channel in recipe.channels if channel.quantity == quantity)
    return f"{quantity} [{_raised(unit)}]"


def _raised(unit: str) -> str:
    """Return a unit with raised powers: m/s\N{SUPERSCRIPT TWO}."""
    raised = unit.replace("^2", "\N{SUPERSCRIPT TWO}").replace("^3", "\N{SUPERSCRIPT THREE}")
    return raised.replace(" / ", "/")
