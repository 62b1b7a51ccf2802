"""Image of one object as a function of its parameters, with its derivatives."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import jvp

from deepbench_torch.degrade import Gaussian, Moffat, PointSpread
from deepbench_torch.images.measure.noise import doubles
from deepbench_torch.images.measure.start import STARTS
from deepbench_torch.numerics.checks import nearest
from deepbench_torch.objects import OBJECTS, object_named
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.kind import ObjectKind
from deepbench_torch.objects.point import POINT

Psf = Mapping[str, float]
"""Point spread: {"fwhm": pixels} of a Gaussian, {"fwhm": pixels, "alpha": number} of a Moffat."""

Number = float | Tensor


@dataclass(frozen=True)
class Model:
    """Image of one object under a point spread.

    Attributes:
        kind: Kind of the object.
        grid: Pixels of the image.
        spread: Point spread, None without one.
        width: Its conditions [pixel], shape (1,) each.
    """

    kind: ObjectKind[Any]
    grid: Grid
    spread: PointSpread | None
    width: dict[str, Tensor]

    def render(self, values: Tensor) -> Tensor:
        """Return the images of parameters (P, B) in the order of the kind, shape (B, H, W)."""
        record = self.kind.record(*values)
        if self.spread is None:
            return self.kind.render_unchecked(record, self.grid)
        if self.kind is POINT:
            return self.spread.points(record, self.width, self.grid)
        return self.spread.apply(
            self.kind.render_unchecked(record, self.grid), self.width, margin=self.grid.margin
        )

    def derivatives(self, values: Tensor, places: list[int]) -> tuple[Tensor, Tensor]:
        """Return images (B, H, W) and their derivatives by some parameters, (P, B, H, W)."""
        light, columns = self.render(values), []
        with warnings.catch_warnings():
            # torch's own rules of forward mode are made by a compiler that it has deprecated
            warnings.filterwarnings("ignore", "`?torch.jit.script`? is deprecated")
            for place in places:
                direction = torch.zeros_like(values)
                direction[place] = 1.0
                columns.append(jvp(self.render, (values,), (direction,))[1])
        return light, torch.stack(columns) if columns else light.new_empty(0, *light.shape)


def read_model(kind: str, grid: Grid, psf: Psf | None, *, where: str) -> Model:
    """Return the model of a kind that has derivatives by all of its parameters.

    Raises:
        ValueError: If the kind is unknown or its edges are steps, or the point spread is not valid.
    """
    known = object_named(kind) if isinstance(kind, str) else kind
    if known.name not in STARTS or OBJECTS.get(known.name) is not known:
        raise ValueError(
            f"{where}: expected a kind with smooth light, one of {', '.join(STARTS)}, got "
            f"{known.name!r}; the edge of a shape is a step, which has no derivative"
        )
    if psf is None:
        if known is POINT:
            raise ValueError(
                f'{where}: psf: expected the point spread of a point, got None; pass {{"fwhm": '
                "pixels}"
            )
        return Model(known, grid, None, {})
    spread, width = _read_psf(psf, grid, where=where)
    margin = 0 if known is POINT else spread.margin(grid)
    own = Grid(grid.height, grid.width, margin=margin, samples=grid.samples)
    return Model(known, own, spread, width)


def _read_psf(psf: Psf, grid: Grid, *, where: str) -> tuple[PointSpread, dict[str, Tensor]]:
    """Return a point spread and its conditions [pixel]."""
    names = set(psf) if isinstance(psf, Mapping) else set()
    if names not in ({"fwhm"}, {"fwhm", "alpha"}):
        found = sorted(map(str, names)) if names else repr(psf)[:60]
        hint = next((text for name in names if (text := nearest(name, ("fwhm", "alpha")))), "")
        raise ValueError(
            f"{where}: psf: expected fwhm for a Gaussian or fwhm and alpha for a Moffat profile, "
            f'got {found}; {hint}pass {{"fwhm": 2.5}}'
        )
    numbers = {name: float(psf[name]) for name in ("fwhm", "alpha") if name in psf}
    width = {
        name: torch.tensor([number], dtype=torch.float64, device="cpu")
        for name, number in numbers.items()
    }
    fwhm = numbers["fwhm"] / grid.shorter
    if "alpha" in numbers:
        return Moffat(fwhm=fwhm, alpha=numbers["alpha"]), width
    return Gaussian(fwhm=fwhm), width


def check_known(model: Model, names: Iterable[str], *, where: str) -> None:
    """Check that names are parameters of the kind.

    Raises:
        ValueError: With the first that is not, and the nearest name.
    """
    fields = model.kind.fields
    for name in names:
        if name not in fields:
            hint = nearest(name, fields).strip() or "use one of these"
            raise ValueError(
                f"{where}: expected parameters of a {model.kind.name}, {', '.join(fields)}, got "
                f"{name!r}; {hint}"
            )


def read_numbers(model: Model, given: Mapping[str, Number], *, where: str) -> dict[str, Tensor]:
    """Return checked parameters by name, float64, shape (1,) or (B,) each.

    Raises:
        ValueError: If a name is unknown, or a value is out of range or of another shape.
    """
    fields = model.kind.fields
    check_known(model, given, where=where)
    units = model.kind.in_units({name: given.get(name, 0.0) for name in fields})
    found = {}
    for name in given:
        values = doubles(units[name], where=f"{where}.{name}")
        if values.dim() > 1:
            raise ValueError(
                f"{where}.{name}: expected a number or shape (B,), got shape "
                f"{tuple(values.shape)}; pass one value for each image"
            )
        found[name] = values[None] if values.dim() == 0 else values
        model.kind.check(name, found[name])
    return found


def free_places(model: Model, fixed: Mapping[str, object]) -> list[int]:
    """Return the places of the parameters to measure: neither fixed nor whole numbers."""
    return [
        place
        for place, (name, field) in enumerate(model.kind.fields.items())
        if name not in fixed and not field.whole
    ]
