"""Collections: several catalogues as one dataset."""

import pickle
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.storage import describe


def small(name: str, *, size: int = 20, seed: int = 0, **options: Any) -> db.Catalogue:
    """Return a catalogue of tiny images."""
    return db.Catalogue(name, size=size, seed=seed, image_size=(6, 8), **options)


def stored(path: Path, catalogue: db.Catalogue, **options: Any) -> db.StoredCatalogue:
    return db.StoredCatalogue(db.materialize(catalogue, path, progress=False), **options)


def domains(collection: db.Collection) -> list[int]:
    return [target for _, target in collection]


def test_members_follow_each_other() -> None:
    astro, sky = small("astro", target="index"), small("sky", size=7, seed=1, target="index")
    both = db.Collection([astro, sky], target=["index", "domain"])
    assert both.domains == ["astro", "sky"]
    assert len(both) == 27
    for index, (image, target) in enumerate(both):
        member, row = (astro, index) if index < 20 else (sky, index - 20)
        assert target == {"index": row, "domain": int(index >= 20)}
        assert torch.equal(image, member[row][0])
    assert both[-1][1] == both[26][1]


def test_stored_members_have_the_same_rows(tmp_path: Path) -> None:
    fresh = [small("astro", size=9), small("geometric", size=8, seed=3)]
    kept = [stored(tmp_path / f"{number}.h5", member) for number, member in enumerate(fresh)]
    left, right = db.Collection(fresh, target="domain"), db.Collection(kept, target="domain")
    for (image, domain), (other, same) in zip(left, right, strict=True):
        assert torch.equal(image, other)
        assert domain == same


def test_labels_are_united() -> None:
    classes = db.Collection([small("astro"), small("star", seed=1), small("circle", seed=2)])
    assert classes.classes == ["star", "galaxy", "spiral", "circle"]
    assert [label for _, label in classes][:20] == [label for _, label in small("astro")]
    assert [label for _, label in classes][20:] == [0] * 20 + [3] * 20
    mixed = db.Collection([small("geometric"), small("star")])
    assert mixed.classes == [*db.load_recipe("geometric").classes, "star"]
    for index, (_, label) in enumerate(mixed):
        assert label.shape == (7,)
        expected = torch.zeros(7)
        if index < 20:
            expected[:6] = small("geometric")[index][1]
        else:
            expected[6] = 1.0
        assert torch.equal(label, expected)


def test_detection_labels_are_united() -> None:
    both = db.Collection([small("star"), small("lensing", seed=1)], target=["labels", "label"])
    assert both.classes == ["star", "arc"]
    for _, target in both:
        assert target["labels"].dtype == torch.int64
        seen = {int(kind) - 1 for kind in target["labels"]}
        assert seen <= set(target["label"].nonzero()[:, 0].tolist())


def test_names_are_unique() -> None:
    day, night = small("sky"), small("sky", seed=1)
    assert db.Collection([day, night, small("sky", seed=2)]).domains == ["sky", "sky-2", "sky-3"]
    named = db.Collection({"day": day, "night": night}, target="domain")
    assert named.domains == ["day", "night"]
    assert domains(named) == [0] * 20 + [1] * 20


@pytest.mark.parametrize("weights", [[1, 1], [3, 1], [0.2, 0.7], [1, 10]])
def test_weights_hold_for_every_beginning(weights: list[float]) -> None:
    members = [small("star", size=40), small("circle", size=40)]
    mixed = db.Collection(members, weights=weights, target="domain")
    order = domains(mixed)
    for count in range(1, len(order) + 1):
        for member, weight in enumerate(weights):
            due = count * weight / sum(weights)
            assert abs(order[:count].count(member) - due) <= 1
    # as many rows as the members allow; a smaller collection is its beginning
    assert max(Counter(order).values()) == 40
    shorter = db.Collection(members, weights=weights, size=10, target="domain")
    assert domains(shorter) == order[:10]


