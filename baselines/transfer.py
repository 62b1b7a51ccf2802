"""Measure how features transfer to images of another origin: `python -m baselines.transfer`.

Features of each packaged network, of random networks and of a control are tested on handwritten
digits, faces, textures, galaxies of the Hubble Deep Field and scenes rendered by GalSim, for one to
a hundred labels of each class. The results are in transfer.csv; a second call computes only what is
missing. `pip install deepbench_torch[transfer]` installs the images; nothing is downloaded at run
time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import torch
import typer
from tqdm import tqdm

from baselines.transfers import hubble, pictures, scenes
from baselines.transfers.probes import MODES, run_probe
from baselines.transfers.report import page, report, table
from baselines.transfers.results import FILE, Row, interval, read, write
from baselines.transfers.sources import Source, features, sources
from baselines.transfers.target import MakeTarget, Target
from baselines.transfers.tuning import tune
from baselines.transfers.unlabelled import read_shapes
from deepbench_torch.cli import run_command

TARGETS: dict[str, MakeTarget] = {
    "digits": pictures.digits,
    "faces": pictures.faces,
    "textures": pictures.textures,
    "hubble": hubble.hubble,
    "scenes": scenes.scenes,
}
Key = tuple[str, str, str, int]  # target, source, mode and number of labels
SCRATCH = "random0"  # whose architecture is trained from random weights
TUNED_SUBSETS = 2  # labelled subsets of a training, which takes longer than a probe
TUNED_LABELS = {"class": (10, 50), "values": (20, 100)}  # for which networks are trained


def measure(
    targets: list[str], names: list[str], *, tuned: list[str], root: Path, file: Path
) -> None:
    """Measure what a file of results lacks, and write it.

    Args:
        targets: Names of targets.
        names: Names of sources.
        tuned: Sources that are also trained on the labels; "random0" is training from scratch.
        root: Folder for the weights of the control.
        file: File of results.
    """
    known = sources(root)
    for name in targets:
        target = TARGETS[name]()
        for source in (known[each] for each in names):
            done = {row.key for row in read(file)}
            for row in _rows(source, target, done=done, tuned=source.name in tuned):
                write([*read(file), row], file)


def _rows(source: Source, target: Target, *, done: set[Key], tuned: bool) -> Iterator[Row]:
    """Yield the missing rows of one source and target."""
    wanted = [(mode, count) for mode in MODES for count in target.counts]
    if any((target.name, source.name, *unit) not in done for unit in wanted):
        pool = target.image[target.pool]
        versions = [features(source, target.image).double().numpy()]
        if source.build is not None:
            versions.append(features(source, target.image, adapt=pool).double().numpy())
        for mode, count in wanted:
            scores = run_probe(mode, target, versions, count)
            yield _row(source, target, mode, count=count, scores=scores)
    if target.name == "hubble" and (target.name, source.name, "none", 0) not in done:
        scores = read_shapes(source.name, target)
        if scores:
            yield _row(source, target, "none", count=0, scores=scores)
    mode = "scratch" if source.name == SCRATCH else "tune"
    for count in TUNED_LABELS[target.kind] if tuned else ():
        if (target.name, source.name, mode, count) not in done:
            runs = [
                tune(source, target, count=count, number=number) for number in range(TUNED_SUBSETS)
            ]
            row = _row(source, target, mode, count=count, scores=[run.score for run in runs])
            yield row.model_copy(update={"epochs": sum(run.epochs for run in runs) / len(runs)})


def _row(source: Source, target: Target, mode: str, *, count: int, scores: list[float]) -> Row:
    mean, low, high = (round(value, 4) for value in interval(scores))
    return Row(
        target=target.name,
        source=source.name,
        mode=mode,
        labels=count,
        score=mean,
        low=low,
        high=high,
        subsets=len(scores),
    )


def main(
    targets: Annotated[
        list[str] | None, typer.Option("--targets", help="Names of targets; default: all.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--sources", help="Names of sources; default: all.")
    ] = None,
    tuned: Annotated[
        list[str] | None, typer.Option(help="Sources to train; random0: from scratch.")
    ] = None,
    root: Annotated[Path, typer.Option(help="Folder for the control's weights.")] = Path("runs"),
    file: Annotated[Path, typer.Option(help="File of results.")] = FILE,
    pictures_folder: Annotated[
        Path, typer.Option("--pictures", help="Folder of the plots.")
    ] = Path(".readme"),
) -> None:
    """Measure transfer, and write transfer.csv, a page with the table, and two plots."""
    every = sources(root)
    chosen = {"targets": targets or list(TARGETS), "sources": names or list(every)}
    for option, known in (("targets", TARGETS), ("sources", every)):
        for name in chosen[option]:
            if name not in known:
                raise ValueError(
                    f"--{option}: expected one of {', '.join(known)}, got {name!r}; choose one"
                )
    with torch.random.fork_rng(devices=[]):
        measure(
            tqdm(chosen["targets"], desc="targets"),  # type: ignore[arg-type]
            chosen["sources"],
            tuned=tuned or [],
            root=root,
            file=file,
        )
    rows = read(file)
    file.with_suffix(".md").write_text(page(rows), encoding="utf-8")
    typer.echo(table(rows))
    for path in report(rows, pictures_folder):
        typer.echo(f"written: {path}")


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.transfer")
