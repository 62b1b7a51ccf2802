"""Joint densities of scenes and time series: closed forms, importance weights, generated rows."""

import math
from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.priors import Uniform

INF = math.inf
SQUARE = {"height": 20, "width": 20}


def recipe(**changes: Any) -> db.Recipe:
    """Stars with one prior of each family, on a frame that is not square."""
    plain: dict[str, Any] = {
        "name": "stars",
        "image": {"height": 12, "width": 20},
        "label": "present",
        "count": {"integer": [0, 3]},
        "objects": {
            "star": {
                "x": {"uniform": [0.25, 0.75]},
                "y": {"normal": {"mean": 0.5, "std": 0.1, "low": 0.2}},
                "amplitude": {"log_uniform": [0.5, 4.0]},
                "gamma": 0.1,
                "alpha": {"choice": {"values": [2.5, 3.3], "weights": [1, 3]}},
            }
        },
    }
    return db.Recipe.model_validate(plain | changes)


def one_star(**changes: float) -> dict[str, dict[str, Tensor]]:
    """A star in the units of the recipe."""
    star = {"x": 0.3, "y": 0.4, "amplitude": 2.0, "gamma": 0.1, "alpha": 3.3} | changes
    return {"star": {name: torch.tensor([value]) for name, value in star.items()}}


def in_pixels(scene: dict[str, dict[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """Fractions of 20 columns, 12 rows and a shorter side of 12 pixels."""
    star = dict(scene["star"])
    star |= {"x": 20 * star["x"] - 0.5, "y": 12 * star["y"] - 0.5, "gamma": 12 * star["gamma"]}
    return {"star": star}


# log(1 / 4) for one of 0 to 3 stars, and scipy's density of each parameter
ONE_STAR = (
    math.log(1 / 4)
    + float(stats.uniform(0.25, 0.5).logpdf(0.3))
    + float(stats.truncnorm(-3, INF, 0.5, 0.1).logpdf(0.4))
    + float(stats.loguniform(0.5, 4).logpdf(2))
    + math.log(3 / 4)
)
SINGLE = 2e-6  # rounding of the star's parameters to single precision


def test_density_is_the_product_of_its_parts() -> None:
    found = recipe().log_prob(one_star(), units="recipe")
    assert (found.dtype, found.shape) == (torch.float64, (1,))
    assert float(found) == pytest.approx(ONE_STAR, abs=SINGLE)


def test_density_in_pixels_is_divided_by_the_sides() -> None:
    """Oracle: change of variables of x and y; gamma is fixed, which no unit changes."""
    expected = ONE_STAR - math.log(20) - math.log(12)
    assert float(recipe().log_prob(in_pixels(one_star()))) == pytest.approx(expected, abs=SINGLE)


@pytest.mark.parametrize("name", ["x", "y", "amplitude", "gamma", "alpha"])
@pytest.mark.parametrize("value", [-0.1, INF, math.nan])
def test_one_impossible_parameter_makes_a_scene_impossible(name: str, value: float) -> None:
    scene = one_star(**{name: value})
    assert float(recipe().log_prob(scene, units="recipe")) == -INF
    assert float(recipe().log_prob(in_pixels(scene))) == -INF


def test_absent_slots_do_not_count() -> None:
    scene = one_star()
    absent = {name: torch.tensor([[float(v), math.nan]]) for name, v in scene["star"].items()}
    filled = {name: torch.tensor([[float(v), 0.1]]) for name, v in scene["star"].items()}
    mask = {"star": torch.tensor([[True, False]])}
    for given, present in ((absent, None), (absent, mask), (filled, mask)):
        found = recipe().log_prob({"star": given}, present, units="recipe")
        assert float(found) == pytest.approx(ONE_STAR, abs=SINGLE)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({"star": [0, 0, 0], "galaxy": [0, 0, 0]}, 1 / 4),
        ({"star": [1, 0, 0], "galaxy": [0, 0, 0]}, 1 / 4 / 2),
        ({"star": [1, 0, 1], "galaxy": [0, 1, 0]}, 1 / 4 / 8),
        ({"star": [0, 1, 0], "galaxy": [0, 0, 0]}, 0),  # the first slot is filled first
        ({"star": [1, 1, 0], "galaxy": [1, 0, 0]}, 0),  # one object in a slot
        ({"star": [1, 1, 1, 1], "galaxy": [0, 0, 0, 0]}, 0),  # at most 3
    ],
)
def test_arrangements_under_count(present: dict[str, list[int]], expected: float) -> None:
    """Oracle: the number is one of four, and each object one of two kinds."""
    chosen = recipe(objects={kind: fixed(kind) for kind in present})
    assert arrangement(chosen, present) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({"star": [0, 0], "galaxy": [0, 0]}, 1 / 3 * 0.2),
        ({"star": [1, 1], "galaxy": [1, 0]}, 1 / 3 * 0.8),
        ({"star": [0, 1], "galaxy": [1, 0]}, 0),
        ({"star": [0, 0], "galaxy": [1, 1]}, 0),
    ],
)
def test_arrangements_under_counts(present: dict[str, list[int]], expected: float) -> None:
    counts = {
        "star": {"integer": [0, 2]},
        "galaxy": {"choice": {"values": [0, 1], "weights": [1, 4]}},
    }
    objects = {kind: fixed(kind) for kind in present}
    chosen = recipe(count=None, counts=counts, objects=objects)
    assert arrangement(chosen, present) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({"star": [1, 0, 1], "galaxy": [0, 1, 0]}, 1),
        ({"star": [1, 0, 1, 0], "galaxy": [0, 1, 0, 0]}, 1),
        ({"star": [1, 0, 1, 1], "galaxy": [0, 1, 0, 0]}, 0),
        ({"star": [1, 0], "galaxy": [0, 1]}, 0),
        ({"star": [1, 1, 0], "galaxy": [0, 0, 1]}, 0),
    ],
)
def test_arrangements_of_listed_objects(present: dict[str, list[int]], expected: float) -> None:
    scene = [{"star": fixed("star")}, {"galaxy": fixed("galaxy")}, {"star": fixed("star")}]
    chosen = recipe(count=None, scene=scene, objects={kind: fixed(kind) for kind in present})
    assert arrangement(chosen, present) == expected


