"""Paths: what a user writes is a name, the same for every function and command."""

import os
from pathlib import Path

import h5py
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.recipes.paths import entries, files_in, is_litter, user_path
from deepbench_torch.storage import append, describe, reproduce
from deepbench_torch.storage.names import LONGEST_NAME, beside, keyed
from tests.cli.test_cli import run

NAMES = [
    "[ab].h5",
    "a*.h5",
    "?.h5",
    "~a.h5",
    "ä ö.h5",
    "星.h5",
    "a%b.h5",
    "a'b\".h5",
    "$HOME.h5",
    " .h5",
]
LITTER = ["._a.h5", ".DS_Store", "Thumbs.db", "desktop.ini", ".a.h5.swp", "a.h5~", "DESKTOP.INI"]
KEY = "0123456789ab"


def write(path: str | Path, **options: object) -> Path:
    made = db.Catalogue("star", size=12, image_size=4)
    return db.materialize(made, path, progress=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["~", "~/a", "a", "./~", "./~/a", "../a", "a*[b]?", "a b"])
def test_a_path_is_what_a_shell_takes_it_for(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: a tilde at the beginning alone is the home folder; nothing else is special."""
    monkeypatch.setenv("HOME", "/home/me")
    expected = f"/home/me{text[1:]}" if text.startswith("~") else f"{os.getcwd()}/{text}"
    assert os.path.normpath(user_path(text)) == os.path.normpath(expected)
    assert user_path(user_path(text)) == user_path(text)


@pytest.mark.parametrize("path", ["", "a\0b", b"a", 3, None])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises((TypeError, ValueError), match="path: expected"):
        user_path(path)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LITTER)
def test_litter_is_not_listed(name: str, tmp_path: Path) -> None:
    assert is_litter(name)
    write(tmp_path / "a.h5")
    write(tmp_path / "n" / "npy", format="npy")
    for folder in (tmp_path, tmp_path / "n", tmp_path / "n" / "npy"):
        (folder / name).write_text("left behind")
    assert [path.name for path in entries(tmp_path)] == ["a.h5", "n"]
    assert (tmp_path / name) not in files_in(tmp_path)
    assert describe(tmp_path).path == tmp_path / "a.h5"
    assert describe(tmp_path / "n").path == tmp_path / "n" / "npy"
    assert reproduce(tmp_path / "n" / "npy").same == "bytes"


@pytest.mark.parametrize("shards", [None, 5])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_names_in_functions_and_commands(
    name: str, shards: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(f"./{name}", shard_rows=shards)
    assert path == tmp_path / name
    assert append(f"./{name}", 3, progress=False) == path
    assert len(db.StoredCatalogue(f"./{name}", verify=True)) == 15
    for command in ("verify", "info", "reproduce"):
        assert run(command, f"./{name}") == 0
    assert sorted(entry for entry in os.listdir() if not entry.endswith(".shards")) == [name]


def test_shards_are_read_by_h5py_whatever_their_name(tmp_path: Path) -> None:
    """Oracle: h5py alone, which takes % in the name of a source as the beginning of a pattern."""
    path = write(tmp_path / "a%b%%c%0b.h5", shard_rows=5)
    with h5py.File(path) as file:
        images = torch.from_numpy(file["image"][:])
    assert torch.equal(images, db.generate("star", 0, torch.arange(12), image_size=4).image)


def test_a_home_folder_is_meant_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write("~/a.h5")
    append("~/a.h5", 3, progress=False)
    reproduce("~/a.h5", output="~/b.h5")
    collection = db.Collection([db.Catalogue("star", size=3, image_size=4)])
    db.materialize(collection, "~/c", progress=False)
    assert len(db.Collection.open("~/c")) == 3
    (tmp_path / "mine.yaml").write_text("extends: star\n")
    assert db.load_recipe("~/mine.yaml").name == "mine"
    assert len(db.StoredCatalogue("~/b.h5")) == 15
    module = db.CatalogueDataModule("star", size=9, image_size=4, root="~/root")
    module.prepare_data()
    for command in ("generate star ~/d", "ladder star ~/e --image-size 4", "schema ~/s.json"):
        size = () if command.startswith("schema") else ("--size", "4", "--quiet")
        assert run(*command.split(), *size) == 0
    assert run("show", "star", "--image-size", "4", "--output", "~/g.png") == 0
    for command in ("verify", "info", "reproduce"):
        assert run(command, "~/a.h5") == 0
    names = {"a.h5", "b.h5", "c", "d", "e", "g.png", "mine.yaml", "root", "s.json"}
    caches = {".cache", ".config"}  # of matplotlib and of fonts, which follow HOME too
    assert set(os.listdir(tmp_path)) - caches == names


def test_glob_characters_match_no_other_catalogue(tmp_path: Path) -> None:
    for name in ("a.h5", "z[1].h5", "z1.h5"):
        write(tmp_path / name, shard_rows=5)
    write(tmp_path / "[ab].h5")
    write(tmp_path / "*.h5")
    write(tmp_path / "z[1].h5", shard_rows=4, overwrite=True)
    for name in ("a.h5", "z[1].h5", "z1.h5", "[ab].h5", "*.h5"):
        db.StoredCatalogue(tmp_path / name, verify=True)
    shards = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    assert sorted(name.split(".h5.")[0] for name in shards) == ["a", "z1", "z[1]"]


def test_shards_that_a_copy_joins_are_kept(tmp_path: Path) -> None:
    """A joining file that was renamed or copied names the folder of its shards."""
    path = write(tmp_path / "a.h5", shard_rows=5)
    path.rename(tmp_path / "b.h5")
    write(path)
    db.StoredCatalogue(tmp_path / "b.h5", verify=True)


@pytest.mark.parametrize("name", ["a" * 252 + ".h5", "ä" * 126 + ".h5", "星" * 84 + ".h5"])
def test_a_name_may_be_as_long_as_the_system_allows(name: str, tmp_path: Path) -> None:
    assert len(os.fsencode(name)) <= LONGEST_NAME
    path = write(tmp_path / name, shard_rows=5)
    write(path, shard_rows=6, overwrite=True)
    append(path, 3, progress=False)
    db.StoredCatalogue(path, verify=True)
    assert reproduce(path).same == "bytes"
    assert len(os.listdir(tmp_path)) == 2
    write(tmp_path / "f" / name.removesuffix(".h5"), format="npy")
    append(tmp_path / "f" / name.removesuffix(".h5"), 3, progress=False)
    assert len(os.listdir(tmp_path / "f")) == 1


@pytest.mark.parametrize("name", ["a", "a" * 255, "ä" * 127, "星" * 85, "[a]"])
def test_names_beside_fit_and_differ(name: str) -> None:
    path = Path(name)
    made = beside(path, f".{KEY}.partial", hidden=True).name
    assert len(os.fsencode(made)) <= LONGEST_NAME
    made.encode()  # no half characters
    assert made != beside(path.with_name(f"{name[:-1]}b"), f".{KEY}.partial", hidden=True).name


@pytest.mark.parametrize("name", ["a", "[a]", "*", "a" * 255])
def test_keyed_names_are_found_as_they_are(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    mine = beside(path, f".{KEY}.shards")
    mine.touch()
    others = (f"x.{KEY}.shards", "a.nokey.shards", f"a.{KEY}.shards.old", f".a.{KEY}.shards")
    for other in others:
        (tmp_path / other).touch()
    assert keyed(path, ".shards") == [mine]


@pytest.mark.parametrize("form", ["h5", "npy", "jpeg", "fits"])
def test_a_link_is_the_catalogue_that_it_leads_to(form: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "links").mkdir()
    link, target = tmp_path / "links" / "sky", tmp_path / "data" / "real"
    link.symlink_to("../data/real")  # dangling: it is written through
    assert write(link, format=form) == link
    for shards in (None, 5) if form == "h5" else (None,):
        write(link, format=form, overwrite=True, shard_rows=shards)
        append(link, 3, progress=False)
        assert describe(link).size == describe(target).size == 15
        assert run("verify", str(link)) == run("info", str(link)) == 0
        assert reproduce(link).same in ("bytes", "pixels")
        assert link.is_symlink()
        assert os.listdir(tmp_path / "links") == ["sky"]
        assert len(os.listdir(tmp_path / "data")) == (1 if shards is None else 2)


def test_a_link_to_itself_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.h5").symlink_to("a.h5")
    with pytest.raises(OSError, match="the symbolic link leads to itself"):
        write(tmp_path / "a.h5", overwrite=True)
    assert (tmp_path / "a.h5").is_symlink()
