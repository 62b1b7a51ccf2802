"""A stranger's HDF5 file reads nothing but itself, whatever it is made of."""

import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

import deepbench_torch as db
from deepbench_torch.cli import app
from deepbench_torch.storage import describe, verified_header
from deepbench_torch.storage.hdf5.checksum import CHECKSUM_BYTES, append_checksum
from tests.watch import Watch, watching

ROWS, PIXELS = 6, 4
SHAPE = (ROWS, 1, PIXELS, PIXELS)
Craft = Callable[[h5py.File, Path], Any]


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Watch]:
    """Another file of the machine, outside the catalogue's folder: HDF5, and raw bytes as well."""
    (tmp_path / "secret").mkdir()
    path = tmp_path / "secret" / "canary.h5"
    with h5py.File(path, "w") as file:
        file["image"] = np.full(SHAPE, 7, np.float32)
        file["label"] = np.zeros(ROWS, np.int64)
    with watching(path) as watch:
        yield watch


def external_storage(file: h5py.File, canary: Path) -> None:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_external(os.fsencode(canary), 0, 4 * int(np.prod(SHAPE)))
    del file["image"]
    h5d.create(file.id, b"image", h5t.IEEE_F32LE, h5s.create_simple(SHAPE), plist)


def external_table(file: h5py.File, canary: Path) -> None:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_external(os.fsencode(canary), 0, 8 * ROWS)
    del file["parameters/star/gamma"]
    group = file["parameters/star"].id
    h5d.create(group, b"gamma", h5t.IEEE_F64LE, h5s.create_simple((ROWS,)), plist)


def link(make: Callable[[Path], Any], name: str = "image") -> Craft:
    def craft(file: h5py.File, canary: Path) -> None:
        del file[name]
        file[name] = make(canary)

    return craft


def virtual(source: Callable[[Path], str], name: str = "image", *, endless: bool = False) -> Craft:
    def craft(file: h5py.File, canary: Path) -> None:
        shape, dtype = file[name].shape, file[name].dtype
        del file[name]
        if endless:  # their shape is that of the sources, which HDF5 opens to know it
            most = (h5s.UNLIMITED, *shape[1:])
            layout = h5py.VirtualLayout(shape, dtype, maxshape=most)
            whole = h5py.VirtualSource(source(canary), name, shape, dtype, maxshape=most)
            layout[: h5s.UNLIMITED] = whole[: h5s.UNLIMITED]
        else:
            layout = h5py.VirtualLayout(shape, dtype)
            layout[:] = h5py.VirtualSource(source(canary), name, shape)
        file.create_virtual_dataset(name, layout)

    return craft


def shards(folder: Callable[[Path], str]) -> Craft:
    """Say that rows are in shards in a folder."""

    def craft(file: h5py.File, canary: Path) -> None:
        file.attrs["shard_rows"] = 3
        file.attrs["shard_folder"] = folder(canary)
        file["shards/offset"] = np.zeros((2, 2), np.int64)
        file["shards/seal"] = np.array(["0" * 64] * 2, dtype="S64")

    return craft


def attribute(value: Any, name: str = "seed", **how: Any) -> Craft:
    def craft(file: h5py.File, canary: Path) -> None:
        made = value(file) if callable(value) else value
        del file.attrs[name]
        file.attrs.create(name, made, **how)

    return craft


def one_list(file: h5py.File) -> Any:
    value = np.empty((), object)
    value[()] = np.array([1, 2])
    return value


def dataset(name: str, *arguments: Any, **how: Any) -> Craft:
    def craft(file: h5py.File, canary: Path) -> None:
        del file[name]
        file.create_dataset(name, *arguments, **how)

    return craft


def huge(file: h5py.File, canary: Path) -> None:
    """2**60 rows, none of them stored."""
    file.attrs["size"] = 1 << 60
    rows = 1 << 60
    for name, shape in (("image", SHAPE), ("label", (ROWS,))):
        del file[name]
        chunk = (1, *shape[1:])
        kind = np.float32 if name == "image" else np.int64
        file.create_dataset(name, (rows, *shape[1:]), kind, chunks=chunk, compression="gzip")


def bomb(file: h5py.File, canary: Path) -> None:
    """A chunk of a few bytes that becomes a gibibyte."""
    del file["image"]
    made = file.create_dataset("image", SHAPE, np.float32, chunks=SHAPE, compression="gzip")
    compressor = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [compressor.compress(block) for _ in range(64)]
    made.id.write_direct_chunk((0, 0, 0, 0), b"".join((*parts, compressor.flush())))


