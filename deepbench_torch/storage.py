"""Catalogues on disk: writing one to HDF5 and reading its rows back bit for bit."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple, final

import h5py
import numpy as np
import torch
import yaml
from torch import Tensor
from tqdm import tqdm

from deepbench_torch.datasets import (
    Catalogue,
    PairTransform,
    RowDataset,
    Split,
    Transform,
    split_rows,
)
from deepbench_torch.generate import GENERATOR_VERSION, Sample, generate
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import Recipe, load_recipe
from deepbench_torch.recipes.recipe import recipe_from_plain
from deepbench_torch.targets import Target, target_rows

ROWS = 256  # rows made, handed over and written at once
LICENCE = "CC0-1.0"  # the images are nobody's work; the code that draws them is Apache-2.0


def materialize(
    catalogue: Catalogue,
    path: str | Path,
    *,
    format: Literal["h5"] | None = None,  # noqa: A002
    workers: int = 0,
    executor: Executor | None = None,
    overwrite: bool = False,
    progress: bool = True,
    compression: Literal["gzip", "lzf"] | None = None,
) -> Path:
    """Write a catalogue to an HDF5 file; transforms are not applied.

    The rows are written beside the final name, as `*.partial`, checked and then renamed, so a file
    of that name is always complete. Whatever makes the rows, the images are the same bytes.

    Args:
        catalogue: What to write: all of it, or its split if it has one.
        path: The file; its folder is made if it is missing.
        format: "h5", as is None.
        workers: Local processes that make the rows; 0 for this one.
        executor: Where the rows are made instead, any `concurrent.futures.Executor`.
        overwrite: Whether a file of that name may be replaced.
        progress: Whether to show a progress bar.
        compression: None for one block that can be mapped into memory, else whole-image chunks.

    Returns:
        The path.

    Raises:
        FileExistsError: If the file exists and may not be replaced.
        OSError: If it cannot be written; nothing is left behind.
        ValueError: If the format is not known.
    """
    path = Path(path)
    if format not in (None, "h5"):
        raise ValueError(f"format must be 'h5', got {format!r}")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{str(path)!r} exists; replace it with overwrite=True (--overwrite), choose another "
            "path, or open it with StoredCatalogue"
        )
    with _partial(path) as partial, _pool(workers, executor) as pool:
        parts = _parts(catalogue, pool)
        total = len(catalogue)
        with tqdm(total=total, unit="image", disable=not progress, desc=path.name) as bar:
            _write(catalogue, partial, parts, bar, compression)
        _check(partial, total)
    return path


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, renamed to it in the end or removed on any error."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise type(error)(
            error.errno,
            f"cannot write the catalogue ({error.strerror or error}); "
            "choose a path in a folder that can be written and has room",
            str(path),
        ) from error
    finally:
        if partial.parent.is_dir():
            partial.unlink(missing_ok=True)


@contextmanager
def _pool(workers: int, executor: Executor | None) -> Iterator[Executor | None]:
    """The executor given, or a local one of some processes, or none."""
    if executor is not None or workers == 0:
        with nullcontext():
            yield executor
        return
    if workers < 0:
        raise ValueError(f"workers must be 0 or a positive number of processes, got {workers}")
    # forkserver, not fork: torch's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        yield pool


class _Part(NamedTuple):
    """Some rows as arrays by their place in the file."""

    image: np.ndarray[Any, np.dtype[np.float32]]
    tables: dict[str, np.ndarray[Any, Any]]


def _parts(catalogue: Catalogue, pool: Executor | None) -> Iterator[_Part]:
    """All rows in order, made here or in a pool."""
    rows = catalogue.rows
    ranges = [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
    plain, seeds = catalogue.recipe.to_plain(), [catalogue.seed] * len(ranges)
    mapper = map if pool is None else pool.map
    return iter(mapper(make_part, [plain] * len(ranges), seeds, ranges))


def make_part(plain: dict[str, Any], seed: int, rows: range) -> _Part:
    """Rows of a recipe given as numbers and strings; runs in any process."""
    recipe = recipe_from_plain(plain, source="recipe")
    sample = generate(recipe, seed, torch.arange(rows.start, rows.stop))
    return _Part(sample.image.numpy(), _tables(sample))


def _tables(sample: Sample) -> dict[str, np.ndarray[Any, Any]]:
    """Everything but the image, by its path in the file."""
    tables = {"label": sample.label.numpy()}
    for kind, parameters in sample.scene.items():
        tables[f"present/{kind}"] = sample.present[kind].numpy()
        for name, values in parameters.items():
            tables[f"parameters/{kind}/{name}"] = values.numpy()
    return tables


def _write(
    catalogue: Catalogue,
    partial: Path,
    parts: Iterator[_Part],
    bar: "tqdm[Any]",
    compression: str | None,
) -> None:
    digest = hashlib.sha256()
    with h5py.File(partial, "w") as file:
        first = next(parts)
        _create(file, first, len(catalogue), compression)
        place = 0
        while first is not None:
            count = len(first.image)
            file["image"][place : place + count] = first.image
            for name, table in first.tables.items():
                file[name][place : place + count] = table
            digest.update(first.image.tobytes())
            place += count
            bar.update(count)
            first = next(parts, None)  # type: ignore[assignment]
        _describe(file, catalogue, digest.hexdigest())
        file.flush()
    with partial.open("rb+") as written:
        os.fsync(written.fileno())


def _create(file: h5py.File, part: _Part, rows: int, compression: str | None) -> None:
    """Make every dataset at its full length, with its unit."""
    shape = part.image.shape[1:]
    chunk = None
    if compression is not None:
        chunk = (max(1, min(rows, (1 << 20) // part.image[0].nbytes)), *shape)
    file.create_dataset("image", (rows, *shape), np.float32, chunks=chunk, compression=compression)
    for name, table in part.tables.items():
        file.create_dataset(name, (rows, *table.shape[1:]), table.dtype)
    for kind, parameters in file["parameters"].items():
        for name, dataset in parameters.items():
            dataset.attrs["unit"] = OBJECTS[kind].fields[name].unit


def _describe(file: h5py.File, catalogue: Catalogue, sha256: str) -> None:
    """What the file holds and how to make it again; `complete` comes last."""
    file.attrs.update(
        {
            "recipe": catalogue.recipe.to_yaml(),
            "digest": catalogue.recipe.digest,
            "classes": catalogue.classes,
            "seed": catalogue.seed,
            "size": catalogue.size,
            "split": catalogue.split or "all",
            "package": f"deepbench_torch {version('deepbench_torch')}",
            "generator_version": GENERATOR_VERSION,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "licence": LICENCE,
            "sha256": sha256,
            "complete": True,
        }
    )


def _check(partial: Path, rows: int) -> None:
    """Refuse a file that the disk did not take whole."""
    with h5py.File(partial, "r") as file:
        if not file.attrs["complete"] or file["image"].shape[0] != rows:
            raise OSError(f"{partial} was not written whole")


class Header(NamedTuple):
    """What a stored catalogue says of itself."""

    recipe: Recipe
    seed: int
    size: int
    split: Split | None
    rows: range
    attributes: dict[str, Any]
    image_offset: int | None  # bytes before the image block, None if it is compressed


def read_header(path: str | Path) -> Header:
    """What a stored catalogue says of itself.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it is not a catalogue of this package, not complete, or of another generator.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no catalogue {str(path)!r}; write one with deepbench_torch.materialize or "
            "`deepbench-torch generate`"
        )
    try:
        with h5py.File(path, "r") as file:
            return _header(file, path)
    except (OSError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"{str(path)!r} is not a catalogue written by deepbench_torch ({error}); "
            "if it should be one, write it again"
        ) from error


