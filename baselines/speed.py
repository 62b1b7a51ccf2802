"""Measure speeds: `python -m baselines.speed`.

Both sides of a ratio are measured in turns. Each number is the best of its rounds, as timeit
advises, so other programs on the machine affect it least. One thread is timed in processor
seconds, which exclude waiting.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader

import deepbench_torch as db
from baselines.timing import loaders, motion, others, processes, startup
from deepbench_torch.cli import run_command

BATCH = 256
ONE_BY_ONE = 16  # rows timed together, which a clock resolves


class Row(NamedTuple):
    """Times of one case with one number of threads [microseconds an image].

    Attributes:
        case: Name of the case.
        threads: Number of threads.
        randn: `torch.randn` of a batch.
        batch: Generation of a batch.
        randn_one: `torch.randn` of one image.
        single: One row, `data[i]`; generation of one on a GPU.
    """

    case: str
    threads: int
    randn: float
    batch: float
    randn_one: float
    single: float

    @property
    def ratio(self) -> float:
        """Time of generating a batch, relative to `torch.randn` of its shape."""
        return self.batch / self.randn

    @property
    def single_ratio(self) -> float:
        """Time of one row, relative to `torch.randn` of one image."""
        return self.single / self.randn_one


def cases() -> dict[str, db.Recipe]:
    """Return the timed recipes: every packaged one, and the cases timed in the paper."""
    packaged: dict[str, db.Recipe] = {
        name: db.load_recipe(name) for name in db.list_recipes("image")
    }
    three_objects, three_shapes = (packaged[name].replace(count=3) for name in ("sky", "geometric"))
    return packaged | {
        "sky, 3 objects, 28 x 28": three_objects.replace(image={"height": 28, "width": 28}),
        "sky, 3 objects": three_objects,
        "geometric, 3 shapes": three_shapes,
    }


def measure(case: str, recipe: db.Recipe, *, threads: int, rounds: int, device: str = "cpu") -> Row:
    """Time generation in batches, generation one by one and torch.randn, in turns."""
    torch.set_num_threads(threads)
    index = torch.arange(BATCH)
    shape = (BATCH, 1, recipe.image.height, recipe.image.width)
    data = db.Catalogue(recipe, size=BATCH)
    clock = time.process_time if threads == 1 and device == "cpu" else time.perf_counter

    def single() -> None:
        if device == "cpu":
            for row in range(ONE_BY_ONE):
                data[row]
        else:
            for row in range(ONE_BY_ONE):
                _finished(db.generate(recipe, 0, index[row : row + 1], device=device).image)

    def random_one() -> None:
        for _ in range(ONE_BY_ONE):
            _finished(torch.randn(1, *shape[1:], device=device))

    batch, one, randn, randn_one = _in_turns(
        rounds,
        lambda: _finished(db.generate(recipe, 0, index, device=device).image),
        single,
        lambda: _finished(torch.randn(shape, device=device)),
        random_one,
        clock=clock,
    )
    times = randn / BATCH, batch / BATCH, randn_one / ONE_BY_ONE, one / ONE_BY_ONE
    return Row(case, threads, *times)


def _finished(images: torch.Tensor) -> None:
    """Wait until the images are there."""
    if images.is_cuda:
        torch.cuda.synchronize(images.device)


def reading(*, size: int, shuffle: bool) -> float:
    """Return the speed of reading a stored astro catalogue by a DataLoader [images/s]."""
    with tempfile.TemporaryDirectory() as folder:
        path = db.materialize(
            db.Catalogue("astro", size=size), Path(folder) / "astro.h5", progress=False
        )
        loader = DataLoader(db.StoredCatalogue(path), batch_size=BATCH, shuffle=shuffle)
        (microseconds,) = _in_turns(5, lambda: sum(len(image) for image, _ in loader))
    return size / microseconds * 1e6


def _in_turns(
    rounds: int,
    *functions: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return the least microseconds of each function, called in turns after a warm-up call."""
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, measured in zip(functions, times, strict=True):
            start = clock()
            function()
            measured.append(clock() - start)
    return [1e6 * min(measured) for measured in times]


def main(
    rounds: Annotated[int, typer.Option(help="Number of rounds of each measurement.")] = 50,
    size: Annotated[int, typer.Option(help="Number of images in the stored catalogue.")] = 10_000,
    trajectories: Annotated[
        int, typer.Option(help="Number of N-body systems in one call.")
    ] = 10_000,
    device: Annotated[str, typer.Option(help="Device that renders; a GPU is timed alone.")] = "cpu",
) -> None:
    """Time generation against torch.randn, reading of a file, and N-body against scipy."""
    all_threads = torch.get_num_threads()
    name = "CPU" if device == "cpu" else torch.cuda.get_device_name(device)
    table = Table(title=f"Microseconds an image (torch {torch.__version__}, {name})")
    columns = ("threads", "torch.randn", f"batch of {BATCH}", "ratio", "one row", "ratio")
    for column in ("case", *columns):
        table.add_column(column, justify="left" if column == "case" else "right")
    for case, recipe in cases().items():
        for threads in dict.fromkeys((1, all_threads)):
            row = measure(case, recipe, threads=threads, rounds=rounds, device=device)
            table.add_row(
                row.case,
                str(row.threads),
                f"{row.randn:.2f}",
                f"{row.batch:.1f}",
                f"{row.ratio:.1f}",
                f"{row.single:.0f}",
                f"{row.single_ratio:.1f}",
            )
    torch.set_num_threads(1)
    console = Console()
    console.print(table)
    if device != "cpu":
        return
    for shuffle in (False, True):
        speed = reading(size=size, shuffle=shuffle)
        order = "shuffled" if shuffle else "in order"
        console.print(f"stored astro, plain DataLoader, no workers, {order}: {speed:,.0f} images/s")
    for text in (
        motion.time_nbody(trajectories),
        processes.compare(),
        loaders.time_loaders(),
        startup.time_startup(),
        others.compare_galsim(),
    ):
        console.print(str(text))


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.speed")
