"""A stranger's folder reads nothing but its own files, whatever they hold."""

import gzip
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import deepbench_torch as db
from deepbench_torch.cli import app
from deepbench_torch.storage import describe, verified
from tests.watch import Watch, watching

ROWS, PIXELS = 6, 8
Craft = Callable[[Path, Path], Any]
FORMATS = ("npy", "jpeg", "fits")
DATA = {"npy": "images.npy", "jpeg": "images/000000.jpg", "fits": "images/000000.fits"}


class Evil:
    """An object that touches a file if it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("unpickled",)


def edit(name: str, change: Callable[[Any], Any]) -> Craft:
    """Change the metadata of a folder."""

    def craft(folder: Path, canary: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        metadata[name] = change(metadata.get(name))
        (folder / "metadata.json").write_text(json.dumps(metadata))

    return craft


def text(name: str, content: str | Callable[[str], str]) -> Craft:
    def craft(folder: Path, canary: Path) -> None:
        before = (folder / name).read_text()
        (folder / name).write_text(content if isinstance(content, str) else content(before))

    return craft


def array(value: Any, name: str = "images.npy") -> Craft:
    def craft(folder: Path, canary: Path) -> None:
        np.save(folder / name, value, allow_pickle=True)

    return craft


def data(make: Callable[[Path], bytes]) -> Craft:
    """Replace the first file of rows, or the array of them."""

    def craft(folder: Path, canary: Path) -> None:
        name = next(name for name in DATA.values() if (folder / name).exists())
        (folder / name).write_bytes(make(folder / name))

    return craft


def link(name: str) -> Craft:
    def craft(folder: Path, canary: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(os.path.relpath(canary, (folder / name).parent))

    return craft


def link_folder(name: str) -> Craft:
    def craft(folder: Path, canary: Path) -> None:
        (canary.parent / "000000.jpg").write_bytes((folder / DATA["jpeg"]).read_bytes())
        shutil.rmtree(folder / name)
        (folder / name).symlink_to(canary.parent)

    return craft


def pipe(name: str) -> Craft:
    """Reading it would wait for ever."""

    def craft(folder: Path, canary: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return craft


def large_image(path: Path) -> bytes:
    """A JPEG image of 400 million grey pixels in few bytes."""
    content = io.BytesIO()
    Image.fromarray(np.zeros((PIXELS, PIXELS), np.uint8)).save(content, "jpeg")
    size = content.getvalue()
    position = size.index(b"\xff\xc0") + 5
    return size[:position] + (20_000).to_bytes(2) + (20_000).to_bytes(2) + size[position + 4 :]


def png(path: Path) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.zeros((PIXELS, PIXELS), np.uint8)).save(content, "png")
    return content.getvalue()


def colours(path: Path) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (PIXELS, PIXELS)).save(content, "jpeg")
    return content.getvalue()


def card(old: bytes, new: bytes) -> Craft:
    """Change a card of a FITS header."""
    return data(lambda path: path.read_bytes().replace(old.ljust(30), new.ljust(30), 1))


def header(rows: int) -> Craft:
    """An array whose header promises more than there is."""

    def make(path: Path) -> bytes:
        before = path.read_bytes()
        old, new = f"({ROWS}, 1, ".encode(), f"({rows}, 1, ".encode()
        return before.replace(old, new, 1).replace(b" " * (len(new) - len(old)), b"", 1)

    return data(make)


npy, jpeg, fits = ("npy",), ("jpeg",), ("fits",)
rows_of_files = ("jpeg", "fits")
deep = "[" * 100_000
TABLE: dict[str, tuple[tuple[str, ...], Craft, str]] = {
    "pickled objects": (npy, array(np.array([Evil()] * ROWS, object)), "an array"),
    "pickled labels": (npy, array(np.array([Evil()] * ROWS, object), "labels.npy"), "an array"),
    "a pickle": (npy, data(lambda _: pickle.dumps(Evil())), "images.npy"),
    "other type": (npy, array(np.zeros((ROWS, 1, PIXELS, PIXELS))), "an array"),
    "2**60 rows": (npy, header(1 << 60), "an array"),
    "Python in the header": (
        npy,
        data(lambda p: p.read_bytes().replace(b"False", b"exit(", 1)),
        "images.npy",
    ),
    "too short": (npy, data(lambda p: p.read_bytes()[:-9]), "bytes, got"),
    "too long": (npy, data(lambda p: p.read_bytes() + b"hidden"), "bytes, got"),
    "large image": (jpeg, data(large_image), "a grey image of 8 x 8"),
    "another format": (jpeg, data(png), "a complete JPEG image"),
    "colours": (jpeg, data(colours), "mode RGB"),
    "nothing": (rows_of_files, data(lambda _: b""), "000000"),
    "half": (rows_of_files, data(lambda p: p.read_bytes()[: p.stat().st_size // 2]), "000000"),
    "large file": (rows_of_files, data(lambda p: p.read_bytes() + bytes(1 << 21)), "bytes"),
    "huge NAXIS": (
        fits,
        card(b"NAXIS1  =                    8", b"NAXIS1  =    99999999999999999"),
        "a FITS image of",
    ),
    "999 axes": (
        fits,
        card(b"NAXIS   =                    2", b"NAXIS   =                  999"),
        "a FITS image of",
    ),
    "no end": (fits, data(lambda p: p.read_bytes().replace(b"END  ", b"ENDE ")), "no end"),
    "scaled": (fits, data(lambda p: p.read_bytes().replace(b"SEED  ", b"BZERO ")), "scal"),
    "gzip as FITS": (fits, data(lambda p: gzip.compress(p.read_bytes())), "a FITS image"),
    "long line": (
        rows_of_files,
        text("labels.csv", lambda before: before + "," * (1 << 20)),
        "lines of fewer",
    ),
    "columns": (
        rows_of_files,
        text("labels.csv", lambda before: "," * (1 << 25) + before),
        "lines of fewer",
    ),
    "upward name": (
        rows_of_files,
        text("labels.csv", lambda before: before.replace("images/", "../", 1)),
        "row 0 of the catalogue",
    ),
    "absolute name": (
        rows_of_files,
        text("labels.csv", lambda before: before.replace("images/", "/etc/", 1)),
        "row 0 of the catalogue",
    ),
    "other label": (
        rows_of_files,
        text("labels.csv", lambda before: before.replace("train,", "train,=1+1", 1)),
        "labels",
    ),
    "fewer rows": (
        rows_of_files,
        text("labels.csv", lambda before: before.rsplit("\n", 2)[0] + "\n"),
        "6 rows",
    ),
    "more rows": (
        rows_of_files,
        text("labels.csv", lambda before: before + before.splitlines()[-1] + "\n"),
        "6 rows",
    ),
    "deep metadata": (FORMATS, text("metadata.json", deep), "lists too deep"),
    "deep mappings": (FORMATS, text("metadata.json", '{"a":' * 100_000), "lists too deep"),
    "long metadata": (FORMATS, text("metadata.json", " " * (1 << 23)), "bytes of text"),
    "long recipe": (FORMATS, text("recipe.yaml", "# " + "x" * (1 << 23)), "bytes of text"),
    "long number": (FORMATS, text("metadata.json", '{"size": ' + "9" * 10_000 + "}"), "damaged"),
    "size": (FORMATS, edit("size", lambda _: 1 << 60), "metadata.json"),
    "size as text": (FORMATS, edit("size", lambda _: "6"), "a whole number as size"),
    "size as truth": (FORMATS, edit("size", lambda _: True), "a whole number as size"),
    "format": (FORMATS, edit("format", lambda _: "../h5"), "metadata.json"),
    "format of a list": (FORMATS, edit("format", lambda _: ["npy"]), "the name of a format"),
    "date": (FORMATS, edit("date", lambda _: "\x1b[2J"), "a day as"),
    "package": (FORMATS, edit("package", lambda _: {"a": 1}), "a short text as package"),
    "licence": (FORMATS, edit("licence", lambda _: "x" * 10_000), "a short text as licence"),
    "files": (FORMATS, edit("files", lambda _: [1]), "a SHA-256 for each file"),
    "no scale": (jpeg, edit("scale", lambda _: None), "a scale"),
    "endless scale": (jpeg, edit("scale", lambda s: {**s, "high": 1e999}), "a scale"),
    "reversed scale": (jpeg, edit("scale", lambda s: {**s, "low": 9e9}), "a scale"),
    "recipe of a file": (
        FORMATS,
        text("recipe.yaml", "extends: ../secret/canary.yaml\n"),
        "'extends'",
    ),
    "link to metadata": (FORMATS, link("metadata.json"), "leads out of it"),
    "link to a recipe": (FORMATS, link("recipe.yaml"), "leads out of it"),
    "link to labels": (npy, link("labels.npy"), "leads out of it"),
    "link to a table": (rows_of_files, link("labels.csv"), "leads out of it"),
    "link to rows": (npy, link("images.npy"), "leads out of it"),
    "link to a row": (jpeg, link("images/000000.jpg"), "leads out of it"),
    "link to a row of FITS": (fits, link("images/000000.fits"), "leads out of it"),
    "link to a folder": (jpeg, link_folder("images"), "leads out of it"),
    "pipe": (npy, pipe("images.npy"), "a pipe"),
    "pipe of a table": (rows_of_files, pipe("labels.csv"), "a pipe"),
    "pipe of metadata": (FORMATS, pipe("recipe.yaml"), "a pipe"),
    "missing": (rows_of_files, lambda folder, _: (folder / "labels.csv").unlink(), "is missing"),
    "missing recipe": (FORMATS, lambda folder, _: (folder / "recipe.yaml").unlink(), "is missing"),
}  # fmt: skip
CASES = [(name, form) for name, (forms, _, _) in TABLE.items() for form in forms]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = db.Catalogue("sky", size=ROWS, image_size=PIXELS)
    folder = tmp_path_factory.mktemp("honest")
    for form in FORMATS:
        db.materialize(made, folder / form, format=form, progress=False)  # type: ignore[arg-type]
    return folder


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / "secret").mkdir()
    path = tmp_path / "secret" / "canary.yaml"
    path.write_text("name: secret\n")
    with watching(path) as watch:
        yield watch


@pytest.mark.parametrize(("name", "form"), CASES)
def test_a_crafted_folder_is_refused_and_reads_nothing_else(
    name: str,
    form: str,
    honest: Path,
    tmp_path: Path,
    canary: Watch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path(shutil.copytree(honest / form, tmp_path / "own" / form))
    _, craft, reason = TABLE[name]
    craft(path, tmp_path / "secret" / "canary.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=reason) as caught:
        db.StoredCatalogue(path).__getitems__(list(range(ROWS)))
    assert str(path) in str(caught.value)
    for use in (
        lambda: db.StoredCatalogue(path, verify=True),
        lambda: verified(path),
        lambda: app(["verify", str(path)], standalone_mode=False),
    ):
        with pytest.raises(ValueError) as caught:
            use()
        assert str(path) in str(caught.value)
    assert not canary.opened()
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("link")])
def test_reproduce_follows_no_link_out_of_a_folder(
    name: str, honest: Path, tmp_path: Path, canary: Watch
) -> None:
    form = TABLE[name][0][0]
    path = Path(shutil.copytree(honest / form, tmp_path / "own" / form))
    TABLE[name][1](path, tmp_path / "secret" / "canary.yaml")
    with pytest.raises(ValueError, match="leads out of it"):
        app(["reproduce", str(path), "--quiet"], standalone_mode=False)
    assert not canary.opened()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../secret/other.h5", "names of its own files"),
        ("..", "names of its own files"),
        ("/etc/passwd", "names of its own files"),
        ("link.h5", "leads out of it"),
        ("none.h5", "there is no catalogue"),
    ],
)
def test_a_collection_opens_its_own_files_alone(name: str, reason: str, tmp_path: Path) -> None:
    members = {"a": db.Catalogue("astro", size=ROWS, image_size=PIXELS)}
    other = db.materialize(members["a"], tmp_path / "secret" / "other.h5", progress=False)
    path = db.materialize(db.Collection(members), tmp_path / "c", progress=False)
    (path / "link.h5").symlink_to(other)
    listed = path / "collection.yaml"
    listed.write_text(listed.read_text().replace("0-astro.h5", name))
    with watching(other) as watch:
        with pytest.raises((ValueError, FileNotFoundError), match=reason):
            db.Collection.open(path)
        assert not watch.opened()


def test_a_link_within_the_folder_is_read(honest: Path, tmp_path: Path) -> None:
    """As stores do that keep each content once."""
    path = Path(shutil.copytree(honest / "npy", tmp_path / "npy"))
    (path / "blobs").mkdir()
    (path / "images.npy").rename(path / "blobs" / "1")
    (path / "images.npy").symlink_to("blobs/1")
    assert torch.equal(db.StoredCatalogue(path)[2][0], db.StoredCatalogue(honest / "npy")[2][0])


def test_a_folder_that_is_no_catalogue_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no catalogue in"):
        db.StoredCatalogue(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no catalogue in"):
        describe(tmp_path)
