"""Statistics of pixels and channels, against NumPy on all values together."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.datasets.statistics import ROWS, statistics_of
from deepbench_torch.plotting.cards.card import write_card
from tests.cli.test_cli import run
from tests.series.series_cases import CASES

RECIPES = {
    "sky": db.load_recipe("sky").replace(image={"height": 6, "width": 9}),
    "nbody": CASES["nbody"],
}
FORMATS = [("sky", form) for form in ("h5", "npy", "fits", "jpeg")]
FORMATS += [("nbody", form) for form in ("h5", "npy", "fits")]


def check(statistics: Any, data: torch.Tensor) -> None:
    """Compare statistics with those of data of all rows."""
    axes = (0, 1) if data.ndim == 3 else None
    values = data.double().numpy()
    assert statistics.rows == len(data)
    for found, expected in (
        (statistics.least, values.min(axes)),
        (statistics.greatest, values.max(axes)),
        (statistics.mean, values.mean(axes)),
        (statistics.std, values.std(axes)),
    ):
        assert isinstance(found, tuple if data.ndim == 3 else float)
        # rounding of sums in double precision in another order
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", RECIPES)
def test_statistics_of_a_catalogue(name: str) -> None:
    for split in (None, "val"):
        data = db.Catalogue(RECIPES[name], size=40, seed=2, split=split, transform=lambda x: 0 * x)
        check(data.statistics, db.generate(RECIPES[name], 2, torch.tensor(data.rows)).data)
        assert data.statistics is data.statistics
    check(data[2:5].statistics, db.generate(RECIPES[name], 2, torch.arange(26, 29)).data)


def test_statistics_use_the_first_rows_of_a_large_catalogue() -> None:
    data = db.Catalogue("star", image_size=2, size=1 << 40)
    check(data.statistics, db.generate("star", 0, torch.arange(ROWS), image_size=2).data)


@pytest.mark.parametrize(("name", "form"), FORMATS)
def test_statistics_of_a_stored_catalogue(name: str, form: Any, tmp_path: Path) -> None:
    catalogue = db.Catalogue(RECIPES[name], size=15, seed=2)
    path = tmp_path / ("a.h5" if form == "h5" else "a")
    stored = db.StoredCatalogue(db.materialize(catalogue, path, format=form, progress=False))
    check(stored.statistics, torch.stack([row for row, _ in stored]))
    assert (stored.statistics == catalogue.statistics) is (form != "jpeg")


def test_statistics_of_a_collection() -> None:
    members = [db.Catalogue(name, size=5, image_size=4, seed=n) for n, name in enumerate(NAMES)]
    both = db.Collection(members, weights=[2, 1])
    check(both.statistics, torch.stack([row for row, _ in both]))


NAMES = ("star", "galaxy")


def test_statistics_do_not_depend_on_the_batch_size() -> None:
    image = db.generate("sky", 0, torch.arange(30), image_size=5).image + 1e6
    whole = statistics_of([image])
    check(whole, image)
    check(statistics_of(torch.split(image, 1)), image)
    check(statistics_of(torch.split(image, 7)), image)
    with pytest.raises(ValueError, match="expected at least one row, got none"):
        statistics_of([])


def test_statistics_are_frozen_and_pickle() -> None:
    statistics = db.Catalogue("star", size=3, image_size=4).statistics
    assert pickle.loads(pickle.dumps(statistics)) == statistics  # noqa: S301
    with pytest.raises(AttributeError):
        statistics.mean = 0.0  # type: ignore[misc]


@pytest.mark.parametrize("name", RECIPES)
def test_the_card_and_info_show_statistics(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = db.Catalogue(RECIPES[name], size=12)
    path = db.materialize(data, tmp_path / "a.h5", progress=False)
    assert run("info", str(path)) == 0
    shown = " ".join(capsys.readouterr().out.split())
    card = " ".join(write_card(path).read_text().split())
    found = data.statistics
    numbers = [found.least, found.greatest, found.mean, found.std]
    if name == "nbody":
        numbers = [each[-1] for each in numbers if isinstance(each, tuple)]
    least, greatest, mean, std = (f"{each:.4g}" for each in numbers)
    text = f"{least} to {greatest}, mean {mean}, standard deviation {std}"
    for said in (shown, card):
        assert text in said
        assert f"of 12 {RECIPES[name].plural}" in said
