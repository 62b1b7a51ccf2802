"""Catalogues in common formats, read back by software that knows nothing of this package."""

import csv
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from astropy.io import fits
from PIL import Image
from torchvision.datasets import ImageFolder

import deepbench_torch as db
from deepbench_torch.storage import append, describe, reproduce, verified_folder
from deepbench_torch.storage.formats.npy import NpyFiles
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.stretch import scale_of
from deepbench_torch.storage.work.chunks import make_chunk

FORMATS = ["h5", "npy", "jpeg", "fits"]
each_format = pytest.mark.parametrize("form", FORMATS)


def catalogue(name: str = "sky", *, size: int = 30, **options: Any) -> db.Catalogue:
    chosen: dict[str, Any] = {"seed": 4, "image_size": (12, 16)}
    return db.Catalogue(name, size=size, **chosen | options)


def write(folder: Path, made: db.Catalogue, form: str, **options: Any) -> Path:
    path = folder / ("c.h5" if form == "h5" else "c")
    return db.materialize(made, path, format=form, progress=False, **options)  # type: ignore[arg-type]


def tree(path: Path) -> dict[str, bytes]:
    """The bytes of a file, or of every file of a folder by its name in it."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_npy_is_mapped_into_memory(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "npy")
    sample = db.generate("sky", 4, torch.arange(30), image_size=(12, 16))
    images = np.load(path / "images.npy", mmap_mode="r")
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, sample.image)
    np.testing.assert_array_equal(np.load(path / "labels.npy"), sample.label)


def test_npy_is_written_as_numpy_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: the bytes of np.save; several parts, of a split that does not begin at row 0."""
    monkeypatch.setattr("deepbench_torch.storage.work.chunks.CHUNK_BYTES", 4 * 12 * 16 * 4)
    path = write(tmp_path, catalogue(size=50, split="val"), "npy")
    sample = db.generate("sky", 4, torch.arange(30, 40), image_size=(12, 16))
    for name, array in (("images", sample.image), ("labels", sample.label)):
        np.save(tmp_path / "oracle.npy", array.numpy())
        assert (path / f"{name}.npy").read_bytes() == (tmp_path / "oracle.npy").read_bytes()


def test_npy_grows_as_it_is_written(tmp_path: Path) -> None:
    """A file of holes that is mapped into memory would end the process on a full disk."""
    made = catalogue()
    files = NpyFiles(tmp_path, Metadata.of(made))
    files.write(make_chunk(made.recipe, 4, range(10)), 0)
    files.close()
    assert (tmp_path / "images.npy").stat().st_size == 128 + 10 * 12 * 16 * 4


@pytest.mark.parametrize("form", ["npy", "jpeg", "fits"])
def test_every_object_is_in_the_table(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), form)
    sample = db.generate("sky", 4, torch.arange(30), image_size=(12, 16))
    table = lines(path / "parameters.csv")
    assert len(table) == sum(int(there.sum()) for there in sample.present.values())
    for line in table:
        row, kind, slot = int(line["index"]), line["kind"], int(line["slot"])
        assert sample.present[kind][row, slot]
        for name, values in sample.scene[kind].items():
            assert np.float32(line[name]) == values[row, slot].item()
        assert all(
            line[name] == ""
            for name in line
            if name not in (*sample.scene[kind], "index", "kind", "slot")
        )


def test_jpeg_of_classes_is_an_image_folder(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue("astro", size=60), "jpeg")
    sample = db.generate("astro", 4, torch.arange(60), image_size=(12, 16))
    scale = scale_of(sample.recipe)
    seen: list[int] = []
    for split, rows in (("train", range(36)), ("val", range(36, 48)), ("test", range(48, 60))):
        folder = ImageFolder(path / split)
        assert folder.classes == ["0-star", "1-galaxy", "2-spiral"]
        for (image, target), (file, _) in zip(folder, folder.samples, strict=True):
            row = int(Path(file).stem)
            seen.append(row)
            assert row in rows
            assert target == int(sample.label[row])
            expected = scale.pixels(sample.image[row, 0].numpy()).astype(int)
            got = np.asarray(image.convert("L")).astype(int)
            # JPEG of quality 95 rounds in blocks of 8 x 8
            assert np.abs(got - expected).mean() < 4
    assert sorted(seen) == list(range(60))