@pytest.mark.parametrize("weights", [[1, 1], [3, 1], [2, 7], [1, 10]])
def test_weighted_rows_are_in_the_order_of_their_times(weights: list[int]) -> None:
    """Oracle: times (j + 1/2) / w of row j of weight w, in exact fractions, until one is absent."""
    members = [small("star", size=20), small("circle", size=12)]
    due = sorted(
        (Fraction(2 * row + 1, 2 * weight), member, row)
        for member, weight in enumerate(weights)
        for row in range(200)
    )
    end = min(time for time, member, row in due if row == len(members[member]))
    mixed = db.Collection(members, weights=weights, target=["domain", "index"])
    got = [(target["domain"], target["index"]) for _, target in mixed]
    assert got == [(member, row) for time, member, row in due if time < end]


def test_rows_of_a_weighted_member_are_in_order_once() -> None:
    members = [small("star", size=30), small("circle", size=10)]
    mixed = db.Collection(members, weights=[2, 1], target=["index", "domain"])
    for domain in (0, 1):
        rows = [target["index"] for _, target in mixed if target["domain"] == domain]
        assert rows == list(range(len(rows)))


def test_sizes_select_the_first_rows() -> None:
    members = [small("star"), small("circle")]
    few = db.Collection(members, sizes=[3, 2], target=["index", "domain"])
    assert [(t["domain"], t["index"]) for _, t in few] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    mixed = db.Collection(members, sizes=[3, 2], weights=[1, 1], target="domain")
    assert domains(mixed) == [0, 1, 0, 1]


@pytest.mark.parametrize("weights", [None, [2, 1]])
def test_splits_consist_of_the_splits_of_the_members(weights: list[float] | None) -> None:
    members = [small("star", size=20), small("circle", size=10)]
    options: dict[str, Any] = {"weights": weights, "target": ["index", "domain"]}
    parts = {
        split: [
            (t["domain"], t["index"]) for _, t in db.Collection(members, split=split, **options)
        ]
        for split in ("train", "val", "test")
    }
    everything = [(t["domain"], t["index"]) for _, t in db.Collection(members, **options)]
    assert sorted(row for part in parts.values() for row in part) == sorted(everything)
    assert {split: len(part) for split, part in parts.items()} == {
        "train": 18,
        "val": 6,
        "test": 6,
    }
    assert sorted(parts["val"]) == [(0, 12), (0, 13), (0, 14), (0, 15), (1, 6), (1, 7)]
    split_members = [small("star", size=20, split="val"), small("circle", size=10, split="val")]
    assert [(t["domain"], t["index"]) for _, t in db.Collection(split_members, **options)] == parts[
        "val"
    ]


def test_batches_equal_singles_in_any_order() -> None:
    both = db.Collection([small("astro"), small("sky")], target=["label", "domain", "index"])
    indices = [39, 3, 3, 20, 0, -1]
    for index, (image, target) in zip(indices, both.__getitems__(indices), strict=True):
        alone, truth = both[index]
        assert torch.equal(image, alone)
        assert target["index"] == truth["index"]
        assert torch.equal(target["label"], truth["label"])


def test_transforms_are_applied() -> None:
    members = [small("astro"), small("star", seed=1)]
    doubled = db.Collection(members, transform=lambda image: 2 * image, target_transform=str)
    assert torch.equal(doubled[0][0], 2 * small("astro")[0][0])
    assert doubled[25][1] == "0"
    paired = db.Collection(members, transforms=lambda image, target: (target, image))
    assert torch.equal(paired[21][1], small("star", seed=1)[1][0])


@pytest.mark.moves_generators
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_reads_a_pickled_collection(workers: int, tmp_path: Path) -> None:
    kept = stored(tmp_path / "a.h5", small("astro", size=12))
    both = pickle.loads(  # noqa: S301
        pickle.dumps(db.Collection([kept, small("star", size=8)], weights=[2, 1]))
    )
    loader = DataLoader(both, batch_size=5, num_workers=workers, multiprocessing_context=None)
    images = torch.cat([image for image, _ in loader])
    assert torch.equal(images, torch.stack([image for image, _ in both]))


