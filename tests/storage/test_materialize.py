"""Stored equals generated, bit for bit; a file is whole, ours and the one requested, or refused."""

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.datasets import Split
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.storage import read_header

each_recipe = pytest.mark.parametrize("name", db.list_recipes("image"))


@pytest.fixture
def catalogue() -> db.Catalogue:
    return db.Catalogue("astro", size=600, seed=2, image_size=(6, 9))


@pytest.fixture
def stored(catalogue: db.Catalogue, tmp_path: Path) -> Path:
    return db.materialize(catalogue, tmp_path / "astro.h5", progress=False)


@each_recipe
@pytest.mark.parametrize("target", ["label", "parameters", "clean", "index", ["label", "clean"]])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_stored_equals_generated(name: str, target: Any, compression: Any, tmp_path: Path) -> None:
    catalogue = db.Catalogue(name, size=20, seed=1, image_size=16, target=target)
    path = db.materialize(catalogue, tmp_path / "a.h5", progress=False, compression=compression)
    stored = db.StoredCatalogue(path, target=target)
    assert len(stored) == 20
    assert stored.classes == catalogue.classes
    places = [0, 19, 7, 7, -1]
    for (image, truth), (again, kept) in zip(
        catalogue.__getitems__(places), stored.__getitems__(places), strict=True
    ):
        assert torch.equal(image, again)
        torch.testing.assert_close(kept, truth, rtol=0, atol=0)
        assert type(kept) is type(truth)


def test_splits_of_a_file(stored: Path, catalogue: db.Catalogue) -> None:
    test = db.StoredCatalogue(stored, split="test")
    assert len(test) == 120
    assert torch.equal(test[3][0], catalogue[483][0])
    with pytest.raises(IndexError, match="expected -120 to 119 for 120 rows"):
        test[120]


def test_a_file_of_one_split(tmp_path: Path) -> None:
    val = db.Catalogue("astro", size=50, split="val", image_size=4)
    path = db.materialize(val, tmp_path / "val.h5", progress=False)
    splits: tuple[Split | None, ...] = (None, "val")
    for split in splits:
        assert torch.equal(db.StoredCatalogue(path, split=split)[4][0], val[4][0])
    with pytest.raises(ValueError, match="holds the split 'val' only, but 'test' was requested"):
        db.StoredCatalogue(path, split="test")


def test_the_file_reads_without_this_package(stored: Path, catalogue: db.Catalogue) -> None:
    """Oracle: h5py and numpy alone."""
    sample = catalogue.samples(range(600))
    assert isinstance(sample, db.Sample)
    with h5py.File(stored) as file:
        assert file["image"].shape == (600, 1, 6, 9)
        assert file["image"].chunks is None
        assert np.array_equal(file["image"][:], sample.image.numpy())
        assert np.array_equal(file["label"][:], sample.label.numpy())
        gamma = file["parameters/star/gamma"]
        assert np.array_equal(gamma[:], sample.scene["star"]["gamma"].numpy())
        assert gamma.attrs["unit"] == "pixel"
        assert file["parameters/galaxy/theta"].attrs["unit"] == "radian"
        assert np.array_equal(file["present/spiral"][:], sample.present["spiral"].numpy())
        attributes = dict(file.attrs)
        block = hashlib.sha256(file["image"][:].tobytes()).hexdigest()
        offset = file["image"].id.get_offset()
    assert attributes["sha256"] == block
    assert attributes["seed"] == 2
    assert attributes["size"] == 600
    assert attributes["digest"] == catalogue.recipe.digest
    assert attributes["generator_version"] == GENERATOR_VERSION
    assert attributes["complete"]
    assert set(attributes) >= {"recipe", "package", "date", "licence", "classes", "split"}
    mapped = np.memmap(stored, np.float32, "r", offset, (600, 1, 6, 9))
    assert np.array_equal(mapped, sample.image.numpy())


def test_compressed_chunks_are_whole_images_below_a_mebibyte(tmp_path: Path) -> None:
    path = db.materialize(
        db.Catalogue("astro", size=600, image_size=28),
        tmp_path / "a.h5",
        progress=False,
        compression="lzf",
    )
    with h5py.File(path) as file:
        chunk = file["image"].chunks
    assert chunk[1:] == (1, 28, 28)
    assert 1 < chunk[0] * 28 * 28 * 4 <= 1 << 20


