"""Configuration of a folder of weights, in the layout of timm."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from torch import nn

from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.recipes import Recipe
from deepbench_torch.training.layers import channels_of, head_name, head_size, stem_name
from deepbench_torch.training.networks import smallest
from deepbench_torch.training.tasks import Task
from deepbench_torch.training.weight_files import OWN

LICENCE = "Apache-2.0"


def configuration(
    network: nn.Module, architecture: str, *, side: int, meta: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the configuration of a network, in the layout of timm, with metadata.

    Args:
        network: Network with its head.
        architecture: Name of the network.
        side: Height and width of the images that it was trained on [pixel].
        meta: Metadata of this package.
    """
    head, stem = head_name(network), stem_name(network)
    features, outputs = head_size(network.get_submodule(head))
    channels = channels_of(network)
    cfg = {
        "input_size": [channels, side, side],
        "fixed_input_size": False,
        "mean": [0.0],
        "std": [1.0],
        "first_conv": stem,
        "classifier": head,
        "license": meta.get("licence"),
    }
    own = dict(meta) | {
        "image_size": side,
        "num_params": sum(weight.numel() for weight in network.parameters()),
        "min_size": smallest(network, training=False),
    }
    return {
        "architecture": architecture,
        "num_classes": outputs,
        "num_features": features,
        "label_names": meta.get("outputs"),
        "model_args": {"in_chans": channels},
        "pretrained_cfg": cfg,
        OWN: own,
    }


def task_metadata(tasks: Sequence[Task], recipes: Mapping[str, Recipe]) -> dict[str, Any]:
    """Return the metadata that follow from the tasks of a network.

    Args:
        tasks: Tasks of the network.
        recipes: Their recipes by name.
    """
    labels = [task.names for task in tasks if task.target in ("class", "present")]
    return {
        "categories": list(dict.fromkeys(name for names in labels for name in names)),
        "outputs": [f"{task.name}/{name}" for task in tasks for name in task.names],
        "recipe": list(recipes),
        "digest": [recipe.digest for recipe in recipes.values()],
        "generator_version": GENERATOR_VERSION,
        "licence": LICENCE,
        "version": metadata.version("deepbench_torch"),
        "tasks": [task.to_plain() for task in tasks],
        "recipes": {name: recipe.to_plain() for name, recipe in recipes.items()},
    }
