"""Every shape: equal to matplotlib and to closed forms, and the laws of objects."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from matplotlib import patches
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch import OBJECTS, Grid
from deepbench_torch.objects import reference

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHAPES = ("ellipse", "circle", "rectangle", "polygon", "arc", "line")
each_shape = pytest.mark.parametrize("kind", SHAPES)

# 2,050 random shapes of each kind: how many on frames of which height and width
FRAMES = [
    (800, 28, 28),
    (600, 31, 47),
    (400, 64, 40),
    (150, 128, 96),
    (60, 256, 256),
    (40, 200, 256),
]

# one ordinary shape of each kind
_PLACE = {"x": 14.2, "y": 11.7, "thickness": 2.0, "amplitude": 2.5}
ORDINARY: dict[str, dict[str, float]] = {
    "ellipse": {"width": 17.0, "height": 9.0, "theta": 0.5} | _PLACE,
    "circle": {"radius": 8.3} | _PLACE,
    "rectangle": {"width": 15.0, "height": 9.0, "theta": 0.5} | _PLACE,
    "polygon": {"radius": 9.0, "vertices": 5.0, "theta": 0.2} | _PLACE,
    "arc": {"radius": 9.0, "start": 0.7, "extent": 4.0} | _PLACE,
    "line": {"x0": 3.3, "y0": 19.1, "x1": 24.8, "y1": 6.4, "thickness": 2.4, "amplitude": 2.5},
}


def render(
    kind: str, grid: Grid, dtype: torch.dtype = torch.float32, /, **parameters: float
) -> Tensor:
    """One shape, ordinary but for the given parameters, shape (H, W)."""
    values = ORDINARY[kind] | parameters
    tensors = {name: torch.tensor([value], dtype=dtype) for name, value in values.items()}
    return OBJECTS[kind].render(tensors, grid)[0]


def random_shapes(kind: str, count: int, grid: Grid) -> dict[str, Tensor]:
    """Shapes of every size and direction, some with their centre off the frame, half solid."""
    rng = np.random.default_rng([SHAPES.index(kind), grid.height, grid.width, count])

    def uniform(low: float, high: float) -> Array:
        return rng.uniform(low, high, count)

    def size(low: float = 0.02, high: float = 1.0) -> Array:
        return grid.shorter * np.exp(uniform(math.log(low), math.log(high)))

    outline = size(0.01, 0.4)
    solid = rng.random(count) < (0 if kind == "line" else 0.5)
    full_turn = rng.random(count) < 0.1
    values = {
        **{name: uniform(-0.3, 1.3) * grid.width for name in ("x", "x0", "x1")},
        **{name: uniform(-0.3, 1.3) * grid.height for name in ("y", "y0", "y1")},
        **{name: size() for name in ("width", "height", "radius")},
        **{name: uniform(-math.pi, 2 * math.pi) for name in ("theta", "start")},
        "vertices": rng.integers(3, 13, count).astype(float),
        "extent": np.where(full_turn, 2 * math.pi, uniform(0.01, 2 * math.pi)),
        "thickness": np.where(solid, np.inf, outline),
        "amplitude": uniform(0.1, 10.0),
    }
    return {name: torch.from_numpy(values[name]).float() for name in OBJECTS[kind].parameters}


def single(shapes: dict[str, Tensor], row: int) -> dict[str, float]:
    return {name: float(values[row]) for name, values in shapes.items()}


def agree(kind: str, p: dict[str, float], image: Array, expected: Array, *, within: float) -> bool:
    """Whether images are equal but for pixels at that distance from an edge [pixel], or nearer.

    An edge is near if there the reference changes its mind.
    """
    y, x = np.nonzero(image != expected)
    if not len(y):
        return True
    turns = np.exp(2j * math.pi * np.arange(32) / 32)
    around = (within * np.linspace(0.1, 1, 6)[:, None] * turns).ravel()
    values = reference.RENDERERS[kind](p, x[:, None] + around.real, y[:, None] + around.imag)
    return bool((values.min(axis=1) < values.max(axis=1)).all())


@each_shape
def test_equals_the_reference_off_the_edges(kind: str) -> None:
    # 0.001 pixel: float32 places an edge to about 0.0001 pixel in 256
    visible = 0
    for count, *size in FRAMES:
        grid = Grid(*size)
        shapes = random_shapes(kind, count, grid)
        for row, image in enumerate(OBJECTS[kind].render(shapes, grid).double().numpy()):
            p = single(shapes, row)
            expected = reference.render(kind, p, grid)
            visible += bool(expected.any())
            assert agree(kind, p, image, expected, within=1e-3), p
    assert visible > 1000


def _ellipse_patches(p: dict[str, float]) -> tuple[Patch, Patch | None]:
    def inset(by: float) -> Patch:
        width, height = p["width"] - 2 * by, p["height"] - 2 * by
        return patches.Ellipse((p["x"], p["y"]), width, height, angle=math.degrees(p["theta"]))

    solid = p["thickness"] >= min(p["width"], p["height"]) / 2
    return inset(0.0), None if solid else inset(p["thickness"])


def _circle_patches(p: dict[str, float]) -> tuple[Patch, Patch | None]:
    solid = p["thickness"] >= p["radius"]
    inner = None if solid else patches.Circle((p["x"], p["y"]), p["radius"] - p["thickness"])
    return patches.Circle((p["x"], p["y"]), p["radius"]), inner


def _arc_patches(p: dict[str, float]) -> tuple[Patch, Patch | None]:
    outer, inner = _circle_patches(p)
    if p["extent"] < 2 * math.pi:
        start, end = math.degrees(p["start"]), math.degrees(p["start"] + p["extent"])
        outer = patches.Wedge((p["x"], p["y"]), p["radius"], start, end)
    return outer, inner


# the outer edge and the hole, as matplotlib has them
CURVED: dict[str, Callable[[dict[str, float]], tuple[Patch, Patch | None]]] = {
    "ellipse": _ellipse_patches,
    "circle": _circle_patches,
    "arc": _arc_patches,
}


@pytest.mark.parametrize("kind", CURVED)
def test_curves_equal_matplotlib_off_the_edges(kind: str) -> None:
    # 0.15 pixel: matplotlib replaces a curve by straight pieces up to 0.12 pixel from it
    for count, *size in FRAMES:
        grid = Grid(*size)
        shapes = random_shapes(kind, count, grid)
        for row, image in enumerate(OBJECTS[kind].render(shapes, grid).double().numpy()):
            p = single(shapes, row)
            outer, hole = CURVED[kind](p)
            inside = _covers(outer, grid) & ~_covers(hole, grid)
            expected = np.where(inside, p["amplitude"], 0.0)
            assert agree(kind, p, image, expected, within=0.15), p


def _covers(patch: Patch | None, grid: Grid) -> Mask:
    if patch is None:
        return np.zeros(grid.shape, dtype=bool)
    path = patch.get_patch_transform().transform_path(patch.get_path())
    points = np.stack(np.meshgrid(np.arange(grid.width), np.arange(grid.height)), axis=-1)
    return np.asarray(path.contains_points(points.reshape(-1, 2))).reshape(grid.shape)


@each_shape
def test_batch_is_rendered_like_singles(kind: str) -> None:
    # sizes that fill no vector register, so that every lane and tail is met
    for grid in (Grid(29, 31), Grid(64, 64), Grid(7, 5, margin=3)):
        shapes = random_shapes(kind, 37, grid)
        together = OBJECTS[kind].render(shapes, grid)
        assert together.shape == (37, *grid.shape)
        assert together.dtype == torch.float32
        for row in range(37):
            alone = {name: values[row : row + 1] for name, values in shapes.items()}
            image = OBJECTS[kind].render(alone, grid)[0]
            assert torch.equal(image.view(torch.int32), together[row].view(torch.int32))


@each_shape
def test_empty_batch(kind: str) -> None:
    none = {name: torch.zeros(0) for name in OBJECTS[kind].parameters}
    assert OBJECTS[kind].render(none, Grid(5, 7)).shape == (0, 5, 7)


@each_shape
def test_margin_shows_more_of_the_same(kind: str) -> None:
    wide = render(kind, Grid(20, 28, margin=4))
    assert torch.equal(wide[4:-4, 4:-4], render(kind, Grid(20, 28)))


@each_shape
def test_float64_renders_the_same_shape(kind: str) -> None:
    assert torch.equal(
        render(kind, Grid(24, 28)), render(kind, Grid(24, 28), torch.float64).float()
    )
    assert render(kind, Grid(24, 28), torch.float64).dtype == torch.float64


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in SHAPES for name in ORDINARY[kind]]
)
def test_every_parameter_changes_the_image(kind: str, name: str) -> None:
    grid = Grid(24, 28)
    step = 1.0 if name == "vertices" else 0.9
    changed = render(kind, grid, **{name: ORDINARY[kind][name] + step})
    assert not torch.equal(changed, render(kind, grid))


@each_shape
@pytest.mark.parametrize("amplitude", [2.5, 1e-30, 1e30])
def test_pixels_are_zero_or_the_amplitude(kind: str, amplitude: float) -> None:
    values = set(render(kind, Grid(24, 28), amplitude=amplitude).flatten().tolist())
    assert values == {0.0, float(torch.tensor(amplitude))}


EXTREMES = [
    *({"thickness": value} for value in (1e-30, 1e-3, 1e4, 1e30, math.inf)),
    *({"x": value, "x0": value} for value in (-1e30, -1e4, 0.0, 1e4, 1e30)),
    {"x": 14.0, "y": 11.0},  # the centre of a pixel
    *({"x0": value, "x1": value, "y0": 3.0, "y1": 3.0} for value in (-1e30, 5.0, 1e30)),
    *({"radius": value, "width": value, "x1": value} for value in (1e-30, 1e-3, 1e4, 1e30)),
    *({"radius": value, "width": value, "height": value} for value in (1e-30, 1e30)),
    *({"extent": value} for value in (1e-30, 1e-3, math.pi, 6.28318, 2 * math.pi)),
    *({"theta": value, "start": value} for value in (-1e4, 0.0, math.pi / 2, 1e4)),
    *({"vertices": value} for value in (3.0, 4.0, 100.0, 1000.0)),
]


@pytest.mark.filterwarnings("ignore:.*expected radians")
@each_shape
@pytest.mark.parametrize("extreme", EXTREMES, ids=str)
def test_extremes_render_a_shape_and_finite_gradients(kind: str, extreme: dict[str, float]) -> None:
    values = {name: extreme.get(name, value) for name, value in ORDINARY[kind].items()}
    tensors = {name: torch.tensor([value], requires_grad=True) for name, value in values.items()}
    image = OBJECTS[kind].render(tensors, Grid(17, 28))
    assert set(image.flatten().tolist()) <= {0.0, ORDINARY[kind]["amplitude"]}
    image.sum().backward()  # type: ignore[no-untyped-call]
    for name, tensor in tensors.items():
        assert tensor.grad is not None, name
        expected = (image != 0).sum() if name == "amplitude" else 0
        assert float(tensor.grad) == expected, name
