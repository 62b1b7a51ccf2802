"""Lensed galaxies: lenstronomy and closed forms as oracles of images and of the lens equation."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from astropy.modeling.models import Sersic2D
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.lens_equation import LensImages
from tests.cases import LENSED, Image, Values, tensors

GRID = db.Grid(41, 57)
LARGE: Values = LENSED | {
    "x": 27.3, "y": 19.6, "einstein_radius": 11.7, "source_x": 1.5, "source_y": -2.7, "radius": 3.1,
}  # fmt: skip
SIS: Values = LARGE | {"ellip": 0.0, "shear": 0.0}
LENSES = {
    "typical": LARGE,
    "sphere": LARGE | {"ellip": 0.0},
    "no shear": LARGE | {"shear": 0.0},
    "sphere, no shear": SIS,
    "nearly round": LARGE | {"ellip": 1e-5},
    "flat": LARGE | {"ellip": 0.85, "theta": 2.9},
    "strong shear": LARGE | {"shear": 0.4, "shear_theta": 0.3},
    "on a pixel": LARGE | {"x": 27.0, "y": 19.0},
    "beyond the frame": LARGE | {"x": -4.2, "y": 47.1},
    "four images": LARGE | {"source_x": 0.3, "source_y": -0.2},
    "far source": LARGE | {"source_x": 14.0, "source_y": 9.0},
}
each_lens = pytest.mark.parametrize("lens", LENSES.values(), ids=list(LENSES))


def model(p: Values) -> tuple[Any, list[dict[str, float]]]:
    """Lenstronomy's power law of index 2, which is isothermal, in a shear, and its arguments.

    Its own `SIE` softens the centre and differs by up to 1e-4 in magnification.
    """
    q = 1 - p["ellip"]
    size, turn = (1 - q) / (1 + q), 2 * p["theta"]
    mass = {
        "theta_E": p["einstein_radius"],
        "gamma": 2.0,
        "e1": size * math.cos(turn),
        "e2": size * math.sin(turn),
        "center_x": p["x"],
        "center_y": p["y"],
    }
    shear = {
        "gamma1": p["shear"] * math.cos(2 * p["shear_theta"]),
        "gamma2": p["shear"] * math.sin(2 * p["shear_theta"]),
        "ra_0": p["x"],
        "dec_0": p["y"],
    }
    return LensModel(["EPL", "SHEAR"]), [mass, shear]


def pixels() -> tuple[Image, Image]:
    rows, columns = np.mgrid[: GRID.height, : GRID.width].astype(np.float64)
    return columns.ravel(), rows.ravel()


def points(x: Image, y: Image) -> Tensor:
    return torch.tensor(np.stack([x, y], axis=-1))[None]


def images(p: Values) -> LensImages:
    return db.lens_equation.image_positions(tensors(p))


@each_lens
def test_deflection_is_that_of_lenstronomy(lens: Values) -> None:
    """Oracle: its `SIE`, by which the Einstein radius is defined; it softens the centre."""
    x, y = pixels()
    _, (mass, _) = model(lens)
    away = np.hypot(x - lens["x"], y - lens["y"]) > 0
    mass = {name: value for name, value in mass.items() if name != "gamma"}
    expected = LensModel(["SIE"]).alpha(x, y, [mass])
    found = db.lens_equation.deflection(tensors(lens), points(x, y))[0].numpy()
    np.testing.assert_allclose(found.T[:, away], np.array(expected)[:, away], rtol=0, atol=1e-6)


@each_lens
def test_source_positions_are_those_of_lenstronomy(lens: Values) -> None:
    x, y = pixels()
    away = np.hypot(x - lens["x"], y - lens["y"]) > 0
    shot, arguments = model(lens)
    expected = np.array(shot.ray_shooting(x[away], y[away], arguments))
    found = db.lens_equation.source_position(tensors(lens), points(x[away], y[away]))[0].numpy()
    centre = np.array([lens["x"], lens["y"]])
    np.testing.assert_allclose(found + centre, expected.T, rtol=0, atol=1e-6)


@each_lens
def test_image_is_the_source_at_the_rays_of_lenstronomy(lens: Values) -> None:
    """Oracles: its ray shooting, and astropy's Sersic profile; within 1e-5 of the peak."""
    x, y = pixels()
    shot, arguments = model(lens)
    x, y = x + 1e-9 * (np.hypot(x - lens["x"], y - lens["y"]) == 0), y
    source = Sersic2D(
        amplitude=lens["amplitude"],
        r_eff=lens["radius"],
        n=lens["n"],
        x_0=lens["x"] + lens["source_x"],
        y_0=lens["y"] + lens["source_y"],
        ellip=lens["source_ellip"],
        theta=lens["source_theta"],
    )
    expected = np.asarray(source(*shot.ray_shooting(x, y, arguments))).reshape(GRID.shape)
    away = np.hypot(x - lens["x"], y - lens["y"]).reshape(GRID.shape) > 1e-6
    for dtype in (torch.float64, torch.float32):
        found = OBJECTS["lensed"].render(tensors(lens, dtype), GRID)[0].numpy()
        assert np.abs(found - expected)[away].max() < 1e-5 * expected.max()


