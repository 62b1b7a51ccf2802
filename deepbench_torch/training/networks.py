"""Networks for classification, of torchvision and the small one, and their valid image sizes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from deepbench_torch.generate import ImageSize
from deepbench_torch.numerics.checks import check_integer, nearest
from deepbench_torch.recipes import LARGEST_SIDE
from deepbench_torch.training.layers import channels_of
from deepbench_torch.training.small import SmallNetwork

SMALL = "small"  # the network of this package
Size = tuple[int, int]  # height and width [pixel]

# Weight of the loss of each auxiliary output. GoogLeNet: Szegedy et al. 2014 (arXiv:1409.4842),
# section 5. Inception v3: its paper states none; 0.4 as in the TensorFlow code of its authors.
AUXILIARY_WEIGHTS = {"googlenet": 0.3, "inception_v3": 0.4}
OTHER_AUXILIARY = 0.4  # of a user's network
LARGEST_SIZE = 1024  # largest side [pixel] in the search for a valid size


def build(architecture: str, *, outputs: int, image_size: Size | None = None) -> nn.Module:
    """Build a network with random weights, for images of three channels; of one for "small".

    Args:
        architecture: Name in `torchvision.models.list_models(module=torchvision.models)`, or
            "small".
        outputs: Number of logits.
        image_size: Height and width [pixel] for networks that are built for one size; None for
            the size of torchvision.

    Raises:
        ValueError: If there is no such network, or it cannot be built for this size.
    """
    check_architecture(architecture)
    if architecture == SMALL:
        return SmallNetwork(outputs)
    options = {"weights": None, "num_classes": outputs} | _constant_options(architecture)
    if image_size is not None and needs_size(architecture):
        if not _builds(architecture, image_size):
            raise ValueError(
                _refusal(architecture, image_size, sides=_sides(architecture, image_size))
            )
        options |= _size_options(architecture, image_size)
    network: nn.Module = torchvision.models.get_model(architecture, **options)
    # channels last: faster convolutions on CPUs and GPUs
    return network.to(memory_format=torch.channels_last)


def check_architecture(architecture: str) -> None:
    """Check that a name is that of a classification network of torchvision, or "small"."""
    known = [*torchvision.models.list_models(module=torchvision.models), SMALL]
    if not isinstance(architecture, str) or architecture not in known:
        raise ValueError(
            "architecture: expected a classification network of torchvision, got "
            f"{architecture!r}; {nearest(str(architecture), known)}"
            'see torchvision.models.list_models(), or use "small"'
        )


def checked_size(image_size: ImageSize) -> Size | None:
    """Return height and width of an image size.

    Raises:
        ValueError: If it is not one or two positive whole numbers.
    """
    if image_size is None:
        return None
    rule = "Classifier.image_size: expected a number of pixels, or a pair (height, width) of them"
    pair = image_size if isinstance(image_size, Sequence) else (image_size, image_size)
    if isinstance(pair, str) or len(pair) != 2:
        raise ValueError(f"{rule}, got {image_size!r}; write 64 or (64, 64)")
    height, width = (check_integer(side, rule, least=1, most=LARGEST_SIDE) for side in pair)
    return height, width


def needs_size(architecture: str) -> bool:
    """Return whether a network is built for one image size."""
    return architecture.startswith(("vit_", "maxvit"))


def check_size(network: nn.Module, architecture: str, size: Size, *, training: bool) -> None:
    """Check that a network accepts an image size.

    The network is run on two images without data, on the meta device of torch.

    Args:
        network: Network to check.
        architecture: Name of the network.
        size: Height and width of the images [pixel].
        training: Whether to run it as in training, where some networks have more outputs.

    Raises:
        ValueError: If it fails; the message has the smallest valid square size.
    """
    if works(network, size, training=training):
        return
    if not needs_size(architecture):
        side = smallest(network, training=training)
        raise ValueError(_refusal(architecture, size, sides=[] if side is None else [side]))
    if _builds(architecture, size):
        argument = size[0] if size[0] == size[1] else size
        raise ValueError(
            f"Classifier: expected images of the size for which {architecture} was built, got "
            f"{_pixels(size)}; use Classifier(image_size={argument})"
        )
    raise ValueError(_refusal(architecture, size, sides=_sides(architecture, size)))


def works(network: nn.Module, size: Size, *, training: bool, images: int = 2) -> bool:
    """Return whether a network accepts images of a size.

    Args:
        network: Network to run; True if it has lazy weights without a shape.
        size: Height and width [pixel].
        training: Whether to run it as in training.
        images: Number of images in the batch.
    """
    tensors = [*network.named_parameters(), *network.named_buffers()]
    if any(is_lazy(tensor) for _, tensor in tensors):
        return True
    shapes = {name: tensor.detach().to("meta") for name, tensor in tensors}
    try:
        with torch.no_grad(), _in_mode(network, training=training):
            channels = channels_of(network) or 3
            functional_call(network, shapes, torch.empty(images, channels, *size, device="meta"))
    except (RuntimeError, ValueError, AssertionError):
        return False
    return True


def check_single(network: nn.Module, architecture: str, size: Size) -> None:
    """Check that a network can be trained on a single image.

    BatchNorm fails if it has one value a channel.

    Args:
        network: Network to check.
        architecture: Name of the network.
        size: Height and width of the image [pixel].

    Raises:
        ValueError: If the network cannot be trained on one such image.
    """
    if not works(network, size, training=True, images=1):
        raise ValueError(
            f"Classifier: expected two images or more in a training batch, got 1; use a larger "
            f"batch_size and drop_last=True, because the BatchNorm of {architecture} has one "
            f"value a channel at {_pixels(size)}"
        )


def logits_of(outputs: Any) -> tuple[Tensor, ...]:
    """Return the logits of a network, then its auxiliary logits, each of shape (B, K)."""
    if isinstance(outputs, Tensor):
        return (outputs,)
    return tuple(logits for logits in outputs if logits is not None)


@contextmanager
def _in_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    modes = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _constant_options(architecture: str) -> dict[str, Any]:
    # torchvision warns unless init_weights is set; True is its present default
    return {"init_weights": True} if architecture in AUXILIARY_WEIGHTS else {}


def _size_options(architecture: str, size: Size) -> dict[str, Any]:
    return {"image_size": size[0]} if architecture.startswith("vit_") else {"input_size": size}


def _builds(architecture: str, size: Size) -> bool:
    """Return whether torchvision builds a network for a size; on the meta device."""
    if architecture.startswith("vit_") and size[0] != size[1]:
        return False
    try:
        with torch.device("meta"):
            torchvision.models.get_model(
                architecture, weights=None, **_size_options(architecture, size)
            )
    except (ValueError, AssertionError, ZeroDivisionError):
        return False
    return True


def _sides(architecture: str, size: Size) -> list[int]:
    """Return the smallest side for which a network can be built, and the smallest above a size."""
    sides = (range(1, LARGEST_SIZE), range(max(size), LARGEST_SIZE))
    found = (next((n for n in each if _builds(architecture, (n, n))), None) for each in sides)
    return sorted({side for side in found if side is not None})


def smallest(network: nn.Module, *, training: bool) -> int | None:
    """Return the smallest valid side of square images [pixel], or None.

    The search is a bisection, which assumes that every larger size is valid as well.
    """
    low, high = 1, LARGEST_SIZE
    if not works(network, (high, high), training=training):
        return None
    while low < high:
        middle = (low + high) // 2
        if works(network, (middle, middle), training=training):
            high = middle
        else:
            low = middle + 1
    return low


def _refusal(architecture: str, size: Size, *, sides: list[int]) -> str:
    if sides:
        found = f"the smallest size that works is {_pixels((sides[0], sides[0]))}"
        if len(sides) > 1:
            found += f", the next above the images {_pixels((sides[-1], sides[-1]))}"
        remedy = f"set image_size={sides[-1]} in the data, or choose another architecture"
    else:
        found, remedy = "no square size works", "choose another architecture"
    return (
        f"Classifier: expected images on which {architecture} works, got {_pixels(size)}; "
        f"{found}: {remedy}"
    )


def _pixels(size: Size) -> str:
    return f"{size[0]} x {size[1]} pixels"
