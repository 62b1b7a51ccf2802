"""Conversion of configurations of the released package, tested against its documentation.

The oracles are astropy, scipy and matplotlib with the old parameters. Points are
(row, column) for shapes and (x, y) = (column, row) for the sky.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from astropy.modeling.models import Moffat2D, Sersic2D
from matplotlib.patches import Ellipse, Wedge
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import deepbench_torch as db
from deepbench_torch.cli import main
from deepbench_torch.convert import Conversion, convert
from deepbench_torch.recipes import recipe_from_plain

ROWS, COLUMNS = np.mgrid[:30, :40].astype(float)


def converted(folder: Path, old: dict[str, Any]) -> Conversion:
    (folder / "old.yaml").write_text(yaml.safe_dump(old))
    return convert(folder / "old.yaml")


def rendered(conversion: Conversion) -> NDArray[np.float64]:
    """Return the first image without noise."""
    recipe = recipe_from_plain(conversion.recipe, source="test")
    sample = db.generate(recipe, 0, torch.tensor([0]))
    return sample.clean[0, 0].double().numpy()


def shape(**objects: dict[str, Any]) -> dict[str, Any]:
    return {
        "object_type": "shape",
        "object_name": "ShapeImage",
        "total_runs": 2,
        "image_parameters": {"image_shape": [30, 40]},
        "object_parameters": {
            name: {"object": {}, "instance": values} for name, values in objects.items()
        },
    }


def inside(outline: Outline) -> NDArray[np.float64]:
    """Return 1 at each pixel whose centre is inside an outline of points (row, column)."""
    points = np.stack([ROWS.ravel(), COLUMNS.ravel()], axis=1)
    return np.asarray(outline.contains_points(points), dtype=float).reshape(ROWS.shape)


def rotated(points: NDArray[np.float64], centre: tuple[float, float], degrees: float) -> Outline:
    """Return an outline rotated from the rows toward the columns and moved to its centre."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Outline(points @ np.array([[c, s], [-s, c]]) + np.array(centre), closed=False)


@pytest.mark.parametrize("angle", [0.0, 25.0, 110.0])
def test_a_filled_rectangle(angle: float, tmp_path: Path) -> None:
    old = shape(
        rectangle={
            "center": [12.3, 21.7],
            "width": 9.3,
            "height": 5.2,
            "angle": angle,
            "fill": True,
        }
    )
    # the released package adds the line width, 1, to both sides
    half = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1], [1, 1]]) * np.array([10.3, 6.2]) / 2
    conversion = converted(tmp_path, old)
    np.testing.assert_array_equal(rendered(conversion), inside(rotated(half, (12.3, 21.7), angle)))
    assert any("about its corner" in note for note in conversion.notes) == (angle != 0)


def test_an_outlined_ellipse(tmp_path: Path) -> None:
    values = {"center": [14.2, 18.6], "width": 18, "height": 11, "angle": 35.0, "line_width": 3}
    outer = Ellipse((14.2, 18.6), 18, 11, angle=35.0)
    inner = Ellipse((14.2, 18.6), 12, 5, angle=35.0)
    expected = inside(Outline(outer.get_verts())) - inside(Outline(inner.get_verts()))
    got = rendered(converted(tmp_path, shape(ellipse=values)))
    # an outline of constant thickness differs by a few pixels from the difference of two ellipses
    assert np.abs(got - expected).sum() <= 0.05 * expected.sum()


def test_axes_of_an_ellipse_are_rounded_up(tmp_path: Path) -> None:
    scenes = [
        converted(tmp_path, shape(ellipse={"center": [14, 18], "width": width, "height": height}))
        for width, height in ((17.2, 10.1), (18, 11))
    ]
    assert scenes[0].recipe["scene"] == scenes[1].recipe["scene"]


def test_equal_axes_give_a_circle(tmp_path: Path) -> None:
    values = {"center": [14.2, 18.6], "width": 11, "height": 11, "fill": True}
    conversion = converted(tmp_path, shape(ellipse=values))
    assert list(conversion.recipe["scene"][0]) == ["circle"]
    expected = np.hypot(ROWS - 14.2, COLUMNS - 18.6) <= 5.5
    np.testing.assert_array_equal(rendered(conversion), expected.astype(float))


