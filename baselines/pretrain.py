"""Pre-train the networks whose weights the package holds: `python -m baselines.pretrain NAME`.

The command trains on fresh images of several recipes together, on classes and parameters at once,
tests the network on 20,000 other images, and writes its folder of weights. The same command resumes
a killed run at its last checkpoint.
"""

from pathlib import Path
from typing import Annotated

import typer

from baselines.pretraining.export import export
from baselines.pretraining.settings import Pretraining
from baselines.pretraining.train import train
from deepbench_torch.cli import run_command
from deepbench_torch.training.weights import FOLDER


def main(
    name: Annotated[str, typer.Argument(help="A network of pretrain.yaml, such as small_astro.")],
    root: Annotated[Path, typer.Option(help="Folder of checkpoints.")] = Path("runs"),
    output: Annotated[Path, typer.Option(help="Folder of all weights.")] = FOLDER,
    steps: Annotated[int | None, typer.Option(help="Instead of those of the file.")] = None,
) -> None:
    """Pre-train a network and write its weights."""
    plan = Pretraining(name, steps=steps)
    trained = train(plan, root / f"pretrain-{name}")
    meta = export(plan, trained.model, output / name, seconds=trained.seconds)
    for task, score in meta["metrics"].items():
        typer.echo(f"{name}: {task} {score:.4f}")


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.pretrain")
