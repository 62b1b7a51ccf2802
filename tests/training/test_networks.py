"""Networks of torchvision: auxiliary outputs, and valid image sizes."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from deepbench_torch.training import networks
from tests.training.fitting import TRAINING_MARKS, classifier, module, never, trainer

pytestmark = TRAINING_MARKS
NAMES = torchvision.models.list_models(module=torchvision.models)

# Smallest square images in training and in evaluation, measured on the CPU with real images
SMALLEST = {"alexnet": (63, 63), "squeezenet1_1": (17, 17), "resnet18": (1, 1)}


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_size_is_that_of_real_images(name: str) -> None:
    """Oracle: a run of the network on images with data."""
    network = networks.build(name, outputs=3)
    for training, side in zip((True, False), SMALLEST[name], strict=True):
        assert networks.smallest(network, training=training) == side
        network.train(training)
        with torch.no_grad():
            network(torch.zeros(2, 3, max(side, 2), max(side, 2)))
            if side > 1:
                with pytest.raises((RuntimeError, ValueError)):
                    network(torch.zeros(2, 3, side - 1, side - 1))


REFUSED = [
    ("alexnet", 28, "got 28 x 28 pixels; the smallest size that works is 63 x 63 pixels"),
    ("alexnet", (62, 64), "got 62 x 64 pixels; the smallest size that works is 63 x 63 pixels"),
    ("vit_b_16", 28, "works is 16 x 16 pixels, the next above the images 32 x 32 pixels"),
    ("vit_b_32", (32, 64), "works is 32 x 32 pixels, the next above the images 64 x 64 pixels"),
    ("inception_v3", 64, "got 64 x 64 pixels; the smallest size that works is"),
]


@pytest.mark.parametrize(("name", "size", "message"), REFUSED)
def test_a_size_that_does_not_work_is_refused_when_made(
    name: str, size: int | tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(architecture=name, image_size=size)


def test_a_size_that_does_not_work_is_refused_before_the_first_batch(tmp_path: Path) -> None:
    model, message = classifier(architecture="alexnet"), "the smallest size that works is 63 x 63"
    data = module()
    setattr(data, "train_dataloader", never)  # noqa: B010 - a method
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path, max_epochs=1).fit(model, datamodule=data)
    images = TensorDataset(torch.zeros(8, 1, 28, 28), torch.zeros(8).long())
    for entrance in ("fit", "validate", "test", "predict"):  # a transform may change the size
        with pytest.raises(ValueError, match=message):
            getattr(trainer(tmp_path, max_epochs=1), entrance)(
                model, DataLoader(images, batch_size=4)
            )


def test_networks_for_one_size_are_built_for_it(tmp_path: Path) -> None:
    data = module(image_size=32)
    with pytest.raises(ValueError, match=r"use Classifier\(image_size=32\)"):
        trainer(tmp_path, max_epochs=1).fit(classifier(architecture="vit_b_32"), datamodule=data)
    model = classifier(architecture="vit_b_32", image_size=32)
    trainer(tmp_path, max_steps=1, limit_val_batches=1).fit(model, datamodule=data)
    path = tmp_path / "vit.ckpt"
    model.trainer.save_checkpoint(path)
    again = type(model).load_from_checkpoint(path)
    image = torch.rand(2, 1, 32, 32)
    assert torch.equal(again.eval()(image), model.eval()(image))


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize(
    ("name", "size", "weight"), [("googlenet", 28, 0.3), ("inception_v3", 299, 0.4)]
)
def test_auxiliary_losses_are_added(name: str, size: int, weight: float) -> None:
    """Oracle: the weighted sum, computed from the outputs of the network."""
    model = classifier(architecture=name)
    for part in model.model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    image, label = torch.rand(2, 1, size, size), torch.tensor([2, 0])
    loss = model.training_step((image, label), 0)
    logits, *others = (out for out in model.model(image.expand(-1, 3, -1, -1)) if out is not None)
    assert len(others) == (2 if name == "googlenet" else 1)
    expected = model.loss(logits, label) + sum(weight * model.loss(out, label) for out in others)
    torch.testing.assert_close(loss, expected, rtol=1e-3, atol=1e-4)  # another memory layout
    torch.testing.assert_close(model(image), logits, rtol=1e-3, atol=1e-3)
    torch.autograd.backward(loss)
    auxiliary = {n: p for n, p in model.model.named_parameters() if n.lower().startswith("aux")}
    assert auxiliary
    assert all(weights.grad is not None for weights in auxiliary.values())


def test_batches_of_one_are_refused_where_batch_norm_cannot_train(tmp_path: Path) -> None:
    images = TensorDataset(torch.rand(9, 1, 28, 28), torch.zeros(9).long())
    loader = DataLoader(images, batch_size=4)  # the last batch has one image
    with pytest.raises(ValueError, match="expected two images or more in a training batch, got 1"):
        trainer(tmp_path, max_epochs=1).fit(classifier(architecture="resnet18"), loader)
    trainer(tmp_path, max_epochs=1).fit(classifier(), loader)  # no BatchNorm
    trainer(tmp_path).test(classifier(architecture="resnet18"), loader, verbose=False)


def test_checking_changes_no_generator_and_no_mode() -> None:
    network = networks.build("shufflenet_v2_x0_5", outputs=3).eval()
    before, weights = torch.get_rng_state(), {n: t.clone() for n, t in network.state_dict().items()}
    assert networks.works(network, (28, 28), training=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training for part in network.modules())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())


def check_name(name: str) -> None:
    """Check that a network works at a size, or that the error names a valid size."""
    for side in (28, 64):
        try:
            classifier(architecture=name, image_size=side)
        except ValueError as error:
            found = str(error).rsplit("image_size=", 1)[1].split(" ")[0]
            assert int(found) > side
            classifier(architecture=name, image_size=int(found))


@pytest.mark.parametrize("name", ["mnasnet0_5", "regnet_x_400mf", "convnext_tiny", "vit_b_32"])
def test_a_few_networks_work_or_name_a_size(name: str) -> None:
    check_name(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_network_works_or_names_a_size(name: str) -> None:
    check_name(name)