@pytest.mark.parametrize(
    ("first", "second"), [(10.0, 95.0), (200.0, 340.0), (300.0, 390.0), (20.0, 470.0)]
)
def test_an_arc(first: float, second: float, tmp_path: Path) -> None:
    values = {
        "center": [14.3, 20.8],
        "radius": 10.4,
        "theta1": first,
        "theta2": second,
        "line_width": 3,
    }
    wedge = Wedge((14.3, 20.8), 10.4, first, second, width=3)
    expected = inside(Outline(wedge.get_verts()))
    # matplotlib flattens curves, which moves an edge by 0.12 pixels at most
    assert np.abs(rendered(converted(tmp_path, shape(arc=values))) - expected).sum() <= 3


def test_angle_of_a_polygon_is_in_degrees(tmp_path: Path) -> None:
    values = {
        "center": [14.3, 20.8],
        "radius": 9.1,
        "vertices": 5,
        "angle": 17.0,
        "fill": True,
    }
    # at angle 0 the first vertex points along the columns
    corners = np.radians(90 + 72 * np.arange(6))
    points = 9.1 * np.stack([np.cos(corners), np.sin(corners)], axis=1)
    conversion = converted(tmp_path, shape(polygon=values))
    np.testing.assert_array_equal(rendered(conversion), inside(rotated(points, (14.3, 20.8), 17.0)))
    assert any("its code moved" in note and "read radians" in note for note in conversion.notes)


def test_a_line(tmp_path: Path) -> None:
    got = rendered(
        converted(tmp_path, shape(line={"start": [4, 6], "end": [22, 33], "line_width": 2}))
    )
    assert got[4:23, 6:34].sum() == got.sum()
    assert got[13, 19] + got[13, 20] > 0  # half-way
    along = np.hypot(18, 27)
    assert got.sum() == pytest.approx(2 * along, rel=0.05)


def test_overlapping_shapes_add_up_as_in_the_released_package(tmp_path: Path) -> None:
    square = {"center": [12.3, 21.7], "width": 9.3, "height": 9.3, "fill": True}
    disc = {"center": [14.2, 18.6], "width": 11, "height": 11, "fill": True}
    assert rendered(converted(tmp_path, shape(rectangle=square, ellipse=disc))).max() == 2.0


def astro(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "object_type": "astro",
        "object_name": kind,
        "total_runs": 1,
        "image_parameters": {"image_dimensions": [30, 40], "noise_level": 0.0} | values,
        "object_parameters": {"center_x": 21.3, "center_y": 14.6},
    }


def test_a_star(tmp_path: Path) -> None:
    old = astro("StarObject", {"radius": 2.5, "amplitude": 3.0})
    old["object_parameters"]["alpha"] = 2.2
    star = Moffat2D(3.0, x_0=21.3, y_0=14.6, gamma=2.5, alpha=2.2)
    expected = gaussian_filter(star(COLUMNS, ROWS), sigma=0.7)
    conversion = converted(tmp_path, old)
    # scipy truncates the blur at 4 standard deviations and reflects the image at its edges
    np.testing.assert_allclose(rendered(conversion), expected, atol=0.01)
    assert conversion.notes == []


def test_alpha_of_a_star_of_infinite_light_is_raised(tmp_path: Path) -> None:
    conversion = converted(tmp_path, astro("StarObject", {}))
    assert conversion.recipe["scene"][0]["star"]["alpha"] == 1.01
    assert conversion.notes == [
        "star.alpha 1 becomes 1.01: the light of a star is infinite at alpha <= 1"
    ]


def test_poisson_noise_becomes_photon_noise_of_a_background(tmp_path: Path) -> None:
    old = shape(line={})
    old["image_parameters"] |= {"object_noise_level": 0.3, "object_noise_type": "poisson"}
    conversion = converted(tmp_path, old)
    assert conversion.recipe["degrade"] == {"poisson": {"exposure": 1.0, "background": 0.3}}
    assert any("added the background alone" in note for note in conversion.notes)


