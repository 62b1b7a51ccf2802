"""Streams of a collection: interleaved members, each row once."""

from collections import Counter
from itertools import islice
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db

pytestmark = pytest.mark.moves_generators  # a DataLoader samples the seeds of its workers
START = 2**62


def collection(**options: Any) -> db.Collection:
    members = [db.Catalogue(name, size=20, image_size=4) for name in ("star", "circle")]
    return db.Collection(members, **options)


def test_rows_are_those_of_the_members() -> None:
    """Oracle: generate() of the member's recipe and seed at the row's own number."""
    source = collection(weights=[2, 1], target=["label", "domain", "index"])
    made = db.CatalogueStream(source, size=12)
    rows = list(made)
    assert [target["index"] for _, target in rows] == list(range(START, START + 12))
    for image, target in rows:
        member = source.members[target["domain"]]
        index = torch.tensor([target["index"]])
        expected = db.generate(member.recipe, member.seed, index)
        assert torch.equal(image, expected.image[0])
        assert target["label"] == target["domain"]  # one class each
    assert made.classes == ["star", "circle"]


@pytest.mark.parametrize(
    ("options", "share"), [({}, 1 / 2), ({"weights": [3, 1]}, 3 / 4), ({"sizes": [5, 15]}, 1 / 4)]
)
def test_members_are_interleaved_by_weight_or_size(options: Any, share: float) -> None:
    made = db.CatalogueStream(collection(target="domain", **options), batch_size=50)
    count = Counter(target for _, batch in islice(made, 4) for target in batch.tolist())
    assert abs(count[0] / 200 - share) < 0.02


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_resuming_change_nothing(workers: int) -> None:
    def loader() -> db.StreamLoader:
        stream = db.CatalogueStream(collection(target="index"), batch_size=4, size=16)
        return db.StreamLoader(stream, num_workers=workers)

    first = loader()
    seen = [batch[1].tolist() for batch in islice(first, 2)]
    second = loader()
    second.load_state_dict(first.state_dict())
    seen += [batch[1].tolist() for batch in second]
    assert [row for rows in seen for row in rows] == list(range(START, START + 16))
    other = db.CatalogueStream(collection(weights=[3, 1]), batch_size=4, size=16)
    with pytest.raises(ValueError, match="expected the state of a stream with recipe"):
        other.load_state_dict(first.state_dict())


def test_targets_and_transforms_are_those_of_the_collection_or_new() -> None:
    source = collection(target=["boxes", "labels"], transform=lambda image: image + 1)
    images, targets = next(iter(db.CatalogueStream(source, batch_size=6)))
    assert isinstance(images, list)
    assert set(targets[0]) == {"boxes", "labels"}
    plain = next(iter(db.CatalogueStream(collection(), size=1)))[0]
    assert torch.equal(images[0], plain + 1)
    double = db.CatalogueStream(source, target="label", transform=lambda image: image * 2, size=1)
    assert torch.equal(next(iter(double))[0], plain * 2)
    batch = next(iter(DataLoader(db.CatalogueStream(collection(), size=8), batch_size=8)))
    assert batch[1].dtype == torch.int64


def test_arguments_that_a_collection_has_are_refused() -> None:
    for options in ({"seed": 1}, {"image_size": 8}):
        with pytest.raises(ValueError, match="expected seed=None and image_size=None for a Colle"):
            db.CatalogueStream(collection(), **options)  # type: ignore[arg-type]
    whole = db.Catalogue("star", size=5)
    for data in (whole, whole[:3]):
        with pytest.raises(TypeError, match=r"expected a recipe or a Collection, got a .*; pass"):
            db.CatalogueStream(data)  # type: ignore[arg-type]


def test_a_start_within_a_split_warns() -> None:
    test = db.Catalogue("star", size=20, split="test", image_size=4)
    with pytest.warns(UserWarning, match="omit start"):
        db.CatalogueStream(collection(), start=0)
    assert len(test) == 4