def fixed(kind: str) -> dict[str, float]:
    """Parameters whose density is 1."""
    return {
        name: float(prior.icdf(torch.tensor(0.5).double()))
        for name, prior in db.OBJECTS[kind].prior.items()
    }


def arrangement(chosen: db.Recipe, present: dict[str, list[int]]) -> float:
    """The probability of an arrangement of such objects."""
    masks = {kind: torch.tensor([slots]).bool() for kind, slots in present.items()}
    scene = {
        kind: {name: torch.full(mask.shape, value) for name, value in fixed(kind).items()}
        for kind, mask in masks.items()
    }
    return float(chosen.log_prob(scene, masks, units="recipe").exp())


def test_listed_objects_have_priors_of_their_own() -> None:
    scene = [
        {"star": {**fixed("star"), "x": {"uniform": [0, 1]}}},
        {"star": {**fixed("star"), "x": {"uniform": [0, 0.5]}}},
    ]
    chosen = recipe(count=None, scene=scene, objects={"star": fixed("star")})
    star = {name: torch.full((1, 2), value) for name, value in fixed("star").items()}
    found = chosen.log_prob({"star": star | {"x": torch.tensor([[0.7, 0.3]])}}, units="recipe")
    assert float(found) == pytest.approx(math.log(2))
    found = chosen.log_prob({"star": star | {"x": torch.tensor([[0.3, 0.7]])}}, units="recipe")
    assert float(found) == -INF


# ---- against generated rows


PLAIN = [name for name in db.list_recipes("image") if db.load_recipe(name).simplify is None]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("size", [28, (24, 31)])
def test_generated_scenes_are_possible(name: str, size: Any) -> None:
    sample = db.generate(name, 3, torch.arange(500), image_size=size)
    found = sample.recipe.log_prob(sample.scene, sample.present)
    assert bool(found.isfinite().all())
    assert torch.equal(sample.recipe.log_prob(sample.scene), found)
    single = sample.recipe.log_prob(
        {k: {n: v[7:8] for n, v in own.items()} for k, own in sample.scene.items()},
        {kind: there[7:8] for kind, there in sample.present.items()},
    )
    assert torch.equal(single, found[7:8])


@pytest.mark.parametrize("name", ["sky", "lensing", "geometric"])
def test_density_follows_the_size_of_images(name: str) -> None:
    """Oracle: twice the pixels halve the density of each position and length that varies."""
    small, large = (db.generate(name, 3, torch.arange(50), image_size=side) for side in (32, 64))
    scaled = torch.zeros(50)
    for kind, priors in small.recipe.objects.items():
        for parameter, prior in priors.items():
            role = db.OBJECTS[kind].fields[parameter].role
            if isinstance(prior, Uniform) and role in ("column", "row", "length"):
                scaled += small.present[kind].sum(1)
    change = small.recipe.log_prob(small.scene) - large.recipe.log_prob(large.scene)
    torch.testing.assert_close(change, scaled.double() * math.log(2), rtol=0, atol=1e-4)


ALPHA = {"values": [2.5, 3.3], "weights": [2, 1]}
IMPORTANCE = [
    ({"objects": {"star": {"x": {"uniform": [0.3, 0.6]}, "amplitude": {"uniform": [1.0, 2.0]}}}},
     {}),
    ({"count": {"integer": [1, 3]}, "objects": {"star": {"y": {"normal": [0.5, 0.08, 0.3, 0.7]}}}},
     {}),
    ({"image": SQUARE, "objects": {"star": {"alpha": {"choice": ALPHA}}}}, {"image": SQUARE}),
]  # fmt: skip