@each_lens
def test_magnification_is_that_of_lenstronomy(lens: Values) -> None:
    """Oracle: the Hessian of its potential; relative to the magnification or to 1."""
    x, y = pixels()
    away = np.hypot(x - lens["x"], y - lens["y"]) > 0
    shot, arguments = model(lens)
    expected = shot.magnification(x[away], y[away], arguments)
    found = db.lens_equation.magnification(tensors(lens), points(x[away], y[away]))[0].numpy()
    np.testing.assert_allclose(1 / found, 1 / expected, rtol=1e-7, atol=1e-7)


@each_lens
def test_magnification_is_the_change_of_area(lens: Values) -> None:
    """Oracle: the determinant of the derivative of the source position by autograd."""
    parameters = tensors(lens)

    def position(point: Tensor) -> Tensor:
        return db.lens_equation.source_position(parameters, point.view(1, 1, 2)).flatten()

    for place in ([20.3, 11.9], [31.0, 30.4], [2.0, 40.0]):
        point = torch.tensor(place, dtype=torch.float64)
        jacobian = torch.autograd.functional.jacobian(position, point)  # type: ignore[no-untyped-call]
        found = db.lens_equation.magnification(parameters, point.view(1, 1, 2))
        assert float(found) == pytest.approx(1 / float(torch.det(jacobian)), rel=1e-9)


@pytest.mark.parametrize("name", ["source_position", "magnification"])
@pytest.mark.parametrize("changes", [{}, {"ellip": 1e-3}, {"ellip": 0.8}], ids=str)
def test_the_lens_equation_is_differentiable(name: str, changes: Values) -> None:
    """Oracle: differences, by every parameter of the lens and by the points."""
    parameters = tensors(LARGE | changes)
    names = ["x", "y", "einstein_radius", "ellip", "theta", "shear", "shear_theta"]
    function = getattr(db.lens_equation, name)

    def value(points: Tensor, *values: Tensor) -> Tensor:
        result: Tensor = function(parameters | dict(zip(names, values, strict=True)), points)
        return result

    points = torch.tensor([[[20.3, 11.9], [31.0, 30.4]]], dtype=torch.float64)
    inputs = [points, *(parameters[name] for name in names)]
    assert torch.autograd.gradcheck(value, [each.requires_grad_() for each in inputs])


@pytest.mark.moves_generators  # lenstronomy's solver does
@each_lens
def test_images_are_those_of_the_solver_of_lenstronomy(lens: Values) -> None:
    shot, arguments = model(lens)
    expected = LensEquationSolver(shot).image_position_from_source(
        lens["x"] + lens["source_x"],
        lens["y"] + lens["source_y"],
        arguments,
        min_distance=0.3,
        search_window=80,
        x_center=lens["x"] + 0.013,  # so that no point of its grid is the centre
        y_center=lens["y"] + 0.017,
        precision_limit=1e-10,
        num_iter_max=200,
    )
    found = images(lens)
    count = int(found.number)
    own = found.position[0, :count].numpy()
    assert count == len(expected[0]) > 0
    order = np.argsort(-np.abs(shot.magnification(*expected, arguments)), kind="stable")
    np.testing.assert_allclose(own, np.stack(expected, axis=-1)[order], rtol=0, atol=1e-6)
    assert bool(found.position[0, count:].isnan().all())
    assert bool(found.magnification[0, count:].isnan().all())


