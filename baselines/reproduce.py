"""Reproduce rows of the paper's table: `python -m baselines.reproduce astro --seeds 0 1 2`.

The command generates the data, trains, tests, explains, and writes a row into results.csv and the
weights into the folder of the run. The same
command resumes a killed run at its last complete epoch. A finished run is tested and explained
again.
"""

import logging
import shutil
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer

from baselines import score
from baselines.analysis.explain import explain
from baselines.scoring import results
from baselines.scoring.predictions import predict
from baselines.training.export import export
from baselines.training.options import repeat_option
from baselines.training.runs import Run, choose
from baselines.training.settings import load_settings
from baselines.training.train import Trained, train
from deepbench_torch.cli import run_command
from deepbench_torch.datasets.problems.scores import Scores
from deepbench_torch.datasets.problems.scores import score as scores_of
from deepbench_torch.generate import GENERATOR_VERSION


def reproduce(
    run: Run,
    *,
    root: Path = Path("runs"),
    results_file: Path = results.FILE,
    devices: str = "auto",
    nodes: int = 1,
) -> results.Result | None:
    """Train, test, explain and record a run.

    Args:
        run: The run.
        root: Folder for the data and the folder of the run.
        results_file: File of results; predictions are written to the folder `predictions` beside.
        devices: Number of devices, as in Lightning; on a CPU, the number of processes.
        nodes: Number of machines.

    Returns:
        The recorded row; None in processes of the training other than the first.
    """
    results.read(results_file)  # fail before hours of training if it cannot be read
    folder = root / run.name
    run.claim(folder)
    trained = train(run, root=root, devices=devices, nodes=nodes)
    if not trained.first:
        return None
    found = predict(trained.model, run.data(root))
    scores = scores_of(found.probability, found.label)
    result = results.record(
        _result(run, trained, scores), results_file, trained_before=trained.before
    )
    explain(folder, found, scores=scores, result=result)
    export(run, trained.model, folder / "weights", result=result)
    kept = results_file.parent / "predictions" / f"{run.name}.csv"
    kept.parent.mkdir(exist_ok=True)
    shutil.copyfile(folder / "predictions.csv", kept)
    score.show(scores, found.classes, images=len(found.row))
    return result


def _result(run: Run, trained: Trained, scores: Scores) -> results.Result:
    settings = run.settings
    return results.Result(
        task=run.task,
        protocol=run.protocol,
        architecture=settings.architecture,
        accuracy=round(100 * scores.accuracy, 2),
        exact_match=round(100 * scores.exact_match, 2),
        paper_accuracy=run.task_settings.paper_accuracy,
        seed=run.seed,
        epochs=run.settings.epochs,
        optimiser=settings.optimiser,
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        batch_size=settings.batch_size,
        schedule=settings.schedule,
        precision=settings.precision,
        augmentation=settings.augmentation,
        size=settings.size,
        image_size=run.image_size,
        recipe_digest=run.recipe.digest,
        generator_version=GENERATOR_VERSION,
        commit=results.commit(),
        torch_version=torch.__version__,
        device=trained.device,
        wall_time=round(trained.seconds),
        date=datetime.now(UTC).date().isoformat(),
    )


def main(
    task: Annotated[
        str, typer.Argument(help="A task of runs.yaml: astro, sky, geometric; or all.")
    ],
    seeds: Annotated[
        list[int] | None,
        typer.Option("--seeds", "--seed", help="Seeds of images, weights and order; one a run."),
    ] = None,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Fresh images in every batch, unlike the paper."),
    ] = False,
    epochs: Annotated[int | None, typer.Option(help="Instead of 60.")] = None,
    architecture: Annotated[str | None, typer.Option(help="A torchvision network.")] = None,
    size: Annotated[int | None, typer.Option(help="Images before splitting.")] = None,
    root: Annotated[Path, typer.Option(help="Folder of data and runs.")] = Path("runs"),
    results_file: Annotated[Path, typer.Option(help="The file of results.")] = results.FILE,
    devices: Annotated[
        str, typer.Option(help="Processors; on a CPU, processes.", envvar="PL_TRAINER_DEVICES")
    ] = "auto",
    nodes: Annotated[int, typer.Option(help="Machines.", envvar="PL_TRAINER_NUM_NODES")] = 1,
) -> None:
    """Reproduce rows of the paper's table and record them in results.csv."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    tasks = list(load_settings().tasks) if task == "all" else [task]
    choice = partial(
        choose,
        protocol="stream" if stream else "paper",
        epochs=epochs,
        architecture=architecture,
        size=size,
    )
    runs = [choice(name, seed=seed) for name in tasks for seed in seeds or [0]]
    for run in runs:
        result = reproduce(run, root=root, results_file=results_file, devices=devices, nodes=nodes)
        if result is not None:
            typer.echo(_summary(result, root / run.name))


def _summary(result: results.Result, folder: Path) -> str:
    return (
        f"{result.task}: test accuracy {result.accuracy:.2f} % "
        f"(paper {result.paper_accuracy:.1f} %), {result.architecture}, {result.epochs} epochs, "
        f"{result.wall_time} s on {result.device}; see {folder}"
    )


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.reproduce", repeat_option(sys.argv[1:], ("--seeds", "--seed")))
