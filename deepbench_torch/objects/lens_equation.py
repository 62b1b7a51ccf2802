"""The lens equation of the kind `lensed`: deflection, source position, magnification and images.

Each function works in float64 on parameters of any shape S, as `sample.scene["lensed"]` has them,
and on points of shape (*S, N, 2): column and row [pixel].
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import real_tensor
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects.lens_roots import roots
from deepbench_torch.objects.lensed import LENSED, Lensed, deflection_along_axes

MOST_IMAGES = 8  # an isothermal ellipsoid in an external shear has no more
_MOST_MAGNIFICATION = 1e12  # beyond it float64 does not distinguish an image from a caustic


class LensImages(NamedTuple):
    """The images of the centre of each source, the brightest first.

    Attributes:
        position: Column and row [pixel], float64, shape (*S, MOST_IMAGES, 2); NaN where there is no
            further image.
        magnification: Signed, float64, shape (*S, MOST_IMAGES): negative at images that are
            mirrored; NaN as above.
        number: How many images there are, int64, shape S.
    """

    position: Tensor
    magnification: Tensor
    number: Tensor


def deflection(lensed: Mapping[str, Tensor] | Lensed, points: Tensor) -> Tensor:
    """Return the deflection of light by the lens, without the external shear.

    Args:
        lensed: The parameters by name or the record, shape S.
        points: Column and row [pixel], shape (*S, N, 2); NaN gives NaN.

    Returns:
        Along columns and rows [pixel], float64, shape (*S, N, 2).

    Raises:
        ValueError: If a parameter is missing, unknown or out of range, or shapes do not fit.

    Example:
        >>> lens = dict.fromkeys(LENSED.parameters, torch.zeros(1))
        >>> lens |= dict.fromkeys(("n", "radius"), torch.ones(1))
        >>> lens["einstein_radius"] = torch.tensor([6.0])
        >>> deflection(lens, torch.tensor([[[3.0, 0.0], [0.0, -9.0]]]))
        tensor([[[ 6.,  0.],
                 [ 0., -6.]]], dtype=torch.float64)
    """
    lens, offset = _arguments(lensed, points)
    absent = offset.isnan().any(-1, keepdim=True)
    return torch.where(absent, torch.nan, _deflection(lens, offset))


def source_position(lensed: Mapping[str, Tensor] | Lensed, points: Tensor) -> Tensor:
    """Return the position in the source plane that is seen at each point.

    Args:
        lensed: The parameters by name or the record, shape S.
        points: Column and row in the image [pixel], shape (*S, N, 2).

    Returns:
        Column and row minus those of the lens centre, as `source_x` and `source_y` [pixel],
        float64, shape (*S, N, 2).

    Raises:
        ValueError: If a parameter is missing, unknown or out of range, or shapes do not fit.

    Example:
        >>> lens = dict.fromkeys(LENSED.parameters, torch.zeros(1))
        >>> lens |= dict.fromkeys(("n", "radius"), torch.ones(1))
        >>> lens["einstein_radius"] = torch.tensor([6.0])
        >>> source_position(lens, torch.tensor([[[7.5, 0.0], [0.0, 6.0]]]))
        tensor([[[1.5000, 0.0000],
                 [0.0000, 0.0000]]], dtype=torch.float64)
    """
    lens, offset = _arguments(lensed, points)
    return _sheared(lens, offset) - _deflection(lens, offset)


def magnification(lensed: Mapping[str, Tensor] | Lensed, points: Tensor) -> Tensor:
    """Return the area of the image of a small source, in areas of the source.

    The inverse of the determinant of the derivative of `source_position`. With the convergence
    k = E sqrt(q) / 2 p of Kormann et al. (1994), whose shear is -k along the direction t from the
    centre, and the external shear g at the angle s, it is 1 - g**2 - 2 k (1 - g cos(2 (s - t))).

    Args:
        lensed: The parameters by name or the record, shape S.
        points: Column and row in the image [pixel], shape (*S, N, 2).

    Returns:
        Signed, float64, shape (*S, N): negative where images are mirrored, infinite on critical
        curves, 0 at the centre of the lens.

    Raises:
        ValueError: If a parameter is missing, unknown or out of range, or shapes do not fit.

    Example:
        >>> lens = dict.fromkeys(LENSED.parameters, torch.zeros(1))
        >>> lens |= dict.fromkeys(("n", "radius"), torch.ones(1))
        >>> lens["einstein_radius"] = torch.tensor([6.0])
        >>> magnification(lens, torch.tensor([[[9.0, 0.0], [0.0, 4.0]]]))
        tensor([[ 3.0000, -2.0000]], dtype=torch.float64)
    """
    lens, offset = _arguments(lensed, points)
    return _magnification(lens, offset)


@independent_of_settings
@torch.no_grad()
def image_positions(lensed: Mapping[str, Tensor] | Lensed) -> LensImages:
    """Return the images of the centre of each source.

    The deflection of an isothermal mass depends on the direction from the lens centre alone, so
    that the lens equation is one equation of that angle. Its roots are bracketed on a grid, which
    grows denser where two may lie close together, and found by bisection.

    Args:
        lensed: The parameters by name or the record, shape S, as `sample.scene["lensed"]` of rows
            in which every slot is present.

    Returns:
        One image or two of a source outside of the tangential caustic, else two more. They have no
        gradients. Images on a critical curve, such as the ring of a source exactly behind a sphere,
        are left out.

    Raises:
        ValueError: If a parameter is missing, unknown or out of range.

    Example:
        >>> import deepbench_torch as db
        >>> sample = db.generate("lensed", 0, torch.arange(3))
        >>> images = image_positions(sample.scene["lensed"])
        >>> images.position.shape, images.number.shape
        (torch.Size([3, 1, 8, 2]), torch.Size([3, 1]))
    """
    lens = _lens(lensed)
    shape = lens.x.shape
    flat = Lensed(*(values.reshape(-1) for values in lens))
    source = torch.stack((flat.source_x, flat.source_y), dim=-1)[:, None]  # (B, 1, 2)

    def radius_and_misfit(angle: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distance of the image in a direction, and how far it misses the source."""
        direction = torch.stack((angle.cos(), angle.sin()), dim=-1)  # (B, N, 2)
        ray, target = _sheared(flat, direction), source + _deflection(flat, direction)
        radius = (ray * target).sum(-1) / ray.square().sum(-1)
        return radius, ray[..., 0] * target[..., 1] - ray[..., 1] * target[..., 0]

    angle = roots(
        lambda angle: radius_and_misfit(angle)[1], count=len(flat.x), device=flat.x.device
    )
    radius = radius_and_misfit(angle)[0]
    offset = radius[..., None] * torch.stack((angle.cos(), angle.sin()), dim=-1)
    found = _magnification(flat, offset)
    # a negative radius is the opposite direction
    real = (radius > 0) & (found.abs() < _MOST_MAGNIFICATION)
    return _ordered(flat, offset, torch.where(real, found, math.nan), shape)