@pytest.mark.parametrize("recipe", ["lensed", "lens"])
def test_images_of_many_lenses_solve_the_lens_equation(recipe: str) -> None:
    """Two or four of each lens of a recipe, half of them mirrored; the source is hit."""
    scene = db.generate(recipe, 3, torch.arange(500)).scene["lensed"]
    found = db.lens_equation.image_positions(scene)
    assert found.position.shape == (500, 1, 8, 2)
    counts = found.number.flatten().bincount(minlength=5).tolist()
    assert counts[2] + counts[4] == 500
    assert 0.1 < counts[4] / 500 < 0.5
    assert torch.equal((found.magnification > 0).sum(-1), (found.magnification < 0).sum(-1))
    source = torch.stack((scene["source_x"], scene["source_y"]), dim=-1)[..., None, :].double()
    missed = (db.lens_equation.source_position(scene, found.position) - source).abs()
    assert float(missed.nan_to_num().max()) < 1e-9
    assert bool((found.magnification.abs().diff(dim=-1).nan_to_num(-1.0) <= 0).all())


@pytest.mark.parametrize("distance", [0.01, 1.0, 3.0, 11.6])
@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_images_by_a_sphere_are_those_of_the_closed_form(distance: float, angle: float) -> None:
    """At b + E and b - E on the line through the source, magnified 1 + E / b and 1 - E / b."""
    along = np.array([math.cos(angle), math.sin(angle)])
    p = SIS | {"source_x": distance * along[0], "source_y": distance * along[1]}
    found, radius = images(p), SIS["einstein_radius"]
    assert int(found.number) == 2
    expected = np.array([p["x"], p["y"]]) + np.outer([distance + radius, distance - radius], along)
    np.testing.assert_allclose(found.position[0, :2].numpy(), expected, rtol=0, atol=1e-9)
    sizes = [1 + radius / distance, 1 - radius / distance]
    np.testing.assert_allclose(found.magnification[0, :2].numpy(), sizes, rtol=1e-7)


def test_a_source_beyond_the_einstein_radius_of_a_sphere_has_one_image() -> None:
    found = images(SIS | {"source_x": 12.0, "source_y": 0.0})
    assert int(found.number) == 1
    assert found.position[0, 0].tolist() == pytest.approx([SIS["x"] + 23.7, SIS["y"]], abs=1e-9)


