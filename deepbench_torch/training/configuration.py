"""Configuration of a folder of weights, in the layout of timm."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from deepbench_torch.training.layers import channels_of, head_name, head_size, stem_name
from deepbench_torch.training.networks import smallest
from deepbench_torch.training.weight_files import OWN


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
