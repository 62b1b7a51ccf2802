"""Laws of time series, over the table of `series_cases`: the same as those of images."""

import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.recipes.series_priors import sample_priors
from deepbench_torch.systems import SYSTEMS
from tests.series.series_cases import CASES, each_case, made, parts, short

TARGETS = ["label", "parameters", "used", "clean", "energy", "index"]


def test_no_system_is_left_out() -> None:
    assert {recipe.system for recipe in CASES.values()} == set(SYSTEMS)
    assert set(db.list_recipes("series")) == set(SYSTEMS)


@each_case
def test_batch_equals_singles_in_any_order(case: str) -> None:
    index = [7, 0, 3, 123_456_789_012, 3, 12, 99, 5, 41]
    together = parts(made(case, *index))
    for row, number in enumerate(index):
        for name, values in parts(made(case, number)).items():
            assert torch.equal(values[0], together[name][row]), (name, number)


@each_case
def test_size_of_the_batch_does_not_matter(case: str) -> None:
    """Vector loops have rests: every length up to one that has none, and one with many chunks."""
    together = parts(made(case, *range(33)))
    for count in (2, 5, 16, 31):
        for name, values in parts(made(case, *range(count))).items():
            assert torch.equal(values, together[name][:count]), (name, count)


@each_case
def test_chunks_do_not_matter(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = parts(made(case, *range(5)))
    row = math.prod(CASES[case].shape)
    monkeypatch.setattr("deepbench_torch.series.simulate.CHUNK", 3 * row)
    monkeypatch.setattr("deepbench_torch.series.simulate.NOISE_CHUNK", 2 * row)
    for name, values in parts(made(case, *range(5))).items():
        assert torch.equal(values, whole[name]), name


MEMORY = """
import resource, sys
import torch
import deepbench_torch as db

def peak():
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024

torch.set_num_threads(1)
db.generate("pendulum", 0, torch.arange(2))
before = peak()
sample = db.generate("pendulum", 0, torch.arange(16_000))
print(peak() - before - sum(t.nbytes for t in (sample.series, sample.clean)))
"""


def test_memory_beyond_the_series_is_bounded() -> None:
    """Oracle: the kernel's peak of a fresh process; 16,000 at once would take 1 GB and more."""
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    assert int(done.stdout) < 300e6


@each_case
def test_empty_batch(case: str) -> None:
    sample = made(case)
    assert sample.series.shape == (0, *CASES[case].shape)
    assert sample.label.shape == (0, len(CASES[case].classes))


@each_case
def test_shapes_types_and_names(case: str) -> None:
    sample, recipe = made(case, 1, 2, 3), CASES[case]
    assert sample.series.shape == sample.clean.shape == (3, *recipe.shape)
    assert sample.data is sample.series
    assert sample.series.dtype == sample.clean.dtype == sample.label.dtype == torch.float32
    assert sample.label.shape == (3, len(recipe.classes))
    assert sample.kinetic.shape == sample.potential.shape == (3, recipe.shape[0])
    assert not sample.time.is_inference()
    assert sample.time.tolist()[-1] == pytest.approx(recipe.time.duration)
    assert len(set(recipe.classes)) == len(recipe.classes)
    names = [channel.name for channel in recipe.channels]
    assert len(names) == len(set(names)) == recipe.shape[1]
    for name, values in parts(sample).items():
        assert values.double().isfinite().all(), name
        assert not values.is_inference(), name  # or nothing could be learned from it


@each_case
def test_columns_of_the_label_are_what_classes_name(case: str) -> None:
    """Oracle: the parameters by name; those of slots have the slot's number behind their name."""
    sample = made(case, 0, 4, 9)
    named = {
        name if values.dim() == 1 else f"{name}{slot}": column
        for name, values in sample.parameters.items()
        for slot, column in enumerate(values.view(3, -1).unbind(1))
    }
    expected = torch.stack([named[name] for name in sample.recipe.classes], dim=1)
    assert torch.equal(sample.label, expected.float())


@each_case
def test_seeds_and_rows_differ(case: str) -> None:
    rows = made(case, 0, 1).series
    assert not torch.equal(rows[0], rows[1])
    assert not torch.equal(made(case, 0, seed=4).series, rows[:1])


@each_case
def test_every_sample_is_in_its_prior(case: str) -> None:
    recipe = CASES[case]
    for name, values in sample_priors(recipe, seed=0, index=torch.arange(300)).items():
        assert recipe.parameters[name].contains(values).all(), name


@each_case
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_stored_equals_generated(case: str, compression: Any, tmp_path: Path) -> None:
    catalogue = db.Catalogue(CASES[case], size=6, seed=1, target=TARGETS)
    path = db.materialize(catalogue, tmp_path / "a.h5", progress=False, compression=compression)
    stored = db.StoredCatalogue(path, target=TARGETS)
    labels = db.StoredCatalogue(path)
    places = [0, 5, 2, 2, -1]
    for position, (series, truth), (again, kept) in zip(
        places, catalogue.__getitems__(places), stored.__getitems__(places), strict=True
    ):
        assert torch.equal(series, again)
        torch.testing.assert_close(kept, truth, rtol=0, atol=0)
        assert torch.equal(labels[position][1], truth["label"])


@each_case
def test_a_file_reads_without_this_package(case: str, tmp_path: Path) -> None:
    """Oracle: h5py and numpy alone."""
    catalogue = db.Catalogue(CASES[case], size=5, seed=3)
    sample = made(case, *range(5))
    with h5py.File(db.materialize(catalogue, tmp_path / "a.h5", progress=False)) as file:
        block = file["series"]
        assert np.array_equal(block[:], sample.series.numpy())
        assert list(block.attrs["channels"]) == [c.name for c in sample.recipe.channels]
        assert list(block.attrs["units"]) == [c.unit for c in sample.recipe.channels]
        for path, values in sample.tables().items():
            assert np.array_equal(file[path][:], values.numpy()), path
            table, name = path.split("/")[0], path.split("/")[-1]
            of_parameters = table in ("parameters", "used")
            unit = sample.recipe.definition.fields[name].unit if of_parameters else None
            assert file[path].attrs.get("unit") == unit, path


@each_case
def test_yaml_round_trip(case: str, tmp_path: Path) -> None:
    path = tmp_path / "again.yaml"
    path.write_text(CASES[case].to_yaml())
    again = db.load_recipe(path)
    assert again == CASES[case]
    assert again.digest == CASES[case].digest


@each_case
def test_a_larger_catalogue_begins_with_the_smaller(case: str) -> None:
    small, large = (db.Catalogue(CASES[case], size=size) for size in (5, 50))
    for (series, label), (again, same) in zip(small, large, strict=False):
        assert torch.equal(series, again)
        assert torch.equal(label, same)


@each_case
def test_pickling_changes_nothing(case: str) -> None:
    catalogue = db.Catalogue(CASES[case], size=9)
    again = pickle.loads(pickle.dumps(catalogue))  # noqa: S301
    assert torch.equal(again[4][0], catalogue[4][0])


@pytest.mark.parametrize(
    ("name", "method"), [("nbody", "spawn"), ("pendulum", "fork"), ("hamiltonian_pendulum", "fork")]
)
def test_workers_change_nothing(name: str, method: str) -> None:
    catalogue = db.Catalogue(CASES[name], size=9, target="clean")
    loader: DataLoader[Any] = DataLoader(
        catalogue,
        batch_size=4,
        num_workers=2,
        multiprocessing_context=method,
        generator=torch.Generator(),
    )
    series = torch.cat([batch for batch, _ in loader])
    assert torch.equal(series, torch.stack([row for row, _ in catalogue]))


@each_case
def test_every_target_is_collated(case: str) -> None:
    """Oracle: the sample."""
    catalogue = db.Catalogue(CASES[case], size=6, seed=3, target=TARGETS)
    loader: DataLoader[Any] = DataLoader(catalogue, batch_size=6, generator=torch.Generator())
    series, targets = next(iter(loader))
    sample = made(case, *range(6))
    assert torch.equal(series, sample.series)
    for name in ("label", "clean", "index"):
        assert torch.equal(targets[name], getattr(sample, name)), name
    for name in ("kinetic", "potential"):
        assert torch.equal(targets["energy"][name], getattr(sample, name)), name
    assert torch.equal(targets["energy"]["total"], sample.kinetic + sample.potential)
    present = sample.present.get(sample.recipe.system)
    there = {} if present is None else {"present": present}
    for target, named in (("parameters", sample.parameters), ("used", sample.used)):
        assert targets[target].keys() == (named | there).keys()
        for name, values in (named | there).items():
            single = values.float() if values.is_floating_point() else values
            assert torch.equal(targets[target][name], single), (target, name)
    assert bool(there) == (sample.recipe.system == "nbody")


@pytest.mark.moves_generators
@pytest.mark.parametrize("name", db.list_recipes("series"))
def test_data_modules_and_streams_take_them(name: str, tmp_path: Path) -> None:
    recipe = CASES[name]
    module = db.CatalogueDataModule(recipe, size=10, batch_size=2, root=tmp_path)
    module.prepare_data()
    batches = list(module.val_dataloader())
    rows = db.generate(recipe, 0, torch.arange(6, 8))
    assert torch.equal(batches[0][0], rows.series)
    assert torch.equal(batches[0][1], rows.label)
    series, label = next(iter(db.CatalogueStream(recipe, start=6)))
    assert torch.equal(series, rows.series[0])
    assert torch.equal(label, rows.label[0])


@each_case
def test_noise_changes_no_other_sample(case: str) -> None:
    """The same motion with and without noise, and with other noise."""
    recipe, sample = CASES[case], made(case, *range(5))
    quiet = recipe.replace(noise={"parameters": None, "measurement": None})
    other = db.generate(quiet, 3, torch.arange(5))
    for name in ("clean", "label", "kinetic", "potential"):
        assert torch.equal(getattr(sample, name), getattr(other, name)), name
    for name, values in sample.parameters.items():
        assert torch.equal(values, other.parameters[name]), name
        assert torch.equal(values, other.used[name]), name
    assert torch.equal(other.series, other.clean)
    assert not torch.equal(sample.series, sample.clean)


def test_one_prior_changes_no_other_sample() -> None:
    one, other = (
        db.generate(recipe, 0, torch.arange(9))
        for recipe in (short("pendulum"), short("pendulum", parameters={"length": 1.0}))
    )
    assert torch.equal(one.parameters["angle"], other.parameters["angle"])
    assert torch.equal(one.parameters["gravity"], other.parameters["gravity"])


def test_more_slots_begin_with_the_fewer() -> None:
    """Bodies that a row had before keep their masses."""
    five, seven = (
        sample_priors(recipe, seed=0, index=torch.arange(9))
        for recipe in (
            short("nbody"),
            short("nbody", parameters={"bodies": {"integer": [2, 7]}}),
        )
    )
    assert seven["mass"].shape == (9, 7)
    assert torch.equal(five["mass"], seven["mass"][:, :5])


def test_more_times_begin_with_the_fewer() -> None:
    """Noise and motion of the first moments stay; 1/4 s is a step without rounding."""
    for noise in ({"draw": "trajectory"}, {"draw": "step", "parameters": {"length": 0.1}}):
        recipe = short("pendulum", time={"duration": 3.0, "steps": 12}, noise=noise)
        longer = recipe.replace(time={"duration": 6.0, "steps": 24})
        short_run, long_run = (db.generate(r, 0, torch.arange(4)) for r in (recipe, longer))
        assert torch.equal(short_run.series, long_run.series[:, :13])
