"""Misuse of arguments: refused at the entrance, with the rule, the value and the remedy."""

import concurrent.futures
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.training.datamodule import (
    CatalogueDataModule,
)  # Lightning draws when it is imported

STAR = {"x": 14.0, "y": 14.0, "amplitude": 1.0, "gamma": 2.0, "alpha": 3.0}
GALAXY = {"x": 14.0, "y": 14.0, "amplitude": 1.0, "radius": 4.0, "n": 1.0, "ellip": 0.5}
FLAGS: dict[str, Callable[[Any, Path], object]] = {
    "materialize.overwrite": lambda value, path: db.materialize(
        two(), path, overwrite=value, progress=False
    ),
    "materialize.progress": lambda value, path: db.materialize(two(), path, progress=value),
    "StoredCatalogue.verify": lambda value, path: db.StoredCatalogue(path, verify=value),
    "Collection.paired": lambda value, path: db.Collection([two()], paired=value),
    "drop_last": lambda value, path: db.CatalogueStream("star", batch_size=2, drop_last=value),
    "CatalogueDataModule.fresh": lambda value, path: CatalogueDataModule("star", fresh=value),
}


def two(seed: int = 0) -> db.Catalogue:
    return db.Catalogue("star", size=2, seed=seed, image_size=6)


def tensors(values: dict[str, float]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([value]) for name, value in values.items()}


@pytest.mark.parametrize("value", ["no", "False", 0, 1, None, [], torch.tensor(True)])
@pytest.mark.parametrize("name", list(FLAGS))
def test_a_flag_is_true_or_false(name: str, value: Any, tmp_path: Path) -> None:
    """The text "no" is true to Python: it would overwrite."""
    path = tmp_path / "a.h5"
    db.materialize(two(), path, progress=False)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"^{name}: expected True or False, got"):
        FLAGS[name](value, path)
    assert path.read_bytes() == before


def test_a_flag_of_numpy_is_one(tmp_path: Path) -> None:
    path = db.materialize(two(), tmp_path / "a.h5", progress=np.bool_(False))  # type: ignore[arg-type]
    assert len(db.StoredCatalogue(path, verify=np.bool_(True))) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cuda:-1", "meta", None, "", True, 1.5])
def test_a_device_is_one_of_this_machine(device: Any) -> None:
    index = torch.arange(2)
    makers: list[Callable[[], object]] = [
        lambda: db.generate("star", 0, index, device=device),
        lambda: db.generate("pendulum", 0, index, device=device),
        lambda: db.CatalogueStream("star", batch_size=2, device=device),
    ]
    for make in makers:
        with pytest.raises(ValueError, match=r"^device: expected .*; use device='cpu'"):
            make()


@pytest.mark.parametrize("index", [[0, 1], range(2), 1, None, np.arange(2)], ids=repr)
def test_an_index_is_a_tensor(index: Any) -> None:
    with pytest.raises(ValueError, match=r"^index: expected a tensor .*torch\.tensor\(\[0, 1\]\)"):
        db.generate("star", 0, index)


def test_an_index_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^index: expected a tensor"):
        db.generate("star", 0, torch.arange(2, device="meta"))


WRONG_NUMBERS = [3, 2.5, "12", ["1", "2"], {"star": 1, "star-2": 2}, [True, True], [1], [1, 2, 3]]