def _ordered(lens: Lensed, offset: Tensor, found: Tensor, shape: torch.Size) -> LensImages:
    """Return the images, the brightest first, in the shape of the parameters."""
    size = found.abs().nan_to_num(-1.0)
    order = size.argsort(dim=-1, descending=True, stable=True)[:, :MOST_IMAGES]
    found = found.gather(1, order)
    position = offset.gather(1, order[..., None].expand(-1, -1, 2))
    position = position + torch.stack((lens.x, lens.y), dim=-1)[:, None]
    position = torch.where(found.isnan()[..., None], math.nan, position)
    return LensImages(
        position=position.reshape(*shape, MOST_IMAGES, 2),
        magnification=found.reshape(*shape, MOST_IMAGES),
        number=(~found.isnan()).sum(-1).reshape(shape),
    )


def _arguments(lensed: Mapping[str, Tensor] | Lensed, points: Tensor) -> tuple[Lensed, Tensor]:
    """Return the checked record and the offsets of points from the centre, float64."""
    lens = _lens(lensed)
    points = real_tensor(points, where="points").double()
    if points.ndim != lens.x.ndim + 2 or points.shape[:-2] != lens.x.shape or points.shape[-1] != 2:
        wanted = ", ".join(map(str, (*lens.x.shape, "N", 2)))
        raise ValueError(
            f"points: expected the shape ({wanted}), got {tuple(points.shape)}; give column and "
            "row of N points for each lens"
        )
    if bool(points.isinf().any()):
        found = float(points[points.isinf()][0])
        raise ValueError(f"points: expected numbers, or NaN where there is no image, got {found:g}")
    return lens, points - torch.stack((lens.x, lens.y), dim=-1)[..., None, :]


