"""Laws that hold for every object: each row of the table in `cases.py` is held against them.

A new kind needs its names below too; `test_no_object_is_left_out` fails until it has its rows.
"""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors.parameter import Parameter
from tests.cases import (
    CASES,
    GRID,
    Case,
    brightness_of,
    drawn,
    each_case,
    each_dtype,
    each_object,
    tensors,
    typical,
)

# The parameters of every kind, in order, as users and files know them
NAMES = {
    "star": "x y amplitude gamma alpha",
    "galaxy": "x y amplitude radius n ellip theta",
    "spiral": "x y amplitude radius arms scale bar winding width theta ellip phase "
    "core_amplitude core_radius core_ellip",
    "lensed": "x y einstein_radius ellip theta shear shear_theta source_x source_y amplitude "
    "radius n source_ellip source_theta",
    "ellipse": "x y width height theta thickness amplitude",
    "circle": "x y radius thickness amplitude",
    "rectangle": "x y width height theta thickness amplitude",
    "polygon": "x y radius vertices theta thickness amplitude",
    "arc": "x y radius start extent thickness amplitude",
    "line": "x0 y0 x1 y1 thickness amplitude",
    "point": "x y flux",
}


def test_no_object_is_left_out() -> None:
    assert {case.name for case in CASES} == set(OBJECTS)


@each_object
def test_parameters_have_their_names_and_order(name: str) -> None:
    kind = OBJECTS[name]
    assert kind.name == name
    assert list(kind.parameters) == NAMES[name].split()
    record = kind.record(*torch.arange(len(kind.parameters)))
    assert record._fields == kind.parameters
    assert list(kind.prior) == list(kind.parameters)


@each_object
def test_default_priors_make_sense(name: str) -> None:
    kind = OBJECTS[name]
    for parameter, prior in kind.prior.items():
        kind.check_prior(parameter, prior)
        ends = prior.icdf(torch.tensor([2.0**-53, 0.5, 1 - 2.0**-53], dtype=torch.float64))
        kind.check(parameter, ends)


@each_case
def test_agrees_with_reference_renderer(case: Case) -> None:
    """Oracle: astropy, for the spiral the paper's curve, for a lens another form, in float64."""
    found = case.kind.render(tensors(case.parameters), GRID)[0].numpy()
    expected = db.reference.render(case.name, case.parameters, GRID)
    # atol: beyond e**-60 of the amplitude a pixel is dark
    np.testing.assert_allclose(found, expected, rtol=case.rtol, atol=1e-26)


@each_case
def test_agrees_with_reference_renderer_in_single_precision(case: Case) -> None:
    """Return the light of the parameters as single precision holds them."""
    parameters = tensors(case.parameters, torch.float32)
    found = case.kind.render(parameters, GRID)[0].double().numpy()
    exact = {name: float(value) for name, value in parameters.items()}
    expected = db.reference.render(case.name, exact, GRID)
    np.testing.assert_allclose(found, expected, rtol=case.single, atol=1e-26)


@each_case
def test_reference_renderer_knows_the_margin(case: Case) -> None:
    """A margin moves nothing: the inner part is the image without."""
    wide = db.Grid(GRID.height, GRID.width, margin=3)
    inner = db.reference.render(case.name, case.parameters, wide)[3:-3, 3:-3]
    np.testing.assert_array_equal(inner, db.reference.render(case.name, case.parameters, GRID))
    found = case.kind.render(tensors(case.parameters), wide)[:, 3:-3, 3:-3]
    assert torch.equal(found, case.kind.render(tensors(case.parameters), GRID))


@each_object
@each_dtype
@pytest.mark.parametrize("grid", [GRID, db.Grid(2, 1), db.Grid(1, 1)], ids=str)
def test_batch_is_drawn_like_singles(name: str, dtype: torch.dtype, grid: db.Grid) -> None:
    """To the last bit, in any order: 100 objects of the default priors and all cases.

    On one pixel a single is the rest of a vector loop, where some functions of torch round
    otherwise: `atan2` and powers among them.
    """
    kind, batch = OBJECTS[name], drawn(name, 100, dtype)
    images = kind.render(batch, grid)
    count = len(batch[kind.parameters[0]])
    singles = [
        kind.render({name: values[k : k + 1] for name, values in batch.items()}, grid)
        for k in range(count)
    ]
    assert images.shape == (count, grid.height, grid.width)
    assert torch.equal(images, torch.cat(singles))
    backward = kind.render({name: values.flip(0) for name, values in batch.items()}, grid)
    assert torch.equal(images.flip(0), backward)