@pytest.mark.parametrize("name", ["weights", "sizes"])
@pytest.mark.parametrize("value", [*WRONG_NUMBERS, {1, 2}, [1, None]], ids=repr)
def test_weights_and_sizes_are_a_number_for_each_member(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: expected a number for each of star, star-2"):
        db.Collection([two(), two(seed=1)], **{name: value})


def test_weights_of_arrays_and_tensors() -> None:
    makers: list[Any] = [[1, 2], (1.0, 2.0), np.array([1, 2]), torch.tensor([1.0, 2.0])]
    members = [two(), two(seed=1)]
    orders = [[*db.Collection(members, weights=each, target="domain")] for each in makers]
    assert len({str([target for _, target in order]) for order in orders}) == 1


@pytest.mark.parametrize("source", ["star", two(), None, [two()]], ids=repr)
def test_a_stream_loader_takes_a_stream(source: Any) -> None:
    with pytest.raises(TypeError, match=r"^StreamLoader: expected a CatalogueStream, got"):
        db.StreamLoader(source)


@pytest.mark.parametrize("workers", [-1, 1.0, True, "auto", None])
def test_a_stream_loader_counts_its_workers(workers: Any) -> None:
    stream = db.CatalogueStream("star", batch_size=2)
    with pytest.raises(ValueError, match=r"^StreamLoader\.num_workers: expected"):
        db.StreamLoader(stream, num_workers=workers)


@pytest.mark.parametrize("kind", list(db.OBJECTS))
@pytest.mark.parametrize("grid", [(28, 28), 28, None, torch.zeros(2, 2)], ids=repr)
def test_a_grid_is_a_grid(kind: str, grid: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{kind}\.render: expected a Grid.*db\.Grid\(height"):
        db.OBJECTS[kind].render(tensors(STAR), grid)


@pytest.mark.parametrize("value", [[1.0], 3.0, "x", torch.ones(5), None], ids=repr)
def test_parameters_have_names(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^star\.render: expected parameters by name, got"):
        db.OBJECTS["star"].render(value, db.Grid(4, 4))


NOT_REAL = [[True], ["14"], [1j], torch.tensor([1j]), [None], [[1.0], [1.0, 2.0]]]


@pytest.mark.parametrize("value", NOT_REAL, ids=repr)
def test_parameters_are_real_numbers(value: Any) -> None:
    makers: list[tuple[str, Callable[[], object]]] = [
        ("star.x", lambda: db.OBJECTS["star"].render({**tensors(STAR), "x": value}, db.Grid(4, 4))),
        ("star.x", lambda: db.reference.render("star", {**STAR, "x": value}, db.Grid(4, 4))),
        ("nbody.mass", lambda: simulate(mass=value)),
    ]
    for name, make in makers:
        with pytest.raises(ValueError, match=rf"^{name}: expected real numbers, got"):
            make()


def simulate(**changes: Any) -> object:
    arguments: dict[str, Any] = {
        "mass": torch.ones(1, 2),
        "position": torch.tensor([[[0.0, 0.0], [1.0, 0.0]]]),
        "velocity": torch.zeros(1, 2, 2),
        "softening": 0.1,
        "duration": 1.0,
        "steps": 2,
    }
    return db.physics.nbody.simulate(**arguments | changes)


@pytest.mark.parametrize("value", ["1", None])
@pytest.mark.parametrize("name", ["softening", "gravity", "duration"])
def test_numbers_of_a_simulation_are_no_texts(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^nbody\.{name}: expected .*got"):
        simulate(**{name: value})


def test_a_duration_is_one_number() -> None:
    with pytest.raises(ValueError, match=r"^nbody\.duration: expected one number, got 2"):
        simulate(duration=torch.tensor([1.0, 2.0]))


def test_the_reference_renders_one_object() -> None:
    with pytest.raises(ValueError, match=r"^star\.x: expected one number, got 3"):
        db.reference.render("star", {**STAR, "x": torch.ones(3)}, db.Grid(4, 4))  # type: ignore[dict-item]


def test_degrees_are_doubted() -> None:
    degrees, radians = {**GALAXY, "theta": 45.0}, {**GALAXY, "theta": 6.28}
    grid = db.Grid(28, 28)
    with pytest.warns(UserWarning, match=r"galaxy\.theta: expected radians, got 45, .*deg2rad"):
        db.OBJECTS["galaxy"].render(tensors(degrees), grid)
    with pytest.warns(UserWarning, match=r"galaxy\.theta: expected radians"):
        db.reference.render("galaxy", degrees, grid)
    db.OBJECTS["galaxy"].render(tensors(radians), grid)


WRONG_WRITES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"path": None}, TypeError, "path: expected a str"),
    ({"path": 3}, TypeError, "path: expected a str"),
    ({"executor": 4}, TypeError, r"materialize\.executor: expected .*got 4; use workers=N"),
    ({"executor": concurrent.futures.Executor}, TypeError, r"materialize\.executor: expected"),
    ({"catalogue": "star"}, TypeError, r"materialize: expected .*got str; write db\.Catalogue"),
    ({"catalogue": two()[:1]}, TypeError, "materialize: expected .*StoredCatalogue"),
]


@pytest.mark.parametrize(("changes", "error", "message"), WRONG_WRITES)
def test_what_is_written_is_checked(
    changes: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"catalogue": two(), "path": tmp_path / "a.h5", **changes}
    with pytest.raises(error, match=f"^{message}"):
        db.materialize(progress=False, **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", ["0", 0.0, False, -1])
def test_the_seed_of_a_file_is_a_seed(seed: Any, tmp_path: Path) -> None:
    path = db.materialize(two(), tmp_path / "a.h5", progress=False)
    with pytest.raises(ValueError, match=r"^seed"):
        db.StoredCatalogue(path, seed=seed)


def test_a_shard_stays_with_its_catalogue(tmp_path: Path) -> None:
    """Shards exchanged by hand, or copied from another catalogue, would be other rows."""
    folders = []
    for seed in (0, 1):
        made = db.Catalogue("star", size=6, seed=seed, image_size=6)
        path = db.materialize(made, tmp_path / f"{seed}.h5", shard_rows=2, progress=False)
        folders.append(sorted(next(path.parent.glob(f"{seed}.h5.*.shards")).iterdir()))
    whole = db.StoredCatalogue(tmp_path / "0.h5")
    assert len([*whole]) == 6
    mine, others = folders
    first = mine[0].read_bytes()
    mine[0].write_bytes(mine[1].read_bytes())
    mine[1].write_bytes(others[1].read_bytes())
    mine[2].write_bytes(first)
    for number, message in ((0, "rows"), (1, "seed"), (2, "rows")):
        data = db.StoredCatalogue(tmp_path / "0.h5")
        with pytest.raises(
            ValueError, match=rf"expected rows {2 * number} to .*another .*{message}"
        ):
            data[2 * number]