@pytest.mark.parametrize(("narrow", "wide"), IMPORTANCE)
def test_importance_weights_have_mean_1(narrow: dict[str, Any], wide: dict[str, Any]) -> None:
    """Oracle: the mean of q / p over samples of p is the integral of q, which is 1."""
    p, q = recipe().replace(**wide), recipe().replace(**narrow)
    sample = db.generate(p, 0, torch.arange(20_000))
    weights = (q.log_prob(sample.scene) - p.log_prob(sample.scene)).exp()
    error = float(weights.std()) / math.sqrt(len(weights))
    assert 0 < error < 0.1
    assert float(weights.mean()) == pytest.approx(1, abs=4 * error)


def test_density_has_exact_gradients() -> None:
    """Oracle: finite differences."""
    scene = in_pixels(one_star())["star"]
    names = ["x", "y", "amplitude"]
    values = [scene[name].double().requires_grad_() for name in names]

    def density(*values: Tensor) -> Tensor:
        return recipe().log_prob({"star": scene | dict(zip(names, values, strict=True))})

    assert torch.autograd.gradcheck(density, values)


def test_absent_slots_have_no_gradient() -> None:
    star = {name: torch.tensor([[float(v), math.nan]]) for name, v in one_star()["star"].items()}
    star["amplitude"].requires_grad_()
    (gradient,) = torch.autograd.grad(
        recipe().log_prob({"star": star}, units="recipe").sum(), star["amplitude"]
    )
    assert gradient.tolist() == [[-0.5, 0.0]]  # d log(1 / a) / da at a = 2


def test_densities_stay_on_the_device_of_the_parameters() -> None:
    chosen = recipe(objects={"star": {}, "galaxy": {}})
    star = {name: torch.zeros(3, 2, device="meta") for name in db.OBJECTS["star"].parameters}
    for mask in (None, {"star": torch.ones(3, 2).bool()}):
        found = chosen.log_prob({"star": star}, mask)
        assert (found.device.type, found.shape) == ("meta", (3,))


# ---- time series


@pytest.mark.parametrize("name", ["pendulum", "hamiltonian_pendulum"])
def test_generated_series_are_possible(name: str) -> None:
    sample = db.generate(name, 0, torch.arange(100))
    expected = torch.zeros(100, dtype=torch.float64)
    for parameter, prior in sample.recipe.parameters.items():
        expected = expected + prior.log_prob(sample.parameters[parameter])
    found = sample.recipe.log_prob(sample.parameters)
    assert bool(found.isfinite().all())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    single = {parameter: values.float() for parameter, values in sample.parameters.items()}
    torch.testing.assert_close(sample.recipe.log_prob(single), expected, rtol=0, atol=1e-5)


def test_bodies_have_no_density_in_closed_form() -> None:
    sample = db.generate("nbody", 0, torch.arange(2))
    with pytest.raises(
        ValueError, match="log_prob: expected a system whose parameters are the val"
    ):
        sample.recipe.log_prob(sample.parameters)


# ---- errors


STAR = one_star()["star"]


@pytest.mark.parametrize(
    ("scene", "present", "message"),
    [
        ({"comet": STAR}, None, r"scene: expected kinds of the recipe, star, got 'comet'; add it"),
        ({"stars": STAR}, None, r"got 'stars'; did you mean 'star'\?"),
        ({"star": STAR | {"size": STAR["x"]}}, None, "star.size is unknown"),
        ({"star": {"x": STAR["x"]}}, None, "star.alpha is missing"),
        ({"star": STAR["x"]}, None, "scene.star: expected tensors by parameter, got Tensor"),
        ([STAR], None, "scene: expected tensors by kind, got list"),
        ({}, None, "scene: expected objects of at least one kind, got none"),
        ({"star": STAR | {"x": torch.zeros(2)}}, None, r"star.y: expected the shape of star.x"),
        ({"star": STAR | {"x": torch.zeros(())}}, None, r"expected shape \(B,\) or \(B, slots"),
        ({"star": STAR | {"x": "a"}}, None, "scene.star.x: expected real numbers, got 'a'"),
        ({"star": STAR}, {"star": torch.ones(1)}, "present.star: expected True and False, got t"),
        ({"star": STAR}, {"star": torch.ones(2, 1).bool()}, r"present.star: expected the shape of"),
        ({"star": STAR}, {"galaxy": torch.ones(1).bool()}, "present: expected kinds of the recipe"),
        ({"star": STAR}, [True], "present: expected tensors by kind, got list"),
    ],
)  # fmt: skip
def test_bad_scenes_are_refused(scene: Any, present: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe().log_prob(scene, present)


def test_other_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="units: expected 'pixel' or 'recipe', got 'au'"):
        recipe().log_prob(one_star(), units="au")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="log_prob: expected a recipe without simplify"):
        recipe(simplify={"objects": 1}).log_prob(one_star())
    pendulum = db.load_recipe("pendulum")
    with pytest.raises(ValueError, match=r"parameters: expected length.*did you mean 'length'"):
        pendulum.log_prob({"lengt": torch.ones(1)})
    parameters = db.generate("pendulum", 0, torch.arange(2)).parameters
    with pytest.raises(ValueError, match=r"parameters.length: expected shape \(B,\), got \(\)"):
        pendulum.log_prob(parameters | {"length": torch.tensor(1.0)})
