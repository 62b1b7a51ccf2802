"""Point spreads from arrays: read from files and lists, and kept in a recipe as text.

The text holds the pixels themselves, so that a recipe in a stored catalogue needs no other file,
and the digest of a recipe includes them.
"""

import base64
import binascii
import math
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import field_validator
from torch import Tensor
from typing_extensions import override

from deepbench_torch.degrade.conditions import Values
from deepbench_torch.degrade.psf import PointSpread
from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.objects.grid import Grid, per_pixel

LARGEST = 63  # pixels of a side; a recipe with its text then fits into the header of an HDF5 file
RULE = f"an array of point-spread pixels, with odd sides of up to {LARGEST}, from FITS or npy"


def _fault(found: str, remedy: str, *location: str) -> FaultsError:
    return FaultsError([Fault(location, f"expected {RULE}, got {found}; {remedy}")])


def read_file(path: Path) -> NDArray[np.float32]:
    """Return the pixels of a FITS or npy file.

    Raises:
        FaultsError: If there is no such file, or it does not hold a point spread.
    """
    try:
        if path.suffix.lower() == ".npy":
            found = np.load(path, allow_pickle=False)
        else:
            from astropy.io import fits  # slow to import

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a header that no error follows
                with fits.open(path, memmap=False) as parts:
                    found = next((part.data for part in parts if part.data is not None), None)
    except FileNotFoundError:
        raise _fault(f"no file {str(path)!r}", "correct the path") from None
    except (OSError, ValueError, EOFError) as error:
        raise _fault(
            f"{str(path)!r}", f"it cannot be read: {' '.join(str(error).split()):.80}"
        ) from None
    if found is None:
        raise _fault(f"{str(path)!r} without an image", "choose another file")
    return checked(found)


def checked(array: Any) -> NDArray[np.float32]:
    """Return pixels as float32, shape (h, w), in the byte order of x86.

    Raises:
        FaultsError: If they are no point spread.
    """
    try:
        pixels = np.asarray(array, dtype="<f4")
    except (TypeError, ValueError, OverflowError):
        raise _fault(f"{array!r:.60}", "write rows of numbers") from None
    if pixels.ndim != 2 or not all(side % 2 and side <= LARGEST for side in pixels.shape):
        raise _fault(f"shape {pixels.shape}", "cut or pad it round its centre")
    if not np.isfinite(pixels).all():
        raise _fault("pixels that are not finite", "replace them by 0")
    if (pixels < 0).any():
        raise _fault("negative pixels", "set them to 0, as light is never negative")
    if not pixels.sum(dtype=np.float64) > 0:
        raise _fault("pixels of sum 0", "write the light of a star")
    return pixels


def read_array(array: Any) -> str:
    """Return the text of an array: of its text itself, of rows of numbers, or of numpy's array."""
    return array if isinstance(array, str) and decode(array) is not None else encode(checked(array))


def encode(pixels: NDArray[np.float32]) -> str:
    """Return pixels as text: height x width, a colon, and their bytes in base64, row after row."""
    height, width = pixels.shape
    return f"{height}x{width}:{base64.b64encode(pixels.tobytes()).decode()}"


def decode(text: str) -> Tensor:
    """Return the pixels of a text, scaled to unit sum, float32, shape (h, w).

    Raises:
        FaultsError: If the text is none of `encode`.
    """
    size, _, content = text.partition(":")
    try:
        height, width = map(int, size.split("x"))
        pixels = np.frombuffer(base64.b64decode(content, validate=True), "<f4")
        pixels = checked(pixels.reshape(height, width))
    except (ValueError, binascii.Error) as error:
        if isinstance(error, FaultsError):
            raise
        raise _fault(f"{text!r:.40}", "write file: and the name of a FITS or npy file") from None
    total = math.fsum(pixels.ravel().tolist())
    return torch.from_numpy((pixels.astype(np.float64) / total).astype(np.float32))


def with_pixels(plain: Any, folder: Path | None = None) -> Any:
    """Return the plain values of a point spread, with the pixels of its file instead of its name.

    Args:
        plain: The value of the key `psf`.
        folder: Folder of a relative path; the working folder if None.

    Raises:
        FaultsError: If the file holds no point spread.
    """
    if not isinstance(plain, Mapping) or "file" not in plain:
        return plain
    if any(value is not None for name, value in plain.items() if name != "file"):
        return plain  # it is refused as a point spread of several keys
    name = plain["file"]
    if not isinstance(name, str | Path):
        raise _fault(f"{name!r:.60}", "write the name of a file", "file")
    path = Path(name).expanduser()
    try:
        return {"array": encode(read_file(path if folder is None else folder / path))}
    except FaultsError as error:
        raise FaultsError(
            [fault._replace(location=("file", *fault.location)) for fault in error.faults]
        ) from None


class ArraySpread(PointSpread):
    """A point spread from an array of pixels, as a telescope's calibration has it.

    The array is the response to a point in the pixels of the image, so it includes the average over
    a pixel. Its middle pixel is the centre. Between pixels it is interpolated by cubic convolution
    (Keys 1981, doi 10.1109/TASSP.1981.1163711), below 0 cut off.

    Attributes:
        array: The pixels, as text; see `encode`.
    """

    key: ClassVar = "array"
    conditions: ClassVar = {}

    array: str

    @field_validator("array", mode="before")
    @classmethod
    def _encode(cls, array: Any) -> str:
        return read_array(array)

    @cached_property
    def pixels(self) -> Tensor:
        """The array, scaled to unit sum, float32, shape (h, w)."""
        return decode(self.array)

    @override
    def margin(self, grid: Grid) -> int:
        return max(1, max(self.pixels.shape) // 2)

    @override
    def kernel(self, values: Values, margin: int) -> Tensor:
        height, width = self.pixels.shape
        down, across = margin - height // 2, margin - width // 2
        padded = torch.nn.functional.pad(self.pixels.double(), (across, across, down, down))
        return padded[None]

    @override
    def peak(self, values: Values) -> Tensor:
        return self.pixels.max()[None]

    @override
    def points(self, record: Sequence[Tensor], values: Values, grid: Grid) -> Tensor:
        x, y, flux = record
        height, width = self.pixels.shape
        column, row = grid.centres(x)
        down = _interpolation(row[:, 0] - y[:, None] + height // 2, height)  # (N, H, h)
        across = _interpolation(column - x[:, None] + width // 2, width)  # (N, W, w)
        light = down @ self.pixels.to(x) @ across.transpose(1, 2)
        # between a bright and a dark pixel the cubic runs below 0
        return light.clamp_min(0) * per_pixel(flux)


def _interpolation(places: Tensor, size: int) -> Tensor:
    """Return the weights of the pixels of an axis at places between them, shape (..., size)."""
    pixel = torch.arange(size, dtype=places.dtype, device=places.device)
    distance = (places[..., None] - pixel).abs()
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))
