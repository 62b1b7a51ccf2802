"""StoredCatalogue reads every format that materialize writes, with the same arguments."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.recipes import AbstractRecipe, SeriesRecipe
from deepbench_torch.storage import verified
from deepbench_torch.storage.formats import FORMATS, Format
from deepbench_torch.storage.stretch import scale_of

SIZE = 20
CONTENTS: dict[str, dict[str, Any]] = {
    "astro": {"image": {"height": 9, "width": 12}},
    "sky": {"image": {"height": 9, "width": 12}},
    "nbody": {"time": {"steps": 4}},
    "pendulum": {"time": {"steps": 4}},
}
WAYS: dict[str, dict[str, Any]] = {
    **{name: {"format": name} for name in FORMATS},
    "gzip": {"format": "h5", "compression": "gzip"},
    "shards": {"format": "h5", "shard_rows": 8},
}
CASES = [
    (name, way)
    for name in CONTENTS
    for way in WAYS
    if way != "jpeg" or db.load_recipe(name).content == "image"
]
each_case = pytest.mark.parametrize(("name", "way"), CASES)


def recipe_of(name: str) -> AbstractRecipe:
    recipe: AbstractRecipe = db.load_recipe(name)
    return recipe.replace(**CONTENTS[name])


def write(folder: Path, name: str, way: str, **options: Any) -> Path:
    made = db.Catalogue(recipe_of(name), size=SIZE, seed=3, **options)
    path = folder / ("c.h5" if WAYS[way]["format"] == "h5" else "c")
    return db.materialize(made, path, progress=False, **WAYS[way])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Return a function that writes each case once; only for tests that change no file."""

    @cache
    def path_of(name: str, way: str) -> Path:
        return write(tmp_path_factory.mktemp(f"{name}-{way}"), name, way)

    return path_of


def same_rows(found: list[Any], expected: list[Any], *, recipe: AbstractRecipe, way: str) -> None:
    """Bit for bit; JPEG as near as its 8 bits and its own loss allow."""
    for (data, target), (again, kept) in zip(expected, found, strict=True):
        torch.testing.assert_close(kept, target, rtol=0, atol=0)
        assert type(kept) is type(target)
        if way != "jpeg":
            assert torch.equal(data, again)
            continue
        assert isinstance(recipe, db.Recipe)
        scale = scale_of(recipe)
        off = scale.pixels(data.numpy()).astype(int) - scale.pixels(again.numpy()).astype(int)
        assert np.abs(off).mean() < 4  # JPEG of quality 95 rounds in blocks of 8 x 8


def test_the_table_is_the_one_list_of_formats() -> None:
    assert tuple(FORMATS) == get_args(Format)


@each_case
def test_rows_of_every_format_are_those_of_the_catalogue(
    name: str, way: str, written: Callable[[str, str], Path]
) -> None:
    recipe, path = recipe_of(name), written(name, way)
    targets: list[Any] = ["label", "parameters", "index", ["label", "clean"]]
    for target in targets:
        made = db.Catalogue(recipe, size=SIZE, seed=3, target=target)
        stored = db.StoredCatalogue(path, target=target, verify=target == "label")
        assert (len(stored), stored.classes, stored.seed) == (SIZE, made.classes, 3)
        for places in ([0, 19, 7, 7, -1], [*range(SIZE)], [5], []):
            found, expected = stored.__getitems__(places), made.__getitems__(places)
            same_rows(found, expected, recipe=recipe, way=way)
    assert ("rounded" in repr(stored)) == (way == "jpeg")


