"""Realizations: the same scenes with independent noise."""

import warnings
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.training import provenance

ROWS = torch.arange(40)
NOISY = ["astro", "sky", "lensing", "nbody"]


def noisy(name: str) -> db.Recipe | db.SeriesRecipe:
    """A small recipe of this name with every noise that it may have."""
    recipe = db.load_recipe(name)
    if isinstance(recipe, db.SeriesRecipe):
        changes = {"noise": {"measurement": {"x": 0.1}, "parameters": {"mass": 0.1}}}
        return recipe.replace(time={"steps": 20}, **changes)
    assert isinstance(recipe, db.Recipe)
    return recipe.replace(degrade={"gaussian": {"sigma": 0.1}})


@pytest.mark.parametrize("name", NOISY)
def test_the_first_realization_is_that_of_the_recipe(name: str) -> None:
    recipe = noisy(name)
    plain, first = db.generate(recipe, 3, ROWS), db.generate(recipe, 3, ROWS, realization=0)
    assert torch.equal(plain.data, first.data)
    assert first.recipe.digest == recipe.digest


@pytest.mark.parametrize("name", NOISY)
def test_scenes_are_the_same_and_noise_is_independent(name: str) -> None:
    """Oracle: the correlation of the noise of two realizations, within 5 standard errors of 0."""
    samples = [db.generate(noisy(name), 3, ROWS, realization=k) for k in (0, 1, 2**31 - 1)]
    for sample in samples[1:]:
        assert torch.equal(sample.clean, samples[0].clean)
        assert torch.equal(sample.label, samples[0].label)
    noise = [(sample.data - sample.clean).double().flatten() for sample in samples]
    kept = noise[0] != 0
    for one, other in ((0, 1), (0, 2), (1, 2)):
        correlation = torch.corrcoef(torch.stack([noise[one][kept], noise[other][kept]]))[0, 1]
        # the motion of a body is shifted by its parameters' noise at all its times together
        count = int(kept.sum()) if samples[0].recipe.content == "image" else len(ROWS)
        assert abs(float(correlation)) < 5 / count**0.5


def test_the_mean_of_realizations_is_the_clean_image() -> None:
    """Oracle: the variance that the noise states, over 64 realizations."""
    recipe = db.load_recipe("astro")
    assert isinstance(recipe, db.Recipe)
    images = torch.stack([db.generate(recipe, 0, ROWS, realization=k).image for k in range(64)])
    sample = db.generate(recipe, 0, ROWS)
    variance = recipe.degrade.variance(sample.clean[:, 0], sample.conditions)[:, None]
    error = (images.mean(0) - sample.clean) / (variance / 64).sqrt()
    assert float(error.square().mean()) == pytest.approx(1, abs=0.05)


def test_batches_equal_singles() -> None:
    batch = db.generate("sky", 3, ROWS, realization=7)
    single = db.generate("sky", 3, ROWS[5:6], realization=7)
    assert torch.equal(batch.image[5:6], single.image)


def test_datasets_streams_and_files_have_them(tmp_path: Path) -> None:
    expected = db.generate("star", 0, torch.arange(10), realization=2).image
    data = db.Catalogue("star", size=10, realization=2)
    assert torch.equal(torch.stack([image for image, _ in data]), expected)
    stored = db.StoredCatalogue(db.materialize(data, tmp_path / "a.h5", progress=False))
    assert torch.equal(torch.stack([image for image, _ in stored]), expected)
    assert stored.recipe.realization == 2
    assert torch.equal(stored.samples([3]).data, expected[3:4])
    stream = db.CatalogueStream("star", start=0, size=10, realization=2)
    assert torch.equal(torch.stack([image for image, _ in stream]), expected)
    changed = db.load_recipe("star").replace(realization=2)
    assert torch.equal(db.generate(changed, 0, torch.arange(10)).image, expected)


def test_splits_of_realizations_share_scenes() -> None:
    """A network would be tested on scenes of its training: the warning sees that."""
    train = db.Catalogue("circle", size=100, split="train", seed=77)
    with pytest.warns(UserWarning, match="share rows"):
        db.Catalogue("circle", size=50, split="test", seed=77, realization=1)
    assert len(train) == 60


def test_a_test_on_other_noise_of_training_scenes_is_seen() -> None:
    trained, tested = (
        provenance.rows_of(DataLoader(db.Catalogue("circle", size=10, seed=5, realization=k)))
        for k in (0, 1)
    )
    (sentence,) = provenance.leaks(trained, tested)
    assert sentence.startswith("10 of 10 rows of circle")


@pytest.mark.parametrize("name", ["sky", "astro"])
def test_one_scale_of_8_bit_pixels_serves_all(name: str) -> None:
    """Otherwise the pixels of two realizations of one scene could not be compared."""
    recipe = db.load_recipe(name)
    image = db.generate(recipe, 0, ROWS[:3]).image
    other = recipe.replace(realization=1)
    assert torch.equal(db.to_uint8(image, recipe), db.to_uint8(image, other))


def test_a_collection_keeps_the_seed_of_realizations() -> None:
    members = {f"k{k}": db.Catalogue("star", size=5, realization=k) for k in range(2)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = db.Collection(members, target=["clean", "domain"])
    assert [member.seed for member in both.members] == [0, 0]
    assert torch.equal(both[0][1]["clean"], both[5][1]["clean"])
    assert not torch.equal(both[0][0], both[5][0])


@pytest.mark.parametrize("wrong", [-1, 2**31, 1.5, "1", True])
def test_a_wrong_number_is_refused(wrong: object) -> None:
    rule = "realization must be a whole number from 0 to 2\\*\\*31 - 1"
    with pytest.raises(ValueError, match=rule):
        db.Catalogue("star", realization=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rule):
        db.generate("star", 0, ROWS, realization=wrong)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="realization"):
        db.load_recipe("star").replace(realization=wrong)


def test_a_collection_has_its_own_realizations() -> None:
    collection = db.Collection([db.Catalogue("star", size=5)])
    with pytest.raises(ValueError, match="expected realization=None for a Collection"):
        db.CatalogueStream(collection, realization=1)
