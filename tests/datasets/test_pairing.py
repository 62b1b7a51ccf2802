"""Members of a collection with one seed: different noise by default, the same if paired."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.datasets import RowDataset


def noisy(name: str, **options: Any) -> db.Catalogue:
    """Return a catalogue of strong Gaussian noise."""
    recipe = db.load_recipe(name).replace(
        degrade={"blur": None, "poisson": None, "gaussian": {"sigma": 1.0}}
    )
    return db.Catalogue(recipe, size=30, image_size=16, target="clean", **options)


def noise(data: Any, places: range) -> Tensor:
    """Return the noise of some rows, one-dimensional."""
    return torch.stack([image - clean for image, clean in data[places]]).flatten()


def correlation(left: Tensor, right: Tensor) -> float:
    return float(torch.corrcoef(torch.stack((left, right)))[0, 1])


@pytest.mark.parametrize("name", ["star", "circle"])
@pytest.mark.parametrize("paired", [False, True])
def test_noise_is_correlated_only_in_pairs(paired: bool, name: str) -> None:
    """Oracle: the correlation of independent noise is 0 +- 0.011 for 30 x 256 pixels."""
    both = db.Collection([noisy("galaxy"), noisy(name)], paired=paired)
    found = correlation(noise(both, range(30)), noise(both, range(30, 60)))
    assert found == pytest.approx(1.0, abs=1e-3) if paired else abs(found) < 0.06


def test_the_first_member_keeps_its_rows_and_repr_shows_the_seeds() -> None:
    members = [db.Catalogue(name, size=6, image_size=4, seed=7) for name in ("star", "circle")]
    both = db.Collection(members)
    assert torch.equal(both[2][0], members[0][2][0])
    seed = both.members[1].seed
    assert seed != 7
    assert torch.equal(
        both[8][0], db.generate("circle", seed, torch.tensor([2]), image_size=4).image[0]
    )
    assert f"Member: circle, 6 rows, seed {seed} instead of 7" in repr(both)
    assert "Member: star, 6 rows, seed 7\n" in repr(both)
    again = db.Collection(members)
    assert [member.seed for member in again.members] == [7, seed]
    pairs = db.Collection(members, paired=True)
    assert [member.seed for member in pairs.members] == [7, 7]
    assert "Paired: yes" in repr(pairs)


def test_parts_of_one_catalogue_keep_their_seed() -> None:
    def part(name: str, split: Any, seed: int = 0) -> db.Catalogue:
        return db.Catalogue(name, size=20, image_size=4, split=split, seed=seed)

    both = db.Collection([part("star", "train"), part("star", "val"), part("circle", None, 1)])
    assert [member.seed for member in both.members] == [0, 0, 1]
    # parts of the second catalogue stay parts of one catalogue as well
    four = [part(name, split) for split in ("train", "val") for name in ("star", "circle")]
    seeds = [member.seed for member in db.Collection(four).members]
    assert seeds[0] == seeds[2] == 0
    assert seeds[1] == seeds[3] != 0
    test = db.Collection([part("star", "test"), part("circle", "test")])
    assert [member.seed for member in test.members] == seeds[:2]


def stored(folder: Path, name: str, seed: int) -> RowDataset:
    made = db.Catalogue(name, size=6, image_size=4, seed=seed)
    return db.StoredCatalogue(db.materialize(made, folder / f"{name}.h5", progress=False))


def test_stored_members_with_one_seed_are_refused(tmp_path: Path) -> None:
    kept = [stored(tmp_path, name, 3) for name in ("star", "circle")]
    with pytest.raises(ValueError, match=r"got seed 3 in star and circle.*use paired=True"):
        db.Collection(kept)
    with pytest.raises(ValueError, match=r"use paired=True"):
        kept[0] + kept[1]
    pairs = db.Collection(kept, paired=True)
    assert torch.equal(pairs[7][0], kept[1][1][0])
    # of a generated and a stored member the generated one gets a new seed, in any order
    for order in ([0, 1], [1, 0]):
        members: list[RowDataset] = [kept[0], db.Catalogue("circle", size=6, image_size=4, seed=3)]
        both = db.Collection([members[each] for each in order])
        assert [member.seed == 3 for member in both.members] == [each == 0 for each in order]


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("limit", [None, 4])
def test_a_stored_collection_has_the_same_rows(
    limit: int | None, paired: bool, tmp_path: Path
) -> None:
    members = [db.Catalogue(name, size=6, image_size=4, limit=limit) for name in ("star", "circle")]
    both = db.Collection(members, paired=paired)
    again = db.Collection.open(db.materialize(both, tmp_path / "c", progress=False))
    assert again.paired is paired
    assert len(again) == len(both) == 2 * (limit or 6)
    for (image, label), (other, truth) in zip(both, again, strict=True):
        assert torch.equal(image, other)
        assert label == truth


def test_a_collection_written_before_pairing_was_recorded_opens(tmp_path: Path) -> None:
    members = [db.Catalogue(name, size=6, image_size=4) for name in ("star", "circle")]
    path = db.materialize(db.Collection(members, paired=True), tmp_path / "c", progress=False)
    listed = (path / "collection.yaml").read_text().replace("paired: true\n", "")
    (path / "collection.yaml").write_text(listed)
    again = db.Collection.open(path)
    assert torch.equal(again[8][0], members[1][2][0])


@pytest.mark.moves_generators  # the first import of Lightning does
@pytest.mark.parametrize("paired", [False, True])
def test_a_data_module_has_the_rows_of_its_collection(paired: bool) -> None:
    members = [db.Catalogue(name, size=20, image_size=4) for name in ("star", "circle")]
    both = db.Collection(members, paired=paired)
    batches = db.CatalogueDataModule(both, batch_size=4).test_dataloader()
    expected = [both[place][0] for place in (*range(16, 20), *range(36, 40))]
    assert torch.equal(torch.cat([images for images, _ in batches]), torch.stack(expected))
