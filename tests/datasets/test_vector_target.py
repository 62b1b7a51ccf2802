"""The target "vector", and single parameters of it, from every dataset."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset

import deepbench_torch as db
from deepbench_torch.datasets import PairDataset
from deepbench_torch.storage.formats.table import FORMATS
from tests.datasets.kinds import Maker, each_dataset

SIZE: Any = {"image_size": (8, 11)}
NAMES = ["galaxy/radius", "galaxy/theta"]


def same(first: Any, second: Any) -> bool:
    return torch.equal(torch.as_tensor(first).nan_to_num(9), torch.as_tensor(second).nan_to_num(9))


def rows(count: int = 20, **options: Any) -> db.Catalogue:
    return db.Catalogue("sky", size=count, seed=4, **SIZE | options)


def expected(names: Any = None, count: int = 20) -> Tensor:
    """Return the vectors of the first rows of `rows`, of generate() itself."""
    sample = db.generate("sky", 4, torch.arange(count), image_size=(8, 11))
    vector = sample.recipe.vector if names is None else sample.recipe.vector.select(names)
    columns = vector.encode(sample)
    assert isinstance(columns, Tensor)
    return columns


@pytest.mark.parametrize("name", db.list_recipes())
def test_every_recipe_has_the_target(name: str) -> None:
    options: Any = {} if db.load_recipe(name).content == "series" else SIZE
    data = db.Catalogue(name, size=3, target="vector", **options)
    sample = data.samples([0, 1, 2])
    vectors = [target for _, target in data]
    assert all(vector.dtype == torch.float32 for vector in vectors)
    assert same(torch.stack(vectors), data.recipe.vector.encode(sample))
    first = data.recipe.vector.parameters[0]
    single = db.Catalogue(name, size=3, target=first, **options)
    assert same(single[1][1], data.recipe.vector.select(first).encode(sample)[1])


def test_targets_of_one_name_are_columns() -> None:
    """One column for a number, cosine and sine of an angle: as an output of a network is."""
    assert rows(target="galaxy/radius")[0][1].shape == (1,)
    assert rows(target="galaxy/theta")[0][1].shape == (2,)
    assert rows(target="vector")[0][1].shape == (30,)
    for name in NAMES:
        found = torch.stack([target for _, target in rows(target=name)])
        assert same(found, expected(name))


@pytest.mark.moves_generators  # a DataLoader samples the seeds of its workers
def test_several_names_return_a_dict_and_batches_stack_it() -> None:
    names = ["label", "vector", *NAMES]
    data = rows(target=names)
    for _, target in data:
        assert list(target) == names
    batch = next(iter(DataLoader(data, batch_size=20)))[1]
    assert [tuple(batch[name].shape) for name in names] == [(20, 3), (20, 30), (20, 1), (20, 2)]
    assert same(batch["vector"], expected())
    assert same(batch["galaxy/theta"], expected("galaxy/theta"))


@each_dataset
@pytest.mark.parametrize("target", ["vector", ["index", "vector"]], ids=str)
def test_every_dataset_has_the_target(make: Maker, target: Any, tmp_path: Path) -> None:
    if make.__name__ == "collection":
        with pytest.raises(ValueError, match=r"one vector for target 'vector'.*star and sky"):
            make(tmp_path, target=target)
        return
    data = make(tmp_path, target=target)
    sample: Any = data.samples([0, 1, 2])
    for place in range(3):
        found = data[place][1]
        found = found if isinstance(target, str) else found["vector"]
        assert same(found, sample.recipe.vector.encode(sample)[place])


@pytest.mark.parametrize("form", FORMATS)
def test_stored_vectors_are_those_of_the_catalogue(form: Any, tmp_path: Path) -> None:
    path = db.materialize(rows(), tmp_path / "sky", format=form, progress=False)
    for target in ("vector", "galaxy/theta", ["vector", "label"]):
        stored = db.StoredCatalogue(path, target=target)
        for (_, found), (_, wanted) in zip(stored, rows(target=target), strict=True):
            if isinstance(found, dict):
                found, wanted = found["vector"], wanted["vector"]
            assert same(found, wanted)


@pytest.mark.moves_generators
def test_splits_views_and_subsets_keep_their_rows() -> None:
    val = rows(target="vector", split="val")
    assert same(torch.stack([target for _, target in val]), expected()[12:16])
    view = rows(target="vector")[5:9]
    assert isinstance(view, PairDataset)
    assert same(torch.stack([target for _, target in view]), expected()[5:9])
    subset = Subset(rows(target="vector"), [3, 1])
    assert same(next(iter(DataLoader(subset, batch_size=2)))[1], expected()[[3, 1]])


@pytest.mark.moves_generators
@pytest.mark.parametrize("workers", [0, 2])
def test_streams_have_the_target(workers: int) -> None:
    options: Any = {"seed": 4, "start": 0, "size": 20, "batch_size": 8, **SIZE}
    stream = db.CatalogueStream("sky", target=["vector", "galaxy/theta", "index"], **options)
    seen = []
    for _, target in DataLoader(stream, batch_size=None, num_workers=workers):
        seen += target["index"].tolist()
        assert same(target["vector"], expected()[target["index"]])
        assert same(target["galaxy/theta"], expected("galaxy/theta")[target["index"]])
    assert sorted(seen) == list(range(20))
    plain = db.CatalogueStream("sky", target="vector", **options)
    assert same(torch.cat([target for _, target in plain]), expected())
    loaded = db.StreamLoader(plain, num_workers=workers)
    assert {len(target[0]) for _, target in loaded} == {30}


def test_members_of_one_vector_make_a_collection() -> None:
    """Two noise levels and two counts of the same priors have one vector."""
    sky = db.Catalogue("sky", size=20, **SIZE).recipe
    dim = sky.replace(name="dim", count=2, degrade={"poisson": {"exposure": 40}})
    members = [db.Catalogue(sky, size=6, seed=4), db.Catalogue(dim, size=6, seed=5)]
    both = db.Collection(members, target=["vector", "domain"])
    assert [target["domain"] for _, target in both] == [0] * 6 + [1] * 6
    assert same(torch.stack([target["vector"] for _, target in both])[:6], expected()[:6])
    single = db.Collection(members, target="star/gamma")
    assert single[11][1].shape == (1,)
    assert single.with_target("label")[0][1].shape == (3,)


@pytest.mark.parametrize("target", ["vector", "star/gamma", ["star/gamma", "label"]], ids=str)
def test_members_of_other_priors_are_refused(target: Any) -> None:
    members = [db.Catalogue(name, size=6, image_size=16) for name in ("sky", "lensing")]
    with pytest.raises(ValueError, match="expected members of one vector for target"):
        db.Collection(members, target=target)
    with pytest.raises(ValueError, match="expected members of one vector for target"):
        db.Collection(members).with_target(target)


def test_members_without_the_parameter_are_refused() -> None:
    members = [db.Catalogue(name, size=6, image_size=16) for name in ("sky", "lensing")]
    with pytest.raises(ValueError, match="parameter of lensing that varies, got 'galaxy/radius'"):
        db.Collection(members, target="galaxy/radius")


@pytest.mark.moves_generators
@pytest.mark.parametrize("fresh", [False, True])
def test_data_modules_have_the_target(fresh: bool) -> None:
    module = db.CatalogueDataModule(
        "sky", size=40, seed=4, batch_size=8, target=["vector", "index"], fresh=fresh, **SIZE
    )
    module.setup("fit")
    for loader in (module.train_dataloader(), module.val_dataloader()):
        _, target = next(iter(loader))
        sample = db.generate("sky", 4, target["index"], image_size=(8, 11))
        assert same(target["vector"], sample.recipe.vector.encode(sample))


def test_arrays_have_the_target() -> None:
    _, vectors = rows().arrays("vector")
    assert vectors.shape == (20, 30)
    assert same(vectors, expected())
    assert rows().arrays("galaxy/radius")[1].shape == (20, 1)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("galaxy/radios", "got 'galaxy/radios'; did you mean 'galaxy/radius'"),
        (["label", "stars/gamma"], "did you mean 'star/gamma'"),
        ("galaxy/theta:cos", "did you mean 'galaxy/theta'"),
        ("nothing/at/all", "got 'nothing/at/all'; use one of star/x"),
        ("vectors", "got 'vectors'; use one of label, parameters"),
    ],
    ids=str,
)
def test_unknown_names_are_refused(target: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows(target=target)
    with pytest.raises(ValueError, match=message):
        rows().with_target(target)


def test_recipes_in_which_nothing_varies_are_refused() -> None:
    prior = db.OBJECTS["star"].prior
    fixed = {name: float(prior[name].icdf(torch.tensor(0.5))) for name in prior}
    recipe = db.load_recipe("star").replace(objects={"star": fixed})
    with pytest.raises(ValueError, match='target "vector": expected a recipe with parameters that'):
        db.Catalogue(recipe, target="vector")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_rows_of_a_gpu_have_the_target() -> None:
    sample = db.generate("sky", 4, torch.arange(20), image_size=(8, 11), device="cuda")
    assert same(sample.recipe.vector.encode(sample), expected())
