"""Kernels against the same rows by tensors: recipes, priors, numbers of objects, degradations."""

import warnings
from typing import Any

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.images import compose
from deepbench_torch.images.instances import render_instances
from deepbench_torch.images.scene import Scene
from deepbench_torch.images.spread import render_points, rendered_grid, without_points
from deepbench_torch.recipes import Recipe
from tests.images.tensor_layouts import draw_scene

CPU = torch.device("cpu")
STAR: dict[str, Any] = {"objects": {"star": {}}}
THREE = db.list_recipes("image")


def recipe(**keys: Any) -> Recipe:
    """Return a recipe of stars, with changes."""
    plain = {"name": "test", "image": {"height": 19, "width": 26}, "label": "present"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are odd on purpose
        return Recipe.model_validate(plain | {"count": {"integer": [0, 3]}} | STAR | keys)


def packaged(name: str, **changes: Any) -> Recipe:
    """Return a packaged recipe, with changes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are odd on purpose
        changed: Recipe = db.load_recipe(name).replace(**changes)
    return changed


def stars(**priors: Any) -> Recipe:
    """Return a recipe of stars with other priors."""
    return recipe(objects={"star": priors})


WIDTHS = {"uniform": [0.02, 0.07]}
TURN = {"uniform": [0.0, 6.283185307179586]}
# lopsided and not square, so that a mirrored or transposed array shows
PIXELS = [[0.0, 1.0, 2.0, 0.5, 0.1], [1.0, 5.0, 9.0, 1.0, 0.0], [0.0, 2.0, 1.0, 0.0, 0.0]]
POINTS: dict[str, Any] = {"objects": {"point": {}}}
GROUPS = {
    "stars": {"star": {"integer": [1, 9]}},
    "pairs": {"galaxy": {"integer": [0, 2]}, "spiral": 1},
    "none": {"star": 0},
}
MANY = list(range(1, 300))
CASES: dict[str, Recipe] = {name: db.load_recipe(name) for name in THREE}
CASES |= {f"{name} 23 x 41": packaged(name, image={"height": 23, "width": 41}) for name in THREE}
CASES |= {
    "one pixel": recipe(image={"height": 1, "width": 1}),
    "one row": recipe(image={"height": 1, "width": 1100}),
    "one column": recipe(image={"height": 1100, "width": 1}),
    "wide shapes": packaged("geometric", image={"height": 30, "width": 700}),
    "large": packaged("sky", image={"height": 300, "width": 290}),
    "uniform": stars(alpha={"uniform": [1.5, 1.5000001]}),
    "log_uniform": stars(amplitude={"log_uniform": [1e-30, 1e30]}),
    "power law": stars(amplitude={"power_law": [0.1, 10.0, -2.5]}),
    "shared": recipe(shared={"star": ["gamma", "alpha"]}, count={"integer": [0, 5]}),
    "shared in layouts": packaged("sky", shared={"star": ["gamma", "x"], "galaxy": ["theta"]}),
    "normal": stars(amplitude={"normal": {"mean": 2.0, "std": 1.0, "low": 0.5, "high": 4.0}}),
    "normal tail": stars(amplitude={"normal": {"mean": 0.0, "std": 1.0, "low": 5.0}}),
    "integer": stars(alpha={"integer": [2, 20]}),
    "choice": stars(alpha={"choice": {"values": [2.0, 3.0, 4.0], "weights": [1, 0, 3]}}),
    "many choices": stars(amplitude={"choice": {"values": MANY, "weights": MANY}}),
    "fixed": stars(x=0.5, y=0.25, gamma=0.1),
    "seldom an object": recipe(count={"choice": {"values": [0, 1], "weights": [9, 1]}}),
    "many objects": recipe(count=200),
    "counts": packaged("lensing", layout=None),
    "groups": packaged("sky", count=None, layout=None, label="class", groups=GROUPS),
    "groups of weights": packaged(
        "sky", count=None, label="class", groups=GROUPS, weights={"stars": 3, "pairs": 1, "none": 0}
    ),
    "counts of choices": packaged("lensing", counts={"arc": {"choice": [0, 2, 4]}, "star": 3}),
    "listed": recipe(
        count=None,
        scene=[{"star": {"x": 0.2}}, {"arc": {}}, {"star": {"amplitude": {"uniform": [3, 4]}}}],
    ),
    "layout of one candidate": packaged("sky", layout={"visible": 1.0, "candidates": 1}),
    "layout of a fine grid": packaged("sky", layout={"visible": 0.9, "candidates": 4, "grid": 60}),
    "layout of counts": packaged("lensing", layout={"visible": 0.6, "candidates": 16}),
    "first objects": packaged("sky", simplify={"objects": 1}),
    "fewer kinds": packaged("sky", simplify={"kinds": ["galaxy", "star"]}),
    "one kind": packaged("geometric", simplify={"kinds": ["polygon"], "objects": 2}),
    "held values": packaged("sky", simplify={"values": {"star": {"x": 0.5, "amplitude": 2.0}}}),
    "balanced": packaged("lensing", simplify={"balanced": True}),
    "balanced, rare": packaged(
        "lensing",
        counts={
            "arc": {"integer": [0, 3]},
            "star": {"choice": {"values": [0, 1], "weights": [4, 1]}},
        },
        simplify={"balanced": True},
    ),
    "kinds of counts": packaged("lensing", simplify={"kinds": ["star"]}),
    "blur": packaged("sky", degrade={"blur": {"sigma": 0.03}}),
    "narrow blur": packaged("sky", degrade={"blur": {"sigma": 1e-4}}),
    "wide blur of shapes": packaged(
        "geometric", image={"height": 20, "width": 33}, degrade={"blur": {"sigma": 0.5}}
    ),
    "read-out": recipe(degrade={"gaussian": {"sigma": 0.3}}),
    "read-out of an odd number of pixels": recipe(
        image={"height": 17, "width": 33}, degrade={"gaussian": {"sigma": 0.3}}
    ),
    "all noise": packaged("astro", degrade={"blur": {"sigma": 0.05}, "gaussian": {"sigma": 0.1}}),
    "few photons": recipe(degrade={"poisson": {"exposure": 0.5, "background": 0.01}}),
    "some photons": recipe(degrade={"poisson": {"exposure": 30, "background": 1.0}}),
    "many photons": recipe(degrade={"poisson": {"exposure": 1e7, "background": 1.0}}),
    "Gaussian spread": packaged("sky", degrade={"psf": {"gaussian": {"fwhm": 0.05}}}),
    "Gaussian spreads": packaged("sky", degrade={"psf": {"gaussian": {"fwhm": WIDTHS}}}),
    "Moffat spreads": packaged(
        "sky", degrade={"psf": {"moffat": {"fwhm": WIDTHS, "alpha": {"uniform": [2, 5]}}}}
    ),
    "array": packaged("lensing", degrade={"psf": {"array": PIXELS}}),
    "spread points": packaged("sky", **POINTS, degrade={"psf": {"gaussian": {"fwhm": WIDTHS}}}),
    "spread points 3 x 3": packaged(
        "sky", image={"samples": 3}, **POINTS, degrade={"psf": {"moffat": {"fwhm": WIDTHS}}}
    ),
    "array of points": packaged("sky", **POINTS, degrade={"psf": {"array": PIXELS}}),
    "points": packaged("sky", **POINTS),
    "points among shapes": packaged(
        "geometric",
        image={"height": 33, "width": 20},
        objects={"point": {"flux": 0.1}},
        degrade={"psf": {"gaussian": {"fwhm": 0.1}}},
    ),
    "gradients": packaged(
        "sky",
        image={"height": 33, "width": 50},
        degrade={"gradient": {"slope": {"uniform": [-0.3, 0.6]}, "angle": TURN}},
    ),
    "conditions": packaged(
        "sky",
        degrade={
            "poisson": {"exposure": {"log_uniform": [1, 1000]}, "background": TURN},
            "pedestal": {"snr": {"uniform": [1, 50]}},
            "gaussian": {"snr": {"log_uniform": [0.5, 50]}},
        },
    ),
    "varying read-out": recipe(degrade={"gaussian": {"sigma": {"uniform": [0.1, 1]}}}),
    "uneven photons": recipe(degrade={"poisson": {"exposure": 300, "background": 0.0}}),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
TOLERANCE = 2e-6  # of the peak: a few roundings
# A position in the source plane is the small difference of offset and deflection, each of which
# single precision rounds by a millionth of a pixel; light changes over a pixel of the source.
TOLERANCES = {
    "lensed": 2e-5,
    "point": 6e-6,  # seeing of one pixel is so steep that the rounding of its width shows
}


def rows_of(case: Recipe) -> torch.Tensor:
    """Return some row numbers: the more the smaller the images are."""
    count = max(4, min(200, 400_000 // (case.image.height * case.image.width)))
    return torch.cat((torch.arange(count), torch.tensor([10**6, 2**40 + 1, 2**62, 2**63 - 1])))


@each_case
def test_scenes_are_those_of_tensors(case: Recipe) -> None:
    """Oracle: sampling by tensors, in double precision; equal in every bit.

    But for the normal prior: torch's root is not correctly rounded on every CPU.
    """
    index = rows_of(case)
    sample = db.generate(case, 5, index)
    expected = draw_scene(case, seed=5, index=index)
    assert list(sample.scene) == list(expected.parameters)
    normal = "normal" in str(case.to_plain()["objects"])
    for kind, parameters in expected.parameters.items():
        assert torch.equal(sample.present[kind], expected.present[kind]), kind
        for name, values in parameters.items():
            found = sample.scene[kind][name]
            assert torch.allclose(found, values, rtol=2e-7 if normal else 0, atol=0), name


@each_case
def test_images_are_those_of_tensors(case: Recipe) -> None:
    """Oracle: composition and blur by tensors in double precision; within TOLERANCE of the peak.

    Shapes have steps at their edges, where rounding decides about a pixel: a few in a million.
    """
    sample = db.generate(case, 5, rows_of(case))
    spread, conditions = case.degrade.spread, sample.conditions
    scene = Scene.from_parameters(sample.scene, sample.present)
    grid = rendered_grid(case)
    objects = compose.render_objects(_double(without_points(case, scene)), grid, device=CPU)
    expected = torch.zeros(len(sample.index), *grid.shape, dtype=torch.float64)
    compose.add_objects(expected, objects, how=case.compose)
    if spread is not None:
        expected = spread.apply(expected, conditions, margin=grid.margin)
    points = render_points(case, _double(scene), conditions, device=CPU)
    compose.add_objects(expected, points, how=case.compose)
    if case.degrade.gradient is not None:
        expected += case.degrade.gradient.light(conditions, case.grid, like=expected)
    peak = expected.flatten(1).amax(1)[:, None, None].clamp_min(1e-30)
    tolerance = max(TOLERANCES.get(kind, TOLERANCE) for kind in case.objects)
    far = (sample.clean[:, 0] - expected).abs() > tolerance * peak
    assert float(far.float().mean()) < 2e-6
    assert sample.clean.dtype == sample.image.dtype == torch.float32


def _double(scene: Scene) -> Scene:
    """Return a scene in double precision."""
    return Scene({kind: table.double() for kind, table in scene.tables.items()}, scene.present)


@each_case
def test_noise_is_that_of_tensors(case: Recipe) -> None:
    """Oracle: the Poisson quantile by tensors of the same clean image; counts are equal.

    Two quantiles that round the rate alike differ where u lies within rounding of a step.
    """
    sample = db.generate(case, 5, rows_of(case))
    expected = sample.clean[:, 0].clone()
    clean, conditions = sample.clean[:, 0], sample.conditions
    for noise in case.degrade.noises:
        expected = noise.apply(expected, conditions, light=clean, seed=5, index=sample.index)
    size = float(sample.clean.max()) + float(conditions.get("background", torch.ones(1)).max())
    sigma = float(conditions.get("sigma", torch.zeros(1)).max())
    if "snr" in conditions:
        sigma = size / float(conditions["snr"].min())
    tolerance = 3e-6 * (1.0 + sigma) + 3e-7 * size
    far = (sample.image[:, 0] - expected).abs() > tolerance
    assert float(far.float().mean()) < 1e-6


@each_case
def test_objects_alone_make_the_scene(case: Recipe) -> None:
    """Oracle: sums and unions of the objects; before a blur shapes unite."""
    if case.compose == "union" and case.degrade.spread is not None:
        return
    sample = db.generate(case, 5, rows_of(case)[:20])
    objects = render_instances(sample)
    total = torch.zeros_like(sample.clean[:, 0])
    for row, light in zip(objects.row.tolist(), objects.light, strict=True):
        both = total[row], light
        total[row] = torch.maximum(*both) if case.compose == "union" else torch.add(*both)
    if case.degrade.gradient is not None:
        light = case.degrade.gradient.light(sample.conditions, case.grid, like=total)
        total = total + light
    elif case.degrade.spread is None:
        assert torch.equal(total, sample.clean[:, 0])
    assert torch.allclose(total, sample.clean[:, 0], rtol=1e-5, atol=1e-6 * float(total.max()))


@each_case
def test_a_row_depends_on_nothing_else(case: Recipe) -> None:
    """Oracle: rows one by one, in any order, by one thread or by three; equal in every bit."""
    index = rows_of(case)
    threads = torch.get_num_threads()
    whole = db.generate(case, 5, index)
    try:
        torch.set_num_threads(3)
        spread = db.generate(case, 5, index.flip(0))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(whole.image, spread.image.flip(0))
    for row in (0, 3, len(index) - 1):
        alone = db.generate(case, 5, index[row : row + 1])
        assert torch.equal(alone.image[0], whole.image[row])
        assert torch.equal(alone.label[0], whole.label[row])
        for kind, parameters in alone.scene.items():
            for name, values in parameters.items():
                assert torch.equal(values[0], whole.scene[kind][name][row])
    assert db.generate(case, 5, index[:0]).image.shape == (0, *case.shape)


@each_case
def test_a_dataset_has_the_rows(case: Recipe) -> None:
    """Oracle: `generate`."""
    data = db.Catalogue(case, seed=5, size=10)
    sample = db.generate(case, 5, torch.arange(10))
    for row in (0, 9):
        image, label = data[row]
        assert torch.equal(image, sample.image[row])
        assert torch.equal(torch.as_tensor(label), sample.label[row])
    pairs = data.__getitems__([4, 2])
    assert torch.equal(pairs[0][0], sample.image[4])
    assert pairs[0][0].untyped_storage().nbytes() == pairs[0][0].nbytes
