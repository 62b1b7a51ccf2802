"""Pictures of time series: the path of each and its energies against time."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.datasets import RowDataset
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.priors import Fixed
from deepbench_torch.recipes import AbstractRecipe, SeriesRecipe

Rows = RowDataset | Collection
LARGEST = 100  # series of a picture
WIDTH, HEIGHT = 2.3, 3.0  # of one series [inch]
PORTRAIT = ("clean", "energy", "parameters")  # the targets that a picture needs
# Okabe & Ito (2008): colours that colour-blind people tell apart, those that show on white
BODIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ENERGIES = {"kinetic": "#D55E00", "potential": "#0072B2", "total": "#222222"}
GREY = "#999999"
MOTION = "motion"  # names the lines that a body follows


class Path(NamedTuple):
    """One body of a series in the plane that its system is shown in, shape (T, 2) each."""

    measured: NDArray[np.float32]
    clean: NDArray[np.float32]
    colour: str


class Shown(NamedTuple):
    """One time series of a picture.

    Attributes:
        recipe: Its recipe.
        series: Its measurements, shape (T, C).
        truth: Its targets `PORTRAIT`, by name.
    """

    recipe: SeriesRecipe
    series: Tensor
    truth: Mapping[str, Any]


def recipes_of(dataset: Rows) -> list[AbstractRecipe]:
    """Return the recipe of a catalogue, or those of the members of a collection."""
    if isinstance(dataset, Collection):
        return [member.recipe for member in dataset.members]
    return [dataset.recipe]


def first_series(dataset: Rows, columns: int, rows: int) -> list[Shown]:
    """Return the first time series of a dataset whose target is the list `PORTRAIT`.

    Raises:
        ValueError: If rows or columns are not positive, or too many.
    """
    if rows < 1 or columns < 1 or rows * columns > LARGEST:
        raise ValueError(
            f"a picture needs positive rows and columns and at most {LARGEST} time series, "
            f"got {rows} and {columns}"
        )
    places = list(range(min(rows * columns, len(dataset))))
    recipes = recipes_of(dataset)
    shown = []
    for place, (series, truth) in zip(places, dataset.__getitems__(places), strict=True):
        member = dataset.order[place][0] if isinstance(dataset, Collection) else 0
        recipe = recipes[member]
        if isinstance(recipe, SeriesRecipe):
            shown.append(Shown(recipe, series, truth))
    return shown


def portraits(shown: Sequence[Shown], *, columns: int, rows: int) -> Figure:
    """Plot time series: above its path, measured and true, below its energies.

    Args:
        shown: The series, as `first_series` returns them.
        columns: Series side by side.
        rows: Rows of series.

    Returns:
        The figure; `style.save` writes it.
    """
    figure = Figure((columns * WIDTH, rows * HEIGHT + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2.2, 1.0] * rows)
    for axis in axes.flat:
        axis.set_visible(False)
    for place, (recipe, series, truth) in enumerate(shown):
        row, column = divmod(place, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.set_title(_title(recipe, truth["parameters"]), fontsize=8, loc="left", pad=3)
        _draw_paths(above, _paths(recipe, series, truth), recipe)
        _draw_energies(below, truth["energy"], recipe)
        if column == 0:
            above.set_ylabel(_label(recipe, 1), fontsize=7)
            below.set_ylabel(f"energy\n[{_pretty(recipe.definition.energy_unit)}]", fontsize=7)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=5, fontsize=7, frameon=False)
    return figure


def _paths(recipe: SeriesRecipe, series: Tensor, truth: Mapping[str, Any]) -> list[Path]:
    """The paths of the bodies that are there."""
    present = truth["parameters"].get("present")
    return [
        Path(series[:, columns].numpy(), truth["clean"][:, columns].numpy(), BODIES[slot % 6])
        for slot in range(recipe.slots)
        if (columns := _columns(recipe, slot)) and (present is None or present[slot])
    ]


def _columns(recipe: SeriesRecipe, slot: int) -> list[int]:
    """The places of the two channels of a body's path."""
    return [
        place
        for quantity in recipe.definition.path
        for place, channel in enumerate(recipe.channels)
        if (channel.quantity, channel.slot) == (quantity, slot)
    ]


def _draw_paths(axis: Axes, paths: list[Path], recipe: SeriesRecipe) -> None:
    for path in paths:
        axis.plot(*path.measured.T, ".", ms=2.4, color=path.colour, alpha=0.4, mew=0)
        axis.plot(*path.clean.T, lw=0.9, color=path.colour, gid=MOTION)
        axis.plot(*path.clean[0], "o", ms=3.5, color="white", mec=path.colour, mew=0.9)
    if recipe.slots > 1:
        axis.set_aspect("equal", adjustable="datalim")
    axis.set_xlabel(_label(recipe, 0), fontsize=7, labelpad=1)
    _tidy(axis)


def _draw_energies(axis: Axes, energy: Mapping[str, Tensor], recipe: SeriesRecipe) -> None:
    time = np.linspace(0, recipe.time.duration, recipe.time.steps + 1)
    axis.axhline(0, lw=0.5, color=GREY)
    for name, colour in ENERGIES.items():
        axis.plot(time, energy[name].numpy(), lw=0.9, color=colour)
    axis.set_xlim(0, recipe.time.duration)
    axis.set_xlabel(f"time [{recipe.definition.time_unit}]", fontsize=7, labelpad=1)
    _tidy(axis)


def _tidy(axis: Axes) -> None:
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
    """What differs from series to series, in few words: the constants, or how many bodies."""
    fields = recipe.definition.fields
    shown = [
        name
        for name, prior in recipe.parameters.items()
        if not isinstance(prior, Fixed)
        and (name == "bodies" or (fields[name].role, fields[name].slots) == ("constant", False))
    ]
    return ", ".join(
        f"{float(parameters[name]):.3g} {_pretty(fields[name].unit) or name}" for name in shown
    )


def _label(recipe: SeriesRecipe, place: int) -> str:
    """What an axis of the path measures."""
    quantity = recipe.definition.path[place]
    unit = next(channel.unit for channel in recipe.channels if channel.quantity == quantity)
    return f"{quantity} [{_pretty(unit)}]"


def _pretty(unit: str) -> str:
    """A unit with raised powers: m/s\N{SUPERSCRIPT TWO}."""
    raised = unit.replace("^2", "\N{SUPERSCRIPT TWO}").replace("^3", "\N{SUPERSCRIPT THREE}")
    return raised.replace(" / ", "/")
