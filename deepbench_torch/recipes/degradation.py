"""The keys of a recipe under `degrade`: point spread, gradient and noise."""

import math
from typing import Any, Self

import torch
from pydantic import field_validator, model_validator
from torch import Tensor

from deepbench_torch import degrade
from deepbench_torch.degrade.conditions import middle
from deepbench_torch.degrade.psf_array import read_array, with_pixels
from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.objects.grid import Grid
from deepbench_torch.priors import Prior
from deepbench_torch.recipes.part import Part

WIDEST = 2.0  # full width at half maximum, of the shorter side; a wider one leaves nothing to see


class Blur(Part, degrade.Blur):
    """Point spread: a Gaussian whose standard deviation is a fraction of the shorter side."""


class Gaussian(Part, degrade.GaussianSpread):
    """A round Gaussian point spread.

    Attributes:
        fwhm: Full width at half maximum, as a fraction of the image's shorter side.
    """


class Moffat(Part, degrade.MoffatSpread):
    """A Moffat point spread, as of seeing through air.

    Attributes:
        fwhm: Full width at half maximum, as a fraction of the image's shorter side.
        alpha: Steepness of the wings.
    """


class PointSpread(Part):
    """Point spread of each image; it has one of these.

    Attributes:
        gaussian: A round Gaussian.
        moffat: A Moffat profile.
        file: FITS or npy file with the pixels of a point spread, which `array` then holds.
        array: The pixels, as a list of rows or as text.
    """

    gaussian: Gaussian | None = None
    moffat: Moffat | None = None
    array: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, plain: Any) -> Any:
        return with_pixels(plain)

    @field_validator("array", mode="before")
    @classmethod
    def _read_array(cls, array: Any) -> str | None:
        return None if array is None else read_array(array)

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        named = {"gaussian": self.gaussian, "moffat": self.moffat, "array": self.array}
        found = [name for name, spread in named.items() if spread is not None]
        if len(found) != 1:
            message = (
                f"expected one of gaussian, moffat and file, got {' and '.join(found) or 'none'}; "
                "set one of them"
            )
            raise FaultsError([Fault((), message)])
        for name, effect in (("gaussian", self.gaussian), ("moffat", self.moffat)):
            if effect is not None and not effect.priors["fwhm"].support[1] <= WIDEST:
                message = (
                    f"expected at most {WIDEST:g} of the shorter side, got "
                    f"{effect.priors['fwhm'].to_plain()!r}; set high, because light from beyond "
                    "the frame is rendered as far as it reaches"
                )
                raise FaultsError([Fault((name, "fwhm"), message)])
        return self

    @property
    def spread(self) -> degrade.PointSpread:
        """The point spread that is set."""
        return self.gaussian or self.moffat or _array_spread(str(self.array))


class Gradient(Part, degrade.Gradient):
    """A linear background of mean 0, which stays in the image.

    Attributes:
        slope: Difference of brightness across the image's shorter side.
        angle: Direction in which it rises [radian].
    """


class Photons(Part, degrade.PhotonNoise):
    """Poisson noise of signal and background, the mean background subtracted.

    Attributes:
        exposure: Photons per unit of brightness.
        background: Brightness per pixel.
    """


class Pedestal(Part, degrade.Pedestal):
    """Poisson noise of one rate in all pixels of an image; its mean stays in the image.

    Attributes:
        snr: Brightest pixel over the standard deviation of the noise.
    """


class ReadOut(Part, degrade.ReadOutNoise):
    """Gaussian noise of one standard deviation in an image.

    Attributes:
        sigma: Standard deviation, in units of brightness.
        snr: Brightest pixel over the standard deviation, instead of `sigma`.
    """


class Degradation(Part):
    """Effects that turn a scene into an image, in this order; each is optional.

    Each number may be a prior: then every image has a value of its own, as its `conditions` state.

    Attributes:
        psf: Point spread: `gaussian` or `moffat` by full width at half maximum, or the `file` of an
            array.
        blur: Gaussian point spread by its standard deviation, instead of `psf`.
        gradient: Linear background.
        poisson: Noise of photons.
        pedestal: Poisson noise of one rate in an image.
        gaussian: Noise of the read-out.
    """

    psf: PointSpread | None = None
    blur: Blur | None = None
    gradient: Gradient | None = None
    poisson: Photons | None = None
    pedestal: Pedestal | None = None
    gaussian: ReadOut | None = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.psf is not None and self.blur is not None:
            message = "expected psf or blur, got both; remove blur"
            raise FaultsError([Fault(("blur",), message)])
        return self

    @property
    def spread(self) -> degrade.PointSpread | None:
        """The point spread; None without one."""
        return self.blur if self.psf is None else self.psf.spread

    @property
    def noises(self) -> list[degrade.Noise]:
        """The noise of the images, in order."""
        noises = (self.poisson, self.pedestal, self.gaussian)
        return [noise for noise in noises if noise is not None]

    @property
    def conditions(self) -> dict[str, Prior]:
        """The prior of each number of the effects, by the name of the condition, in order."""
        effects = (self.spread, self.gradient, *self.noises)
        return {
            name: prior
            for effect in effects
            if effect is not None
            for name, prior in effect.priors.items()
        }

    @property
    def varying(self) -> list[str]:
        """The names of the conditions that differ from image to image."""
        return [n for n, prior in self.conditions.items() if prior.support[0] != prior.support[1]]

    def variance(self, light: Tensor, values: degrade.Values) -> Tensor:
        """Return the variance of all noise in each pixel, shape (B, H, W).

        Args:
            light: Brightness without noise, shape (B, H, W).
            values: The conditions of the images, as `sample.conditions`.
        """
        parts = (noise.variance(light, values) for noise in self.noises)
        return sum(parts, torch.zeros_like(light))

    def middle(self, grid: Grid) -> dict[str, Tensor]:
        """Return the median of each condition in images of a size, shape (1,) each."""
        return middle(self.conditions, grid)


def gradient_reach(grid: Grid) -> float:
    """Return the distance from the middle to a corner, of the shorter side."""
    return math.hypot(grid.height - 1, grid.width - 1) / (2 * grid.shorter)


def gradient_fault(effects: Degradation, grid: Grid) -> Fault | None:
    """Return the fault of a gradient that takes more light than the background has."""
    if effects.gradient is None or effects.poisson is None:
        return None
    slope, sky = effects.gradient.priors["gradient"], effects.poisson.priors["background"]
    reach = gradient_reach(grid)
    darkest = sky.support[0]
    if max(map(abs, slope.support)) * reach <= darkest:
        return None
    return Fault(
        ("degrade", "gradient", "slope"),
        f"expected at most {darkest / reach:.3g}, or photon noise would have less than no light in "
        f"a corner, got {slope.to_plain()!r}; raise poisson.background, now {darkest:g}",
    )


_spreads: dict[str, degrade.ArraySpread] = {}


def _array_spread(text: str) -> degrade.ArraySpread:
    """Return the point spread of a text; the same object each time, so that it is decoded once."""
    if text not in _spreads:
        if len(_spreads) >= 64:
            _spreads.clear()
        _spreads[text] = degrade.ArraySpread(array=text)
    return _spreads[text]
