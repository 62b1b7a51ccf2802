"""Classifiers of one's own network, with trained weights, a frozen backbone, any optimiser."""

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import BackboneFinetuning, Callback
from torch import nn

import deepbench_torch as db
from tests.training.fitting import TRAINING_MARKS, classifier, module, trainer

pytestmark = TRAINING_MARKS
CLASSES = ["star", "galaxy", "spiral"]


def own_network(outputs: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, outputs),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["small", "resnet18", "squeezenet1_1", "mobilenet_v3_small"])
def test_backbone_and_head_are_the_network(name: str) -> None:
    """Oracle: the head, as torch computes it, of the features."""
    model = classifier(architecture=name).eval()
    image = torch.rand(2, 1, 64, 64)
    features = model.backbone(image.expand(-1, model.channels or 1, -1, -1))
    assert features.dim() == 2
    if isinstance(model.head, nn.Linear):
        torch.testing.assert_close(model.head(features), model(image), rtol=1e-4, atol=1e-4)
    ids = {id(weight) for weight in model.backbone.parameters()}
    ids |= {id(weight) for weight in model.head.parameters()}
    assert ids == {id(weight) for weight in model.parameters()}


def test_a_frozen_backbone_keeps_its_weights_and_statistics(tmp_path: Path) -> None:
    model = classifier(architecture="small", freeze="backbone")
    before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
    head = model.head.state_dict()["weight"].clone()
    trainer(tmp_path, max_steps=3, limit_val_batches=1).fit(model, datamodule=module())
    assert all(torch.equal(model.backbone.state_dict()[k], v) for k, v in before.items())
    assert not torch.equal(model.head.state_dict()["weight"], head)


def test_lightning_unfreezes_the_backbone(tmp_path: Path) -> None:
    model = classifier(architecture="small")
    before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
    kept = []

    class Watch(BackboneFinetuning):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            now = model.backbone.state_dict()
            kept.append(torch.equal(now["stages.3.0.weight"], before["stages.3.0.weight"]))

    # statistics of BatchNorm in the first epoch, all weights in the second
    callback = Watch(unfreeze_backbone_at_epoch=1, train_bn=False, backbone_initial_lr=0.01)
    train = trainer(tmp_path, max_epochs=2, limit_val_batches=0, callbacks=[callback])
    train.fit(model, datamodule=module())
    assert kept == [True, False]


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    network = own_network(outputs=7)
    model = db.Classifier(network, classes=CLASSES, multilabel=False, lr=0.1)
    assert model.head.out_features == 3
    assert model.model is network
    train = trainer(tmp_path, max_steps=2, limit_val_batches=1)
    train.fit(model, datamodule=module())
    file = tmp_path / "own.ckpt"
    train.save_checkpoint(file)
    again = db.Classifier.load_from_checkpoint(file, network=own_network())
    image = torch.rand(2, 1, 28, 28)
    assert torch.equal(again.eval()(image), model.eval()(image))
    with pytest.raises(ValueError, match=r"as a tensor \(B, 1, H, W\), got shape \(2, 3, 8, 8\)"):
        model(torch.zeros(2, 3, 8, 8))


def test_features_get_a_new_head() -> None:
    model = db.Classifier(db.get_model("resnet18"), classes=CLASSES, multilabel=False)
    assert model.head.in_features == 512
    assert model(torch.rand(2, 1, 28, 28)).shape == (2, 3)


def test_weights_of_another_task_start_a_classifier(tmp_path: Path) -> None:
    first = classifier(architecture="resnet18")
    file = tmp_path / "first.pt"
    torch.save(first.state_dict(), file)
    model = db.Classifier("resnet18", classes=["a", "b"], multilabel=False, weights=file)
    same = model.backbone.state_dict()
    assert all(torch.equal(same[key], value) for key, value in first.backbone.state_dict().items())
    assert model.head.out_features == 2
    assert "weights" not in model.hparams


def test_checkpoints_of_the_earlier_argument_load(tmp_path: Path) -> None:
    model = classifier(architecture="small")
    train = trainer(tmp_path, max_steps=1, limit_val_batches=0)
    train.fit(model, datamodule=module())
    file = tmp_path / "old.ckpt"
    train.save_checkpoint(file)
    state = torch.load(file, weights_only=True)
    state["hyper_parameters"]["architecture"] = state["hyper_parameters"].pop("network")
    torch.save(state, file)
    again = db.Classifier.load_from_checkpoint(file)
    assert again.architecture == "small"
    assert again.hparams["network"] == "small"


SCHEDULES = [
    ("constant", [0.5, 0.5, 0.5]),
    (functools.partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5), [0.5, 0.25, 0.125]),
]


@pytest.mark.parametrize(("schedule", "expected"), SCHEDULES)
def test_any_optimiser_and_schedule(schedule: Any, expected: list[float], tmp_path: Path) -> None:
    optimizer = functools.partial(torch.optim.AdamW, lr=0.5, weight_decay=0.25)
    model = classifier(architecture="small", optimizer=optimizer, schedule=schedule)
    rates = []

    class Watch(Callback):
        def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    train = trainer(tmp_path, max_epochs=3, limit_val_batches=0, callbacks=[Watch()])
    train.fit(model, datamodule=module())
    assert isinstance(train.optimizers[0], torch.optim.AdamW)
    assert train.optimizers[0].param_groups[0]["weight_decay"] == 0.25
    assert rates == pytest.approx(expected)


def test_a_network_without_a_linear_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a network whose last layer is a Linear"):
        db.Classifier(nn.Flatten(), classes=CLASSES, multilabel=False)
    with pytest.raises(ValueError, match="expected the name of a network or a"):
        db.Classifier(3, classes=CLASSES, multilabel=False)  # type: ignore[arg-type]


def test_grey_and_colour_channels() -> None:
    model = db.Classifier("resnet18", classes=CLASSES, multilabel=False).eval()
    grey = torch.rand(2, 1, 28, 28)
    assert torch.equal(model(grey), model(grey.expand(-1, 3, -1, -1)))
    colour = db.get_model("small", outputs=2, in_channels=3)
    assert colour(torch.rand(2, 3, 9, 9)).shape == (2, 2)