@pytest.mark.parametrize("size", [1, 2, 7, 20])
@pytest.mark.parametrize("split", ["train", "val", "test", None])
def test_an_image_folder_of_few_rows_keeps_the_order_of_the_classes(
    size: int, split: Any, tmp_path: Path
) -> None:
    """Nine classes, most of them without an image in a split."""
    recipe = db.load_recipe("star").replace(
        name="many",
        objects={kind: {} for kind in list(db.OBJECTS)[1:]},
        image={"height": 12, "width": 16},
    )
    made = recipe.classes
    assert sorted(made) != made
    size = size if split is None else max(size, 5)  # no split of fewer rows has any
    path = write(tmp_path, db.Catalogue(recipe, size=size, split=split), "jpeg")
    labels = db.generate(recipe, 0, torch.arange(size)).label
    for folder in path.iterdir():
        if folder.is_dir():
            images = ImageFolder(folder, allow_empty=True)
            assert [name.split("-")[1] for name in images.classes] == made
            assert all(target == labels[int(Path(file).stem)] for file, target in images.samples)


def test_jpeg_of_kinds_has_a_table(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "jpeg")
    label = db.generate("sky", 4, torch.arange(30)).label
    table = lines(path / "labels.csv")
    assert [line["split"] for line in table] == ["train"] * 18 + ["val"] * 6 + ["test"] * 6
    for row, line in enumerate(table):
        assert line["file"] == f"images/{row:06d}.jpg"
        with Image.open(path / line["file"]) as image:
            assert (image.size, image.mode) == ((16, 12), "L")
        assert [float(line[kind]) for kind in ("star", "galaxy", "spiral")] == label[row].tolist()


def test_the_scale_of_jpeg_is_stored_and_turns_back(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "jpeg")
    scale = json.loads((path / "metadata.json").read_text())["scale"]
    assert "asinh" in scale["meaning"]
    low, high = (np.arcsinh(scale[end] / scale["softening"]) for end in ("low", "high"))
    with Image.open(path / "images" / "000000.jpg") as image:
        pixels = np.asarray(image) / 255
    brightness = scale["softening"] * np.sinh(low + pixels * (high - low))
    expected = db.generate("sky", 4, torch.tensor([0]), image_size=(12, 16)).image[0, 0].numpy()
    assert np.abs(brightness - expected).mean() < 0.1
    # it depends on the recipe alone
    recipe = db.load_recipe("sky")
    assert scale_of(recipe) == scale_of(recipe.replace(size=5, seed=9))


def test_fits_headers_carry_the_truth(tmp_path: Path) -> None:
    made = catalogue("lensing")
    path = write(tmp_path, made, "fits")
    sample = db.generate("lensing", 4, torch.arange(30), image_size=(12, 16))
    for row in range(30):
        with fits.open(path / "images" / f"{row:06d}.fits") as file:
            file.verify("exception")
            np.testing.assert_array_equal(file[0].data, sample.image[row, 0])
            header = file[0].header
            assert header["SEED"] == 4
            assert header["INDEX"] == row
            assert header["DIGEST"] == made.recipe.digest
            kinds = [
                k for k, there in zip(("arc", "star"), sample.label[row], strict=True) if there
            ]
            assert header["LABEL"] == ", ".join(kinds)
            for kind, there in sample.present.items():
                for slot in range(there.shape[1]):
                    for name, values in sample.scene[kind].items():
                        card = f"{kind} {slot} {name}".upper()
                        assert (card in header) == bool(there[row, slot])
                        if card in header:
                            assert np.float32(header[card]) == values[row, slot].item()


def test_an_endless_thickness_fits_a_header(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue("circle", size=5), "fits")
    header = fits.getheader(path / "images" / "000000.fits")
    assert header["CIRCLE 0 THICKNESS"] == "inf"
    assert header.comments["CIRCLE 0 RADIUS"] == "[pixel]"


def test_h5_is_read_by_h5py(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path, catalogue(), "h5")) as file:
        sample = db.generate("sky", 4, torch.arange(30), image_size=(12, 16))
        np.testing.assert_array_equal(file["image"][:], sample.image)
        np.testing.assert_array_equal(
            file["parameters/star/gamma"][:], sample.scene["star"]["gamma"]
        )


@pytest.mark.parametrize("form", ["npy", "fits", "h5"])
@pytest.mark.parametrize("name", ["pendulum", "nbody"])
def test_time_series_are_written_and_made_again(form: str, name: str, tmp_path: Path) -> None:
    recipe = db.load_recipe(name).replace(time={"steps": 6})
    path = write(tmp_path, db.Catalogue(recipe, size=7, seed=2), form)
    assert reproduce(path).files >= 1
    series = db.generate(recipe, 2, torch.arange(7)).series
    if form == "npy":
        np.testing.assert_array_equal(np.load(path / "series.npy"), series)
        assert len(lines(path / "parameters.csv")) >= 7
    if form == "fits":
        np.testing.assert_array_equal(fits.getdata(path / "series" / "000003.fits"), series[3])


