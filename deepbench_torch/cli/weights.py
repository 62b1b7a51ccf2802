"""The commands of weights: list, info and verify."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.output import echo
from deepbench_torch.training.weights import Weights, get_weights, list_weights

weights = typer.Typer(
    help="List, describe and verify the weights of trained networks.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="A name of `weights list`, or a folder.", metavar="NAME")]


@weights.command("list")
def list_(
    architecture: Annotated[str | None, typer.Argument(help="Only those of this network.")] = None,
) -> None:
    """List the weights in this package."""
    for name in list_weights(architecture):
        found = get_weights(name)
        echo(f"{name:<30} {_size(found):>8}  {_summary(found)}")


@weights.command()
def info(name: Name) -> None:
    """Print the metadata of weights."""
    found = get_weights(_path(name))
    echo(f"{found.name}: {found.architecture}, {_size(found)}, {_summary(found)}")
    for key, value in found.meta.items():
        if key not in ("outputs", "tasks", "recipes", "metrics", "metrics_float32"):
            echo(f"  {key:<18} {_text(value)}")
    echo(f"  {'outputs':<18} {len(found.meta['outputs'])}")
    for task, score in found.meta["metrics"].items():
        echo(f"  {task:<18} {_score(task, score)}")


@weights.command()
def verify(name: Name) -> None:
    """Generate the test images of weights again, and compare the scores with the stated ones."""
    from deepbench_torch.training.verify_weights import verify_weights  # imports torchvision

    results = verify_weights(get_weights(_path(name)), progress=True)
    for each in results:
        verdict = "agrees" if each.agrees else "DIFFERS"
        stated = f"stated {each.stated:.4f} ({each.low:.4f} to {each.high:.4f})"
        echo(f"{each.task:<20} {stated}, found {each.found:.4f}: {verdict}")
    wrong = [each.task for each in results if not each.agrees]
    if wrong:
        raise ValueError(
            f"{name}: expected the stated scores, got others for {', '.join(wrong)}; the weights "
            "were changed, or the images are of another generator version"
        )


def _path(name: str) -> str | Path:
    return name if name in list_weights() else Path(name) if Path(name).is_dir() else name


def _size(weights: Weights) -> str:
    size = (weights.folder / "model.safetensors").stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _summary(weights: Weights) -> str:
    scores = weights.meta["metrics"]
    first = ", ".join(f"{task} {_score(task, score)}" for task, score in list(scores.items())[:2])
    return first + (f" and {len(scores) - 2} more" if len(scores) > 2 else "")


def _score(task: str, score: float) -> str:
    return f"R2 {score:.2f}" if task.endswith("vector") else f"{100 * score:.2f} %"


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
