"""Noise of an image, as a measurement weighs its pixels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from deepbench_torch.degrade import Photons
from deepbench_torch.numerics.checks import nearest, real_tensor

NoiseLevel = float | Tensor | Mapping[str, float | Tensor]
"""Noise of an image: its standard deviation, or conditions by name; see `db.fit`."""

CONDITIONS = ("exposure", "background", "sigma")


class Noise(NamedTuple):
    """Noise of B images, or of all images if B is 1.

    Attributes:
        deviation: Standard deviation of each pixel beside photon noise, shape (B, 1 or H, 1 or W).
        photons: Conditions of the photon noise, shape (B,) each; empty without photon noise.
    """

    deviation: Tensor
    photons: dict[str, Tensor]

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance of each pixel of images whose noiseless light is this, (B, H, W)."""
        variance = self.deviation.square().expand(light.shape)
        if self.photons:
            photons = Photons(exposure=1.0)  # its formula; the numbers are the conditions
            variance = variance + photons.variance(light.clamp_min(0), self.photons)
        return variance

    def rows(self, index: Tensor) -> "Noise":
        """Return the noise of some images."""
        photons = {name: _rows(values, index) for name, values in self.photons.items()}
        return Noise(_rows(self.deviation, index), photons)


def read_noise(noise: NoiseLevel, *, where: str, shape: tuple[int, int, int]) -> Noise:
    """Return the noise that a user describes.

    Args:
        noise: A standard deviation, one for each pixel, or conditions by name.
        where: Name of the function in messages.
        shape: Shape of the images, (B, H, W).

    Raises:
        ValueError: If it is negative everywhere, of another shape, or has unknown conditions.
    """
    if not isinstance(noise, Mapping):
        return Noise(_deviation(noise, where=f"{where}: noise", shape=shape), {})
    for name in noise:
        if name not in CONDITIONS:
            hint = (
                "pass the point spread as psf"
                if name in ("fwhm", "alpha")
                else nearest(name, CONDITIONS).strip() or "use one of these"
            )
            raise ValueError(
                f"{where}: noise: expected {', '.join(CONDITIONS)}, got {name!r}; {hint}"
            )
    photons = {
        name: _numbers(noise[name], where=f"{where}: noise.{name}", batch=shape[0])
        for name in ("exposure", "background")
        if name in noise
    }
    _check_together(noise, photons, where=where)
    if photons:
        photons.setdefault("background", torch.zeros_like(photons["exposure"]))
    if "sigma" not in noise and photons:
        return Noise(torch.zeros(1, 1, 1, dtype=torch.float64, device="cpu"), photons)
    sigma = noise.get("sigma", 0.0)
    return Noise(_deviation(sigma, where=f"{where}: noise.sigma", shape=shape), photons)


def doubles(value: Any, *, where: str) -> Tensor:
    """Return real numbers as float64 on the CPU; Python's numbers keep all their digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return torch.tensor(value, dtype=torch.float64, device="cpu")
    return real_tensor(value, where=where).detach().double().cpu()


def _check_together(noise: Mapping[str, Any], photons: Mapping[str, Tensor], *, where: str) -> None:
    """Check that the conditions describe noise in every pixel."""
    if "background" in photons and "exposure" not in photons:
        raise ValueError(
            f"{where}: noise: expected an exposure beside the background, got none; pass "
            '{"exposure": 100.0, "background": 1.0}'
        )
    dark = "background" not in photons or not bool((photons["background"] > 0).all())
    if photons and dark and "sigma" not in noise:
        raise ValueError(
            f"{where}: noise: expected noise where there is no light, got photon noise without "
            "background; pass a background above 0 or the sigma of the read-out"
        )


def _deviation(value: Any, *, where: str, shape: tuple[int, int, int]) -> Tensor:
    """Return a standard deviation, one of each image or one of each pixel, (B, 1 or H, 1 or W)."""
    deviation = doubles(value, where=where)
    batch, height, width = shape
    known = {(): (1, 1, 1), (1,): (1, 1, 1), (batch,): (batch, 1, 1)}
    for lead in ((), (1,), (batch,), (1, 1), (batch, 1)):
        known[(*lead, height, width)] = (lead[0] if lead else 1, height, width)
    form = known.get(tuple(deviation.shape))
    if form is None or not bool((deviation > 0).all()):
        found = f"shape {tuple(deviation.shape)}" if form is None else f"{float(deviation.min()):g}"
        raise ValueError(
            f"{where}: expected positive standard deviations, one number or one for each of "
            f"{height} x {width} pixels, got {found}; take the root of a variance, and use "
            "float('inf') for pixels to leave out"
        )
    return deviation.reshape(form)


def _numbers(value: Any, *, where: str, batch: int) -> Tensor:
    """Return a condition of all images or of each, float64, shape (1,) or (B,)."""
    numbers = doubles(value, where=where)
    numbers = numbers[None] if numbers.dim() == 0 else numbers
    least = 0.0 if where.endswith("background") else 1e-300
    if numbers.shape not in ((1,), (batch,)) or not bool((numbers >= least).all()):
        raise ValueError(
            f"{where}: expected a number, or one for each of {batch} images, not negative, got "
            f"{value!r:.60}; pass sample.conditions of the same images"
        )
    return numbers


def _rows(values: Tensor, index: Tensor) -> Tensor:
    return values if len(values) == 1 else values[index]
