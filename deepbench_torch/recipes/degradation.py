"""The keys of a recipe under `degrade`: point spread, gradient and noise."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from pydantic import Field, create_model, field_validator, model_validator
from torch import Tensor

from deepbench_torch import degrade
from deepbench_torch.degrade.psf_array import read_array, with_pixels
from deepbench_torch.degrade.table import middle
from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.objects.grid import Grid
from deepbench_torch.priors import Prior
from deepbench_torch.recipes.part import Part

WIDEST_BLUR = 2.0  # standard deviation, of the shorter side: 21 times its pixels are rendered
WIDEST = 2.0  # full width at half maximum, of the shorter side; a wider one leaves nothing to see


E = TypeVar("E", bound=degrade.Effect)


def _part(effect: type[E]) -> type[E]:
    """Return the class of an effect as a part of a recipe, which pickle finds by its name."""
    bases: Any = (Part, effect)
    part: type[E] = create_model(
        effect.__name__, __base__=bases, __module__=__name__, __doc__=effect.__doc__
    )
    globals()[effect.__name__] = part
    return part


def _keys(base: type[Part], effects: Iterable[type[degrade.Effect]]) -> type[Part]:
    """Return a part with an optional key for each effect, after those of `base`."""
    fields: dict[str, Any] = {
        effect.key: (_part(effect) | None, Field(None, description=_summary(effect)))
        for effect in effects
    }
    return create_model(f"{base.__name__}Keys", __base__=base, __module__=__name__, **fields)


def _summary(effect: type[degrade.Effect]) -> str:
    return (effect.__doc__ or "").split("\n")[0]


if TYPE_CHECKING:

    class Profiles(Part):
        """Keys of the point spreads by a formula."""

        def __getattr__(self, key: str) -> Any:
            """Return the point spread of a key."""

else:
    Profiles = _keys(Part, degrade.PROFILES)


class PointSpread(Profiles):
    """Point spread of each image; it has one of these.

    Attributes:
        file: FITS or npy file with the pixels of a point spread, which `array` then holds.
        array: The pixels, as a list of rows or as text.
    """

    array: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, plain: Any) -> Any:
        read = with_pixels(plain)
        if isinstance(read, Mapping) and "file" in read:
            found = [name for name, value in read.items() if value is not None]
            raise FaultsError([_not_one(found)])
        return read

    @field_validator("array", mode="before")
    @classmethod
    def _read_array(cls, array: Any) -> str | None:
        return None if array is None else read_array(array)

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        found = list(self.set_keys)
        if len(found) != 1:
            raise FaultsError([_not_one(found)])
        widest = self.spread.priors.get("fwhm")
        if widest is not None and not widest.support[1] <= WIDEST:
            message = (
                f"expected at most {WIDEST:g} of the shorter side, got {widest.to_plain()!r}; set "
                "high, because light from beyond the frame is rendered as far as it reaches"
            )
            raise FaultsError([Fault((found[0], "fwhm"), message)])
        return self

    @property
    def set_keys(self) -> dict[str, Any]:
        """The keys that are set, with their values."""
        values = {family.key: getattr(self, family.key) for family in degrade.FAMILIES}
        return {key: value for key, value in values.items() if value is not None}

    @property
    def spread(self) -> degrade.PointSpread:
        """The point spread that is set."""
        (found,) = self.set_keys.values()
        return _array_spread(found) if isinstance(found, str) else found


def _not_one(found: Sequence[str]) -> Fault:
    """Return the fault of a point spread of several keys, or of none."""
    choices = ", ".join(family.key for family in degrade.PROFILES)
    message = (
        f"expected one of {choices} and file, got {' and '.join(found) or 'none'}; set one of them"
    )
    return Fault((), message)


class Blur(Part, degrade.Blur):
    """Point spread: a Gaussian whose standard deviation is a fraction of the shorter side."""


class Gradient(Part, degrade.Gradient):
    """A linear background of mean 0, which stays in the image."""


class BeforeNoise(Part):
    """Keys of the effects before the noise.

    Attributes:
        psf: Point spread: `gaussian` or `moffat` by full width at half maximum, or the `file` of an
            array.
        blur: Gaussian point spread by its standard deviation, instead of `psf`.
        gradient: Linear background.
    """

    psf: PointSpread | None = None
    blur: Blur | None = None
    gradient: Gradient | None = None


if TYPE_CHECKING:

    class Effects(BeforeNoise):
        """Keys of all effects."""

        def __getattr__(self, key: str) -> Any:
            """Return the noise of a key."""

else:
    Effects = _keys(BeforeNoise, degrade.NOISES)


class Degradation(Effects):
    """Effects that turn a scene into an image, in this order; each is optional.

    Each number may be a prior: then every image has a value of its own, as its `conditions` state.
    The keys are `psf` or `blur`, `gradient`, and that of each noise of `degrade.NOISES`.
    """

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.psf is not None and self.blur is not None:
            message = "expected psf or blur, got both; remove blur"
            raise FaultsError([Fault(("blur",), message)])
        if self.blur is not None and self.blur.sigma > WIDEST_BLUR:
            message = (
                f"expected at most {WIDEST_BLUR:g} of the shorter side, got {self.blur.sigma:g}; "
                "divide pixels by the shorter side, as light from beyond the frame is rendered as "
                "far as it reaches"
            )
            raise FaultsError([Fault(("blur", "sigma"), message)])
        return self

    @property
    def spread(self) -> degrade.PointSpread | None:
        """The point spread; None without one."""
        return self.blur if self.psf is None else self.psf.spread

    @property
    def noises(self) -> list[degrade.Noise]:
        """The noise of the images, in order."""
        noises = [getattr(self, noise.key) for noise in degrade.NOISES]
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
    own = effects.conditions
    if not {"gradient", "background"} <= own.keys():
        return None
    slope, sky = own["gradient"], own["background"]
    reach = gradient_reach(grid)
    darkest = sky.support[0]
    if max(map(abs, slope.support)) * reach <= darkest:
        return None
    return Fault(
        ("degrade", "gradient", "slope"),
        f"expected at most {darkest / reach:.3g}, or photon noise would have less than no light in "
        f"a corner, got {slope.to_plain()!r}; raise {degrade.Photons.key}.background, now "
        f"{darkest:g}",
    )


_spreads: dict[str, degrade.ArraySpread] = {}


def _array_spread(text: str) -> degrade.ArraySpread:
    """Return the point spread of a text; the same object each time, so that it is decoded once."""
    if text not in _spreads:
        if len(_spreads) >= 64:
            _spreads.clear()
        _spreads[text] = degrade.ArraySpread(array=text)
    return _spreads[text]
