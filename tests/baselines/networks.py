"""Small network that replaces ResNet50 in tests."""

from typing import Any

import pytest
from torch import nn

from baselines.scoring.results import Protocol
from baselines.training.runs import Run, choose
from deepbench_torch.training import networks


def use_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the network of every Classifier by the small one."""

    def build(architecture: str, *, outputs: int, image_size: Any = None) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2),
            nn.BatchNorm2d(4),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(64, outputs),
        )

    monkeypatch.setattr(networks, "build", build)


def tiny_run(
    task: str = "astro", *, epochs: int = 1, seed: int = 0, protocol: Protocol = "paper"
) -> Run:
    """Return a run of 60 images."""
    return choose(task, size=60, epochs=epochs, seed=seed, protocol=protocol)
