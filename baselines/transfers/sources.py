"""Sources of features: packaged weights, random networks, a control, and the pixels themselves."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

import deepbench_torch as db
from deepbench_torch.training.standardize import Standardize

RANDOM = 5  # networks with random weights
CONTROL_STEPS, BATCH, LR = 1500, 64, 0.01
SIDE = 64  # to which small images are enlarged [pixel]


class Source(NamedTuple):
    """Network whose features are used.

    Attributes:
        name: Name.
        build: Function that returns the network without its head; None for the pixels.
        transforms: Preparation of the images.
    """

    name: str
    build: Callable[[], nn.Module] | None
    transforms: Standardize

    @property
    def is_random(self) -> bool:
        """Whether nothing was learned from images with labels."""
        return self.name.startswith("random") or self.name in ("pixels", "shuffled")


def sources(root: Path) -> dict[str, Source]:
    """Return all sources by name.

    Args:
        root: Folder for the weights of the control.
    """
    found = [Source("pixels", None, Standardize())]
    found += [_random(seed) for seed in range(RANDOM)]
    found.append(Source("shuffled", lambda: _control(root), Standardize(least_side=SIDE)))
    found += [packaged(name) for name in db.list_weights()]
    return {source.name: source for source in found}


def packaged(name: str) -> Source:
    """Return the source of packaged weights, or of a folder."""
    weights = db.get_weights(name)
    return Source(
        weights.name,
        lambda: db.get_model(weights.architecture, weights=weights),
        weights.transforms(),
    )


def features(source: Source, image: Tensor, *, adapt: Tensor | None = None) -> Tensor:
    """Return the features of images, float32, shape (N, D).

    Args:
        source: Source of the features.
        image: Images, shape (N, 1, H, W).
        adapt: Images without labels by which the statistics of BatchNorm are estimated again; None
            to keep those of the training.
    """
    prepared = source.transforms(image)
    if source.build is None:
        return prepared.flatten(1)
    network = source.build()
    if adapt is not None:
        estimate_statistics(network, source.transforms(adapt))
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(batch).float() for batch in torch.split(prepared, 256)])


def estimate_statistics(network: nn.Module, image: Tensor) -> None:
    """Set the statistics of BatchNorm to averages over batches of some images."""
    layers = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the average of all batches
    network.train()
    with torch.no_grad():
        for batch in torch.split(image, 256):
            if len(batch) > 1:
                network(batch)


def random_network(seed: int, *, outputs: int | None = None) -> nn.Module:
    """Return the small network with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return db.get_model("small", outputs=outputs)


def _random(seed: int) -> Source:
    return Source(f"random{seed}", lambda: random_network(seed), Standardize(least_side=SIDE))


def _control(root: Path) -> nn.Module:
    """Return a small network trained on the images of `astro` with labels in a random order."""
    file = root / "shuffled.pt"
    if not file.is_file():
        root.mkdir(parents=True, exist_ok=True)
        torch.save(_train_control().state_dict(), file)
    return db.get_model("small", weights=file)


def _train_control() -> nn.Module:
    network = random_network(0, outputs=3)
    optimizer = torch.optim.Adam(network.parameters(), lr=LR)
    prepare = Standardize(least_side=SIDE)
    for step in range(CONTROL_STEPS):
        index = torch.arange(step * BATCH, (step + 1) * BATCH)
        sample = db.generate("astro", 1, index)
        label = sample.label.roll(1)  # of another image
        loss = nn.functional.cross_entropy(network(prepare(sample.image)), label)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return network