@pytest.mark.parametrize("offset", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("angle", [0.0, 0.3, 1.1, math.pi / 2])
def test_images_that_are_about_to_merge_are_found(offset: float, angle: float) -> None:
    """Four images of a source just inside of the caustic of a shear, two of one just outside.

    Oracle: the critical curve of a sphere in a shear g along the columns, where the magnification
    is infinite: r = E (1 - g cos(2 t)) / (1 - g**2). Its source positions are the caustic, an
    astroid round the centre with cusps at t = 0 and pi / 2.
    """
    g, radius = 0.1, SIS["einstein_radius"]
    p = SIS | {"shear": g, "shear_theta": 0.0}
    critical = radius * (1 - g * math.cos(2 * angle)) / (1 - g * g)
    caustic = [
        ((1 - g) * critical - radius) * math.cos(angle),
        ((1 + g) * critical - radius) * math.sin(angle),
    ]
    found = []
    for scale in (1 - offset, 1 + offset):
        source = {"source_x": caustic[0] * scale, "source_y": caustic[1] * scale}
        found.append(int(images(p | source).number))
    assert found == [4, 2]


def test_a_ring_has_no_separate_images() -> None:
    found = images(SIS | {"source_x": 0.0, "source_y": 0.0})
    assert int(found.number) == 0
    assert bool(found.position.isnan().all())


def test_a_source_behind_a_sphere_is_a_ring_of_the_einstein_radius() -> None:
    """Every point at the distance r has the light of the source at r - E."""
    p = SIS | {"x": 20.0, "y": 20.0, "einstein_radius": 12.0, "source_x": 0.0, "source_y": 0.0}
    p |= {"source_ellip": 0.0, "n": 1.0}
    image = OBJECTS["lensed"].render(tensors(p), db.Grid(41, 43))[0]
    profile = image[20, 20:]
    assert int(profile.argmax()) == 12
    galaxy = {name: p[name] for name in ("y", "amplitude", "radius", "n", "theta")}
    galaxy |= {"x": 12.0, "ellip": 0.0, "y": 0.0}
    expected = OBJECTS["galaxy"].render(tensors(galaxy), db.Grid(1, 23))[0, 0]
    assert torch.allclose(profile[1:], expected[1:], rtol=1e-9)
    assert torch.allclose(image[20, 20:40], image[20:40, 20], rtol=1e-9)


def test_a_weak_lens_leaves_a_galaxy_as_it_is() -> None:
    p = LARGE | {"einstein_radius": 1e-9, "shear": 0.0}
    galaxy = {
        "x": p["x"] + p["source_x"], "y": p["y"] + p["source_y"], "amplitude": p["amplitude"],
        "radius": p["radius"], "n": p["n"], "ellip": p["source_ellip"], "theta": p["source_theta"],
    }  # fmt: skip
    found = OBJECTS["lensed"].render(tensors(p), GRID)
    expected = OBJECTS["galaxy"].render(tensors(galaxy), GRID)
    assert torch.allclose(found, expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", ["theta", "shear_theta", "source_theta"])
def test_half_a_turn_changes_nothing(name: str) -> None:
    image = OBJECTS["lensed"].render(tensors(LARGE), GRID)
    turned = OBJECTS["lensed"].render(tensors(LARGE | {name: LARGE[name] + math.pi}), GRID)
    assert torch.allclose(turned, image, rtol=1e-9)
    assert OBJECTS["lensed"].prior[name].support == (0.0, math.pi)


@pytest.mark.parametrize("changes", [
    {}, {"ellip": 0.0}, {"shear": 0.0, "ellip": 0.0}, {"source_x": 0.0, "source_y": 0.0},
    {"n": 4.0}, {"ellip": 0.99}, {"ellip": 0.0, "shear": 0.0, "source_x": 0.0, "source_y": 0.0},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])
def test_nothing_is_infinite_at_the_centre_or_on_critical_curves(
    changes: Values, dtype: torch.dtype
) -> None:
    """The lens centre and, of a sphere, the whole pixels of its ring lie on pixel centres."""
    p = LARGE | {"x": 27.0, "y": 19.0, "einstein_radius": 12.0} | changes
    values = {name: value.requires_grad_() for name, value in tensors(p, dtype).items()}
    image = OBJECTS["lensed"].render(values, GRID)
    assert bool(image.isfinite().all())
    image.sum().backward()  # type: ignore[no-untyped-call]
    for name, value in values.items():
        assert value.grad is not None
        assert bool(value.grad.isfinite().all()), name


@pytest.mark.parametrize("radius", [0.0, -1.0])
def test_no_lens_is_refused_with_a_remedy(radius: float) -> None:
    rule = rf"^lensed.einstein_radius must be > 0, got {radius:g} in sample 0; .* kind galaxy"
    wrong = tensors(LARGE | {"einstein_radius": radius})
    for call in (db.lens_equation.image_positions, lambda p: OBJECTS["lensed"].render(p, GRID)):
        with pytest.raises(ValueError, match=rule):
            call(wrong)


def test_points_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^points: expected the shape \(1, N, 2\), got \(3, 2\);"):
        db.lens_equation.magnification(tensors(LARGE), torch.zeros(3, 2))
    uneven = tensors(LARGE) | {"n": torch.ones(2)}
    with pytest.raises(ValueError, match=r"^lensed.n: expected the shape of lensed.x, \(1,\), got"):
        db.lens_equation.image_positions(uneven)


LENS = dict.fromkeys(OBJECTS["lensed"].parameters, torch.zeros(1))
LENS |= dict.fromkeys(("n", "radius", "einstein_radius"), torch.ones(1))
LAWS = (
    db.lens_equation.deflection, db.lens_equation.magnification, db.lens_equation.source_position,
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("wrong", [float("inf"), -float("inf")])
def test_points_at_infinity_are_refused(law: Callable[..., Tensor], wrong: float) -> None:
    with pytest.raises(ValueError, match=r"^points: expected numbers, or NaN where there is no"):
        law(LENS, torch.tensor([[[1.0, wrong]]]))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_points_of_absent_images_stay_nan(law: Callable[..., Tensor]) -> None:
    """`LensImages` marks places without an image by NaN, and its points can be given on."""
    nan = float("nan")
    found = law(LENS, torch.tensor([[[3.0, 1.0], [nan, nan]]]))[0]
    assert bool(found[0].isfinite().all())
    assert bool(found[1].isnan().all())
