"""Small network trained on fresh images, for diagnoses within minutes on one core."""

import torch
from torch import Tensor, nn

import deepbench_torch as db
from deepbench_torch.training.small import SmallNetwork

BATCH = 64  # images a step
LR = 0.01  # ten times Adam's usual rate; every layer is normalised


def train(recipe: db.Recipe, *, steps: int, seed: int) -> SmallNetwork:
    """Train a network on fresh images, which no Catalogue holds.

    The optimiser is Adam with one cycle, as in the baselines: a warm-up over a tenth of the steps,
    then half a cosine.

    Args:
        recipe: Recipe of the images.
        steps: Number of batches.
        seed: Seed of the images and the first weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallNetwork(len(recipe.classes))
    loss = nn.CrossEntropyLoss() if recipe.label == "class" else nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=LR)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=LR, total_steps=steps, pct_start=0.1, cycle_momentum=False
    )
    stream = db.CatalogueStream(
        recipe,
        seed=seed,
        start=len(db.Catalogue(recipe)),  # the rows of the recorded numbers
        size=steps * BATCH,
        batch_size=BATCH,
    )
    for image, label in stream:
        optimizer.zero_grad()
        loss(network(image), label).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def probability(network: SmallNetwork, recipe: db.Recipe, image: Tensor) -> Tensor:
    """Return the probability of each label of images (B, 1, H, W), float32, shape (B, K)."""
    with torch.inference_mode():
        logits: Tensor = network(image)
    return logits.softmax(1) if recipe.label == "class" else logits.sigmoid()
