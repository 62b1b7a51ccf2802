"""Vectors: scaling by the moments of the priors."""

import math
from typing import Any

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.vector_parts import AnglePart, NumberPart
from tests.recipes.vectors import IMAGES, RECIPES, each_image, encoded, of, truth

ROWS = 20_000


def assert_standard(columns: Tensor, names: tuple[str, ...], *, sigmas: float = 5.0) -> None:
    """Check mean 0 and variance 1 of finite values within their statistical errors."""
    for name, column in zip(names, columns.double().T, strict=True):
        values = column[column.isfinite()]
        fourth = (values - values.mean()).pow(4).mean()
        count = len(values)
        assert count > 1000, name
        # a hundredth for the means of what has no closed form
        error = (values.var() / count).sqrt()
        assert values.mean().abs() < sigmas * error + 0.01, name
        error = ((fourth - values.var() ** 2) / count).sqrt()
        assert (values.var() - 1).abs() < sigmas * error + 0.02, name


@each_image
def test_objects_as_sampled_have_mean_0_and_variance_1(name: str) -> None:
    """The first object of each kind, without a layout, whose choice favours visible objects."""
    recipe = db.load_recipe(name).replace(layout=None)
    assert_standard(encoded(recipe, ROWS, slots=1), recipe.vector.names)


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in IMAGES])
def test_series_as_sampled_have_mean_0_and_variance_1(name: str) -> None:
    recipe = db.load_recipe(name)
    columns = encoded(recipe, ROWS)
    for column in columns.double().T:  # initial states of nbody: from 4,096 systems
        values = column[column.isfinite()]
        assert values.mean().abs() < 6 * (1 / len(values) + 1 / 900) ** 0.5
        assert (values.var() - 1).abs() < 0.12


# images with one object of a kind at most and no layout: nothing selects among objects
UNSELECTED = ["arc", "astro", "circle", "ellipse", "galaxy", "lens", "lensed", "point", "polygon"]


UNSELECTED += ["rectangle", "spiral", "star"]


@pytest.mark.parametrize("name", UNSELECTED)
def test_rows_of_single_objects_have_mean_0_and_variance_1(name: str) -> None:
    recipe = db.load_recipe(name)
    assert_standard(encoded(recipe, ROWS), recipe.vector.names)


@pytest.mark.parametrize("name", sorted(set(IMAGES) - set(UNSELECTED)))
def test_layouts_and_the_choice_of_the_brightest_move_the_scale_little(name: str) -> None:
    """A layout prefers visible objects; the brightest of several is brighter than the prior."""
    columns = encoded(db.load_recipe(name), ROWS).double()
    for column in columns.T:
        values = column[column.isfinite()]
        assert values.mean().abs() < 0.4
        assert 0.8 < values.var() < 1.2


