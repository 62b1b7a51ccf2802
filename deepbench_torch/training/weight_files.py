"""Files of weights: a folder with `config.json` and `model.safetensors`, and other people's files.

The folder has the layout of timm's `local-dir:` and of Hugging Face's `PyTorchModelHubMixin`. No
file is unpickled into objects.
"""

import hashlib
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from deepbench_torch.storage.work.atomic import replacing
from deepbench_torch.training.quantize import Precision, dequantize, quantize

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
OWN = "deepbench_torch"  # key of this package in the configuration, and of a header
PICKLES = (".ckpt", ".pt", ".pth")


class WeightFile(NamedTuple):
    """Content of a file of weights.

    Attributes:
        state: State dict, float32.
        architecture: Name of the network; None if the file has none.
        meta: Metadata of this package; empty in a foreign file.
    """

    state: dict[str, Tensor]
    architecture: str | None
    meta: dict[str, Any]


def write_weights(
    folder: Path,
    state: Mapping[str, Tensor],
    *,
    config: Mapping[str, Any],
    precision: Precision = "float32",
) -> Path:
    """Write a folder of weights and return its path; an existing one is replaced.

    Args:
        folder: Folder to write.
        state: State dict of the network.
        config: Configuration, with the metadata under `deepbench_torch`; the SHA-256 of the
            weights is added there.
        precision: Type of the stored matrices; see `quantize`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = json.loads(json.dumps(config))  # tuples become lists, as in the file
    file = folder / WEIGHTS
    with replacing(file) as beside:
        header = {OWN: json.dumps(plain)}
        beside.write_bytes(save(quantize(state, precision), metadata=header))
        plain[OWN]["sha256"] = digest(beside)
    with replacing(folder / CONFIG) as beside:
        beside.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return folder


def read_config(folder: Path) -> dict[str, Any]:
    """Return the configuration of a folder of weights.

    Raises:
        ValueError: If it is missing or not a mapping.
    """
    file = folder / CONFIG
    remedy = f"pass a folder with {CONFIG} and {WEIGHTS}, or a file"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"weights: expected a readable {CONFIG} in {str(folder)!r}, got {error}; {remedy}"
        ) from None
    if not isinstance(config, dict):
        raise ValueError(
            f"weights: expected a mapping in {str(file)!r}, got {type(config).__name__}; {remedy}"
        )
    return config


def read_weights(path: Path) -> WeightFile:
    """Return the content of a folder of weights, or of a file.

    Args:
        path: Folder of weights, safetensors file, checkpoint of Lightning (`.ckpt`), or state
            dict that torch saved (`.pt`, `.pth`).

    Raises:
        ValueError: If it does not exist, is damaged, or holds something else.
    """
    if path.is_dir():
        config = read_config(path)
        check_digest(path / WEIGHTS, config.get(OWN, {}).get("sha256"))
        state, _ = _read_safetensors(path / WEIGHTS)
        return _weight_file(state, config)
    if not path.is_file():
        raise ValueError(
            f"weights: expected an existing file or folder, got {str(path)!r}; see "
            "db.list_weights() for the weights of this package"
        )
    if path.suffix in PICKLES:
        return _read_pickle(path)
    return _weight_file(*_read_safetensors(path))


def check_digest(file: Path, expected: object) -> None:
    """Check the SHA-256 of a file, if one is recorded.

    Raises:
        ValueError: If it differs.
    """
    if expected is not None and file.is_file() and digest(file) != expected:
        raise ValueError(
            f"weights: expected the SHA-256 recorded in {CONFIG}, got another for {str(file)!r}; "
            "the file is damaged or was replaced: copy it again, or install the package again"
        )


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _weight_file(state: dict[str, Tensor], config: Mapping[str, Any]) -> WeightFile:
    meta, architecture = config.get(OWN, {}), config.get("architecture")
    return WeightFile(
        state,
        architecture if isinstance(architecture, str) else None,
        dict(meta) if isinstance(meta, dict) else {},
    )


def _read_safetensors(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the float32 state dict of a safetensors file, and the configuration in its header."""
    try:
        with safe_open(file, framework="pt") as opened:
            stored = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            header = json.loads((opened.metadata() or {}).get(OWN, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(
            f"weights: expected a safetensors file, got {str(file)!r}, which is damaged or of "
            f"another format ({error}); copy it again"
        ) from None
    return _finite(dequantize(stored), file), header if isinstance(header, dict) else {}


def _read_pickle(file: Path) -> WeightFile:
    """Return the content of a file of torch.save, of which only tensors and numbers are read."""
    try:
        loaded = torch.load(file, weights_only=True, map_location="cpu")
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError) as error:
        raise ValueError(
            f"weights: expected tensors in {str(file)!r}, got a damaged file or other objects "
            f"({str(error).splitlines()[0]:.80}); save the state dict alone"
        ) from None
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(
            f"weights: expected a state dict in {str(file)!r}, got other values; save "
            "network.state_dict()"
        )
    settings = loaded.get("hyper_parameters", {})
    architecture = settings.get("network", settings.get("architecture"))
    return WeightFile(
        _finite(
            {
                key: value.float() if value.is_floating_point() else value
                for key, value in state.items()
            },
            file,
        ),
        architecture if isinstance(architecture, str) else None,
        {},
    )


def _finite(state: dict[str, Tensor], file: Path) -> dict[str, Tensor]:
    wrong = [key for key, value in state.items() if not bool(torch.isfinite(value).all())]
    if wrong:
        raise ValueError(
            f"weights: expected finite numbers in {str(file)!r}, got others in {wrong[0]!r}; "
            "the file is damaged or its training diverged"
        )
    return state
