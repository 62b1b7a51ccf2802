"""The data module and the classifier, on a three-layer network."""

import warnings
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
import torchvision
from torch import nn

import deepbench_torch as db
from deepbench_torch.training import networks
from deepbench_torch.training.samplers import EpochShuffle

# weights, and the seeds of a loader's workers, are drawn from the global generators
pytestmark = pytest.mark.moves_generators


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A three-layer network stands in for ResNet50 where a test trains."""

    def build(architecture: str, *, outputs: int, image_size: Any = None) -> nn.Module:
        if architecture != "tiny":
            return original(architecture, outputs=outputs, image_size=image_size)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(outputs)
        )

    original = networks.build
    monkeypatch.setattr(networks, "build", build)


def trainer(folder: Path, **options: Any) -> lightning.Trainer:
    return lightning.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )


def module(**options: Any) -> db.CatalogueDataModule:
    return db.CatalogueDataModule(
        "astro", **{"size": 60, "image_size": 12, "batch_size": 8, "seed": 4} | options
    )


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.* is deprecated")
@pytest.mark.parametrize("multilabel", [False, True])
def test_training_runs_end_to_end(multilabel: bool, tmp_path: Path) -> None:
    recipe = db.load_recipe("astro")
    if multilabel:
        recipe = recipe.replace(label="present", count={"integer": [1, 2]})
    data = db.CatalogueDataModule(
        recipe, size=60, image_size=12, batch_size=8, seed=4, root=tmp_path / "data"
    )
    lightning.seed_everything(0, verbose=False)
    model = db.Classifier("tiny", classes=data.classes, multilabel=multilabel, lr=0.05)
    fit = trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*uninitialized parameters.*")
        fit.fit(model, data)
    (scores,) = fit.test(model, data, verbose=False)
    names = {"test/accuracy", "test/exact_match"} if multilabel else {"test/accuracy"}
    assert set(scores) == names
    # oracle: the same scores by hand from the network's own outputs
    sample = db.generate(recipe, 4, torch.arange(48, 60), image_size=12)
    with torch.no_grad():
        logits = model.eval()(sample.image)
    right = (logits > 0) == (sample.label > 0) if multilabel else logits.argmax(1) == sample.label
    assert scores["test/accuracy"] == pytest.approx(float(right.float().mean()))
    if multilabel:
        assert scores["test/exact_match"] == pytest.approx(float(right.all(1).float().mean()))


def test_schedule_and_hyper_parameters_are_those_stated(tmp_path: Path) -> None:
    model = db.Classifier("resnet18", classes=["a", "b"], multilabel=False)
    assert model.hparams["lr"] == 0.524
    assert model.hparams["weight_decay"] == 0.00125
    model.trainer = trainer(tmp_path, max_steps=100, enable_checkpointing=False)
    setup = model.configure_optimizers()
    optimizer, schedule = setup["optimizer"], setup["lr_scheduler"]["scheduler"]
    group = optimizer.param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0, 0.00125)
    rates = []
    for _ in range(99):
        rates.append(group["lr"])
        optimizer.step()
        schedule.step()
    assert max(rates) == pytest.approx(0.524)
    assert rates.index(max(rates)) == 9  # the first tenth warms up
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3


def test_state_dict_is_torchvisions_own() -> None:
    model = db.Classifier("resnet18", classes=["a", "b", "c"], multilabel=False)
    theirs = torchvision.models.resnet18(num_classes=3)
    theirs.load_state_dict(model.model.state_dict())
    image = torch.linspace(0, 1, 2 * 32 * 32).view(2, 1, 32, 32)
    with torch.no_grad():
        expected = theirs.eval()(image.expand(-1, 3, -1, -1))
        # another layout in memory adds up in another order
        torch.testing.assert_close(model.eval()(image), expected, rtol=1e-4, atol=1e-5)


def test_an_unknown_network_is_refused() -> None:
    rule = "expected a classification network of torchvision, got 'resnet5'"
    with pytest.raises(ValueError, match=rf"{rule}; did you mean 'resnet50'\? "):
        db.Classifier("resnet5", classes=["a", "b"], multilabel=False)


def test_loaders_hold_the_splits() -> None:
    data = module()
    whole = db.Catalogue("astro", size=60, seed=4, image_size=12)
    splits = ((data.val_dataloader(), range(36, 48)), (data.test_dataloader(), range(48, 60)))
    for loader, rows in splits:
        images = torch.cat([images for images, _ in loader])
        assert torch.equal(images, torch.stack([whole[row][0] for row in rows]))
    train = [images for images, _ in data.train_dataloader()]
    assert [len(images) for images in train] == [8, 8, 8, 8]  # the last short batch is left out
    mine = {image.numpy().tobytes() for images in train for image in images}
    assert mine < {whole[row][0].numpy().tobytes() for row in range(36)}


def test_stored_and_generated_loaders_agree(tmp_path: Path) -> None:
    generated, stored = module(), module(root=tmp_path)
    stored.prepare_data()
    assert [path.name for path in tmp_path.iterdir()] == [stored.path and stored.path.name]
    stored.prepare_data()  # a second time changes nothing
    for first, second in zip(generated.train_dataloader(), stored.train_dataloader(), strict=True):
        assert torch.equal(first[0], second[0])
        assert torch.equal(first[1], second[1])


def test_train_transform_touches_training_images_only() -> None:
    data = module(train_transform=lambda image: image * 0)
    assert all(not images.any() for images, _ in data.train_dataloader())
    assert all(images.any() for images, _ in data.val_dataloader())


def test_epoch_shuffle_is_a_permutation_by_seed_and_epoch() -> None:
    dataset = db.Catalogue("astro", size=100, image_size=4)
    order = EpochShuffle(dataset, seed=0)
    first = list(order)
    assert sorted(first) == list(range(100))
    assert list(order) == first
    order.set_epoch(1)
    second = list(order)
    assert sorted(second) == list(range(100))
    assert second != first
    assert list(EpochShuffle(dataset, seed=1)) != first
    assert len(order) == 100


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.* is deprecated")
def test_lightning_moves_the_order_on_each_epoch(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    class Watch(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def on_train_epoch_start(self) -> None:
            seen.append([])

        def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
            seen[-1].extend(batch[1].tolist())
            return self.weight.sum()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = module(target="index", batch_size=4)
    fit = trainer(tmp_path, max_epochs=3, enable_checkpointing=False)
    fit.fit(Watch(), data.train_dataloader())
    assert all(sorted(epoch) == list(range(36)) for epoch in seen)
    assert len({tuple(epoch) for epoch in seen}) == 3
