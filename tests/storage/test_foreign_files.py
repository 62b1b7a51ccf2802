"""Files of others are kept, or a call is refused before a byte changes."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

import deepbench_torch as db
from deepbench_torch.storage import append, describe, reproduce
from deepbench_torch.storage.replace import replace

FORMATS = ["h5", "npy", "jpeg", "fits"]
FOLDERS = FORMATS[1:]
each_format = pytest.mark.parametrize("form", FORMATS)
each_folder = pytest.mark.parametrize("form", FOLDERS)


def catalogue(size: int = 10, **options: Any) -> db.Catalogue:
    return db.Catalogue("astro", size=size, image_size=4, **options)


def write(path: Path, form: Any, size: int = 10, **options: Any) -> Path:
    return db.materialize(
        catalogue(size),
        path,
        format=form,
        progress=False,
        **options,
    )


def state(folder: Path) -> dict[str, str]:
    """Every file, link and folder, with the checksum of what it holds."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder")
        for path in folder.rglob("*")
    }


def foreign_json(path: Path) -> None:
    path.mkdir()
    (path / "metadata.json").write_text('{"title": "not a catalogue"}')
    (path / "thesis.tex").write_text("work")


def foreign_yaml(path: Path) -> None:
    path.mkdir()
    (path / "collection.yaml").write_text("version: 1\nmembers: {mine: thesis.h5}\n")
    (path / "thesis.h5").write_bytes(b"\x89HDF\r\n\x1a\nwork")


def foreign_h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["digest"] = "mine"


OTHERS: dict[str, Callable[[Path], Any]] = {
    "a text": lambda path: path.write_text("work"),
    "an empty file": lambda path: path.touch(),
    "HDF5 of others": foreign_h5,
    "a cut HDF5 file": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"),
    "a pipe": os.mkfifo,
    "a folder with metadata.json": foreign_json,
    "a folder with collection.yaml": foreign_yaml,
    "a folder with an empty one": lambda path: (path / "kept").mkdir(parents=True),
}


