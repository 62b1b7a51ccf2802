"""Tables of parameters: a line for each present object, as in the files."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy import units
from astropy.table import Table
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.photometry import UNITS
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samples.lines import _astropy_unit
from deepbench_torch.systems import SYSTEMS
from tests.series.series_cases import CASES as SERIES

RECIPES: dict[str, AbstractRecipe] = {
    **{name: db.load_recipe(name).replace(image={"height": 8, "width": 12})
       for name in ("astro", "sky", "lensing", "geometric", "star")},
    "sky with magnitudes": db.load_recipe("sky").replace(
        image={"height": 8, "width": 12}, zero_point=25.0
    ),
    **{name: SERIES[name] for name in ("nbody", "pendulum", "nbody in space", "pendulum noisy")},
}  # fmt: skip
each_recipe = pytest.mark.parametrize("name", RECIPES)


def as_text(table: Table) -> list[dict[str, str]]:
    """Return the lines of a table as in parameters.csv: shortest digits, empty if masked."""
    return [
        {name: "" if np.ma.is_masked(line[name]) else str(line[name]) for name in table.colnames}
        for line in table
    ]


@pytest.mark.parametrize("split", [None, "val"])
@each_recipe
def test_a_table_agrees_with_the_stored_one(name: str, split: Any, tmp_path: Path) -> None:
    data = db.Catalogue(RECIPES[name], size=15, seed=3, split=split)
    path = db.materialize(data, tmp_path / "a", format="npy", progress=False)
    with (path / "parameters.csv").open(newline="") as file:
        stored = list(csv.DictReader(file))
    assert as_text(of_file(data.to_table())) == stored
    sample = db.generate(RECIPES[name], 3, torch.tensor(data.rows))
    assert as_text(of_file(sample.to_table())) == stored


def of_file(table: Table) -> Table:
    """Return the columns that files have, without those that follow from them."""
    return table[[name for name in table.colnames if name not in UNITS]]


def test_derived_columns_come_last_and_follow_from_the_others() -> None:
    """Oracle: the closed forms, of the parameters in the same line."""
    table = db.generate(RECIPES["sky with magnitudes"], 3, torch.arange(30)).to_table()
    assert table.colnames[-3:] == ["flux", "fwhm", "magnitude"]
    assert (table["flux"].unit, table["fwhm"].unit, table["magnitude"].unit) == (
        units.pix**2,
        units.pix,
        units.mag,
    )
    stars = table[table["kind"] == "star"]
    light = np.pi * stars["gamma"] ** 2 * stars["amplitude"] / (stars["alpha"] - 1)
    np.testing.assert_allclose(stars["flux"], light, rtol=1e-6)
    np.testing.assert_allclose(table["magnitude"], 25 - 2.5 * np.log10(table["flux"]), rtol=1e-6)
    width = 2 * stars["gamma"] * np.sqrt(2 ** (1 / stars["alpha"]) - 1)
    np.testing.assert_allclose(stars["fwhm"], width, rtol=1e-6)
    spirals = table[table["kind"] == "spiral"]
    assert spirals["fwhm"].mask.all()
    assert not np.ma.is_masked(spirals["flux"])
    assert {table[name].dtype for name in ("flux", "fwhm", "magnitude")} == {np.dtype("float32")}


def test_magnitudes_need_a_zero_point() -> None:
    for name in ("sky", "geometric", "sky with magnitudes", "nbody"):
        names = db.Catalogue(RECIPES[name], size=2).to_table().colnames
        assert ("magnitude" in names) == (name == "sky with magnitudes")
        assert ("flux" in names) == (name != "nbody")
        assert ("fwhm" in names) == (name not in ("nbody", "geometric"))
    parameters = db.Catalogue("star", size=2, target="parameters")[0][1]
    plain = db.load_recipe("star")
    assert "magnitude" not in db.to_table(parameters, recipe=plain).colnames
    found = db.to_table(parameters, recipe=plain.replace(zero_point=20.0))
    assert found["magnitude"][0] == pytest.approx(20 - 2.5 * np.log10(found["flux"][0]), rel=1e-6)


@each_recipe
def test_all_entrances_agree(name: str, tmp_path: Path) -> None:
    data = db.Catalogue(RECIPES[name], size=6, seed=3)
    stored = db.StoredCatalogue(db.materialize(data, tmp_path / "a.h5", progress=False))
    places = [4, 0, -1]
    sample = db.generate(RECIPES[name], 3, torch.tensor([4, 0, 5]))
    expected = as_text(sample.to_table())
    assert as_text(data.to_table(places)) == as_text(stored.to_table(places)) == expected
    frame = data.to_pandas(places)
    assert list(frame.columns) == sample.to_table().colnames
    for line, row in zip(expected, frame.to_dict("records"), strict=True):
        assert all(row[key] != row[key] for key, text in line.items() if not text)
        mine = {key: value for key, value in row.items() if value == value}
        kinds = {key: sample.to_table()[key].dtype.type for key in mine}
        assert {key: str(kinds[key](value)) for key, value in mine.items()} == {
            key: text for key, text in line.items() if text
        }
    assert frame.attrs["units"].keys() == set(frame.columns) - {"index", "kind", "slot"}


@each_recipe
def test_targets_of_rows_and_batches_agree(name: str) -> None:
    recipe = RECIPES[name]
    data = db.Catalogue(recipe, size=6, target=["index", "parameters"])
    expected = as_text(data.to_table(range(4)))
    loader = DataLoader(data, batch_size=4, generator=torch.Generator())
    batch = next(iter(loader))[1]["parameters"]
    assert alike(as_text(db.to_table(batch, recipe=recipe)), expected)
    for index in range(4):
        lines = as_text(db.to_table(data[index][1]["parameters"], recipe=recipe))
        mine = [line for line in expected if line["index"] == str(index)]
        assert alike(lines, [{**line, "index": "0"} for line in mine])


def alike(lines: list[dict[str, str]], others: list[dict[str, str]]) -> bool:
    """Return whether lines are equal to single precision, that of targets of time series."""
    return [_rounded(line) for line in lines] == [_rounded(line) for line in others]


def _rounded(line: dict[str, str]) -> dict[str, object]:
    return {
        name: np.float32(text) if text and name != "kind" else text for name, text in line.items()
    }


def test_units_are_those_of_the_recipe() -> None:
    table = db.generate("sky", 0, torch.arange(9)).to_table()
    assert table["x"].unit == table["gamma"].unit == units.pix
    assert table["theta"].unit == units.rad
    assert table["amplitude"].unit is None
    motion = db.Catalogue("nbody", size=3).to_table()
    assert motion["mass"].unit == units.solMass
    assert motion["vx"].unit == units.AU / units.yr
    assert motion["gravity"].unit == units.AU**3 / units.solMass / units.yr**2
    parameters = db.Catalogue("pendulum", size=3, target="parameters")[0][1]
    assert db.to_table(parameters)["length"].unit == units.m


def test_a_name_has_one_unit_and_astropy_knows_all() -> None:
    """A column of several kinds has a unit only if they agree."""
    found: dict[str, set[str]] = {}
    for kind in OBJECTS.values():
        for name, field in kind.fields.items():
            found.setdefault(name, set()).add(field.unit)
    assert all(len(each) == 1 for each in found.values())
    for name, unit in UNITS.items():  # a kind may have it as a parameter
        assert found.get(name, {unit}) == {unit}
        units.Unit(_astropy_unit(unit) or "")
    for system in SYSTEMS.values():
        for quantity in system.fields.values():
            units.Unit(_astropy_unit(quantity.unit) or "")


def test_no_rows_and_no_objects_give_an_empty_table() -> None:
    for name in ("sky", "nbody"):
        empty = db.generate(name, 0, torch.arange(0)).to_table()
        assert len(empty) == 0
        assert empty.colnames == db.Catalogue(name, size=1).to_table().colnames
        assert db.Catalogue(name, size=3).to_table([]).colnames == empty.colnames
    some = db.load_recipe("star").replace(label="present", count={"integer": [0, 1]})
    data = db.Catalogue(some, size=9, image_size=4)
    places = [index for index, (_, label) in enumerate(data) if not label.any()]
    assert 0 < len(places) < 9
    table = data.to_table(places)
    assert len(table) == 0
    assert "gamma" in table.colnames


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (3, "int"),
        ({}, "dict"),
        ({"star": {"x": torch.zeros(2)}}, "a mapping of star"),
        ({"label": 3, "parameters": {"star": {}}}, "a mapping of label, parameters"),
        ({"speed": torch.zeros(2)}, "a mapping of speed"),
        ({"comet": {"x": torch.zeros(2), "present": torch.ones(2)}}, "'comet'"),
        ({"star": {"q": torch.zeros(2), "present": torch.ones(2)}}, "star with q"),
    ],
)
def test_other_values_are_refused(wrong: Any, got: str) -> None:
    with pytest.raises(ValueError, match=f"parameters: expected .*, got {got}"):
        db.to_table(wrong)


def test_pandas_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepbench_torch.samples.lines.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"to_pandas: .* install it with pip install"):
        db.generate("star", 0, torch.arange(2)).to_pandas()


def test_heavy_packages_are_imported_when_used() -> None:
    code = (
        "import sys, deepbench_torch as db\n"
        "db.Catalogue('star', size=2)[0]; db.__version__\n"
        "print([m for m in ('pandas', 'astropy', 'matplotlib', 'lightning') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
