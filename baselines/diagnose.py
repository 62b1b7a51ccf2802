"""Where a recipe becomes hard: `python -m baselines.diagnose sky`.

Trains a small network on each rung of the recipe's ladder, from its simplest version to the full
one, and plots its accuracy against them. The network breaks on the rung on which it loses most of
its skill; see `ladder.breaking`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

import deepbench_torch as db
from baselines.analysis.pictures import COLOURS, new_figure
from baselines.diagnosis import ladder
from baselines.diagnosis.ladder import Height
from baselines.training.options import spread
from deepbench_torch.cli import run_command
from deepbench_torch.plotting import save
from deepbench_torch.recipes.ladder import Rung


def draw(heights: Sequence[Height], rungs: Sequence[Rung]) -> Figure:
    """Accuracy against the rungs, the same scene on each of them above."""
    figure = new_figure(1.5 + 1.05 * len(rungs), 4.6)
    axis = figure.subplots()
    _lines(axis, heights)
    _scenes(axis, rungs)
    _mark(axis, heights)
    names = [rung.name if not place else f"+ {rung.name}" for place, rung in enumerate(rungs)]
    axis.set_xticks(range(len(rungs)), names, rotation=20)
    axis.set_xlim(-0.5, len(rungs) - 0.5)
    axis.set_xlabel("what each rung adds to the one before")
    axis.set_ylabel("right in test images [%]")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=8, loc="center left")
    return figure


def _lines(axis: Axes, heights: Sequence[Height]) -> None:
    """Accuracy with its interval, images with every label right, and chance."""
    accuracy = [100 * height.accuracy for height in heights]
    errors = [
        [100 * (height.accuracy - height.interval[0]) for height in heights],
        [100 * (height.interval[1] - height.accuracy) for height in heights],
    ]
    exact = [100 * height.exact_match for height in heights]
    chance = [100 * height.chance for height in heights]
    places = range(len(heights))
    # all by errorbar, so that the legend keeps their order
    axis.errorbar(places, accuracy, errors, fmt="o-", color=COLOURS[0], capsize=3, label="labels")
    if exact != accuracy:
        axis.errorbar(places, exact, fmt="s--", color=COLOURS[1], label="every label of an image")
    axis.errorbar(places, chance, fmt=":", color="0.4", label="always the more frequent answer")


def _scenes(axis: Axes, rungs: Sequence[Rung]) -> None:
    """One scene on every rung, above the axis."""
    row = _telling(rungs)
    images = [db.generate(rung.recipe, 0, row).image[0, 0].numpy() for rung in rungs]
    level = np.median(images[-1])
    scale = 3 * np.median(np.abs(images[-1] - level)) or 1.0  # two deviations of the noise
    for place, image in enumerate(images):
        corner = (place - 0.46, 1.02, 0.92, 0.28)
        inset = axis.inset_axes(corner, transform=axis.get_xaxis_transform())
        inset.imshow(np.arcsinh(image / scale), cmap="magma", interpolation="nearest")
        inset.set_axis_off()


def _telling(rungs: Sequence[Rung]) -> Tensor:
    """A row to show, int64, shape (1,): one of the most objects, the first of them the largest."""
    rows = torch.arange(50)
    low, full = (db.generate(rung.recipe, 0, rows) for rung in (rungs[0], rungs[-1]))
    number = torch.stack([present.sum(1) for present in full.present.values()]).sum(0)
    light = low.clean.flatten(1)
    pixels = (light > 0.1 * light.amax(1, keepdim=True)).sum(1)
    return torch.where(number == number.max(), pixels, -1).argmax()[None]


def _mark(axis: Axes, heights: Sequence[Height]) -> None:
    """Shade the rung where the network breaks."""
    place = ladder.breaking(heights)
    if place is not None:
        axis.axvspan(place - 0.5, place + 0.5, color=COLOURS[4], alpha=0.2, lw=0)
        axis.text(place, 0.02, "breaks here", transform=axis.get_xaxis_transform(), ha="center")


def verdict(heights: Sequence[Height]) -> str:
    """Where the network breaks, in words."""
    place = ladder.breaking(heights)
    if place is None:
        return f"{heights[0].recipe}: the network breaks on no rung"
    before, here = heights[place - 1], heights[place]
    return (
        f"{here.recipe}: the network breaks at '{here.rung}', which adds {here.adds}: accuracy "
        f"{100 * before.accuracy:.1f} % to {100 * here.accuracy:.1f} %, skill over chance "
        f"{before.skill(before.accuracy):.2f} to {here.skill(here.accuracy):.2f}"
    )


def main(
    image: Annotated[str, typer.Argument(help="A recipe's name or YAML file.", metavar="IMAGE")],
    steps: Annotated[int, typer.Option(help="Batches of 64 fresh images on each rung.")] = 500,
    images: Annotated[int, typer.Option(help="Test images, 2000 at most.")] = 2000,
    seeds: Annotated[
        list[int] | None,
        typer.Option("--seeds", "--seed", help="Of images and weights; several to tell more."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Pixels a side.")] = None,
    results_file: Annotated[
        Path | None, typer.Option(help="runs/ladder-IMAGE.csv if none.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="runs/ladder-IMAGE.png if none.")] = None,
) -> None:
    """Train a small network on each rung of a recipe and tell where it breaks."""
    recipe = db.Catalogue(image, image_size=image_size).recipe
    if not isinstance(recipe, db.Recipe):
        raise ValueError(f"a ladder is of images, but {recipe.name} holds time series")
    rungs = recipe.rungs()
    heights = [
        ladder.climb(recipe, rung, steps=steps, images=images, seeds=seeds or [0])
        for rung in tqdm(rungs, unit="rung")
    ]
    for height in heights:
        typer.echo(f"{height.rung:12} {100 * height.accuracy:6.2f} %  adds {height.adds}")
    typer.echo(verdict(heights))
    default = Path("runs") / f"ladder-{recipe.name}"
    written = ladder.write(heights, results_file or default.with_suffix(".csv"))
    drawn = save(draw(heights, rungs), picture or default.with_suffix(".png"))
    typer.echo(f"see {written} and {drawn}")


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.diagnose", spread(sys.argv[1:], ("--seeds", "--seed")))