def test_members_are_rendered_at_the_requested_size(tmp_path: Path) -> None:
    astro = db.Catalogue("astro", size=8)
    kept = stored(tmp_path / "a.h5", db.Catalogue("sky", size=8), split="train")
    with pytest.raises(ValueError, match="28 x 28 pixels in astro and 64 x 64 pixels in sky; "):
        db.Collection([astro, kept])
    both = db.Collection([astro, kept], image_size=28, target="index", paired=True)
    expected = db.generate("sky", 0, torch.arange(4), image_size=28).image
    assert torch.equal(torch.stack([both[8 + row][0] for row in range(4)]), expected)
    assert len(both) == 12


def test_time_series() -> None:
    names = db.list_recipes("series")
    if not names:
        pytest.skip("no recipe of time series is packaged")
    short = [db.load_recipe(name).replace(time={"steps": 4}) for name in (names[0], names[0])]
    members = [db.Catalogue(recipe, size=3, seed=n) for n, recipe in enumerate(short)]
    both = db.Collection(members)
    assert torch.equal(both[4][1], members[1][1][1])
    with pytest.raises(ValueError, match=r"series in .* and image in star; make a"):
        db.Collection([members[0], small("star")])


def test_labels_of_time_series_are_nan_for_absent_parameters() -> None:
    free = db.load_recipe("pendulum").replace(time={"steps": 4})
    held = free.replace(parameters={"length": 1.0})
    both = db.Collection([db.Catalogue(held, size=2), db.Catalogue(free, size=2)], paired=True)
    assert set(both.classes) == set(free.classes)
    assert both.classes[-1] == "length"  # only the second has it
    assert both[0][1].isnan().tolist() == [name == "length" for name in both.classes]
    label = dict(zip(free.classes, db.Catalogue(free, size=2)[1][1].tolist(), strict=True))
    assert both[3][1].tolist() == [label[name] for name in both.classes]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": [3, 1]},
        {"weights": [1, 1], "size": 9, "sizes": [8, 9]},
        {"sizes": [4, 3]},
        {"split": "val"},
        {"image_size": 5},
    ],
)
def test_a_collection_is_one_folder(options: dict[str, Any], tmp_path: Path) -> None:
    kept = stored(tmp_path / "a.h5", small("star", size=10, seed=2))
    made = db.Collection({"day": small("sky", size=15), "night": kept}, **options)
    path = db.materialize(made, tmp_path / "out" / "both", progress=False)
    assert path == tmp_path / "out" / "both"
    assert {file.name for file in path.iterdir()} == {"0-sky.h5", "1-star.h5", "collection.yaml"}
    assert [file.name for file in path.parent.iterdir()] == ["both"]
    again = db.Collection.open(path, target=["label", "domain", "index"])
    fresh = db.Collection(
        {"day": small("sky", size=15), "night": kept},
        target=["label", "domain", "index"],
        **options,
    )
    assert again.domains == ["day", "night"]
    assert again.classes == made.classes
    assert len(again) == len(made)
    for (image, target), (other, truth) in zip(again, fresh, strict=True):
        assert torch.equal(image, other)
        assert torch.equal(target.pop("label"), truth.pop("label"))
        assert target == truth


def test_every_member_is_compressed_on_request(tmp_path: Path) -> None:
    made = db.Collection([small("star", size=5), small("circle", size=5)])
    path = db.materialize(made, tmp_path / "both", compression="gzip", progress=False)
    for file in ("0-star.h5", "1-circle.h5"):
        assert describe(path / file).options["compression"] == "gzip"


def test_a_stored_collection_has_splits(tmp_path: Path) -> None:
    members = [small("star", size=10), small("circle", size=10)]
    path = db.materialize(db.Collection(members), tmp_path / "all", progress=False)
    assert domains(db.Collection.open(path, split="test", target="domain")) == [0, 0, 1, 1]
    part = db.materialize(db.Collection(members, split="val"), tmp_path / "val", progress=False)
    assert len(db.Collection.open(part)) == 4
    with pytest.raises(
        ValueError, match=r"expected 'val', the only split in .*, got 'train'; write"
    ):
        db.Collection.open(part, split="train")
    splits = [small("star", size=10, split="test"), small("circle", size=10, split="test")]
    part = db.materialize(db.Collection(splits), tmp_path / "test", progress=False)
    assert [target for _, target in db.Collection.open(part, target="index")] == [8, 9, 8, 9]


