"""Vectors: names, objects, and the way back to parameters."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.photometry import derived
from deepbench_torch.recipes.vector_parts import AnglePart
from tests.recipes.vectors import each_image, each_recipe, encoded, of, truth

SYMMETRIES: dict[str, dict[str, int | str]] = {
    "galaxy": {"theta": 2},
    "ellipse": {"theta": 2},
    "rectangle": {"theta": 2},
    "arc": {"start": 1},
    "spiral": {"theta": 2, "phase": "arms"},
    "polygon": {"theta": "vertices"},
    "lensed": {"theta": 2, "shear_theta": 2, "source_theta": 2},
}


@pytest.mark.parametrize("kind", SYMMETRIES)
def test_angles_turn_once_within_the_symmetry(kind: str) -> None:
    """Oracle: math.cos and math.sin of the multiple."""
    recipe = db.load_recipe(kind)
    sample = db.generate(recipe, 1, torch.arange(20))
    own = sample.scene[kind]
    for name, fold in SYMMETRIES[kind].items():
        vector = recipe.vector.select(f"{kind}/{name}")
        assert vector.names == (f"{kind}/{name}:cos", f"{kind}/{name}:sin")
        (part,) = vector.parts
        assert isinstance(part, AnglePart)
        for row, columns in enumerate(vector.encode(sample).tolist()):
            times = float(own[fold][row, 0]) if isinstance(fold, str) else fold
            angle = times * float(own[name][row, 0])
            found = [c * s + m for c, s, m in zip(columns, part.stds, part.means, strict=True)]
            assert found == pytest.approx([math.cos(angle), math.sin(angle)], abs=1e-6)


# a turn by the symmetry, which a vector does not see, leaves the image
@pytest.mark.parametrize("kind", [kind for kind in SYMMETRIES if kind != "lensed"])
def test_a_turn_by_the_symmetry_changes_no_image(kind: str) -> None:
    recipe = db.load_recipe(kind).replace(degrade=None)
    own = {
        n: v[:, 0].double() for n, v in db.generate(recipe, 2, torch.arange(8)).scene[kind].items()
    }
    for name, fold in SYMMETRIES[kind].items():
        if (kind, name) == ("spiral", "theta"):
            own["arms"] = torch.full_like(own["arms"], 2)
        times = own[fold] if isinstance(fold, str) else fold
        turned = own | {name: own[name] + 2 * math.pi / times}
        grid = db.Grid(23, 31)
        first, second = (OBJECTS[kind].render(values, grid) for values in (own, turned))
        assert (first - second).abs().max() < 1e-6 * first.max()


def assert_same_angles(found: Tensor, value: Tensor, period: Tensor | float) -> None:
    turns = (found - value) / period
    assert ((turns - turns.round()) * period).abs().max() < 1e-5


@each_recipe
def test_decoded_vectors_are_the_scene(name: str) -> None:
    recipe = db.load_recipe(name)
    vector = recipe.vector
    sample = db.generate(recipe, 5, torch.arange(60))
    decoded = vector.decode(vector.encode(sample))
    assert tuple(decoded) == vector.parameters
    values, exists = vector.read(sample, None, None, list(vector.parameters))
    for place, part in enumerate(vector.parts):
        found, there = decoded[part.name].double(), exists[:, place]
        assert torch.equal(~found.isnan(), there)
        found, value = found[there], values[there, place]
        if isinstance(part, AnglePart):
            period = part.period / (decoded[part.fold][there].round() if part.fold else 1)
            assert_same_angles(found, value, period)
            assert (found >= part.start).all()
            assert (found < part.start + period).all()
        else:
            assert torch.allclose(found, value, rtol=2e-5, atol=1e-4 if part.shift else 1e-6)


@each_recipe
def test_values_are_those_of_the_sample(name: str) -> None:
    """Where an image holds one object of a kind, that is the one; systems have all slots."""
    recipe = db.load_recipe(name)
    sample: Any = db.generate(recipe, 5, torch.arange(60))
    decoded = recipe.vector.decode(recipe.vector.encode(sample))
    for path, found in decoded.items():
        owner, key = path.split("/")
        if recipe.content == "series":
            slot = int(key[-1]) if key[-1].isdigit() else None
            value = sample.parameters[key.rstrip("0123456789")]
            value = value if slot is None else value[:, slot]
            there = torch.ones(60, dtype=torch.bool)
            if slot is not None:
                there = sample.present[owner][:, slot]
        elif owner == "conditions":
            value, there = sample.conditions[key], torch.ones(60, dtype=torch.bool)
        else:
            there = sample.present[owner].sum(1) == 1
            value = (sample.scene[owner][key] * sample.present[owner]).sum(1)
            if not bool(there.any()):
                continue
        part = next(part for part in recipe.vector.parts if part.name == path)
        if isinstance(part, AnglePart):
            period = part.period / (decoded[part.fold].round() if part.fold else 1)
            period = period[there] if isinstance(period, Tensor) else period
            assert_same_angles(found[there], value[there].float(), period)
        else:
            assert torch.allclose(found[there], value[there].float(), rtol=1e-4, atol=1e-4)


@each_image
@pytest.mark.parametrize("size", [28, 256, (40, 23)], ids=str)
def test_vectors_are_the_same_at_every_image_size(name: str, size: Any) -> None:
    """But layouts and the length of lines depend on the shape of the image."""
    recipe, slots = db.load_recipe(name), 99
    if isinstance(size, tuple):
        recipe, slots = recipe.replace(layout=None), 1
    other = db.Catalogue(recipe, image_size=size).recipe
    assert other.vector.names == recipe.vector.names
    first, second = encoded(recipe, slots=slots), encoded(other, slots=slots)
    assert torch.allclose(first, second, atol=2e-4, equal_nan=True)


@each_recipe
def test_one_row_is_the_row_of_a_batch(name: str) -> None:
    recipe = db.load_recipe(name)
    batch = encoded(recipe, 40)
    for row in (0, 7, 39):
        single = db.generate(recipe, 3, torch.tensor([row]))
        assert torch.equal(recipe.vector.encode(single).nan_to_num(9), batch[[row]].nan_to_num(9))
    nothing = recipe.vector.encode(db.generate(recipe, 3, torch.arange(0)))
    assert nothing.shape == (0, len(recipe.vector))


def test_decoding_is_differentiable_and_takes_any_leading_shape() -> None:
    vector = db.load_recipe("polygon").vector
    numbers = torch.zeros(2, 3, len(vector), requires_grad=True)
    decoded = vector.decode(numbers)
    assert all(value.shape == (2, 3) for value in decoded.values())
    sum(value.sum() for name, value in decoded.items() if name != "polygon/theta").backward()
    assert numbers.grad is not None
    assert numbers.grad.isfinite().all()


def test_the_brightest_present_object_is_taken() -> None:
    """Oracle: the flux of each object, as tables have it."""
    recipe = db.load_recipe("sky")
    sample = db.generate(recipe, 4, torch.arange(300))
    for kind in recipe.kinds:
        present = sample.present[kind]
        flux = derived(OBJECTS[kind], sample.scene[kind])["flux"].where(present, -math.inf)
        expected = sample.scene[kind]["x"].gather(1, flux.argmax(1, keepdim=True))[:, 0]
        found = recipe.vector.decode(recipe.vector.encode(sample))[f"{kind}/x"]
        there = present.any(1)
        assert torch.equal(found.isfinite(), there)
        assert torch.allclose(found[there], expected[there], atol=1e-4)


def circles(radii: list[float], present: list[bool]) -> tuple[Any, Any]:
    radius = torch.tensor([radii])
    other = {"x": radius * 2, "y": radius, "thickness": radius * math.inf}
    scene = {"circle": {**other, "radius": radius, "amplitude": torch.ones_like(radius)}}
    return scene, {"circle": torch.tensor([present])}


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([True, True, True], 7.0),
        ([True, False, True], 5.0),
        ([False, False, False], math.nan),
        ([True, True, False], 7.0),
    ],
)
def test_the_largest_of_shapes_is_taken(present: list[bool], expected: float) -> None:
    vector = db.load_recipe("geometric").vector.select("circle/radius")
    found = vector.decode(vector.encode(*circles([3.0, 7.0, 5.0], present)))["circle/radius"]
    assert found.tolist() == pytest.approx([expected], nan_ok=True, rel=1e-6)


def test_the_first_of_equal_objects_is_taken() -> None:
    scene, present = circles([5.0, 5.0, 5.0], [False, True, True])
    scene["circle"]["x"] = torch.tensor([[1.0, 2.0, 3.0]])
    vector = db.load_recipe("geometric").vector.select("circle/x")
    found = vector.decode(vector.encode(scene, present))["circle/x"]
    assert found.tolist() == pytest.approx([2.0], abs=1e-4)


def test_lensed_galaxies_are_compared_by_their_amplitude() -> None:
    recipe = db.load_recipe("lensed").replace(count=3, label="present")
    sample = db.generate(recipe, 0, torch.arange(30))
    found = recipe.vector.decode(recipe.vector.encode(sample))["lensed/amplitude"]
    assert torch.allclose(found, sample.scene["lensed"]["amplitude"].amax(1), rtol=1e-5)


@each_recipe
def test_rows_without_objects_are_nan(name: str) -> None:
    recipe = db.load_recipe(name)
    if recipe.content == "series":
        columns = encoded(recipe)
        absent = ["mass" in n or n[-1].isdigit() for n in recipe.vector.names]
        assert columns.isfinite()[:, [not each for each in absent]].all()
        return
    scene, present, conditions = truth(recipe, 9)
    nothing = {kind: torch.zeros_like(there) for kind, there in present.items()}
    columns = recipe.vector.encode(scene, nothing, conditions=conditions)
    own = [name.startswith("conditions/") for name in recipe.vector.names]
    assert columns[:, own].isfinite().all()
    assert columns[:, [not each for each in own]].isnan().all()


def test_kinds_that_are_never_sampled_have_no_columns() -> None:
    sky = db.load_recipe("sky")
    without = sky.replace(weights={"star": 1, "galaxy": 0, "spiral": 2})
    assert {name.split("/")[0] for name in without.vector.parameters} == {"star", "spiral"}
    counts = sky.replace(count=None, counts={"star": 1, "galaxy": {"integer": [0, 2]}, "spiral": 0})
    assert {name.split("/")[0] for name in counts.vector.parameters} == {"star", "galaxy"}


def test_conditions_that_vary_are_columns() -> None:
    vector = db.load_recipe("survey").vector
    own = [name for name in vector.names if name.startswith("conditions/")]
    assert own == [
        "conditions/fwhm",
        "conditions/gradient",
        "conditions/gradient_angle:cos",
        "conditions/gradient_angle:sin",
        "conditions/exposure",
        "conditions/background",
    ]
    scene, present, _ = truth(db.load_recipe("survey"), 3)
    without = vector.select("conditions/fwhm").encode(scene, present)
    assert without.isnan().all()


@pytest.mark.parametrize("name", ["sky", "geometric", "lensing", "astro"])
def test_every_rung_of_a_ladder_has_a_vector(name: str) -> None:
    for rung in db.load_recipe(name).rungs():
        vector = rung.recipe.vector
        held = rung.recipe.simplify.values if rung.recipe.simplify else {}
        fixed = {f"{kind}/{parameter}" for kind, own in held.items() for parameter in own}
        assert fixed.isdisjoint(vector.parameters)
        sample = db.generate(rung.recipe, 0, torch.arange(8))
        assert vector.encode(sample).shape == (8, len(vector))
        assert vector.decode(vector.encode(sample)).keys() == set(vector.parameters)


def test_constants_are_left_out() -> None:
    assert "lens" not in db.load_recipe("lens").vector.names
    assert "galaxy/n" not in db.load_recipe("lens").vector.parameters
    fixed = {
        name: float(prior.icdf(torch.tensor(0.5))) for name, prior in OBJECTS["star"].prior.items()
    }
    recipe = of("star", **fixed)
    assert len(recipe.vector) == 0
    assert recipe.vector.encode(db.generate(recipe, 0, torch.arange(3))).shape == (3, 0)
    assert repr(recipe.vector) == "Vector of star: 0 parameters in 0 columns"
    assert recipe.vector.decode(torch.zeros(3, 0)) == {}
    # half a turn leaves an ellipse as it is
    half = of("ellipse", theta={"choice": [0.0, math.pi]})
    assert "ellipse/theta" not in half.vector.parameters
    quarter = of("ellipse", theta={"choice": [0.0, math.pi / 2]})
    column = quarter.vector.select("ellipse/theta").encode(
        db.generate(quarter, 0, torch.arange(30))
    )
    assert column[:, 0].abs().tolist() == pytest.approx([1.0] * 30)
    assert column[:, 1].abs().max() < 1e-6


def test_angles_of_any_range_are_decoded_within_it() -> None:
    for prior, low in (
        ({"uniform": [-1.0, 1.0]}, -1.0),
        ({"normal": {"mean": 0, "std": 0.2}}, -math.pi / 2),
    ):
        recipe = of("galaxy", theta=prior)
        sample = db.generate(recipe, 0, torch.arange(200))
        vector = recipe.vector.select("galaxy/theta")
        found = vector.decode(vector.encode(sample))["galaxy/theta"]
        assert torch.allclose(found, sample.scene["galaxy"]["theta"][:, 0], atol=1e-5)
        assert found.min() >= low - 1e-6


@each_recipe
def test_names_units_and_columns_agree(name: str) -> None:
    recipe = db.load_recipe(name)
    vector = recipe.vector
    assert len(vector) == len(vector.names) == len(set(vector.names))
    assert len(vector.parameters) == len(vector.units)
    assert list(dict.fromkeys(each.split(":")[0] for each in vector.names)) == [*vector.parameters]
    copied = pickle.loads(pickle.dumps(vector))  # noqa: S301
    assert vector == copied == db.load_recipe(name).vector
    assert repr(vector).count("\n") == len(vector.parameters)
    for path, unit in zip(vector.parameters, vector.units, strict=True):
        owner, key = path.split("/")
        if recipe.content == "image" and owner != "conditions":
            assert recipe.unit(f"parameters/{path}") == unit
        elif recipe.content == "image":
            assert recipe.unit(path) == unit
        else:
            assert recipe.unit(f"parameters/{owner}/{key.rstrip('0123456789')}") == unit


def test_selected_vectors_are_columns_of_the_vector() -> None:
    recipe = db.load_recipe("sky")
    every = encoded(recipe)
    names = ["galaxy/theta", "star/gamma"]
    part = recipe.vector.select(names)
    assert part.parameters == tuple(names)
    scene, present, _ = truth(recipe, 200)
    places = [recipe.vector.names.index(name) for name in part.names]
    assert torch.equal(part.encode(scene, present).nan_to_num(9), every[:, places].nan_to_num(9))


def test_time_series_have_the_columns_of_their_label() -> None:
    recipe = db.load_recipe("nbody")
    assert [name.split("/")[1] for name in recipe.vector.names] == recipe.classes
    pendulum = db.load_recipe("pendulum").vector
    assert pendulum.names == (
        "pendulum/length",
        "pendulum/angle:cos",
        "pendulum/angle:sin",
        "pendulum/gravity",
    )


SKY = db.load_recipe("sky")


PENDULUM = ("length", "angle", "gravity")


WRONG: list[tuple[Callable[[], object], str]] = [
    (
        lambda: SKY.vector.select("galaxy/radios"),
        "got 'galaxy/radios'; did you mean 'galaxy/radius'",
    ),
    (lambda: SKY.vector.select("galaxy/theta:cos"), "did you mean 'galaxy/theta'"),
    (lambda: SKY.vector.select(["star/x", "star/x"]), "each name once, got 'star/x' again"),
    (lambda: SKY.vector.decode(torch.zeros(4, 3)), r"expected 30 columns, .*got \(4, 3\)"),
    (lambda: SKY.vector.decode(torch.tensor(0.0)), r"got \(\)"),
    (lambda: SKY.vector.encode(3), "scene: expected tensors by kind, got int"),
    (lambda: SKY.vector.encode({"comet": {}}), "got 'comet'"),
    (
        lambda: SKY.vector.encode(db.generate("sky", 0, torch.arange(2), image_size=28)),
        "expected a sample of 64 x 64 pixels, got 28 x 28 pixels; use sample.recipe.vector",
    ),
    (
        lambda: db.load_recipe("polygon").vector.select("polygon/theta").decode(torch.zeros(1, 2)),
        r"expected polygon/vertices beside polygon/theta.*select\(\['polygon/vertices'",
    ),
    (lambda: db.load_recipe("pendulum").vector.encode(3), "expected parameters by name, got int"),
    (
        lambda: db.load_recipe("pendulum").vector.encode({"angle": 1.0}),
        "expected length, got angle; pass",
    ),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[message[:30] for _, message in WRONG])
def test_errors_name_the_rule_and_the_remedy(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_polygons_of_one_number_of_vertices_decode_their_angle_alone() -> None:
    recipe = of("polygon", vertices=5)
    vector = recipe.vector.select("polygon/theta")
    sample = db.generate(recipe, 0, torch.arange(50))
    found = vector.decode(vector.encode(sample))["polygon/theta"]
    assert_same_angles(found, sample.scene["polygon"]["theta"][:, 0], 2 * math.pi / 5)
    assert ((found >= 0) & (found < 2 * math.pi / 5)).all()