def test_angle_of_a_galaxy_is_in_radians(tmp_path: Path) -> None:
    values = {"radius": 4.0, "n": 1.2, "ellipse": 0.4, "theta": -0.6, "amplitude": 0.5}
    galaxy = Sersic2D(0.5, r_eff=4.0, n=1.2, x_0=21.3, y_0=14.6, ellip=0.4, theta=-0.6)
    expected = gaussian_filter(galaxy(COLUMNS, ROWS), sigma=0.7)
    got = rendered(converted(tmp_path, astro("GalaxyObject", values)))
    np.testing.assert_allclose(got, expected, atol=0.01)


def test_the_sky_is_scaled_object_by_object(tmp_path: Path) -> None:
    old: dict[str, Any] = {
        "object_type": "sky",
        "object_name": "SkyImage",
        "total_runs": 3,
        "seed": 11,
        "image_parameters": {"image_shape": [28, 28], "object_noise_level": 0.1},
        "object_parameters": {
            "star": {
                "object": {"center_x": 14, "center_y": 14, "alpha": 2.0},
                "instance": {"noise": 0, "radius": 1.0, "amplitude": 7.0},
            }
        },
    }
    conversion = converted(tmp_path, old)
    assert rendered(conversion).max() == pytest.approx(1, abs=0.01)
    assert conversion.recipe["size"] == 3
    assert conversion.recipe["seed"] == 11
    assert conversion.recipe["degrade"]["gaussian"] == {"sigma": 0.1}
    assert conversion.recipe["label"] == "class"
    old["image_parameters"]["scale"] = False
    star = conversion.recipe["scene"][0]["star"]
    assert converted(tmp_path, old).recipe["scene"][0]["star"] == star | {"amplitude": 7.0}


def test_noise_of_parameters_widens_them(tmp_path: Path) -> None:
    old = shape(rectangle={"width": 4, "height": 6, "center": [10, 12]}) | {"parameter_noise": 0.5}
    values = converted(tmp_path, old).recipe["scene"][0]["rectangle"]
    assert values["x"] == {"uniform": [12.5 / 40, 13 / 40]}
    assert values["y"]["uniform"] == pytest.approx([10.5 / 30, 11 / 30])
    low, high = values["width"]["uniform"]
    assert (30 * low, 30 * high) == (pytest.approx(5), pytest.approx(5.5))


def test_spirals_note_the_lost_parameters(tmp_path: Path) -> None:
    values = {"winding_number": 3, "arm_thickness": 1.5, "spiral_pitch": 0.3, "noise_level": 0.2}
    conversion = converted(tmp_path, astro("SpiralGalaxyObject", values))
    assert conversion.recipe["scene"][0]["spiral"]["arms"] == 3
    assert len(conversion.notes) == 2
    assert "noise_level 0.2 is not converted" in conversion.notes[0]
    assert "spiral_pitch is not converted" in conversion.notes[1]


PENDULUM: dict[str, Any] = {
    "object_type": "physics",
    "object_name": "Pendulum",
    "total_runs": 3,
    "image_parameters": {
        "pendulum_arm_length": 2,
        "starting_angle_radians": 0.25,
        "acceleration_due_to_gravity": 9.8,
    },
    "object_parameters": {"time": [0, 0.5, 1.0, 1.5]},
}


def test_a_pendulum(tmp_path: Path) -> None:
    conversion = converted(tmp_path, PENDULUM)
    recipe = recipe_from_plain(conversion.recipe, source="test")
    series = db.Catalogue(recipe)[0][0].double()
    assert len(db.Catalogue(recipe)) == 3
    expected = 0.25 * np.cos(math.sqrt(9.8 / 2) * np.array([0, 0.5, 1.0, 1.5]))
    np.testing.assert_allclose(series[:, 0], expected, atol=1e-6)


