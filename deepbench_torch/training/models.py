"""Networks with weights: torchvision's, and the small one of this package."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from deepbench_torch.numerics.checks import check_integer, nearest
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.training import networks
from deepbench_torch.training.layers import (
    convert_stem,
    head_name,
    stem_name,
    with_channels,
    with_outputs,
)
from deepbench_torch.training.weight_files import WeightFile, read_weights
from deepbench_torch.training.weights import (
    Weights,
    default_weights,
    get_weights,
    list_weights,
    warn_of_version,
)

log = logging.getLogger(__name__)
MOST = 1 << 20  # largest number of outputs or channels
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")  # further heads, of googlenet and inception_v3

WeightSource = str | Path | Weights | bool | None


def get_model(
    architecture: str,
    *,
    weights: WeightSource = None,
    outputs: int | None = None,
    in_channels: int = 1,
) -> nn.Module:
    """Return a network, with random or trained weights.

    Trained weights fit any number of channels: the sum of the first layer over the channels is
    kept. If they have another number of outputs, the last layer gets new random weights. A line
    of the logger `deepbench_torch.training.models` reports both.

    Args:
        architecture: Network in `torchvision.models.list_models(module=torchvision.models)`, or
            "small", four convolutions that train within a minute on one core.
        weights: None for random weights; True for the default of the architecture; a name of
            `db.list_weights()`; the result of `db.get_weights`; or a path: a folder with
            `config.json` and `model.safetensors`, a safetensors file, a checkpoint of Lightning,
            or a state dict that torch saved. torchvision's own weight enumerations are accepted.
        outputs: Number of outputs; None for the features in front of the last layer, (B, D).
        in_channels: Number of channels of the images.

    Returns:
        The network in training mode. Prepare images by `db.get_weights(name).transforms()`.

    Raises:
        ValueError: If there is no such network, or the weights do not fit it.

    Example:
        >>> import deepbench_torch as db, torch
        >>> network = db.get_model("small", weights="small_astro").eval()
        >>> network(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 480])
    """
    if outputs is not None:
        rule = "outputs: expected None for features, or a number of outputs"
        outputs = check_integer(outputs, rule, least=1, most=MOST, remedy="use len(data.classes)")
    channels = check_integer(
        in_channels, "in_channels: expected a number of channels", least=1, most=MOST
    )
    networks.check_architecture(architecture)
    found = find_weights(weights, architecture)
    network = networks.build(architecture, outputs=outputs or 1000)
    network = with_channels(with_outputs(network, outputs), channels)
    if found is not None:
        load_weights(network, found, architecture=architecture)
    return network


def find_weights(weights: Any, architecture: str | None) -> WeightFile | None:
    """Return the weights that an argument `weights` requests; None for random ones.

    Args:
        weights: Argument of `get_model`.
        architecture: Name of the network; None for a network of the user.

    Raises:
        ValueError: If there are no such weights, or they belong to another network.
    """
    if weights is None or weights is False:
        return None
    found, name = _find(weights, architecture)
    if architecture is not None and found.architecture not in (None, architecture):
        raise ValueError(
            f"weights: expected weights of {architecture}, got {name} of {found.architecture}; "
            f"use db.get_model({found.architecture!r}, ...), or weights in "
            f"db.list_weights({architecture!r}): {list_weights(architecture)}"
        )
    warn_of_version(found.meta, name)
    return found


def _find(weights: Any, architecture: str | None) -> tuple[WeightFile, str]:
    if weights is True:
        weights = default_weights(str(architecture))
    if isinstance(weights, str) and weights in list_weights():
        weights = get_weights(weights)
    if isinstance(weights, Weights):
        return WeightFile(weights.state_dict(), weights.architecture, weights.meta), weights.name
    if hasattr(weights, "get_state_dict"):  # an enumeration of torchvision
        return WeightFile(weights.get_state_dict(check_hash=True), None, {}), str(weights)
    if isinstance(weights, str) and not _is_path(weights):
        raise ValueError(
            f"weights: expected a name of db.list_weights() or a path, got {weights!r}; "
            f"{nearest(weights, list_weights())}there are {', '.join(list_weights())}"
        )
    if not isinstance(weights, str | Path):
        raise ValueError(
            "weights: expected None, True, a name, a path or the result of db.get_weights, got "
            f"{type(weights).__name__}; call load_state_dict for a state dict"
        )
    return read_weights(user_path(weights)), str(weights)


def load_weights(network: nn.Module, found: WeightFile, *, architecture: str) -> None:
    """Load weights into a network of any number of channels and outputs.

    Raises:
        ValueError: If weights other than those of the head are missing, unexpected or of another
            shape; the message names them.
    """
    own = network.state_dict()
    state = _without_prefix(found.state, network)
    head = head_name(network) + "."
    stem = stem_name(network)
    state = _with_stem(state, own, name=f"{stem}.weight")
    state = _with_heads(state, own, heads=(head, *AUXILIARY))
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    other = [key for key in state if key in own and state[key].shape != own[key].shape]
    faults = [
        f"{word} {_some(keys)}"
        for word, keys in (("missing", missing), ("unexpected", unexpected), ("misshapen", other))
        if keys
    ]
    if faults:
        raise ValueError(
            f"weights: expected the weights of {architecture}, got {'; '.join(faults)}; choose "
            "the network that they were trained with"
        )
    network.load_state_dict(state)


def _is_path(text: str) -> bool:
    return user_path(text).exists() or "/" in text or bool(Path(text).suffix)


def _without_prefix(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a network within a larger module, such as a LightningModule."""
    stem = f"{stem_name(network)}.weight"
    for key in state:
        if key.endswith("." + stem):
            start = key.removesuffix(stem)
            inner = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
            if stem not in state:
                return inner
    return dict(state)


def _with_stem(
    state: dict[str, Tensor], own: Mapping[str, Tensor], *, name: str
) -> dict[str, Tensor]:
    """Return weights whose first convolution has the channels of the network."""
    given, wanted = state.get(name), own.get(name)
    if given is None or wanted is None or given.dim() != 4 or given.shape == wanted.shape:
        return state
    if given.shape[0] != wanted.shape[0] or given.shape[2:] != wanted.shape[2:]:
        return state
    log.info("first layer converted from %d to %d channels", given.shape[1], wanted.shape[1])
    return state | {name: convert_stem(given, wanted.shape[1])}


def _with_heads(
    state: dict[str, Tensor], own: Mapping[str, Tensor], *, heads: tuple[str, ...]
) -> dict[str, Tensor]:
    """Return weights in which heads of another number of outputs are those of the network."""
    new = [
        key
        for key in own
        if key.startswith(heads) and (key not in state or state[key].shape != own[key].shape)
    ]
    extra = [key for key in state if key.startswith(heads) and key not in own]
    if new:
        log.info("last layer initialised at random: %s", ", ".join(new))
    kept = {key: value for key, value in state.items() if key not in extra}
    return kept | {key: own[key] for key in new}


def _some(keys: list[str]) -> str:
    rest = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + rest
