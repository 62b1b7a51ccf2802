"""Checks of the arguments of `materialize`."""

import os
from collections.abc import Sequence
from pathlib import Path

from deepbench_torch.datasets import Catalogue, PairDataset
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.numerics.checks import check_integer
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage.formats import DEFAULT, FORMATS


def check_source(catalogue: object) -> None:
    """Refuse what is no catalogue, and one whose transforms a file would not hold."""
    if not isinstance(catalogue, Catalogue | Collection):
        raise TypeError(
            "materialize: expected a Catalogue or a Collection, got "
            f"{type(catalogue).__name__}; write db.Catalogue(recipe, size=..., seed=...), and "
            "select rows of its StoredCatalogue"
        )
    if isinstance(catalogue, PairDataset) and catalogue.has_transforms:
        raise ValueError(
            "materialize: expected a catalogue without transforms, because a file holds the rows "
            f"as the recipe makes them, got a {type(catalogue).__name__} with transforms; write it "
            "without them, and give them to StoredCatalogue or Collection.open"
        )


def check_executor(executor: object) -> None:
    """Refuse what cannot take tasks, such as a number of workers."""
    takes_tasks = callable(getattr(executor, "submit", None)) and not isinstance(executor, type)
    if executor is not None and not takes_tasks:
        raise TypeError(
            f"materialize.executor: expected a concurrent.futures.Executor, got {executor!r:.60}; "
            "use workers=N for processes of this machine"
        )


def check_name(path: str | Path) -> None:
    """Refuse what is no path, and a path that names the working folder or one above it."""
    if not isinstance(path, str | os.PathLike):
        user_path(path)  # which refuses it
    if Path(path).name in ("", ".."):
        raise ValueError(f"the path must name a file, got {str(path)!r}")


def check_format(format: str | None, *, workers: int, compression: object) -> None:  # noqa: A002
    """Refuse an unknown format, a compression that it lacks, and a wrong number of workers."""
    if format is not None and format not in FORMATS:
        raise ValueError(f"format must be {' or '.join(map(repr, FORMATS))}, got {format!r}")
    form = format or DEFAULT
    choices = FORMATS[form].compressions
    if compression not in (None, *choices):
        names = " or ".join(map(repr, (None, *choices)))
        raise ValueError(
            f"compression: expected {names} for format {form!r}, got {compression!r}; choose one, "
            "or use another format"
        )
    check_integer(
        workers, "workers must be 0 or a positive number of processes", least=0, most=1024
    )


def check_extensions(
    extensions: object,
    *,
    format: str | None,  # noqa: A002
    images: bool,
) -> tuple[str, ...]:
    """Return the names of the extensions of FITS files.

    Raises:
        ValueError: If they are no names of extensions, each once, or the format or the rows have
            none.
    """
    form = format or DEFAULT
    known = FORMATS[form].extensions
    names = extensions if isinstance(extensions, Sequence) else (extensions,)
    if isinstance(extensions, str):
        names = (extensions,)
    if not len(names):
        return ()
    if not known or not images:
        rows = "time series" if known else f"format {form!r}"
        raise ValueError(
            f"extensions: expected none for {rows}, got {extensions!r}; write images with "
            'format="fits", or omit it'
        )
    if not all(isinstance(name, str) and name in known for name in names):
        raise ValueError(
            f"extensions: expected names among {', '.join(known)}, got {extensions!r}; write for "
            'example ("clean", "masks")'
        )
    if len(set(names)) < len(names):
        raise ValueError(f"extensions: expected each once, got {extensions!r}; remove one of them")
    return tuple(names)
