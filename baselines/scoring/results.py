"""Records of runs in results.csv: one row a run, with all that is needed to repeat it."""

import csv
import os
import subprocess
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from deepbench_torch.storage.work.lock import locked

FILE = Path(__file__).parents[1] / "results.csv"
# "paper": 6,000 images, repeated; "stream": ours, every batch fresh, all else the same
Protocol = Literal["paper", "stream"]
# columns that identify a run
KEY = (
    "task",
    "protocol",
    "architecture",
    "recipe_digest",
    "size",
    "image_size",
    "epochs",
    "seed",
)
# columns about the training, which a second test does not change
TRAINED = ("commit", "torch_version", "device", "wall_time", "date")


class Result(BaseModel):
    """One run, in the columns of the file."""

    task: str
    protocol: Protocol = "paper"
    architecture: str
    accuracy: float  # percent, on the test images
    exact_match: float  # percent of test images with every label right
    paper_accuracy: float  # percent
    seed: int
    epochs: int
    optimiser: str
    lr: float
    weight_decay: float
    batch_size: int
    schedule: str
    precision: str
    augmentation: str
    size: int
    image_size: str
    recipe_digest: str
    generator_version: int
    commit: str
    torch_version: str
    device: str
    wall_time: int  # seconds of training, over all parts of a resumed run
    date: str

    @property
    def name(self) -> str:
        """Name of the run."""
        return run_name(
            self.task,
            self.architecture,
            protocol=self.protocol,
            digest=self.recipe_digest,
            size=self.size,
            epochs=self.epochs,
            seed=self.seed,
        )

    @property
    def key(self) -> tuple[object, ...]:
        """Values that identify the run."""
        return tuple(getattr(self, name) for name in KEY)


def run_name(
    task: str,
    architecture: str,
    *,
    protocol: Protocol,
    digest: str,
    size: int,
    epochs: int,
    seed: int,
) -> str:
    """Return the unique name of a run, for its folder and files."""
    name = f"{task}-{architecture}-{digest[:8]}-size{size}-epochs{epochs}-seed{seed}"
    return name if protocol == "paper" else f"{name}-{protocol}"


def record(result: Result, file: Path = FILE, *, trained_before: bool = False) -> Result:
    """Record a run in the file: replace its earlier row, or append one.

    Args:
        result: The run.
        file: The file; created if it is missing.
        trained_before: Whether the run was only tested now; then an earlier row's record of its
            training is kept.

    Returns:
        The recorded row.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file, quiet=True):  # runs side by side may end together
        rows = read(file)
        indices = [index for index, row in enumerate(rows) if row.key == result.key]
        if indices and trained_before:
            kept = {name: getattr(rows[indices[0]], name) for name in TRAINED}
            result = result.model_copy(update=kept)
        if indices:
            rows[indices[0]] = result
        else:
            rows.append(result)
        _write(rows, file)
    return result


def read(file: Path = FILE) -> list[Result]:
    """Read all runs in the file; an empty list without a file.

    Raises:
        ValueError: If a row is not a run.
    """
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return [_result(row, file, line) for line, row in enumerate(csv.DictReader(stream), 2)]


def _result(row: dict[str, str], file: Path, line: int) -> Result:
    try:
        return Result.model_validate(row)
    except ValidationError as error:
        faults = "; ".join(f"{detail['loc'][0]}: {detail['msg']}" for detail in error.errors())
        raise ValueError(
            f"{file}, line {line}: expected a run, got {faults}; correct the line or choose "
            "another file"
        ) from None


def commit() -> str:
    """Return the commit of the code, marked if files differ; "unknown" outside a checkout."""
    folder = Path(__file__).parents[1]
    try:
        head = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "..")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-changed" if changed else head


def _write(rows: list[Result], file: Path) -> None:
    """Write the file atomically."""
    part = file.with_name(file.name + ".partial")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(Result.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump() for row in rows)
    os.replace(part, file)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