def unknown_filter(file: h5py.File, canary: Path) -> None:
    """A filter that HDF5 would look for among its plugins."""
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk(SHAPE)
    plist.set_filter(32004, h5py.h5z.FLAG_OPTIONAL, (1,))
    del file["image"]
    h5d.create(file.id, b"image", h5t.IEEE_F32LE, h5s.create_simple(SHAPE), plist)


def crowd(file: h5py.File, canary: Path) -> None:
    for number in range(5000):
        file.create_group(f"many/{number}")


def deep(file: h5py.File, canary: Path) -> None:
    file.create_group("/".join("abcdefgh"))


def circle(file: h5py.File, canary: Path) -> None:
    file["parameters/again"] = file["parameters"]


TABLE: dict[str, tuple[Craft, str]] = {
    "external storage": (external_storage, "external storage"),
    "external storage of a table": (external_table, "external storage"),
    "external link": (link(lambda p: h5py.ExternalLink(p, "image")), "a link to another file"),
    "external link to labels": (
        link(lambda p: h5py.ExternalLink(p, "label"), "label"),
        "a link to another file",
    ),
    "external link to a group": (
        link(lambda p: h5py.ExternalLink(p, "/"), "parameters"),
        "a link to another file",
    ),
    "soft link": (link(lambda p: h5py.SoftLink("/label")), "a soft link"),
    "soft link to nothing": (link(lambda p: h5py.SoftLink("/none")), "a soft link"),
    "virtual, absolute": (virtual(str), "virtual data of"),
    "virtual, upward": (virtual(lambda p: "../secret/canary.h5"), "virtual data of"),
    "virtual, itself": (virtual(lambda p: "."), "virtual data of"),
    "virtual labels": (virtual(str, "label"), "virtual data of"),
    "virtual table": (virtual(str, "parameters/star/gamma"), "virtual data of"),
    "virtual, endless": (virtual(str, endless=True), "virtual data of"),
    "shards upward": (shards(lambda p: "../secret"), "names of its own files"),
    "shards, absolute": (shards(lambda p: str(p.parent)), "names of its own files"),
    "shards by a symlink": (shards(lambda p: "elsewhere"), "a symbolic link that leads out"),
    "array attribute": (attribute([1, 2]), "an array of 1 dim"),
    "array type": (
        attribute(lambda f: np.zeros((), "(3,)i8"), dtype=np.dtype("(3,)i8")),
        "arrays",
    ),
    "object reference": (attribute(lambda f: f["label"].ref, dtype=h5py.ref_dtype), "references"),
    "region reference": (
        attribute(lambda f: f["label"].regionref[:2], dtype=h5py.regionref_dtype),
        "references",
    ),
    "numbers of variable length": (
        attribute(one_list, dtype=h5py.vlen_dtype(np.int64)),
        "variable length",
    ),
    "compound attribute": (attribute(np.zeros((), "i4,f4")), "compound"),
    "empty attribute": (attribute(h5py.Empty("f")), "one value"),
    "2**60 rows": (huge, "chunks of 'image'"),
    "labels of 2**60 rows": (
        dataset("label", (1 << 60,), np.int64, chunks=(1024,)),
        "compressed by gzip or lzf",
    ),
    "chunks that are not there": (
        dataset("image", SHAPE, np.float32, chunks=(1, *SHAPE[1:]), compression="gzip"),
        "chunks of 'image'",
    ),
    "rows that are not there": (dataset("image", SHAPE, np.float32), "0 in "),
    "bomb": (bomb, "bytes a chunk"),
    "unknown filter": (unknown_filter, r"filters \[32004\]"),
    "shuffled": (
        dataset("image", data=np.zeros(SHAPE, "f4"), compression="gzip", shuffle=True),
        "filters",
    ),
    "objects": (dataset("image", SHAPE, h5py.vlen_dtype(np.float32)), "variable length"),
    "texts": (dataset("label", (ROWS,), h5py.string_dtype()), "text"),
    "compound": (dataset("label", (ROWS,), "i4,f4"), "compound"),
    "references": (dataset("label", (ROWS,), h5py.ref_dtype), "references"),
    "opaque": (dataset("label", data=np.zeros(ROWS, "V8")), "opaque"),
    "a single number": (dataset("label", data=3), "a single value"),
    "long recipe": (attribute("# " + "x" * (1 << 25), "recipe"), "bytes beside"),
    "recipe of a file": (attribute("extends: ../secret/canary.yaml\n", "recipe"), "'extends'"),
    "recipe of aliases": (
        attribute(
            "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + "".join(f"{n}: &{n} [{', '.join([f'*{m}'] * 10)}]\n" for m, n in pairwise("abcdefg")),
            "recipe",
        ),
        "at most 100,000 values",
    ),
    "Python in the recipe": (attribute("!!python/object/apply:os.system [ls]", "recipe"), "recipe"),
    "crowd": (crowd, "groups and datasets"),
    "deep": (deep, "groups and datasets"),
    "circle": (circle, "groups and datasets"),
    "type": (lambda f, _: f.__setitem__("kind", np.dtype("f4")), "a group or dataset"),
}  # fmt: skip
each_craft = pytest.mark.parametrize("name", TABLE)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = db.Catalogue("astro", size=ROWS, image_size=PIXELS)
    return db.materialize(made, tmp_path_factory.mktemp("honest") / "a.h5", progress=False)