def power_law(low: float, high: float, slope: float) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm, by quadrature of the density."""

    def integral(power: int, mean: float = 0.0) -> float:
        ends = math.log(low), math.log(high)
        value, _ = integrate.quad(
            lambda t: (t - mean) ** power * math.exp((slope + 1) * t), *ends, epsabs=0, limit=200
        )
        return float(value)

    mean = integral(1) / integral(0)
    return mean, math.sqrt(integral(2, mean) / integral(0))


def of_scipy(law: Any) -> tuple[float, float]:
    return float(law.mean()), float(law.std())


weighted = stats.rv_discrete(values=([1, 4], [0.25, 0.75]))


PRIORS: list[tuple[Any, tuple[float, float], bool]] = [
    ({"uniform": [2.0, 5.0]}, of_scipy(stats.uniform(2, 3)), False),
    ({"log_uniform": [0.01, 3.0]}, of_scipy(stats.uniform(math.log(0.01), math.log(300))), True),
    ({"power_law": [6e-4, 4e-2, -1.9]}, power_law(6e-4, 4e-2, -1.9), True),
    ({"power_law": [1e-4, 1e4, -2.5]}, power_law(1e-4, 1e4, -2.5), True),
    ({"power_law": [1.0, 2.0, 2.0]}, power_law(1.0, 2.0, 2.0), True),
    ({"normal": {"mean": 4, "std": 0.5, "low": 0}}, of_scipy(stats.norm(4, 0.5)), False),
    (
        {"normal": {"mean": 1, "std": 2, "low": 0.5, "high": 2}},
        of_scipy(stats.truncnorm(-0.25, 0.5, 1, 2)),
        False,
    ),
    (
        {"normal": {"mean": 0, "std": 1, "low": 4}},
        of_scipy(stats.truncnorm(4, math.inf)),
        False,
    ),
    ({"integer": [1, 6]}, of_scipy(stats.randint(1, 7)), False),
    ({"choice": [1, 2, 4]}, of_scipy(stats.rv_discrete(values=([1, 2, 4], [1 / 3] * 3))), False),
    ({"choice": {"values": [1, 4, 9], "weights": [1, 3, 0]}}, of_scipy(weighted), False),
]


@pytest.mark.parametrize(("prior", "expected", "logarithmic"), PRIORS, ids=str)
def test_scales_are_the_moments_of_the_prior(
    prior: Any, expected: tuple[float, float], logarithmic: bool
) -> None:
    """Oracle: scipy.stats, and quadrature of the density of a power law."""
    recipe = of("star", amplitude=prior)
    (part,) = recipe.vector.select("star/amplitude").parts
    assert isinstance(part, NumberPart)
    assert part.logarithmic == logarithmic
    assert (part.mean, part.std) == pytest.approx(expected, rel=1e-7, abs=1e-9)
    sample = db.generate(recipe, 0, torch.arange(9))
    value = sample.scene["star"]["amplitude"][:, 0].double()
    number = ((value.log() if logarithmic else value) - expected[0]) / expected[1]
    column = recipe.vector.select("star/amplitude").encode(sample)[:, 0]
    assert torch.allclose(column.double(), number, atol=1e-5)


@pytest.mark.parametrize(
    "law", [stats.norm(0.4, 0.3), stats.uniform(0.2, 0.7)], ids=["normal", "uniform"]
)
def test_angles_that_are_not_uniform_are_scaled_too(law: Any) -> None:
    """Oracle: expectations of scipy.stats."""
    prior = (
        {"normal": {"mean": 0.4, "std": 0.3}}
        if law.dist.name == "norm"
        else {"uniform": [0.2, 0.9]}
    )
    (part,) = of("galaxy", theta=prior).vector.select("galaxy/theta").parts
    assert isinstance(part, AnglePart)
    for n, function in enumerate((math.cos, math.sin)):
        mean = law.expect(lambda angle, f=function: f(2 * angle))
        square = law.expect(lambda angle, f=function, m=mean: (f(2 * angle) - m) ** 2)
        assert part.means[n] == pytest.approx(mean, abs=1e-8)
        assert part.stds[n] == pytest.approx(math.sqrt(square), abs=1e-8)


@each_image
def test_uniform_angles_have_the_scale_of_the_unit_circle(name: str) -> None:
    """A uniform angle has a cosine of variance 1/2; the phase of spirals is not uniform."""
    for part in db.load_recipe(name).vector.parts:
        if isinstance(part, AnglePart) and part.name != "spiral/phase":
            assert part.means == pytest.approx((0, 0), abs=1e-9)
            assert part.stds == pytest.approx((0.5**0.5, 0.5**0.5), abs=1e-9)


@pytest.mark.parametrize("kind", ["star", "galaxy", "circle"])
@pytest.mark.parametrize(
    "given",
    [
        {"flux": {"power_law": [1e-3, 1e-2, -2.0]}},
        {"flux": 0.01},
        {"magnitude": {"uniform": [18.0, 22.0]}},
        {"magnitude": 20.0},
    ],
    ids=str,
)
def test_amplitudes_that_follow_from_light_are_standard(kind: str, given: Any) -> None:
    recipe = db.load_recipe(kind).replace(zero_point=25.0, objects={kind: given})
    vector = recipe.vector.select(f"{kind}/amplitude")
    (part,) = vector.parts
    assert isinstance(part, NumberPart)
    assert part.logarithmic
    scene, present, _ = truth(recipe, ROWS)
    assert_standard(vector.encode(scene, present), vector.names)
    other: Recipe = db.Catalogue(recipe, image_size=100).recipe  # type: ignore[assignment]
    (same,) = other.vector.select(f"{kind}/amplitude").parts
    assert isinstance(same, NumberPart)
    assert (same.mean, same.std) == pytest.approx((part.mean, part.std), abs=1e-6)


def test_points_with_a_magnitude_are_standard() -> None:
    recipe = db.load_recipe("point").replace(
        zero_point=25.0, objects={"point": {"magnitude": {"uniform": [18.0, 22.0]}}}
    )
    (part,) = recipe.vector.select("point/flux").parts
    assert isinstance(part, NumberPart)
    assert part.std == pytest.approx(0.4 * math.log(10) * stats.uniform(18, 4).std(), rel=1e-6)


def test_objects_of_a_list_are_a_mixture() -> None:
    """Oracle: mean and variance of two equally frequent values and of two ranges."""
    parts = [
        {"star": {"x": 0.2, "gamma": 0.05}},
        {"star": {"x": 0.6, "gamma": {"uniform": [0.05, 0.09]}}},
    ]
    recipe = db.load_recipe("star").replace(count=None, scene=parts, label="present")
    known = {part.name: part for part in recipe.vector.parts}
    x, gamma = known["star/x"], known["star/gamma"]
    assert isinstance(x, NumberPart)
    assert isinstance(gamma, NumberPart)
    assert (x.mean, x.std) == pytest.approx((0.4, 0.2))
    assert gamma.mean == pytest.approx(0.06)
    assert gamma.std == pytest.approx(math.sqrt(0.01**2 + 0.04**2 / 24))


def test_groups_and_shared_parameters_keep_the_scale_of_the_prior() -> None:
    sky = db.load_recipe("sky")
    groups = sky.replace(
        count=None, label="class", groups={"one": {"star": 1, "galaxy": 1}, "two": {"spiral": 2}}
    )
    shared = sky.replace(shared={"star": ["gamma"]})
    assert groups.vector.parts == sky.vector.parts
    assert shared.vector.parts == sky.vector.parts


def test_solid_shapes_are_decoded_as_solid() -> None:
    recipe = db.load_recipe("circle").replace(objects={"circle": {"thickness": None}})
    vector = recipe.vector.select("circle/thickness")
    sample = db.generate(recipe, 0, torch.arange(200))
    thickness = sample.scene["circle"]["thickness"][:, 0]
    assert thickness.isinf().any()
    columns = vector.encode(sample)
    assert columns.isfinite().all()
    assert_standard(encoded(recipe, ROWS), recipe.vector.names)
    assert torch.allclose(vector.decode(columns)["circle/thickness"], thickness)
