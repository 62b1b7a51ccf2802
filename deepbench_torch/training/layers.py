"""First and last layer of a network: its stem, which reads the channels, and its head."""

import copy
from typing import final

import torch
from torch import Tensor, nn

HEADS = (nn.Linear, nn.Conv2d)  # classes of a last layer; squeezenet ends in a convolution


@final
class NoHead(nn.Identity):
    """Place of a removed head, so that a network returns its features.

    Args:
        features: Number of features of an image.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def extra_repr(self) -> str:
        """Return the number of features."""
        return f"features={self.features}"


def head_name(network: nn.Module) -> str:
    """Return the name of the last linear or convolutional layer, or of its empty place.

    Raises:
        ValueError: If there is none.
    """
    parts = network.named_modules()
    names: list[str] = [name for name, part in parts if isinstance(part, (*HEADS, NoHead))]
    if not names or not names[-1]:
        raise ValueError(
            "network: expected a network whose last layer is a Linear or a Conv2d, got "
            f"{type(network).__name__}; append nn.Linear(features, outputs)"
        )
    return names[-1]


def head_of(network: nn.Module) -> nn.Module:
    """Return the last layer of a network."""
    return network.get_submodule(head_name(network))


def head_size(head: nn.Module) -> tuple[int, int]:
    """Return the numbers of features and of outputs of a head; no outputs of an empty place."""
    if isinstance(head, NoHead):
        return head.features, 0
    if isinstance(head, nn.Conv2d):
        return head.in_channels, head.out_channels
    assert isinstance(head, nn.Linear)  # noqa: S101 - for the type
    return head.in_features, head.out_features


def with_outputs(network: nn.Module, outputs: int | None) -> nn.Module:
    """Return a network whose head has a number of outputs, with new random weights.

    Args:
        network: Network to change in place.
        outputs: Number of outputs; None to remove the head, so that features are returned.
    """
    name = head_name(network)
    head = network.get_submodule(name)
    features, now = head_size(head)
    if outputs is None:
        _replace(network, name, by=NoHead(features))
    elif now != outputs and isinstance(head, nn.Conv2d):
        _replace(network, name, by=nn.Conv2d(features, outputs, 1))
    elif now != outputs:
        _replace(network, name, by=nn.Linear(features, outputs))
    return network


def without_head(network: nn.Module) -> nn.Module:
    """Return a network without its head that shares all other layers with the given network."""
    path = head_name(network).split(".")
    result = part = _shallow(network)
    for name in path[:-1]:
        child = _shallow(part.get_submodule(name))
        part._modules[name] = child
        part = child
    head = part.get_submodule(path[-1])
    part._modules[path[-1]] = NoHead(head_size(head)[0])
    return result


def channels_of(network: nn.Module) -> int | None:
    """Return the number of channels that a network reads; None without a convolution."""
    name = stem_name(network)
    return None if name is None else int(network.get_submodule(name).in_channels)  # type: ignore[arg-type]


def stem_name(network: nn.Module) -> str | None:
    """Return the name of the first convolution; None without one."""
    parts = network.named_modules()
    return next((name for name, part in parts if isinstance(part, nn.Conv2d)), None)


def with_channels(network: nn.Module, channels: int) -> nn.Module:
    """Return a network that reads a number of channels; see `convert_stem`.

    Args:
        network: Network to change in place.
        channels: Number of channels.
    """
    name = stem_name(network)
    stem = None if name is None else network.get_submodule(name)
    if name is None or not isinstance(stem, nn.Conv2d) or stem.in_channels == channels:
        return network
    changed = copy.copy(stem)
    changed._parameters = dict(stem._parameters)
    changed.in_channels = channels
    changed.weight = nn.Parameter(convert_stem(stem.weight.detach(), channels))
    return _replace(network, name, by=changed)


def convert_stem(weight: Tensor, channels: int) -> Tensor:
    """Return the weights of a first convolution for another number of channels.

    The sum over the channels is kept, so that a grey image repeated to all of them leads to the
    same result.

    Args:
        weight: Weights, shape (features, channels before, height, width).
        channels: Number of channels after.
    """
    if weight.shape[1] == channels:
        return weight
    total = weight.sum(1, keepdim=True)
    share = (total / channels).expand(-1, channels, -1, -1)
    return share.contiguous(memory_format=_format(weight))


def _replace(network: nn.Module, name: str, *, by: nn.Module) -> nn.Module:
    """Return a network with a part replaced in place; by the part itself if the name is empty."""
    if not name:
        return by
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, by)
    return network


def _shallow(module: nn.Module) -> nn.Module:
    """Return a copy of a module that shares its parameters, buffers and children."""
    result = copy.copy(module)
    result._modules = dict(module._modules)
    return result


def _format(weight: Tensor) -> torch.memory_format:
    last = weight.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