@pytest.fixture
def path(honest: Path, tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "elsewhere").symlink_to(tmp_path / "secret")
    return Path(shutil.copy(honest, tmp_path / "own" / "a.h5"))


def crafted(path: Path, name: str) -> str:
    """Change a file, correct its seal, and return the expected reason."""
    craft, reason = TABLE[name]
    os.truncate(path, path.stat().st_size - CHECKSUM_BYTES)
    with h5py.File(path, "r+") as file:
        craft(file, path.parents[1] / "secret" / "canary.h5")
    append_checksum(path)
    return reason


def entrances(path: Path) -> dict[str, Callable[[], object]]:
    return {
        "rows": lambda: db.StoredCatalogue(path)[0],
        "verify": lambda: db.StoredCatalogue(path, verify=True),
        "verified_header": lambda: verified_header(path),
        "describe": lambda: describe(path),
        "reproduce": lambda: command("reproduce", path, "--quiet"),
        "info": lambda: command("info", path),
        "show": lambda: command("show", path),
    }


def command(name: str, path: Path, *more: str) -> object:
    return app([name, str(path), *more], standalone_mode=False)


@each_craft
def test_a_crafted_file_is_refused_and_reads_nothing_else(
    name: str, path: Path, canary: Watch
) -> None:
    reason = crafted(path, name)
    canary.opened()  # by crafting it
    for entrance, use in entrances(path).items():
        with pytest.raises(ValueError, match=reason) as caught:
            use()
        assert str(path.parent) in str(caught.value), entrance
        assert not canary.opened(), entrance


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
@pytest.mark.parametrize("shard_rows", [None, 4])
def test_files_of_this_package_are_trusted(
    compression: Any, shard_rows: int | None, tmp_path: Path
) -> None:
    made = db.Catalogue("nbody", size=ROWS)
    path = db.materialize(
        made, tmp_path / "n.h5", compression=compression, shard_rows=shard_rows, progress=False
    )
    assert len(db.StoredCatalogue(path, verify=True).__getitems__([0, 5])) == 2


@pytest.mark.parametrize("name", ["external link", "virtual, absolute", "external storage"])
def test_a_crafted_shard_is_refused(name: str, tmp_path: Path, canary: Watch) -> None:
    made = db.Catalogue("astro", size=ROWS, image_size=PIXELS)
    (tmp_path / "own").mkdir()
    path = db.materialize(
        made, tmp_path / "own" / "a.h5", shard_rows=3, compression="gzip", progress=False
    )
    shard = next(path.parent.glob("*.shards/*.h5"))
    reason = crafted_shard(shard, name, tmp_path / "secret" / "canary.h5")
    canary.opened()
    dataset = db.StoredCatalogue(path)
    with pytest.raises(ValueError, match=reason):
        dataset.__getitems__(list(range(ROWS)))
    assert not canary.opened()


def crafted_shard(shard: Path, name: str, canary: Path) -> str:
    craft, reason = TABLE[name]
    with h5py.File(shard, "r+") as file:
        craft(file, canary)
    return reason


def test_a_shard_by_a_symlink_is_refused(tmp_path: Path, canary: Watch) -> None:
    made = db.Catalogue("astro", size=ROWS, image_size=PIXELS)
    path = db.materialize(made, tmp_path / "own" / "a.h5", shard_rows=3, progress=False)
    shard = next(path.parent.glob("*.shards/*.h5"))
    shard.unlink()
    shard.symlink_to(tmp_path / "secret" / "canary.h5")
    dataset = db.StoredCatalogue(path)
    with pytest.raises(ValueError, match="a symbolic link that leads out of it"):
        dataset.__getitems__(list(range(ROWS)))
    with pytest.raises(ValueError, match="a symbolic link that leads out of it"):
        db.StoredCatalogue(path, verify=True)
    assert not canary.opened()
