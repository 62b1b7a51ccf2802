"""Diagnose where a recipe becomes hard: `python -m baselines.diagnose sky`.

The command trains a small network on each rung of the recipe's ladder and plots the accuracy. The
network fails on the rung where it loses most skill; see `ladder.breaking`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

import deepbench_torch as db
from baselines.analysis.pictures import new_figure
from baselines.diagnosis import ladder
from baselines.diagnosis.ladder import RungResult
from baselines.training.options import repeat_option
from deepbench_torch.cli import run_command
from deepbench_torch.plotting.style import ON_WHITE, image_norm, save
from deepbench_torch.recipes import require_images
from deepbench_torch.recipes.base import Rung


def plot(results: Sequence[RungResult], rungs: Sequence[Rung]) -> Figure:
    """Plot accuracy against the rungs, with the same scene on each rung above."""
    figure = new_figure(1.5 + 1.05 * len(rungs), 4.6)
    axis = figure.subplots()
    _lines(axis, results)
    _scenes(axis, rungs)
    _mark(axis, results)
    names = [rung.name if not index else f"+ {rung.name}" for index, rung in enumerate(rungs)]
    axis.set_xticks(range(len(rungs)), names, rotation=20)
    axis.set_xlim(-0.5, len(rungs) - 0.5)
    axis.set_xlabel("addition of each rung")
    axis.set_ylabel("right in test images [%]")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=8, loc="center left")
    return figure


def _lines(axis: Axes, results: Sequence[RungResult]) -> None:
    """Plot accuracy with its interval, images with every label right, and chance."""
    accuracy = [100 * result.accuracy for result in results]
    errors = [
        [100 * (result.accuracy - result.interval[0]) for result in results],
        [100 * (result.interval[1] - result.accuracy) for result in results],
    ]
    exact = [100 * result.exact_match for result in results]
    chance = [100 * result.chance for result in results]
    indexs = range(len(results))
    # all by errorbar, so that the legend keeps their order
    axis.errorbar(indexs, accuracy, errors, fmt="o-", color=ON_WHITE[0], capsize=3, label="labels")
    if exact != accuracy:
        axis.errorbar(indexs, exact, fmt="s--", color=ON_WHITE[1], label="every label of an image")
    axis.errorbar(indexs, chance, fmt=":", color="0.4", label="always the more frequent answer")


def _scenes(axis: Axes, rungs: Sequence[Rung]) -> None:
    """Plot one scene on every rung, above the axis."""
    row = _example_row(rungs)
    images = [db.generate(rung.recipe, 0, row).image[0, 0].numpy() for rung in rungs]
    norm = image_norm(images[-1])
    for index, image in enumerate(images):
        corner = (index - 0.46, 1.02, 0.92, 0.28)
        inset = axis.inset_axes(corner, transform=axis.get_xaxis_transform())
        inset.imshow(image, norm=norm, cmap="magma", interpolation="nearest")
        inset.set_axis_off()


def _example_row(rungs: Sequence[Rung]) -> Tensor:
    """Return a row with the most objects and the largest first object, int64, shape (1,)."""
    rows = torch.arange(50)
    low, full = (db.generate(rung.recipe, 0, rows) for rung in (rungs[0], rungs[-1]))
    number = torch.stack([present.sum(1) for present in full.present.values()]).sum(0)
    light = low.clean.flatten(1)
    pixels = (light > 0.1 * light.amax(1, keepdim=True)).sum(1)
    return torch.where(number == number.max(), pixels, -1).argmax()[None]


def _mark(axis: Axes, results: Sequence[RungResult]) -> None:
    """Shade the rung on which the network fails."""
    index = ladder.breaking(results)
    if index is not None:
        axis.axvspan(index - 0.5, index + 0.5, color=ON_WHITE[4], alpha=0.2, lw=0)
        axis.text(index, 0.02, "fails here", transform=axis.get_xaxis_transform(), ha="center")


def verdict(results: Sequence[RungResult]) -> str:
    """Return a sentence about the rung on which the network fails."""
    index = ladder.breaking(results)
    if index is None:
        return f"{results[0].recipe}: the network fails on no rung"
    before, here = results[index - 1], results[index]
    return (
        f"{here.recipe}: the network fails at '{here.rung}', which adds {here.adds}: accuracy "
        f"{100 * before.accuracy:.1f} % to {100 * here.accuracy:.1f} %, skill over chance "
        f"{before.skill(before.accuracy):.2f} to {here.skill(here.accuracy):.2f}"
    )


def main(
    image: Annotated[str, typer.Argument(help="A recipe's name or YAML file.", metavar="IMAGE")],
    steps: Annotated[int, typer.Option(help="Batches of 64 fresh images on each rung.")] = 500,
    images: Annotated[int, typer.Option(help="Test images, 2000 at most.")] = 2000,
    seeds: Annotated[
        list[int] | None,
        typer.Option("--seeds", "--seed", help="Seeds of images and weights."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Pixels a side.")] = None,
    results_file: Annotated[Path | None, typer.Option(help="The file of results to write.")] = None,
    picture: Annotated[Path | None, typer.Option(help="The plot to write.")] = None,
) -> None:
    """Train a small network on each rung of a recipe and report where it fails."""
    catalogue = db.Catalogue(image, image_size=image_size)
    recipe = require_images(catalogue.recipe, "recipe", remedy="name a recipe of images")
    rungs = recipe.rungs()
    results = [
        ladder.evaluate_rung(recipe, rung, steps=steps, images=images, seeds=seeds or [0])
        for rung in tqdm(rungs, unit="rung")
    ]
    for result in results:
        typer.echo(f"{result.rung:12} {100 * result.accuracy:6.2f} %  adds {result.adds}")
    typer.echo(verdict(results))
    default = Path("runs") / f"ladder-{recipe.name}"
    written = ladder.write(results, results_file or default.with_suffix(".csv"))
    plotted = save(plot(results, rungs), picture or default.with_suffix(".png"))
    typer.echo(f"see {written} and {plotted}")


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.diagnose", repeat_option(sys.argv[1:], ("--seeds", "--seed")))