def _header(file: h5py.File, path: Path) -> Header:
    attributes = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in file.attrs.items()
    }
    if not attributes["complete"]:
        raise ValueError(f"{str(path)!r} is not complete; delete it and write it again")
    if attributes["generator_version"] != GENERATOR_VERSION:
        raise ValueError(
            f"{str(path)!r} was made by generator version {attributes['generator_version']}, this "
            f"is version {GENERATOR_VERSION} and draws otherwise; write it again, or install "
            f"{attributes['package']} to read it"
        )
    recipe = recipe_from_plain(
        yaml.safe_load(attributes["recipe"]), source=f"the recipe in {str(path)!r}"
    )
    split = None if attributes["split"] == "all" else attributes["split"]
    return Header(
        recipe=recipe,
        seed=attributes["seed"],
        size=attributes["size"],
        split=split,
        rows=split_rows(attributes["size"], split),
        attributes=attributes,
        image_offset=file["image"].id.get_offset(),
    )


@final
class StoredCatalogue(RowDataset):
    """The rows of a stored catalogue, the same as the Catalogue's bit for bit.

    Images come from the file, mapped into memory where they are not compressed, labels and
    parameters too; the other targets are made again from the recipe in the file. Nothing is open
    until the first row is asked for, and nothing open is pickled.

    Args:
        path: The file.
        split: "train", "val", "test" or None, as in Catalogue; a file of one split holds only it.
        target: As in Catalogue.
        transform: Called with the image, a float32 tensor of shape (1, H, W).
        target_transform: Called with the target.
        transforms: Called with image and target together, instead of the two before.
        recipe: Refuse a file of another recipe than this; None to take any.
        seed: Refuse a file of another seed than this; None to take any.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it is not a complete catalogue of this package, or not the one asked for.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        split: Split | None = None,
        target: Target = "label",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
        recipe: str | Path | Recipe | None = None,
        seed: int | None = None,
    ) -> None:
        header = read_header(path)
        _check_asked(path, header, recipe=recipe, seed=seed, split=split)
        super().__init__(
            header.recipe,
            seed=header.seed,
            rows=header.rows if split is None else split_rows(header.size, split),
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        self.path = Path(path).resolve()
        self.header = header
        self._file: _OpenFile | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None}

    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        if self._file is None or self._file.process != os.getpid():
            self._file = _OpenFile(self.path, self.header)
        places = np.asarray(rows, dtype=np.int64) - self.header.rows.start
        images = torch.from_numpy(self._file.images(places))
        if self.target == "label":
            labels = self._file.label[places]
            return images, labels.tolist() if labels.ndim == 1 else list(torch.from_numpy(labels))
        sample = generate(self.recipe, self.seed, torch.tensor(rows, dtype=torch.int64))
        return images, target_rows(sample, self.target)


class _OpenFile:
    """The open parts of a file, in one process."""

    def __init__(self, path: Path, header: Header) -> None:
        self.process = os.getpid()
        self.file = h5py.File(path, "r")
        self.label = self.file["label"][:]
        self.mapped: np.memmap[Any, Any] | None = None
        if header.image_offset is not None:
            block = self.file["image"]
            self.mapped = np.memmap(
                path, block.dtype, mode="r", offset=header.image_offset, shape=block.shape
            )

    def images(self, places: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, Any]:
        """A fresh array of the images at some places, in their order."""
        if self.mapped is not None:
            mapped: np.ndarray[Any, Any] = np.asarray(self.mapped)[places]
            return mapped
        unique, back = np.unique(places, return_inverse=True)  # h5py wants them rising
        chosen: np.ndarray[Any, Any] = self.file["image"][unique]
        return chosen[back]


def _check_asked(
    path: str | Path,
    header: Header,
    *,
    recipe: str | Path | Recipe | None,
    seed: int | None,
    split: Split | None,
) -> None:
    """Refuse a file that is not the one asked for."""
    remedy = "write it again with overwrite=True, or open it without asking for another"
    if recipe is not None and load_recipe(recipe).digest != header.recipe.digest:
        raise ValueError(
            f"{str(path)!r} holds recipe {header.recipe.name} ({header.recipe.digest:.8}), asked "
            f"was for {load_recipe(recipe).name} ({load_recipe(recipe).digest:.8}); {remedy}"
        )
    if seed is not None and seed != header.seed:
        raise ValueError(f"{str(path)!r} has seed {header.seed}, asked was for {seed}; {remedy}")
    if header.split is not None and split not in (None, header.split):
        raise ValueError(
            f"{str(path)!r} holds the split {header.split!r} only, asked was for {split!r}; "
            "write the whole catalogue to have all splits"
        )