def _lens(lensed: Mapping[str, Tensor] | Lensed) -> Lensed:
    """Return the checked parameters, float64."""
    if not isinstance(lensed, Mapping | Lensed):
        raise TypeError(
            f"lensed: expected parameters by name or a record, got {type(lensed).__name__}; pass a "
            'dict such as sample.scene["lensed"]'
        )
    given = lensed if isinstance(lensed, Mapping) else lensed._asdict()
    LENSED.check_names(given)
    values = {
        name: real_tensor(value, where=f"lensed.{name}").double()
        for name, value in LENSED.in_units(given).items()
    }
    shape = values["x"].shape
    for name, value in values.items():
        if value.shape != shape:
            raise ValueError(
                f"lensed.{name}: expected the shape of lensed.x, {tuple(shape)}, got "
                f"{tuple(value.shape)}; give every parameter the same shape"
            )
        LENSED.check(name, value)
    return Lensed(**values)


def _deflection(lens: Lensed, offset: Tensor) -> Tensor:
    """Return the deflection at offsets from the centre [pixel], shape (*S, N, 2)."""
    cosine, sine = lens.theta.cos()[..., None], lens.theta.sin()[..., None]
    # only the direction matters, which is sharp however close to the centre
    distance = offset.norm(dim=-1, keepdim=True)
    dx, dy = (offset / torch.where(distance > 0, distance, 1.0)).unbind(-1)
    q = (1 - lens.ellip)[..., None]
    bent_u, bent_v = deflection_along_axes(
        dx * cosine + dy * sine,
        dy * cosine - dx * sine,
        q * q,
        1 - q * q,
        lens.einstein_radius[..., None] * q.sqrt(),
    )
    return torch.stack((bent_u * cosine - bent_v * sine, bent_u * sine + bent_v * cosine), dim=-1)


def _sheared(lens: Lensed, offset: Tensor) -> Tensor:
    """Return offsets minus the deflection of the external shear [pixel], shape (*S, N, 2)."""
    dx, dy = offset.unbind(-1)
    along = (lens.shear * (2 * lens.shear_theta).cos())[..., None]
    across = (lens.shear * (2 * lens.shear_theta).sin())[..., None]
    return torch.stack((dx - along * dx - across * dy, dy - across * dx + along * dy), dim=-1)


def _magnification(lens: Lensed, offset: Tensor) -> Tensor:
    """Return the magnification at offsets from the centre, shape (*S, N)."""
    dx, dy = offset.unbind(-1)
    cosine, sine = lens.theta.cos()[..., None], lens.theta.sin()[..., None]
    q = (1 - lens.ellip)[..., None]
    p = torch.hypot((dx * cosine + dy * sine) * q, dy * cosine - dx * sine)
    convergence = lens.einstein_radius[..., None] * q.sqrt() / (2 * p)
    shear = lens.shear[..., None]
    towards = (2 * (lens.shear_theta[..., None] - torch.atan2(dy, dx))).cos()
    return 1 / (1 - shear**2 - 2 * convergence * (1 - shear * towards))