@each_format
@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("other", OTHERS)
def test_what_others_wrote_is_not_replaced(
    other: str, link: bool, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    OTHERS[other](tmp_path / "real" if link else path)
    if link:
        path.symlink_to("real")
    before = _names(tmp_path)
    with pytest.raises(FileExistsError, match="expected a catalogue of deepbench_torch to replace"):
        write(path, form, overwrite=True)
    collection = db.Collection([catalogue()])
    with pytest.raises(FileExistsError, match="to replace"):
        db.materialize(collection, path, progress=False, overwrite=True)
    assert _names(tmp_path) == before


def _names(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.lstat().st_ino for path in folder.rglob("*")}


def add_others(folder: Path) -> dict[str, str]:
    """Put files of others beside and between those of a catalogue; what they are."""
    before = state(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "src" / "deep" / "a.py").write_text("code")
    (folder / "src" / "empty").mkdir()
    (folder / ".DS_Store").write_text("left behind")
    (folder / "dangling").symlink_to("../nowhere")
    (folder / "link").symlink_to("src")
    for inner in sorted(folder.iterdir()):
        if inner.name in ("images", "train"):
            (inner / "notes.txt").write_text("mine too")
            (inner / "999999.fits").write_text("not a row")
    return {name: what for name, what in state(folder).items() if name not in before}


@each_folder
@pytest.mark.parametrize("act", ["overwrite", "append", "another recipe", "another format"])
def test_files_of_others_in_a_folder_are_kept(act: str, form: str, tmp_path: Path) -> None:
    path = write(tmp_path / "c", form)
    others = add_others(path)
    inodes = {name: (path / name).lstat().st_ino for name in others if (path / name).is_file()}
    clean = tmp_path / "clean"
    if act == "append":
        append(path, 5, progress=False)
        write(clean, form, 15)
    elif act == "another recipe":
        for target, overwrite in ((path, True), (clean, False)):
            made = db.Catalogue("star", size=4, image_size=4)
            db.materialize(made, target, format=form, progress=False, overwrite=overwrite)  # type: ignore[arg-type]
    else:
        new = form if act == "overwrite" else FOLDERS[FOLDERS.index(form) - 1]
        write(path, new, 7, overwrite=True)
        write(clean, new, 7)
    found = state(path)
    for parent in {str(parent) for name in others for parent in Path(name).parents}:
        others.setdefault(parent, "folder")
    others.pop(".")
    assert {name: found[name] for name in others} == others
    assert {name: (path / name).lstat().st_ino for name in inodes} == inodes
    assert {name: what for name, what in found.items() if name not in others} == {
        name: what for name, what in state(clean).items() if name not in others
    }
    assert sorted(os.listdir(tmp_path)) == ["c", "clean"]


def test_files_of_others_in_a_collection_are_kept(tmp_path: Path) -> None:
    path = db.materialize(db.Collection([catalogue()]), tmp_path / "c", progress=False)
    others = add_others(path)
    (path / "0-other.h5").write_text("not a member")
    db.materialize(
        db.Collection([db.Catalogue("star", size=3, image_size=4)]),
        path,
        progress=False,
        overwrite=True,
    )
    found = state(path)
    assert {name: found[name] for name in others} == others
    assert sorted(set(os.listdir(path)) - set(others)) == [
        "0-other.h5",
        "0-star.h5",
        "collection.yaml",
    ]
    assert len(db.Collection.open(path)) == 3
    assert os.listdir(tmp_path) == ["c"]


@each_folder
def test_what_cannot_be_kept_is_refused(form: str, tmp_path: Path) -> None:
    """A file in place of a folder, and a new row's file where somebody put one."""
    path = write(tmp_path / "c", form)
    (path / "notes.txt").write_text("mine")
    before = state(tmp_path)
    with pytest.raises(FileExistsError, match=r"notes\.txt'; move it elsewhere"):
        write(path, "h5", overwrite=True)
    assert state(tmp_path) == before
    if form == "fits":
        (path / "images" / "000012.fits").write_text("my own")
        before = state(path)
        with pytest.raises(FileExistsError, match=r"000012\.fits', which cannot be kept"):
            append(path, 5, progress=False)
        assert state(path) == before
        (path / "images" / "000012.fits").unlink()
        append(path, 5, progress=False)
        assert describe(path).size == 15
        assert os.listdir(tmp_path) == ["c"]


@each_format
@pytest.mark.parametrize("old", FORMATS)
def test_every_format_replaces_every_format(old: str, form: str, tmp_path: Path) -> None:
    path = write(tmp_path / "c", old)
    write(path, form, 6, overwrite=True)
    assert (describe(path).format, describe(path).size) == (form, 6)
    assert reproduce(path).path == path
    assert os.listdir(tmp_path) == ["c"]


@each_folder
def test_an_empty_folder_can_be_written_into(form: str, tmp_path: Path) -> None:
    for name in ("empty", "litter"):
        (tmp_path / name).mkdir()
    (tmp_path / "litter" / ".DS_Store").write_text("left behind")
    for name in ("empty", "litter"):
        assert describe(write(tmp_path / name, form)).size == 10
    collection = db.Collection([catalogue()])
    (tmp_path / "group").mkdir()
    assert len(db.Collection.open(db.materialize(collection, tmp_path / "group"))) == 10
    (tmp_path / "h5").mkdir()
    with pytest.raises(FileExistsError, match="expected the name of a file, got the folder"):
        write(tmp_path / "h5", "h5", overwrite=True)


@each_folder
@pytest.mark.parametrize("moment", ["first", "second"])
def test_a_kill_between_the_two_renames_loses_nothing(
    moment: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next call repairs the files after each rename, whatever it writes."""
    path = write(tmp_path / "c", form)
    others = add_others(path)
    rename, calls = os.replace, []

    def stop(one: Path, two: Path) -> None:
        if Path(two).name.endswith(".old") or Path(two).name == "c":
            calls.append(two)
            if len(calls) > (1 if moment == "first" else 2):
                raise SystemExit  # also of the attempt to put it back
        rename(one, two)
        if len(calls) == 2:
            raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", stop)
        with pytest.raises(SystemExit):
            append(path, 5, progress=False)
    assert path.exists() == (moment == "second")
    write(path, "npy", 3, overwrite=True)
    found = state(path)
    assert {name: found[name] for name in others} == others
    assert describe(path).size == 3
    assert os.listdir(tmp_path) == ["c"]


def test_a_file_that_comes_during_the_replacement_is_kept(tmp_path: Path) -> None:
    path, new = write(tmp_path / "c", "npy"), write(tmp_path / "new", "npy", 12)
    rename = os.replace

    def late(one: Path, two: Path) -> None:
        if Path(two).name.endswith(".old"):
            (Path(one) / "late.txt").write_text("mine")
        rename(one, two)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "replace", late)
        replace(new, path, key="0" * 12)
    (kept,) = (each for each in tmp_path.iterdir() if each.name.endswith(".kept"))
    assert (kept / "late.txt").read_text() == "mine"
    assert os.listdir(kept) == ["late.txt"]


def test_work_folders_of_others_stay(tmp_path: Path) -> None:
    """A hidden folder whose name is like that of ours, and shards with a stranger's file."""
    path = write(tmp_path / "a.h5", "h5", shard_rows=5)
    (shards,) = tmp_path.glob("*.shards")
    (shards / "notes.txt").write_text("mine")
    mine = tmp_path / ".a.h5.0123456789ab.partial"
    mine.mkdir()
    (mine / "0-5.part").write_text("mine")
    also = tmp_path / "a.h5.0123456789ab.shards"
    also.mkdir()
    (also / "000000000000-000000000005.h5").write_text("mine")
    (tmp_path / ".a.h5.lock").write_text("mine")
    before = state(tmp_path)
    write(path, "h5", 12, overwrite=True)
    kept = {mine, mine / "0-5.part", also, also / "000000000000-000000000005.h5"}
    kept |= {shards, shards / "notes.txt", tmp_path / ".a.h5.lock"}
    names = {str(each.relative_to(tmp_path)) for each in kept}
    after = state(tmp_path)
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert set(after) == names | {"a.h5"}


def test_a_strangers_file_in_place_of_a_shard_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", "h5", shard_rows=5)
    shard = next(tmp_path.glob("*.shards")) / "000000000005-000000000010.h5"
    shard.write_text("mine")
    before = state(tmp_path)
    with pytest.raises(FileExistsError, match="expected a shard of deepbench_torch to replace"):
        write(path, "h5", shard_rows=5, overwrite=True)
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("data.npy", None, r"name it 'data\.h5', or pass format='npy'"),
        ("data.NPY", None, r"name it 'data\.h5', or pass format='npy'"),
        ("data.jpg", None, r"name it 'data\.h5', or pass format='jpeg'"),
        ("data.fits", None, r"name it 'data\.h5', or pass format='fits'"),
        ("data.tar", None, r"expected a file whose name ends in \.h5, .* name it 'data\.h5'"),
        ("data.tar.gz", None, r"expected a file whose name ends in \.h5"),
        ("data.parquet", None, r"expected a file whose name ends in \.h5"),
        ("data.zip", None, r"expected a file whose name ends in \.h5"),
        ("data.yaml", "h5", r"expected a file whose name ends in \.h5"),
        ("data.npy", "h5", r"expected a file whose name ends in \.h5, .* name it 'data\.h5'"),
        ("data.h5", "npy", r"expected a folder, because the format is 'npy', .* name it 'data'"),
        ("data.npy", "fits", r"expected a folder, because the format is 'fits'"),
        ("data.zip", "jpeg", r"expected a folder, because the format is 'jpeg'"),
    ],
)
def test_a_name_promises_no_other_format(
    name: str, form: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        write(tmp_path / name, form)
    with pytest.raises(ValueError, match="expected the name of a folder for a collection"):
        db.materialize(db.Collection([catalogue()]), tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a.h5", "a.hdf5", "a.H5", "a.he5", "a", "sky.v2", "2026.1", "a."])
def test_other_names_are_written_as_hdf5(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, None)
    assert path.read_bytes().startswith(b"\x89HDF")
    assert len(db.StoredCatalogue(path)) == 10


@pytest.mark.parametrize("name", ["transform", "target_transform", "transforms"])
def test_transforms_are_not_dropped(name: str, tmp_path: Path) -> None:
    def change(*pair: Any) -> Any:
        return pair[0] if len(pair) == 1 else pair

    options: dict[str, Any] = {name: change}

    changed: list[Any] = [
        catalogue(**options),
        db.Collection([catalogue()], **options),
    ]
    for source in changed:
        with pytest.raises(ValueError, match=r"without transforms.*give them to StoredCatalogue"):
            db.materialize(source, tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_metadata_prove_a_folder(tmp_path: Path) -> None:
    """Each fact is needed: without it the folder is a stranger's."""
    path = write(tmp_path / "c", "npy")
    metadata = json.loads((path / "metadata.json").read_text())
    for name in ("digest", "package", "format", "files", "format_version", "generator_version"):
        wrong = {**metadata, name: "mine"} if name != "format" else {**metadata, name: 3}
        (path / "metadata.json").write_text(json.dumps(wrong))
        before = state(path)
        with pytest.raises(FileExistsError, match="holds no catalogue"):
            write(path, "npy", overwrite=True)
        assert state(path) == before
