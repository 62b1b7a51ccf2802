"""Errors of objects, and their messages."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.kind import ObjectKind
from deepbench_torch.priors import Choice, Fixed, Integer, LogUniform, Normal, Prior, Uniform
from deepbench_torch.priors.parameter import Parameter
from tests.cases import GRID, STAR, each_object, tensors, typical


def bad_values(field: Parameter) -> list[float]:
    """Values that make no sense: beyond the ends, the ends if open, and no number at all."""
    bad = [math.nan]
    if field.role in ("column", "row", "angle", "brightness"):
        bad += [math.inf]
    bad += [end - 1 for end in (field.gt, field.ge) if end is not None]
    bad += [end + 1 for end in (field.lt, field.le) if end not in (None, math.inf)]
    bad += [end for end in (field.gt, field.lt) if end is not None]
    if field.whole:
        bad += [field.lower + 0.5, field.lower + 1.5]
    return bad


REFUSED = [
    (name, parameter, value)
    for name, kind in OBJECTS.items()
    for parameter, field in kind.fields.items()
    for value in bad_values(field)
]


@pytest.mark.parametrize(("name", "parameter", "value"), REFUSED)
def test_values_that_make_no_sense_are_refused(name: str, parameter: str, value: float) -> None:
    """The message names object and parameter, the value, its place and the remedy."""
    case = typical(name)
    field = case.kind.fields[parameter]
    parameters = {key: value.repeat(3) for key, value in tensors(case.parameters).items()}
    parameters[parameter][1] = value
    with pytest.raises(ValueError) as caught:
        case.kind.render(parameters, GRID)
    assert str(caught.value) == (
        f"{name}.{parameter} must be {field.range}, got {value:g} in sample 1; {field.remedy}"
    )


@pytest.mark.parametrize(
    ("name", "parameter", "value"), [row for row in REFUSED if not math.isnan(row[2])]
)
def test_priors_of_values_that_make_no_sense_are_refused(
    name: str, parameter: str, value: float
) -> None:
    case = typical(name)
    field = case.kind.fields[parameter]
    prior = Choice((case.parameters[parameter], value))
    with pytest.raises(ValueError) as caught:
        case.kind.check_prior(parameter, prior)
    assert str(caught.value) == (
        f"{name}.{parameter}: expected {field.rule}, got {prior.to_plain()!r}; {field.remedy}"
    )


PRIORS: list[tuple[str, Prior, bool]] = [
    # a position may lie anywhere, but somewhere
    ("x", Normal(0.5, 0.1), True),
    ("x", Normal(0.5, 0.1, low=0.0), True),
    ("x", Uniform(-5.0, 5.0), True),
    ("x", Fixed(math.inf), False),
    ("x", Fixed(-math.inf), False),
    # the radius is larger than 0
    ("radius", Uniform(1e-3, 1.0), True),
    ("radius", Uniform(0.0, 1.0), False),
    ("radius", LogUniform(1e-9, 1.0), True),
    ("radius", Normal(0.1, 0.01), False),
    ("radius", Normal(0.1, 0.01, low=0.01), True),
    ("radius", Normal(0.1, 0.01, low=0.0), False),
    ("radius", Choice((-1.0, 0.1), (0.0, 1.0)), True),
    # the ellipticity from 0 on, and smaller than 1
    ("ellip", Uniform(0.0, 1.0), True),
    ("ellip", Uniform(-0.1, 0.5), False),
    ("ellip", Uniform(0.0, 1.01), False),
    ("ellip", LogUniform(0.1, 1.0), False),
    ("ellip", Normal(0.5, 0.1, 0.0, 1.0), False),
    ("ellip", Normal(0.5, 0.1, 0.0, 0.99), True),
    ("ellip", Normal(0.5, 0.1, low=0.0), False),
    ("ellip", Integer(0, 1), False),
    ("ellip", Integer(0, 0), True),
    ("ellip", Choice((0.0, 1.0)), False),
    ("ellip", Choice((0.0, 1.0), (1.0, 0.0)), True),
    ("ellip", Fixed(1.0), False),
    ("ellip", Fixed(0.0), True),
    ("ellip", Choice((0.0, -1.0, 0.5)), False),
]


@pytest.mark.parametrize(("parameter", "prior", "fits"), PRIORS, ids=str)
def test_a_prior_fits_if_all_its_values_do(parameter: str, prior: Prior, fits: bool) -> None:
    galaxy = OBJECTS["galaxy"]
    if fits:
        galaxy.check_prior(parameter, prior)
        return
    with pytest.raises(ValueError, match=rf"^galaxy\.{parameter}: expected .*, got "):
        galaxy.check_prior(parameter, prior)


@each_object
def test_names_that_do_not_fit_are_refused(name: str) -> None:
    kind, parameters = OBJECTS[name], tensors(typical(name).parameters)
    takes = f"{name} takes exactly {', '.join(kind.parameters)}"
    first, *rest = kind.parameters
    without = {key: parameters[key] for key in rest}
    for given, fault in (
        (without, f"{name}.{first} is missing"),
        (parameters | {"hue": parameters[first]}, f"{name}.hue is unknown"),
        (
            without | {"hue": parameters[first]},
            f"{name}.{first} is missing, {name}.hue is unknown",
        ),
    ):
        with pytest.raises(ValueError) as caught:
            kind.render(given, GRID)
        assert str(caught.value) == f"{fault}; {takes}"
    with pytest.raises(ValueError, match=rf"^{name}\.\w+ is missing, "):
        kind.render({}, GRID)


@each_object
@pytest.mark.parametrize("shape", [(), (2,), (1, 1), (0,)])
def test_shapes_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...]) -> None:
    kind, parameters = OBJECTS[name], tensors(typical(name).parameters)
    last = kind.parameters[-1]
    parameters[last] = parameters[last].new_ones(shape)
    with pytest.raises(ValueError) as caught:
        kind.render(parameters, GRID)
    assert str(caught.value) == (
        f"{name}.{last} must have shape (B,) as every parameter, got {shape}, where "
        f"{len(parameters) - 1} have (1,); for one object give tensors of one element"
    )


@each_object
def test_plain_numbers_are_refused_with_a_remedy(name: str) -> None:
    parameters: dict[str, Any] = dict(typical(name).parameters)
    with pytest.raises(ValueError, match="for one object give tensors of one element"):
        OBJECTS[name].render(parameters, GRID)


@each_object
def test_integers_are_rendered_like_others(name: str) -> None:
    """A tensor of whole numbers, as [4], is what comes first to hand; lists are taken too."""
    kind, parameters = OBJECTS[name], tensors(typical(name).parameters, torch.float32)
    whole = {
        key: value.ceil()
        for key, value in parameters.items()
        if next_integer_fits(kind, key, value)
    }
    expected = kind.render(parameters | whole, GRID)
    as_integer = parameters | {key: value.long() for key, value in whole.items()}
    assert torch.equal(kind.render(as_integer, GRID), expected)
    as_lists: dict[str, Any] = {key: value.tolist() for key, value in as_integer.items()}
    assert torch.equal(kind.render(as_lists, GRID), expected)


def next_integer_fits(kind: ObjectKind[Any], name: str, value: Tensor) -> bool:
    """Whether the next whole number makes sense too."""
    return bool(kind.fields[name].allows(value.ceil()))


def test_integers_alone_are_rendered_in_single_precision() -> None:
    """All of a galaxy of n = 4 is 2141 times brighter at its centre than at its radius."""
    names = OBJECTS["galaxy"].parameters
    whole = dict(zip(names, torch.tensor([[3], [2], [1], [2], [4], [0], [0]]), strict=True))
    image = OBJECTS["galaxy"].render(whole, db.Grid(5, 8))
    assert image.dtype == torch.float32
    assert float(image[0, 2, 3]) == pytest.approx(2141.47, rel=1e-4)
    assert float(image[0, 2, 5]) == pytest.approx(1, rel=1e-5)


def test_double_precision_among_single_wins() -> None:
    parameters = tensors(STAR, torch.float32) | {"x": torch.tensor([13.0], dtype=torch.float64)}
    assert OBJECTS["star"].render(parameters, GRID).dtype == torch.float64


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Parameter("angle", Fixed(1.0)), "finite"),
        (Parameter("number", Fixed(1.0), gt=0.0), "> 0"),
        (Parameter("number", Fixed(1.0), ge=0.4, lt=20.0), ">= 0.4 and < 20"),
        (Parameter("number", Fixed(1.0), lt=2.0), "< 2"),
        (Parameter("angle", Fixed(1.0), gt=0.0, le=6.5), "> 0 and <= 6.5"),
        (Parameter("length", Fixed(1.0), gt=0.0, le=math.inf), "> 0"),
        (Parameter("number", Fixed(1.0), ge=3.0, whole=True), "whole and >= 3"),
    ],
    ids=str,
)
def test_ranges_are_said_in_words(field: Parameter, expected: str) -> None:
    assert field.range == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Parameter("number", Fixed(0.5), lt=1.0), 1 - 2.0**-24),
        (Parameter("number", Fixed(0.5), le=1.0), 1.0),
        (Parameter("length", Fixed(0.5), le=math.inf), math.inf),
        (Parameter("column", Fixed(0.5)), (2 - 2.0**-23) * 2.0**127),
    ],
    ids=str,
)
def test_largest_number_of_single_precision(field: Parameter, expected: float) -> None:
    assert field.largest == expected


def test_parameters_have_units() -> None:
    units = {name: field.unit for name, field in OBJECTS["galaxy"].fields.items()}
    assert units == {
        "x": "pixel", "y": "pixel", "amplitude": "brightness", "radius": "pixel", "n": "",
        "ellip": "", "theta": "radian",
    }  # fmt: skip


@pytest.mark.parametrize("kind", list(OBJECTS))
def test_no_object_takes_light_away(kind: str) -> None:
    """A brightness below zero would vanish in a union and has no photons."""
    for name, field in OBJECTS[kind].fields.items():
        if field.role == "brightness":
            OBJECTS[kind].check(name, torch.zeros(1))
            with pytest.raises(ValueError, match=f"{kind}.{name} must be >= 0, got -1 in sample 0"):
                OBJECTS[kind].check(name, -torch.ones(1))