@each_case
def test_splits_transforms_and_refusals_work_in_every_format(
    name: str, way: str, written: Callable[[str, str], Path]
) -> None:
    recipe, path = recipe_of(name), written(name, way)
    made = db.Catalogue(recipe, size=SIZE, seed=3, split="test")
    stored = db.StoredCatalogue(path, split="test", recipe=recipe, seed=3)
    same_rows(stored.__getitems__([0, 3]), made.__getitems__([0, 3]), recipe=recipe, way=way)
    doubled = db.StoredCatalogue(path, transform=lambda data: data * 2)
    assert torch.equal(doubled[4][0], db.StoredCatalogue(path)[4][0] * 2)
    with pytest.raises(ValueError, match="has seed 3, "):
        db.StoredCatalogue(path, seed=4)
    with pytest.raises(ValueError, match="holds recipe"):
        db.StoredCatalogue(path, recipe="star")


@each_case
def test_one_split_is_stored_in_every_format(name: str, way: str, tmp_path: Path) -> None:
    recipe, path = recipe_of(name), write(tmp_path, name, way, split="val")
    made = db.Catalogue(recipe, size=SIZE, seed=3, split="val")
    stored = db.StoredCatalogue(path, verify=True)
    assert stored.split == "val"
    same_rows(list(stored), list(made), recipe=recipe, way=way)
    with pytest.raises(ValueError, match="holds the split 'val' only"):
        db.StoredCatalogue(path, split="train")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_open_is_pickled_in_any_format(
    way: str, written: Callable[[str, str], Path]
) -> None:
    stored = db.StoredCatalogue(written("astro", way))
    before = stored[3][0]
    content = pickle.dumps(stored)
    assert len(content) < 20_000
    assert torch.equal(pickle.loads(content)[3][0], before)  # noqa: S301
    loader: DataLoader[Any] = DataLoader(
        stored, batch_size=7, num_workers=1, generator=torch.Generator()
    )
    rows = torch.cat([data for data, _ in loader])
    assert torch.equal(rows, torch.stack([data for data, _ in stored]))


@pytest.mark.parametrize("way", WAYS)
def test_a_replaced_catalogue_is_noticed_in_any_format(way: str, tmp_path: Path) -> None:
    path = write(tmp_path, "astro", way)
    stored = db.StoredCatalogue(path)
    other = db.Catalogue(recipe_of("astro"), size=SIZE, seed=4)
    db.materialize(other, path, overwrite=True, progress=False, **WAYS[way])
    with pytest.raises(ValueError, match="was replaced after this dataset was made"):
        stored[0]


@pytest.mark.parametrize("way", WAYS)
def test_the_working_folder_and_symlinks_do_not_matter(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "data", "astro", way)
    link = tmp_path / f"link{path.suffix}"
    link.symlink_to(path)
    monkeypatch.chdir(path.parent)
    stored = db.StoredCatalogue(path.name)
    monkeypatch.chdir(tmp_path)
    assert torch.equal(stored[2][0], db.StoredCatalogue(link, verify=True)[2][0])
    assert torch.equal(stored[2][0], db.StoredCatalogue(path.parent)[2][0])


@pytest.mark.parametrize("way", WAYS)
def test_changed_rows_fail_the_verification_of_every_format(way: str, tmp_path: Path) -> None:
    path = write(tmp_path, "astro", way)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError) as caught:
            verified(path)
        assert str(tmp_path) in str(caught.value)
        file.write_bytes(content)
    assert verified(path).size == SIZE


def test_a_pixel_of_a_fits_file_is_verified(tmp_path: Path) -> None:
    path = write(tmp_path, "astro", "fits")
    file = path / "images" / "000004.fits"
    content = bytearray(file.read_bytes())
    content[-2880 + 5] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="its rows are not those that were written"):
        verified(path)


def test_reading_needs_no_astropy(written: Callable[[str, str], Path]) -> None:
    """It takes half a second to import, and few need it."""
    path = written("astro", "fits")
    code = (
        f"import sys, deepbench_torch as db\ndb.StoredCatalogue({str(path)!r})[0]\n"
        "assert not any(name.startswith('astropy') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)  # noqa: S603


def test_series_keep_their_recipe(written: Callable[[str, str], Path]) -> None:
    stored = db.StoredCatalogue(written("nbody", "npy"))
    assert isinstance(stored.recipe, SeriesRecipe)
