"""Weights of trained networks: list, metadata and state dict."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor

from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.numerics.checks import nearest
from deepbench_torch.training.standardize import Standardize
from deepbench_torch.training.weight_files import (
    CONFIG,
    OWN,
    WEIGHTS,
    read_config,
    read_weights,
    write_weights,
)

FOLDER = Path(__file__).parent / "pretrained"


@dataclass(frozen=True)
class Weights:
    """Weights of a network, with everything that is known about their training.

    Attributes:
        name: Name of the weights.
        architecture: Name of the network.
        folder: Folder with the configuration and the weights.
        meta: Metadata: `categories`, `outputs` (names), `num_params`, `min_size` [pixel],
            `recipe`, `digest`, `generator_version`, `protocol`, `metrics`, `commit`, `command`,
            `licence`, `sha256`, and `tasks`, the outputs of each task.

    Example:
        >>> import deepbench_torch as db
        >>> weights = db.get_weights("small_astro")
        >>> weights.architecture, weights.meta["categories"]
        ('small', ['star', 'galaxy', 'spiral'])
        >>> network = db.get_model("small", weights=weights, outputs=3).eval()
    """

    name: str
    architecture: str
    folder: Path = field(repr=False)
    meta: dict[str, Any] = field(repr=False, compare=False)

    def transforms(self) -> Standardize:
        """Return the preparation of images, (B, 1, H, W) or (1, H, W), for this network."""
        return Standardize(**self.meta.get("transforms", {"standardize": False}))

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state dict, float32.

        Raises:
            ValueError: If the file is damaged.
        """
        return read_weights(self.folder).state

    def save(self, folder: str | Path) -> Path:
        """Write a folder with `config.json` and `model.safetensors` in float32; return its path.

        timm reads it by `timm.create_model("local-dir:...", pretrained=True)` if it names the
        layers of the network as torchvision does (resnet, densenet), and classes that inherit
        Hugging Face's `PyTorchModelHubMixin` by `from_pretrained`.

        Args:
            folder: Folder to write; an existing one is replaced.
        """
        config = read_config(self.folder)
        return write_weights(Path(folder), self.state_dict(), config=config)


def list_weights(architecture: str | None = None) -> list[str]:
    """Return the names of the packaged weights, sorted.

    Args:
        architecture: Name of a network, for its weights only; None for all.

    Example:
        >>> import deepbench_torch as db
        >>> "small_astro" in db.list_weights("small")
        True
    """
    return [name for name, known in _packaged() if architecture is None or known == architecture]


def get_weights(name: str | Path | Weights) -> Weights:
    """Return packaged weights by name, or those of a folder.

    Args:
        name: Name of `db.list_weights()`; the path of a folder with `config.json` and
            `model.safetensors`; or weights, which are returned unchanged.

    Raises:
        ValueError: If there are no such weights.

    Example:
        >>> import deepbench_torch as db
        >>> db.get_weights("small_astro").meta["generator_version"]
        3
    """
    if isinstance(name, Weights):
        return name
    if isinstance(name, str) and name in list_weights():
        return open_weights(FOLDER / name)
    if isinstance(name, Path) or (isinstance(name, str) and Path(name).is_dir()):
        return open_weights(Path(name))
    raise ValueError(
        f"weights: expected a name of db.list_weights() or a folder, got {name!r}; "
        f"{nearest(name, list_weights())}there are {', '.join(list_weights())}"
    )


def open_weights(folder: Path) -> Weights:
    """Return the weights of a folder.

    Raises:
        ValueError: If the folder is not one that this package wrote.
    """
    config = read_config(folder)
    meta, architecture = config.get(OWN), config.get("architecture")
    if not isinstance(meta, dict) or not isinstance(architecture, str):
        raise ValueError(
            f"weights: expected metadata of deepbench_torch in {str(folder / CONFIG)!r}, got "
            f"none; load such a folder by db.get_model(architecture, weights={str(folder)!r})"
        )
    return Weights(folder.resolve().name, architecture, folder, meta)


def default_weights(architecture: str) -> Weights:
    """Return the default weights of a network: those of several tasks, else the first.

    Raises:
        ValueError: If there are none.
    """
    names = list_weights(architecture)
    if not names:
        raise ValueError(
            f"weights=True: expected a network with packaged weights, got {architecture!r}; use "
            f"one of {', '.join(sorted({known for _, known in _packaged()}))}"
        )
    several = [name for name in names if name.endswith("multitask")]
    return get_weights((several or names)[0])


def warn_of_version(meta: dict[str, Any], name: str) -> None:
    """Warn if weights were trained on images of another generator version."""
    version = meta.get("generator_version")
    if version is not None and version != GENERATOR_VERSION:
        warnings.warn(
            f"weights {name!r} were trained on images of generator version {version}; this "
            f"package generates version {GENERATOR_VERSION}, so stated accuracies may not hold",
            UserWarning,
            stacklevel=3,
        )


@cache
def _packaged() -> tuple[tuple[str, str], ...]:
    """Return the name and architecture of all packaged weights."""
    return tuple(_names())


def _names() -> Iterator[tuple[str, str]]:
    for file in sorted(FOLDER.glob(f"*/{CONFIG}")):
        if (file.parent / WEIGHTS).is_file():
            config = json.loads(file.read_text(encoding="utf-8"))
            yield file.parent.name, config["architecture"]