@pytest.mark.parametrize("maker", ["workers", "executor"])
def test_whatever_makes_the_rows_the_images_are_the_same(
    maker: str, stored: Path, catalogue: db.Catalogue, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as threads:
        how: dict[str, Any] = {"workers": 2} if maker == "workers" else {"executor": threads}
        path = db.materialize(catalogue, tmp_path / "b.h5", progress=False, **how)
    assert read_header(path).attributes["sha256"] == read_header(stored).attributes["sha256"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_loaders_with_workers_read_the_same(method: str, stored: Path) -> None:
    dataset = db.StoredCatalogue(stored)
    # the file is open here before the workers start
    here = torch.stack([image for image, _ in dataset.__getitems__(list(range(600)))])
    loader: DataLoader[Any] = DataLoader(
        dataset,
        batch_size=100,
        num_workers=2,
        multiprocessing_context=method,
        generator=torch.Generator(),
    )
    assert torch.equal(torch.cat([images for images, _ in loader]), here)


def test_nothing_open_is_pickled(stored: Path) -> None:
    dataset = db.StoredCatalogue(stored)
    before = dataset[5][0]
    blob = pickle.dumps(dataset)
    assert len(blob) < 10_000
    assert torch.equal(pickle.loads(blob)[5][0], before)  # noqa: S301


def test_reads_are_sorted_and_merged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rows of one chunk, or next to one another, are one read of a compressed file."""
    made = db.Catalogue("star", size=900, image_size=28)
    path = db.materialize(made, tmp_path / "a.h5", progress=False, compression="lzf")
    dataset = db.StoredCatalogue(path)
    assert h5py.File(path)["image"].chunks[0] == 334
    reads: list[slice] = []
    original = h5py.Dataset.__getitem__

    def noted(self: h5py.Dataset, key: Any) -> Any:
        if self.name == "/image":
            reads.append(key)
        return original(self, key)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", noted)
    places = [890, 5, 300, 889, 5, 3]
    for (image, _), (expected, _) in zip(
        dataset.__getitems__(places), made.__getitems__(places), strict=True
    ):
        assert torch.equal(image, expected)
    assert reads == [slice(3, 301), slice(889, 891)]


def test_rows_are_copies_that_may_be_changed(stored: Path) -> None:
    dataset = db.StoredCatalogue(stored)
    image, _ = dataset[0]
    kept = image.clone()
    image.zero_()
    assert torch.equal(dataset[0][0], kept)


def test_transforms_apply_to_stored_rows(stored: Path) -> None:
    plain = db.StoredCatalogue(stored)
    doubled = db.StoredCatalogue(stored, transform=lambda image: image * 2)
    assert torch.equal(doubled[4][0], plain[4][0] * 2)


def test_progress_is_shown_and_can_be_silenced(
    catalogue: db.Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db.materialize(catalogue, tmp_path / "a.h5", progress=False)
    assert capsys.readouterr().err == ""
    db.materialize(catalogue, tmp_path / "b.h5")
    assert "600/600" in capsys.readouterr().err


def test_an_old_file_is_kept_unless_requested(stored: Path, catalogue: db.Catalogue) -> None:
    before = stored.read_bytes()
    with pytest.raises(FileExistsError, match="exists; replace it with overwrite=True"):
        db.materialize(catalogue, stored)
    assert stored.read_bytes() == before
    other = db.Catalogue("astro", size=5, image_size=4)
    assert len(db.StoredCatalogue(db.materialize(other, stored, overwrite=True))) == 5


def test_folders_are_made(catalogue: db.Catalogue, tmp_path: Path) -> None:
    path = db.materialize(catalogue, tmp_path / "a" / "b" / "c.h5", progress=False)
    assert path.is_file()


def test_a_failed_write_leaves_nothing(
    catalogue: db.Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("here is no folder")
    with pytest.raises(OSError, match="choose a path in a folder that can be written"):
        db.materialize(catalogue, tmp_path / "file" / "a.h5", progress=False)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        db.materialize(catalogue, tmp_path / "full.h5", progress=False)
    assert os.listdir(tmp_path) == ["file"]


def test_a_failing_worker_leaves_nothing(catalogue: db.Catalogue, tmp_path: Path) -> None:
    class Broken(ThreadPoolExecutor):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("a worker died")

    with pytest.raises(RuntimeError, match="a worker died"), Broken(1) as pool:
        db.materialize(catalogue, tmp_path / "a.h5", executor=pool, progress=False)
    assert os.listdir(tmp_path) == []


def test_wrong_arguments(catalogue: db.Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"format must be 'h5' or 'npy' or .*, got 'zip'"):
        db.materialize(catalogue, tmp_path / "a", format="zip")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="workers must be 0 or a positive number"):
        db.materialize(catalogue, tmp_path / "a", workers=-1)
    assert os.listdir(tmp_path) == []


def spoil(change: Callable[[h5py.File], Any]) -> Callable[[Path], None]:
    """A change to an open file as one to a path."""

    def change_path(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            change(file)

    return change_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(b"not HDF5 at all"), "is not a catalogue written by"),
        (lambda path: os.truncate(path, 3000), "is not a catalogue written by"),
        (spoil(lambda file: file.__delitem__("image")), "is not a catalogue written by"),
        (spoil(lambda file: file.attrs.__delitem__("recipe")), "is not a catalogue written by"),
        (spoil(lambda file: file.attrs.__setitem__("complete", False)), "is not complete"),
        (
            spoil(lambda file: file.attrs.__setitem__("generator_version", 0)),
            "was made by generator version 0",
        ),
        (spoil(lambda file: file.attrs.__setitem__("recipe", "a: 1")), "the recipe in .* is not"),
        (
            spoil(lambda file: file.attrs.__setitem__("recipe", "a: [")),
            "the recipe in .*: expected valid YAML",
        ),
        (spoil(lambda file: file.attrs.__setitem__("recipe", 3)), "is not a catalogue written by"),
        (spoil(lambda file: file.attrs.__setitem__("digest", "abc")), "is damaged"),
        (spoil(lambda file: file.attrs.__setitem__("size", 700)), "is damaged"),
        (spoil(lambda file: file.attrs.__setitem__("seed", "0")), "is damaged"),
        (spoil(lambda file: file.__delitem__("label")), "is not a catalogue written by"),
    ],
)
def test_a_file_that_is_not_complete_or_not_ours_is_refused(
    change: Callable[[Path], None], message: str, stored: Path
) -> None:
    change(stored)
    with pytest.raises(ValueError, match=message) as caught:
        db.StoredCatalogue(stored)
    assert str(stored) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no catalogue .*materialize"):
        db.StoredCatalogue(tmp_path / "none.h5")


def test_a_file_of_another_recipe_or_seed_is_refused(stored: Path) -> None:
    recipe = db.load_recipe("astro").replace(image={"height": 6, "width": 9})
    assert len(db.StoredCatalogue(stored, recipe=recipe, seed=2)) == 600
    with pytest.raises(ValueError, match=r"holds recipe astro \(.*but astro .* was requested"):
        db.StoredCatalogue(stored, recipe="astro")
    with pytest.raises(ValueError, match="has seed 2, but seed 3 was requested"):
        db.StoredCatalogue(stored, seed=3)


def test_a_file_that_was_replaced_is_noticed(stored: Path) -> None:
    dataset = pickle.loads(pickle.dumps(db.StoredCatalogue(stored)))  # noqa: S301
    other = db.Catalogue("astro", size=600, seed=9, image_size=(6, 9))
    db.materialize(other, stored, overwrite=True, progress=False)
    with pytest.raises(ValueError, match="was replaced after this dataset was made"):
        dataset[0]


def test_more_than_the_disk_holds_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"GB of data, .* GB free"):
        db.materialize(db.Catalogue("astro", size=2**60), tmp_path / "new" / "a.h5")
    assert os.listdir(tmp_path) == []


def test_only_a_catalogue_is_written(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"expected a Catalogue or .*, got StoredCatalogue"):
        db.materialize(db.StoredCatalogue(stored), tmp_path / "b.h5")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"must name a file, got '\.'"):
        db.materialize(db.Catalogue("astro"), ".")
    with pytest.raises(ValueError, match="expected None or 'gzip' or 'lzf' for format 'h5'"):
        db.materialize(db.Catalogue("astro"), "a.h5", compression="zip")  # type: ignore[arg-type]


def test_a_home_folder_is_understood(
    tmp_path: Path, catalogue: db.Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = db.materialize(catalogue, "~/a.h5", progress=False)
    assert path == tmp_path / "a.h5"
    assert len(db.StoredCatalogue("~/a.h5")) == 600


def test_a_moved_file_needs_no_path(stored: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(stored, tmp_path / "moved.h5"))
    assert len(db.StoredCatalogue(moved)) == 600
