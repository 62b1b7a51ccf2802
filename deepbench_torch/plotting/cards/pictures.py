"""Plots of the label frequencies and the parameter distributions of a catalogue."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from deepbench_torch.plotting.cards.columns import Column, Columns
from deepbench_torch.plotting.style import ON_DARK, SKY
from deepbench_torch.priors.parameter import plain_unit

WIDE = 5  # histograms in a line
BINS = 30


def plot_labels(columns: Columns) -> Figure:
    """Plot the share of rows with each label as bars."""
    names = list(columns.labels)
    figure = Figure((6, 0.35 * len(names) + 0.7), layout="constrained")
    axis = figure.subplots()
    shares = [100 * count / columns.rows for count in columns.labels.values()]
    bars = axis.barh(names, shares, color=SKY)
    axis.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.15 * max(*shares, 1))
    axis.set_xlabel(f"share of {columns.rows:,} rows [%]", fontsize=8)
    _format_axis(axis)
    return figure


def plot_parameters(columns: Columns) -> Figure:
    """Plot a histogram of each parameter that varies, in one colour a kind."""
    shown = [column for column in columns.parameters if column.varies]
    lines = -(-len(shown) // WIDE)
    figure = Figure((WIDE * 2.1, max(1, lines) * 1.5), layout="constrained")
    axes = figure.subplots(max(1, lines), WIDE, squeeze=False).ravel()
    owners = list(dict.fromkeys(column.owner for column in shown))
    for axis, column in zip(axes, shown, strict=False):
        _plot_histogram(axis, column, colour=ON_DARK[owners.index(column.owner) % len(ON_DARK)])
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    return figure


def _plot_histogram(axis: Axes, column: Column, *, colour: str) -> None:
    values = column.values
    distinct = np.unique(values)
    if len(distinct) <= 12 and np.array_equal(distinct, np.rint(distinct)):
        counts = [int((values == each).sum()) for each in distinct]
        axis.bar([f"{each:g}" for each in distinct], counts, color=colour)
    else:
        axis.hist(values, bins=_edges(column), color=colour)
        if _is_logarithmic(column):
            axis.set_xscale("log")
            ends = float(values.min()), float(values.max())
            ticks = [ends[0], math.sqrt(ends[0] * ends[1]), ends[1]]
            axis.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
            axis.xaxis.set_minor_locator(NullLocator())
    unit = f" [{column.unit}]" if plain_unit(column.unit) else ""
    axis.set_title(f"{column.owner} {column.name}{unit}", fontsize=8, pad=3)
    axis.set_yticks([])
    _format_axis(axis)


def _edges(column: Column) -> list[float]:
    low, high = float(column.values.min()), float(column.values.max())
    if _is_logarithmic(column):
        return [float(edge) for edge in np.geomspace(low, high, BINS + 1)]
    return [float(edge) for edge in np.linspace(low, high, BINS + 1)]


def _is_logarithmic(column: Column) -> bool:
    return "log-uniform" in column.prior and float(column.values.min()) > 0


def _format_axis(axis: Axes) -> None:
    axis.tick_params(labelsize=7)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
