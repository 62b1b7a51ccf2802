"""All rows as arrays: equal to the rows one by one, and enough for scikit-learn to train on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

import deepbench_torch as db
from tests.datasets.kinds import Maker, each_dataset


@each_dataset
@pytest.mark.parametrize("flat", [True, False])
def test_arrays_hold_all_rows_in_order(make: Maker, flat: bool, tmp_path: Path) -> None:
    """Oracle: the rows one by one."""
    dataset = make(tmp_path)
    X, y = dataset.arrays(flat=flat)  # noqa: N806 - scikit-learn's name
    rows = [dataset[index] for index in range(len(dataset))]
    data = torch.stack([image for image, _ in rows]).numpy()
    labels = np.stack([np.asarray(label) for _, label in rows])
    np.testing.assert_array_equal(X, data.reshape(len(data), -1) if flat else data)
    np.testing.assert_array_equal(y, labels)
    assert X.dtype == np.float32
    assert (str(y.dtype), y.ndim) in [("int64", 1), ("float32", 2)]
    assert X.flags.c_contiguous
    assert X.flags.writeable


@each_dataset
def test_arrays_ignore_transforms(make: Maker, tmp_path: Path) -> None:
    plain = make(tmp_path).arrays()
    moved = make(tmp_path, transform=torch.neg, target_transform=lambda _: -7).arrays()
    for found, expected in zip(moved, plain, strict=True):
        np.testing.assert_array_equal(found, expected)


@each_dataset
def test_other_targets_of_one_shape(make: Maker, tmp_path: Path) -> None:
    """Oracle: the same dataset with this target."""
    dataset = make(tmp_path)
    for target in ("clean", "index"):
        _, found = dataset.arrays(target)
        expected = [np.asarray(value) for _, value in dataset.with_target(target)]
        np.testing.assert_array_equal(found, np.stack(expected).reshape(found.shape))
        assert found.ndim == (2 if target == "clean" else 1)


def test_domains_of_a_collection_are_integers() -> None:
    members = [db.Catalogue(name, size=6, image_size=8) for name in ("star", "galaxy")]
    _, domain = db.Collection(members).arrays("domain")
    np.testing.assert_array_equal(domain, [0] * 6 + [1] * 6)


@pytest.mark.parametrize(
    "target", ["parameters", "boxes", "masks", "slots", "components", ["label", "index"]]
)
def test_targets_of_several_shapes_are_refused(target: Any) -> None:
    catalogue = db.Catalogue("sky", size=5, image_size=8)
    with pytest.raises(ValueError, match=r"arrays: expected a target of one shape.*data.to_table"):
        catalogue.arrays(target)


def test_other_bad_arguments_are_refused() -> None:
    catalogue = db.Catalogue("sky", size=5, image_size=8)
    with pytest.raises(ValueError, match="got 'lable'; use one of label"):
        catalogue.arrays("lable")
    with pytest.raises(ValueError, match=r"arrays.flat: expected True or False, got 'no'"):
        catalogue.arrays(flat="no")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="arrays: expected at least one row, got none"):
        catalogue[:0].arrays()


def test_scikit_learn_trains_on_them() -> None:
    """Stars and galaxies: guesses would be right in half of the 180 rows, give or take 0.04."""
    recipe = db.load_recipe("astro").replace(objects={"spiral": None}, degrade=None)
    splits = [db.Catalogue(recipe, size=900, split=s, image_size=8) for s in ("train", "test")]
    (X, y), test = (split.arrays() for split in splits)  # noqa: N806 - scikit-learn's name
    assert LogisticRegression(max_iter=2000).fit(X, y).score(*test) > 0.65


def test_scikit_learn_trains_on_several_labels() -> None:
    """Learn the kinds; guesses of three labels would all be right in one case of eight."""
    X, y = db.Catalogue("sky", size=100, image_size=8).arrays()  # noqa: N806 - scikit-learn's name
    model = MultiOutputClassifier(LogisticRegression(max_iter=2000)).fit(X, y)
    assert model.score(X, y) > 0.3
