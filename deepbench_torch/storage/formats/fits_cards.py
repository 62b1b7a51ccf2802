"""Cards of FITS headers that programs for astronomical images look for."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from deepbench_torch.degrade import CONDITIONS, RoundGaussian
from deepbench_torch.objects.point import GAUSSIAN_WIDTH
from deepbench_torch.recipes import AbstractRecipe, Recipe
from deepbench_torch.samples.lines import owners_of
from deepbench_torch.storage.formats.folder import Row
from deepbench_torch.storage.work.chunks import Chunk

ARCSEC = 3600.0  # in a degree


class Card(NamedTuple):
    """A line of a FITS header.

    Attributes:
        name: Its keyword.
        value: Its value.
        comment: Its meaning.
    """

    name: str
    value: str | float
    comment: str


def image_cards(recipe: AbstractRecipe, row: Row) -> Iterator[Card]:
    """Yield the cards of the brightness, the noise and the sky of an image; none of time series."""
    if isinstance(recipe, Recipe):
        yield Card("BUNIT", "adu", "unit of the pixels: brightness")
        yield Card("EXPTIME", 1.0, "pixels hold the whole exposure")
        yield from _observation(recipe, row)
        if recipe.zero_point is not None:
            yield Card("MAGZERO", recipe.zero_point, "magnitude of what sums to 1 [mag]")
        if recipe.pixel_scale is not None:
            yield Card("PIXSCALE", recipe.pixel_scale, "side of a pixel [arcsec]")
        yield from sky_cards(recipe)


def sky_cards(recipe: Recipe) -> Iterator[Card]:
    """Yield the cards of the place on the sky, which all images of a file share."""
    if recipe.pixel_scale is not None:
        yield from _world(recipe, degrees=recipe.pixel_scale / ARCSEC)


def _observation(recipe: Recipe, row: Row) -> Iterator[Card]:
    """Yield the account of blur and noise, for programs that measure images."""
    fixed = recipe.degrade.middle(recipe.grid)
    own = {name: float(row.tables.get(f"conditions/{name}", fixed[name])) for name in fixed}
    for name, condition in CONDITIONS.items():
        if name in own:
            yield Card(condition.card, own[name], condition.comment)
    if isinstance(recipe.degrade.spread, RoundGaussian):
        sigma = float(f"{own['fwhm'] / GAUSSIAN_WIDTH:.7g}")
        yield Card("PSFSIGMA", sigma, "standard deviation of the blur [pixel]")


def _world(recipe: Recipe, *, degrees: float) -> Iterator[Card]:
    """Yield a linear world coordinate system with its origin in the middle of the image.

    Calabretta & Greisen (2002, A&A 395, 1077): a gnomonic projection. Right ascension grows toward
    the first column, declination with the rows, as in most images of the sky.
    """
    height, width = recipe.grid.height, recipe.grid.width
    yield Card("WCSAXES", 2, "the place on the sky is made up: 0, 0")
    for axis, (kind, sign, pixels) in enumerate(
        (("RA---TAN", -1.0, width), ("DEC--TAN", 1.0, height)), start=1
    ):
        yield Card(f"CTYPE{axis}", kind, "gnomonic projection")
        yield Card(f"CUNIT{axis}", "deg", "")
        yield Card(f"CRVAL{axis}", 0.0, "in the middle of the image")
        yield Card(f"CRPIX{axis}", (pixels + 1) / 2, "the middle, counted from 1")
        yield Card(f"CD{axis}_{axis}", sign * degrees, "a pixel [deg]")
        yield Card(f"CD{axis}_{3 - axis}", 0.0, "")
    yield Card("RADESYS", "ICRS", "")


def with_derived(recipe: AbstractRecipe, chunk: Chunk) -> Chunk:
    """Return rows with tables of what follows from their parameters: "derived/star/flux"."""
    derived = {
        f"derived/{owner.name}/{name}": values
        for owner in owners_of(recipe, chunk.tables)
        for name, values in owner.derived.items()
    }
    return chunk._replace(tables=chunk.tables | derived)


def derived_of(row: Row, kind: str, slot: int) -> dict[str, Any]:
    """Return what follows from the parameters of one object of a row of `with_derived`."""
    start = f"derived/{kind}/"
    return {
        path.removeprefix(start): values[slot]
        for path, values in row.tables.items()
        if path.startswith(start)
    }