@each_object
@each_dtype
def test_empty_batch_gives_no_images(name: str, dtype: torch.dtype) -> None:
    nothing = {parameter: torch.zeros(0, dtype=dtype) for parameter in OBJECTS[name].parameters}
    images = OBJECTS[name].render(nothing, GRID)
    assert (images.shape, images.dtype) == ((0, GRID.height, GRID.width), dtype)


@each_case
@each_dtype
@pytest.mark.parametrize(
    "grid", [db.Grid(5, 9), db.Grid(9, 5), db.Grid(1, 7), db.Grid(7, 1)], ids=str
)
def test_shape_and_type_are_those_of_grid_and_parameters(
    case: Case, dtype: torch.dtype, grid: db.Grid
) -> None:
    images = case.kind.render(tensors(case.parameters, dtype), grid)
    assert (images.shape, images.dtype) == ((1, grid.height, grid.width), dtype)
    assert bool(images.isfinite().all())


@each_case
def test_a_record_is_drawn_like_a_mapping(case: Case) -> None:
    parameters = tensors(case.parameters)
    record = case.kind.record(**parameters)
    assert torch.equal(case.kind.render(record, GRID), case.kind.render(parameters, GRID))
    assert torch.equal(case.kind.render_unchecked(record, GRID), case.kind.render(parameters, GRID))


@each_case
def test_parameters_are_left_alone(case: Case) -> None:
    parameters = tensors(case.parameters)
    case.kind.render(parameters, GRID)
    assert {name: float(value) for name, value in parameters.items()} == case.parameters


@each_object
@each_dtype
def test_vmap_maps_over_objects(name: str, dtype: torch.dtype) -> None:
    """Oracle: the drawing of a batch; with gradients by the amplitude of each object alone."""
    kind, batch = OBJECTS[name], drawn(name, 5, dtype)
    expected = kind.render(batch, GRID)

    def single(*own: Tensor) -> Tensor:
        return kind.render_unchecked(kind.record(*own), GRID)[0]

    columns = [batch[parameter][:, None] for parameter in kind.parameters]
    assert torch.allclose(torch.func.vmap(single)(*columns), expected, rtol=1e-6)
    place = kind.parameters.index(brightness_of(name))
    slopes = torch.func.vmap(torch.func.jacrev(lambda *own: single(*own).sum(), argnums=place))
    found = slopes(*columns)[:, 0]
    alone = [values.clone().requires_grad_() for values in batch.values()]
    kind.render_unchecked(kind.record(*alone), GRID).sum().backward()  # type: ignore[no-untyped-call]
    gradient = alone[place].grad
    assert gradient is not None
    assert torch.allclose(found, gradient, rtol=1e-4)


@each_case
def test_light_is_never_negative(case: Case) -> None:
    assert float(case.kind.render(tensors(case.parameters), GRID).min()) >= 0


@each_case
def test_light_is_proportional_to_the_amplitudes(case: Case) -> None:
    bright = {
        name: value * (4 if case.kind.fields[name].role in ("brightness", "flux") else 1)
        for name, value in case.parameters.items()
    }
    image = case.kind.render(tensors(case.parameters), GRID)
    assert torch.allclose(case.kind.render(tensors(bright), GRID), 4 * image, rtol=1e-14, atol=0)


@each_case
def test_gradients_are_right(case: Case) -> None:
    """Oracle: differences of the images in float64, at every pixel and by every smooth parameter.

    At a centre on a pixel a cusp has no gradient; there it is 0, and so is the central difference.
    """
    smooth = case.kind.parameters if case.smooth is None else case.smooth
    parameters = tensors(case.parameters)
    # 5 by 7 pixels round the centre, or the nearest to it, are enough
    top = min(max(round(case.parameters.get("y", 8)) - 2, 0), GRID.height - 5)
    left = min(max(round(case.parameters.get("x", 11)) - 3, 0), GRID.width - 7)

    def image(*values: Tensor) -> Tensor:
        drawn = case.kind.render(parameters | dict(zip(smooth, values, strict=True)), GRID)
        return drawn[:, top : top + 5, left : left + 7]

    inside = [
        parameters[name] + inward(case.kind.fields[name], parameters[name]) for name in smooth
    ]
    assert torch.autograd.gradcheck(image, [value.requires_grad_() for value in inside])


def inward(field: Parameter, value: Tensor) -> float:
    """A step off the end of a range, so that there is a difference to either side."""
    return 1e-3 if float(value) == field.ge else 0.0


