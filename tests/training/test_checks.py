"""Errors of a classifier for arguments and data that would train or score silently wrong."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset

import deepbench_torch as db
from tests.training.fitting import TRAINING_MARKS, classifier, module, never, trainer

pytestmark = TRAINING_MARKS

ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"classes": "star"}, "got the text 'star'"),
    ({"classes": []}, "at least two, got"),
    ({"classes": ["star"]}, "at least two, got"),
    ({"classes": ["a", "b", "a"]}, "each once"),
    ({"classes": {"a"}}, "use a list such as data.classes"),
    ({"classes": {"a": 0, "b": 1}}, "use a list such as data.classes"),
    ({"classes": 3}, "use a list such as data.classes"),
    ({"classes": [0, 1]}, "use texts, such as data.classes"),
    ({"classes": [], "multilabel": True}, "at least one, got"),
    ({"multilabel": None}, "expected True or False, got None"),
    ({"multilabel": 1}, "expected True or False, got 1"),
    *(
        ({"lr": value}, "Classifier.lr: expected a positive number, got")
        for value in (-1, 0, 0.0, math.nan, math.inf, "0.1", "fast", None, True, [0.1])
    ),
    *(
        ({"weight_decay": value}, "Classifier.weight_decay: expected a number >= 0, got")
        for value in (-1e-9, math.nan, math.inf, "0.1", None, False)
    ),
    *(
        ({"image_size": value}, "Classifier.image_size: expected a number of pixels, or a pair")
        for value in (0, -1, "28", 1.5, (28,), (28, 0), True)
    ),
]


@pytest.mark.parametrize(("wrong", "message"), ARGUMENTS, ids=str)
def test_wrong_arguments_are_refused_when_made(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**wrong)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), torch.tensor(0.5)], ids=repr)
def test_numbers_of_any_type_are_rates(value: Any) -> None:
    model = classifier(lr=value, weight_decay=0)
    assert (model.lr, model.weight_decay) == (float(value), 0.0)
    assert type(model.hparams["lr"]) is float


class Foreign(Dataset[Any]):
    """Images of another package, with class names as in the datasets of torchvision."""

    def __init__(self, classes: list[str], labels: Any) -> None:
        self.classes, self.labels = classes, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Any:
        return torch.zeros(1, 28, 28), self.labels[index]


def pairs(label: torch.Tensor, image: torch.Tensor | None = None) -> TensorDataset:
    return TensorDataset(torch.zeros(len(label), 1, 28, 28) if image is None else image, label)


ASTRO: dict[str, Any] = {"size": 40}
SKY: dict[str, Any] = {"size": 40, "image_size": 28}
SEVERAL = "Classifier.multilabel: expected True for several labels an image of sky, got False; use"
ORDER = "expected the 3 classes of the data in their order"
DATA: list[tuple[str, Callable[[], Any], dict[str, Any], str]] = [
    ("several labels", lambda: db.Catalogue("sky", **SKY), {}, SEVERAL),
    ("part", lambda: Subset(db.Catalogue("sky", **SKY), range(16)), {}, SEVERAL),
    ("view", lambda: db.Catalogue("sky", **SKY)[4:20], {}, SEVERAL),
    ("parts", lambda: ConcatDataset([db.Catalogue("sky", **SKY)] * 2), {}, SEVERAL),
    (
        "collection",
        lambda: db.Collection([db.Catalogue("sky", **SKY)]),
        {},
        SEVERAL,
    ),
    (
        "one label",
        lambda: db.Catalogue("astro", **ASTRO),
        {"multilabel": True},
        "multilabel: expected False for one label an image of astro, got True; use Classifier",
    ),
    ("count", lambda: db.Catalogue("astro", **ASTRO), {"classes": ["star", "galaxy"]}, ORDER),
    (
        "order",
        lambda: db.Catalogue("astro", **ASTRO),
        {"classes": ["galaxy", "star", "spiral"]},
        ORDER,
    ),
    (
        "target",
        lambda: db.Catalogue("astro", target="index", **ASTRO),
        {},
        "expected data with target='label', got target='index'",
    ),
    (
        "targets",
        lambda: db.Catalogue("astro", target=["label", "index"], **ASTRO),
        {},
        "expected data with target='label'",
    ),
    (
        "series",
        lambda: db.Catalogue("pendulum", size=40),
        {},
        "expected a recipe of images, got pendulum",
    ),
    (
        "foreign order",
        lambda: Foreign(["galaxy", "spiral", "star"], [0] * 16),
        {},
        ORDER,
    ),
    ("foreign label", lambda: pairs(torch.arange(16)), {}, "expected labels from 0 to 2, got 0 to"),
    ("negative label", lambda: pairs(-torch.ones(16).long()), {}, "from 0 to 2, got -1 to -1"),
    ("foreign rule", lambda: pairs(torch.ones(16, 3)), {}, "expected labels .B,. of whole numbers"),
    ("columns", lambda: pairs(torch.zeros(16, 1).long()), {}, "expected labels .B,. of whole"),
    ("fractions", lambda: pairs(torch.zeros(16)), {}, "expected labels .B,. of whole numbers"),
    (
        "foreign count",
        lambda: pairs(torch.ones(16, 2)),
        {"multilabel": True},
        "expected labels .B, 3. of 0 and 1",
    ),
    (
        "beyond one",
        lambda: pairs(torch.full((16, 3), 7.0)),
        {"multilabel": True},
        "expected labels from 0 to 1, got 7 to 7",
    ),
    (
        "channels",
        lambda: pairs(torch.zeros(16).long(), torch.zeros(16, 2, 28, 28)),
        {},
        r"expected images as a tensor .B, 1, H, W. or .B, 3, H, W., got shape \(8, 2, 28, 28\)",
    ),
    (
        "images alone",
        lambda: TensorDataset(torch.zeros(16, 1, 28, 28)),
        {},
        r"expected batches \(image, label\)",
    ),
]


@pytest.mark.parametrize("entrance", ["fit", "validate", "test"])
@pytest.mark.parametrize(
    ("make", "options", "message"), [case[1:] for case in DATA], ids=[case[0] for case in DATA]
)
def test_data_of_other_labels_are_refused(
    make: Callable[[], Any], options: dict[str, Any], message: str, entrance: str, tmp_path: Path
) -> None:
    loader = DataLoader(make(), batch_size=8)
    run = trainer(tmp_path, max_epochs=1, limit_test_batches=2, limit_val_batches=2)
    with pytest.raises(ValueError, match=message):
        getattr(run, entrance)(classifier(**options), loader)


@pytest.mark.parametrize("entrance", ["fit", "validate", "test"])
def test_a_data_module_is_checked_before_the_first_batch(entrance: str, tmp_path: Path) -> None:
    data = module("sky")
    for split in ("train", "val", "test"):
        setattr(data, f"{split}_dataloader", never)
    with pytest.raises(ValueError, match=SEVERAL):
        getattr(trainer(tmp_path, max_epochs=1), entrance)(classifier(), datamodule=data)


def test_a_stream_of_other_labels_is_refused(tmp_path: Path) -> None:
    stream = db.CatalogueStream("sky", batch_size=8, size=40, image_size=28)
    with pytest.raises(ValueError, match=SEVERAL):
        trainer(tmp_path, max_epochs=1).fit(classifier(), db.StreamLoader(stream))


def several_as_class(label: torch.Tensor) -> int:
    return int(label.argmax())


ACCEPTED: list[tuple[str, Callable[[], Any], dict[str, Any]]] = [
    ("own names", lambda: db.Catalogue("astro", **ASTRO), {"classes": ["a", "b", "c"]}),
    (
        "own label",
        lambda: db.Catalogue("sky", target_transform=several_as_class, **SKY),
        {},
    ),
    (
        "domain",
        lambda: db.Collection(
            [db.Catalogue("star", **SKY), db.Catalogue("galaxy", **SKY)], target="domain"
        ),
        {"classes": ["star", "galaxy"]},
    ),
    ("small integers", lambda: pairs(torch.zeros(16, dtype=torch.uint8)), {}),
    ("shares", lambda: pairs(torch.tensor([[0.25, 0.75, 0.0]] * 16)), {}),
    ("yes or no", lambda: pairs(torch.ones(16, 3, dtype=torch.bool)), {"multilabel": True}),
    (
        "one yes or no",
        lambda: pairs(torch.ones(16, 1)),
        {"multilabel": True, "classes": ["star"]},
    ),
    ("colour", lambda: pairs(torch.zeros(16).long(), torch.zeros(16, 3, 28, 28)), {}),
    ("names of others", lambda: Foreign(["star", "galaxy", "spiral"], [2] * 16), {}),
]


@pytest.mark.parametrize(
    ("make", "options"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
def test_data_that_fit_are_trained_on(
    make: Callable[[], Any], options: dict[str, Any], tmp_path: Path
) -> None:
    model = classifier(**options)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    trainer(tmp_path, max_steps=2).fit(model, DataLoader(make(), batch_size=8))
    assert any(
        not torch.equal(weights, before[name]) for name, weights in model.state_dict().items()
    )


def test_prediction_requires_no_labels(tmp_path: Path) -> None:
    """Oracle: the network on all images in one batch."""
    model, images = classifier(), torch.rand(12, 1, 28, 28)
    expected = model.eval().probability(images)
    for data in (images, TensorDataset(images), pairs(torch.zeros(12), images)):
        loader: Any = DataLoader(data, batch_size=5)  # type: ignore[arg-type]
        found = torch.cat(trainer(tmp_path).predict(model, loader))  # type: ignore[arg-type]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)  # order of sums
