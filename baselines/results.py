"""results.csv: one line a run, with all that is needed to run it again."""

import csv
import subprocess
from pathlib import Path

from pydantic import BaseModel

FILE = Path(__file__).with_name("results.csv")


class Result(BaseModel):
    """One run, in the columns of the file."""

    task: str
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


def append(result: Result, file: Path = FILE) -> None:
    """Add a run at the end of the file, which is made if it is missing."""
    new = not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(Result.model_fields))
        if new:
            writer.writeheader()
        writer.writerow(result.model_dump())


def read(file: Path = FILE) -> list[Result]:
    """All runs in the file."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [Result.model_validate(row) for row in csv.DictReader(stream)]


def commit() -> str:
    """The commit that runs, marked if the tree differs from it; "unknown" outside a checkout."""
    folder = Path(__file__).parent
    try:
        head = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "..")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-changed" if changed else head


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
