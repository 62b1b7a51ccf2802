"""Training on fresh images of several recipes, resumed from its last checkpoint."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

import deepbench_torch as db
from baselines.pretraining.settings import Pretraining

EVERY = 200  # steps between checkpoints
SEED_OFFSET = 1  # rows of the data differ from those of a Catalogue of seed 0


class Trained(NamedTuple):
    """Trained network, in evaluation mode, and the seconds of its training."""

    model: nn.Module
    seconds: float


def train(plan: Pretraining, folder: Path) -> Trained:
    """Train a network to its end.

    Args:
        plan: Settings.
        folder: Folder of the checkpoint; a run that was stopped resumes there.

    Raises:
        ValueError: If the folder has a checkpoint of other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(plan)
    file = folder / "last.ckpt"
    if file.is_file():
        run.load(torch.load(file, weights_only=True))
    with tqdm(total=plan.network.steps, initial=run.step, desc=plan.name, mininterval=5) as bar:
        while run.step < plan.network.steps:
            bar.set_postfix(loss=f"{run.advance():.3f}", refresh=False)
            bar.update()
            if run.step % EVERY == 0 or run.step == plan.network.steps:
                _save(run.state(), file)
    return Trained(run.model.eval(), run.seconds)


class _Run:
    """Network, optimiser and schedule at a step."""

    def __init__(self, plan: Pretraining) -> None:
        self.plan, own = plan, plan.network
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.settings.seed)
            self.model = db.get_model(own.architecture, outputs=plan.outputs)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=own.lr, weight_decay=own.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, own.lr, total_steps=own.steps, pct_start=0.1, cycle_momentum=False
        )
        self.step = 0
        self.seconds = 0.0

    def advance(self) -> float:
        """Train on the next batch, and return the loss."""
        start = time.monotonic()
        images, targets = [], []
        for part, sample in self._samples():
            images.append(self.plan.transforms(sample.image))
            tasks = [task for task in self.plan.tasks if task.recipe == part]
            targets.append([(task, task.target_of(sample).to(self.device)) for task in tasks])
        batch = torch.cat(images).to(self.device, memory_format=torch.channels_last)
        self.model.train()
        outputs = torch.split(self._outputs(batch), [len(each) for each in images])
        loss = torch.stack(
            [
                task.loss(own, target)
                for own, pairs in zip(outputs, targets, strict=True)
                for task, target in pairs
            ]
        ).sum()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        self.seconds += time.monotonic() - start
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """Return everything that a resumed run needs."""
        return {
            "network": self.plan.network.model_dump(),
            "step": self.step,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Resume from the state of a checkpoint."""
        if state["network"] != self.plan.network.model_dump():
            raise ValueError(
                f"{self.plan.name}: expected a checkpoint of these settings, got one of others; "
                "remove the folder, or choose another --root"
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.seconds = state["step"], state["seconds"]

    def _outputs(self, batch: Tensor) -> Tensor:
        half = self.device.type == "cuda"  # slower than float32 on CPUs without bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            outputs: Tensor = self.model(batch)
        return outputs.float()

    def _samples(self) -> Iterator[tuple[str, db.Sample]]:
        """Yield the next rows of each recipe."""
        own = self.plan.network
        rows = own.batch // len(own.recipes)
        index = torch.arange(self.step * rows, (self.step + 1) * rows)
        seed = self.plan.settings.seed + SEED_OFFSET
        for name, recipe in self.plan.recipes.items():
            yield name, db.generate(recipe, seed, index, image_size=own.side)


def _save(state: dict[str, Any], file: Path) -> None:
    part = file.with_name(file.name + ".partial")
    torch.save(state, part)
    os.replace(part, file)