def test_replacing_a_collection_keeps_files_of_others(tmp_path: Path) -> None:
    one, other = db.Collection([small("star", size=6)]), db.Collection([small("circle", size=7)])
    path = db.materialize(one, tmp_path / "c", progress=False)
    with pytest.raises(FileExistsError, match="exists; replace it with overwrite=True"):
        db.materialize(other, path, progress=False)
    db.materialize(other, path, progress=False, overwrite=True)
    assert db.Collection.open(path).domains == ["circle"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"holds no catalogue but 'thesis\.tex'"):
        db.materialize(one, tmp_path / "mine", progress=False, overwrite=True)
    for ending in ("h5", "hdf5", "H5"):
        with pytest.raises(ValueError, match="expected the name of a folder for a collection"):
            db.materialize(one, tmp_path / f"c.{ending}", progress=False)
    with pytest.raises(ValueError, match="a collection is written as 'h5', got 'npy'"):
        db.materialize(one, tmp_path / "d", format="npy", progress=False)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c", "mine"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("members: 3", "lists no members"),
        ("version: 9\nmembers: {a: b.h5}", "is of version 9, this package reads version 1"),
        ("version: 1\nmembers: {a: b.h5}", "there is no catalogue"),
        ("version: 1\nmembers: {a: ../../b.h5}", "names of its own files"),
    ],
)
def test_a_damaged_collection_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no collection"):
        db.Collection.open(tmp_path)
    (tmp_path / "collection.yaml").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        db.Collection.open(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"weights": [1]},
            r"weights: expected a number for each of star, circle, got \[1\]",
        ),
        ({"weights": [1, 0]}, r"got \[1.0, 0.0\]; omit members of weight 0"),
        ({"weights": [1, float("inf")]}, "weights: expected a positive number"),
        ({"sizes": [1]}, r"sizes: expected a number for each of star, circle, got \[1\]"),
        ({"sizes": [21, 1]}, "expected 1 to 20, the rows of star, got 21; use a larger cata"),
        ({"sizes": [0, 1]}, "got 0"),
        ({"size": 5}, "size: expected weights beside it, got size=5 alone; use sizes"),
        ({"weights": [1, 1], "size": 60}, "expected 1 to 20 rows of star, got 30 for size=60"),
        ({"weights": [1, 1], "size": 0}, "size: expected a positive whole number of rows, got 0"),
        ({"split": "dev"}, "split: expected None, 'train', 'val' or 'test', got 'dev'"),
        ({"target": "colour"}, "target: expected a target of images, got 'colour'; use"),
        ({"target": []}, r"target: expected a target of images, got \[\]"),
        ({"image_size": 0}, "image_size must be"),
        ({"transform": str, "transforms": print}, "got both; use either transforms or"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.Collection([small("star"), small("circle")], **options)


def test_wrong_members_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one catalogue, got none; pass"):
        db.Collection([])
    with pytest.raises(TypeError, match="expected Catalogues and StoredCatalogues, got list; make"):
        db.Collection([[1, 2]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="without transforms, got star with one; pass the tra"):
        db.Collection([small("star", transform=str)])
    with pytest.raises(ValueError, match="split='test', got star with split 'val'; omit one"):
        db.Collection([small("star", split="val")], split="test")
    with pytest.raises(ValueError, match="'label' in star and 'index' in circle; pass target"):
        db.Collection([small("star"), small("circle", target="index")])
    both = db.Collection([small("star")])
    with pytest.raises(IndexError, match="expected -20 to 19 for 20 rows, got"):
        both[20]
    with pytest.raises(TypeError, match="expected an index, a slice or a list of indices, got 'a'"):
        both["a"]  # type: ignore[index]