def test_jpeg_holds_images_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format 'jpeg': expected a recipe of images, got pend"):
        write(tmp_path, db.Catalogue("pendulum", size=5), "jpeg")
    assert list(tmp_path.iterdir()) == []


def test_a_fresh_process_makes_the_same_again(tmp_path: Path) -> None:
    made = catalogue("astro", size=20)
    paths = [write(tmp_path / form, made, form) for form in FORMATS]
    again = [
        tmp_path / "again" / form / path.name for form, path in zip(FORMATS, paths, strict=True)
    ]
    code = (
        "import sys\nfrom deepbench_torch.storage import reproduce\n"
        "for path, output in zip(sys.argv[1::2], sys.argv[2::2]):\n"
        "    print(reproduce(path, output=output).same)\n"
    )
    arguments = [str(path) for pair in zip(paths, again, strict=True) for path in pair]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["bytes", "bytes", "pixels", "pixels"]
    for old, new in zip(paths, again, strict=True):
        assert tree(new) == tree(old)


@pytest.mark.parametrize("form", ["h5", "npy", "jpeg", "fits"])
def test_another_day_and_a_split_are_made_again(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    path = write(tmp_path, catalogue(size=25, split="val"), form)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert describe(path).attributes["date"] == "1970-01-02"
    assert describe(path).split == "val"
    assert reproduce(path).path == path
    assert "SOURCE_DATE_EPOCH" not in os.environ


def test_options_are_made_again(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "h5", compression="gzip")
    assert describe(path).options["compression"] == "gzip"
    assert reproduce(path).same == "bytes"
    shards = db.materialize(catalogue(), tmp_path / "s.h5", shard_rows=8, progress=False)
    assert reproduce(shards).files == 4


@pytest.mark.parametrize(
    ("form", "file", "message"),
    [
        ("npy", "images.npy", r"images\.npy differs from byte \d+ on"),
        ("npy", "labels.npy", r"labels\.npy differs"),
        ("npy", "parameters.csv", r"parameters\.csv differs"),
        ("fits", "images/000002.fits", r"000002\.fits differs in its pixels"),
        ("jpeg", "images/000001.jpg", r"000001\.jpg differs in its pixels"),
    ],
)
def test_a_changed_file_is_found(form: str, file: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), form)
    if form == "jpeg":
        Image.fromarray(np.zeros((12, 16), np.uint8)).save(path / file)
    else:
        content = bytearray((path / file).read_bytes())
        content[-3000 if form == "fits" else -5] ^= 0x55
        if form == "fits":
            content[2880] ^= 0x55
        (path / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        reproduce(path)


def test_missing_and_foreign_files_are_found(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "jpeg")
    (path / "images" / "000003.jpg").unlink()
    (path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"000003\.jpg is missing; notes\.txt is none of its"):
        reproduce(path)


def test_another_recipe_in_the_folder_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "npy")
    (path / "recipe.yaml").write_text(catalogue("astro").recipe.to_yaml())
    with pytest.raises(ValueError, match=r"recipe\.yaml' is not the recipe that the catalogue was"):
        describe(path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"generator_version": 99, "package": "x"}'])
def test_damaged_metadata_are_refused(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), "npy")
    (path / "metadata.json").write_text(text)
    with pytest.raises(ValueError, match=r"write (it|the catalogue) again|install x"):
        describe(path)