def test_pendulums_of_the_other_forms(tmp_path: Path) -> None:
    image = {
        "pendulum_arm_length": 2,
        "starting_angle_radians": 0.25,
        "big_G_newton": 6.674e-11,
        "phi_planet": 1.47e11,
        "noise_std_percent": {"phi_planet": 0.1, "acceleration_due_to_gravity": None},
    }
    product = converted(tmp_path, PENDULUM | {"image_parameters": image}).recipe
    assert product["parameters"]["phi"] == 1.47e11
    assert product["noise"] == {"draw": "step", "parameters": {"phi": 0.1}}
    both = image | {"acceleration_due_to_gravity": 9.8, "coefficient_friction": 0.1}
    gravity = converted(tmp_path, PENDULUM | {"image_parameters": both}).recipe
    assert gravity["parameters"] == {
        "mass": 10,
        "length": 2,
        "angle": 0.25,
        "gravity": 9.8,
        "friction": 0.1,
    }
    assert gravity["noise"]["parameters"] == {}  # phi is not read if gravity is set
    damped = PENDULUM["image_parameters"] | {"coefficient_friction": 0.1}
    phase = converted(
        tmp_path, PENDULUM | {"object_name": "HamiltonianPendulum", "image_parameters": damped}
    )
    assert "friction" not in phase.recipe["parameters"]
    assert phase.recipe["parameters"]["q"] == 0.25
    assert phase.recipe["noise"]["measurement"] == {"q": 0.1, "p": 0.1}
    late = converted(tmp_path, PENDULUM | {"object_parameters": {"time": [1, 2, 4]}})
    assert any("3 evenly spaced times from 0" in note for note in late.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"object_type": "music"},
            "object_type: expected one of sky, shape, astro, physics, got 'music'; choose one",
        ),
        (
            {"object_parameters": {"cube": {}}},
            "object_parameters: expected one of rectangle, .*, got 'cube'; choose one",
        ),
        (
            {"object_parameters": 3},
            "object_parameters: expected a mapping of objects, got 3; write `star: ",
        ),
        (
            {"object_parameters": {"line": 3}},
            r"object_parameters\.line: expected a mapping, got 3; write `name: value`",
        ),
        (
            {"object_parameters": {"line": {"instance": {"start": 3}}}},
            r"line\.start: expected two numbers, got 3; write \[row, column\]",
        ),
        (
            {"object_parameters": {"arc": {"instance": {"radius": "x"}}}},
            r"arc\.radius: expected a finite number, got 'x'; write a number as in",
        ),
        (
            {"image_parameters": {"image_shape": [0, 3]}},
            r"image_shape: expected two positive numbers of pixels, got \[0, 3\]; write \[28, 28\]",
        ),
        (
            {"image_parameters": {}},
            "image_shape: expected a finite number, got None; write a number as in",
        ),
        (
            {"image_parameters": {"image_shape": 8, "object_noise_type": "pink"}},
            "object_noise_type: expected one of gaussian, poisson, got 'pink'; choose one",
        ),
        (
            {"object_type": "physics"},
            "object_name: expected one of Pendulum, HamiltonianPendulum, got 'ShapeImage'; choose",
        ),
        (
            {"total_runs": "many"},
            "total_runs: expected a finite number, got 'many'; write a number as in",
        ),
    ],
)
def test_a_wrong_configuration_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        converted(tmp_path, shape(line={}) | change)
    assert "old.yaml' cannot be converted: " in str(caught.value)


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    rule = "expected the key object_type, got object_name; add object_type"
    with pytest.raises(ValueError, match=rule):
        converted(tmp_path, {"object_name": "ShapeImage"})


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new" / "own.yaml"
    old.write_text(yaml.safe_dump(shape(polygon={}, line={}), sort_keys=False))
    for arguments, status in (
        (["convert", str(old)], 0),
        (["convert", str(old), str(new)], 0),
        (["convert", str(old), str(new)], 2),
        (["check", str(new)], 0),
        (["convert", str(tmp_path / "none.yaml")], 2),
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == status
    printed = capsys.readouterr()
    assert printed.out.startswith("name: old\n")
    assert printed.err.startswith("note: polygon has its centre at center")
    assert db.load_recipe(new).classes == ["polygon", "line"]