@each_case
def test_gradients_are_finite_in_single_precision(case: Case) -> None:
    parameters = tensors(case.parameters, torch.float32)
    values = {name: value.requires_grad_() for name, value in parameters.items()}
    case.kind.render(values, GRID).sum().backward()  # type: ignore[no-untyped-call]
    for name in case.kind.parameters if case.smooth is None else case.smooth:
        gradient = values[name].grad
        assert gradient is not None, name
        assert bool(gradient.isfinite().all()), name


@each_case
def test_gradient_by_one_parameter_alone_is_that_by_all(case: Case) -> None:
    """Others that need no gradient change none, nor the image."""
    names = case.kind.parameters if case.smooth is None else case.smooth
    image = case.kind.render(tensors(case.parameters), GRID)
    together = {name: value.requires_grad_() for name, value in tensors(case.parameters).items()}
    drawn_together = case.kind.render(together, GRID)
    expected = torch.autograd.grad(drawn_together.sum(), [together[name] for name in names])
    assert torch.equal(drawn_together, image)
    for name, gradient in zip(names, expected, strict=True):
        alone = tensors(case.parameters)
        drawn_alone = case.kind.render(alone | {name: alone[name].requires_grad_()}, GRID)
        assert torch.equal(drawn_alone, image)
        (found,) = torch.autograd.grad(drawn_alone.sum(), alone[name])
        assert torch.allclose(found, gradient, rtol=1e-9, atol=0), name


@each_object
def test_every_parameter_changes_the_image(name: str) -> None:
    case = typical(name)
    image = case.kind.render(tensors(case.parameters), GRID)
    for parameter, field in case.kind.fields.items():
        other = case.parameters | {parameter: nudged(field, case.parameters[parameter])}
        changed = case.kind.render(tensors(other), GRID)
        assert float((changed - image).abs().max()) > 1e-3 * float(image.max()), parameter


def nudged(field: Parameter, value: float) -> float:
    """A clearly different value that makes sense."""
    if field.role == "number":
        nearer = (value + field.upper) / 2 if field.upper < math.inf else math.inf
        return min(value + 1, nearer)
    return value + {"angle": 0.3, "brightness": 0.5 * value, "flux": 0.5 * value}.get(
        field.role, 1.25
    )


@each_object
def test_columns_and_rows_move_the_image(name: str) -> None:
    """By whole pixels: float64 rounds positions by 1e-15, and nothing else changes."""
    case = typical(name)
    moved = {
        parameter: value + {"column": 2.0, "row": -1.0}.get(case.kind.fields[parameter].role, 0.0)
        for parameter, value in case.parameters.items()
    }
    image = case.kind.render(tensors(case.parameters), GRID)
    found = case.kind.render(tensors(moved), GRID)
    assert torch.allclose(found[:, :-1, 2:], image[:, 1:, :-2], rtol=1e-9, atol=0)


@each_object
def test_theta_turns_the_image_from_right_to_down(name: str) -> None:
    """A quarter turn about the middle is numpy's; star and circle have no theta."""
    case = typical(name)
    if "theta" not in case.parameters:
        return
    upright = case.parameters | {"x": 8.0, "y": 5.0}
    turned = case.parameters | {"x": 5.0, "y": 8.0}
    for angle in ("theta", "shear_theta", "source_theta"):
        if angle in turned:
            turned[angle] += math.pi / 2
    if name == "lensed":
        turned |= {"source_x": -upright["source_y"], "source_y": upright["source_x"]}
    image = case.kind.render(tensors(upright), db.Grid(11, 17))[0].numpy()
    found = case.kind.render(tensors(turned), db.Grid(17, 11))[0].numpy()
    np.testing.assert_allclose(found, np.rot90(image, -1), rtol=1e-9)


def test_unknown_kinds_have_no_reference() -> None:
    with pytest.raises(ValueError, match=r"^kind: expected one of star, .*, got 'comet'; use one"):
        db.reference.render("comet", {}, GRID)


def test_reference_renderer_takes_what_the_kind_takes() -> None:
    star = {"x": 3.0, "y": 3.0, "amplitude": 1.0, "gamma": 1.0, "alpha": 2.5}
    with pytest.raises(ValueError, match=r"^star.fwhm is unknown; star takes exactly x, y, "):
        db.reference.render("star", star | {"fwhm": 2.0}, GRID)
    with pytest.raises(ValueError, match=r"^star.gamma must be > 0, got 0 in sample 0"):
        db.reference.render("star", star | {"gamma": 0.0}, GRID)