@each_format
def test_appended_rows_equal_the_larger_catalogue(form: str, tmp_path: Path) -> None:
    small = write(tmp_path / "small", catalogue(size=20), form)
    large = write(tmp_path / "large", catalogue(size=33), form)
    assert append(small, 13, recipe=catalogue().recipe, seed=4, progress=False) == small
    assert tree(small) == tree(large)
    assert sorted(os.listdir(tmp_path / "small")) == [small.name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "rows to append must be a positive whole number, got 0"),
        ({"rows": 5, "recipe": "astro"}, "holds recipe sky .* not astro"),
        ({"rows": 5, "seed": 5}, "has seed 4, but seed 5 was requested"),
    ],
)
def test_other_rows_are_not_appended(
    arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, catalogue(), "npy")
    with pytest.raises(ValueError, match=message):
        append(path, arguments.pop("rows"), **arguments)
    split = write(tmp_path / "split", catalogue(split="train"), "h5")
    with pytest.raises(ValueError, match="holds the split 'train' only"):
        append(split, 5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there is no catalogue in .*metadata\.json"):
        append(tmp_path / "empty", 5)


@each_format
def test_what_is_replaced_is_replaced_completely(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(size=9), form)
    with pytest.raises(FileExistsError, match="exists; replace it with overwrite=True"):
        write(tmp_path, catalogue(size=8), form)
    write(tmp_path, catalogue(size=6), form, overwrite=True)
    assert describe(path).size == 6
    assert os.listdir(tmp_path) == [path.name]
    fresh = write(tmp_path / "fresh", catalogue(size=6), form)
    assert tree(path) == tree(fresh)


def test_a_folder_of_others_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="is a folder that holds no catalogue"):
        write(tmp_path, catalogue(), "npy", overwrite=True)
    assert (tmp_path / "c" / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("form", ["npy", "jpeg", "fits"])
def test_a_failing_write_leaves_nothing(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = catalogue(size=12)
    monkeypatch.setattr("deepbench_torch.storage.work.chunks.CHUNK_BYTES", 4 * 12 * 16 * 4)
    with pytest.raises(KeyboardInterrupt):
        _write_and_stop(tmp_path, made, form, monkeypatch)
    assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == []
    monkeypatch.undo()
    # the same call resumes with what was done, and leaves nothing else
    path = write(tmp_path, made, form)
    assert os.listdir(tmp_path) == [path.name]
    assert reproduce(path).files > 3


@each_format
def test_a_write_that_fails_with_nothing_done_leaves_nothing_at_all(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue of one part, which is kept nowhere."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync" if form == "h5" else "sync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write(tmp_path, catalogue(size=6), form)
    assert os.listdir(tmp_path) == []


def _write_and_stop(
    folder: Path, made: db.Catalogue, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes after two chunks of three."""
    from deepbench_torch.storage.work.job import Job

    original = Job.chunks

    def stopped(job: Job) -> Any:
        for number, chunk in enumerate(original(job)):
            if number == 2:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(Job, "chunks", stopped)
    write(folder, made, form)


def test_workers_write_the_same(tmp_path: Path) -> None:
    one = write(tmp_path / "one", catalogue(), "npy")
    two = write(tmp_path / "two", catalogue(), "npy", workers=1)
    assert tree(one) == tree(two)


def test_compression_goes_with_h5(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="compression: expected None for format 'npy', got 'gzip'"):
        write(tmp_path, catalogue(), "npy", compression="gzip")
    with pytest.raises(ValueError, match="be 'h5' or 'npy' or 'jpeg' or 'fits', got 'x'"):
        write(tmp_path, catalogue(), "x")


@pytest.mark.parametrize("form", ["npy", "jpeg", "fits"])
def test_a_folder_is_verified(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(size=6), form)
    assert verified_folder(path).size == 6
    (path / "parameters.csv").write_text("index")
    with pytest.raises(ValueError, match=r"parameters\.csv' is not as it was written"):
        verified_folder(path)
    write(tmp_path, catalogue(size=6), form, overwrite=True)
    lost = {"npy": "labels.npy", "jpeg": "images/000004.jpg", "fits": "images/000004.fits"}[form]
    (path / lost).unlink()
    with pytest.raises(ValueError, match=f"{Path(lost).name}' is missing"):
        verified_folder(path)


def test_of_several_that_ask_at_once_one_writes_a_folder(tmp_path: Path) -> None:
    start = Barrier(2)

    def ask(_: int) -> Path:
        start.wait()
        return write(tmp_path, catalogue(size=200), "npy")

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(ask, range(2))) == {tmp_path / "c"}
    assert reproduce(tmp_path / "c").same == "bytes"
    assert os.listdir(tmp_path) == ["c"]


def test_a_folder_of_one_catalogue_names_it(tmp_path: Path) -> None:
    """As `generate astro out/` leaves it; of two it must be said which."""
    data = db.Catalogue("astro", size=5, image_size=8)
    path = db.materialize(data, tmp_path / "out" / "astro.h5", progress=False)
    assert describe(tmp_path / "out").path == path
    assert reproduce(tmp_path / "out").same == "bytes"
    db.materialize(data, tmp_path / "out" / "again", format="npy", progress=False)
    with pytest.raises(ValueError, match=r"there are 2 catalogues in .*, again, astro.h5; give"):
        describe(tmp_path / "out")
