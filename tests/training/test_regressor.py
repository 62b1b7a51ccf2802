"""Regressor: losses with missing columns, scores, checks and decoded parameters."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import r2_score
from torch.utils.data import DataLoader, TensorDataset

import deepbench_torch as db
from deepbench_torch.training.determination import Determination
from tests.training.fitting import TRAINING_MARKS, module, trainer

pytestmark = TRAINING_MARKS
ADAM = functools.partial(torch.optim.Adam, lr=0.01)


def regressor(recipe: Any = "astro", **options: Any) -> db.Regressor:
    return db.Regressor("small", recipe=recipe, **options)


def test_the_score_is_that_of_scikit_learn() -> None:
    """Oracle: `sklearn.metrics.r2_score` of each column's known rows."""
    generator = np.random.default_rng(0)
    true = generator.normal(size=(60, 4)) * [1, 10, 0.1, 1]
    found = true + generator.normal(size=true.shape) * [0.5, 20, 0.01, 1]
    true[::3, 1] = true[:, 3] = np.nan
    metric = Determination(4)
    for rows in (slice(0, 7), slice(7, 40), slice(40, 60)):
        metric.update(torch.tensor(found[rows]), torch.tensor(true[rows]))
    known = np.isfinite(true)
    columns = [r2_score(true[known[:, k], k], found[known[:, k], k]) for k in range(3)]
    assert float(metric.compute()) == pytest.approx(np.mean(columns), abs=1e-6)
    constant = Determination(2)
    constant.update(torch.ones(3, 2), torch.ones(3, 2))
    assert np.isnan(float(constant.compute()))


@pytest.mark.parametrize("deviation", [False, True])
def test_missing_columns_add_nothing(deviation: bool) -> None:
    model = regressor(deviation=deviation).eval()
    sample = db.generate("astro", 0, torch.arange(12))
    target = sample.recipe.vector.encode(sample)
    assert target.isnan().any()
    outputs = model(sample.image)
    known = torch.isfinite(target)
    values = outputs[:, : len(model.vector)]
    if deviation:
        spread = model.predict_step(sample.image, 0)[:, len(model.vector) :]
        likelihood = norm.logpdf(target[known], values[known].detach(), spread[known].detach())
        expected = torch.tensor(-np.mean(likelihood) - 0.5 * np.log(2 * np.pi)).float()
    else:
        expected = (values - target)[known].square().mean()
    torch.testing.assert_close(model.loss(outputs, target), expected)
    assert model.loss(outputs, torch.full_like(target, torch.nan)).item() == 0.0


def test_it_learns_to_measure(tmp_path: Path) -> None:
    """Positions are read off an image after a minute of training; the score is that of the test."""
    names = ["galaxy/x", "galaxy/y"]
    data = db.CatalogueDataModule("galaxy", size=1000, target=names, image_size=28)
    model = db.Regressor("small", recipe=data.recipe, parameters=names, optimizer=ADAM)
    train = trainer(tmp_path, max_epochs=8, enable_checkpointing=False)
    train.fit(model, datamodule=data)
    score = train.test(model, datamodule=data, verbose=False)[0]["test/r2"]
    assert score > 0.7
    test = db.Catalogue("galaxy", size=1000, split="test", image_size=28, target="parameters")
    image = torch.stack([image for image, _ in test])
    true = np.array([float(each["galaxy"]["x"][0]) for _, each in test])
    found = model.eval().measure(image)["galaxy/x"].detach().numpy()
    assert r2_score(true, found) == pytest.approx(score, abs=0.1)


@pytest.mark.parametrize(
    "network", ["small", "squeezenet1_1", pytest.param("googlenet", marks=pytest.mark.slow)]
)
def test_a_checkpoint_restores_the_module(network: str, tmp_path: Path) -> None:
    data = module("sky", target="vector", size=20, batch_size=6)
    model = db.Regressor(network, recipe="sky", deviation=True, lr=1e-4)
    train = trainer(tmp_path, max_steps=1, limit_val_batches=1)
    train.fit(model, datamodule=data)
    file = tmp_path / "model.ckpt"
    train.save_checkpoint(file)
    again = db.Regressor.load_from_checkpoint(file)
    assert again.vector == model.vector
    image = torch.rand(2, 1, 64, 64)
    assert torch.equal(again.eval()(image), model.eval()(image))
    predictions = trainer(tmp_path).predict(again, DataLoader(TensorDataset(image), batch_size=2))
    assert predictions is not None
    assert torch.as_tensor(predictions[0]).shape == (2, 2 * len(model.vector))


WRONG = [
    ({"recipe": "nbody"}, "Regressor"),
    ({"recipe": "galaxi"}, "galaxy"),
    ({"parameters": ["galaxy/radios"]}, "did you mean 'galaxy/radius'"),
    ({"parameters": ["galaxy/x", "galaxy/x"]}, "expected each name once"),
    ({"freeze": "head"}, "Regressor.freeze: expected None or 'backbone'"),
    ({"optimizer": "adam"}, "Regressor.optimizer: expected None or a function"),
    ({"schedule": "step"}, "Regressor.schedule: expected None, 'constant' or a function"),
    ({"lr": 0}, "Regressor.lr: expected a positive number"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regressor(**options)


@pytest.mark.parametrize(
    ("recipe", "target", "message"),
    [
        ("astro", "label", "expected data with target='vector'"),
        ("sky", "vector", "expected the 30 columns of sky"),
        ("astro", ["vector", "label"], "expected data with target='vector'"),
    ],
)
def test_other_data_are_refused(recipe: str, target: Any, message: str, tmp_path: Path) -> None:
    data = module(recipe, target=target)
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path, max_epochs=1).fit(regressor("galaxy"), datamodule=data)


@pytest.mark.parametrize("target", [torch.zeros(4, 3), torch.zeros(4), "text", [1, 2]])
def test_other_batches_are_refused(target: Any) -> None:
    with pytest.raises(ValueError, match=r"expected batches \(image, vector\) of shape"):
        regressor().training_step((torch.zeros(4, 1, 28, 28), target), 0)
