"""A noise and a point spread are each a class, its row in `degrade.table`, and its kernels.

A copy of the package gets one more of both in these files alone; a program then uses the copy.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import deepbench_torch as db
from deepbench_torch.degrade import CONDITIONS, EFFECTS, FAMILIES, NOISES
from deepbench_torch.native import noise as native_noise
from deepbench_torch.native import psf as native_psf

PACKAGE = Path(db.__file__).parent
STRIPES = '''

class Stripes(Noise):
    """A random level of each pixel of a given height."""

    key: ClassVar = "stripes"
    stream: ClassVar = "noise.stripes"
    conditions: ClassVar = {
        "height": Condition(
            "stripe_height", Parameter("brightness", Fixed(0.1)), "STRIPES", "of the stripes"
        )
    }

    height: Setting

    @override
    def add(self, image: Tensor, values: Values, *, light: Tensor, numbers: Numbers) -> Tensor:
        level = of_images(values, "stripe_height", light)
        return image + (numbers.bits(image) > 0) * level

    @override
    def variance(self, light: Tensor, values: Values) -> Tensor:
        return light * 0 + of_images(values, "stripe_height", light) ** 2 / 4
'''
ADD_STRIPES = """
(HEIGHT,) = places_of(Stripes)


@kernel
def add_stripes(noise, row, conditions, light, image, blocks):
    key = sequence(noise.stream, row)
    for k in range(image.size):
        if _half_word(key, k) > 0:
            image[k] += conditions[HEIGHT]


"""
BOX = '''
from typing import ClassVar
import torch
from deepbench_torch.degrade.conditions import Setting
from deepbench_torch.degrade.psf import FWHM, PointSpread

class Box(PointSpread):
    """A square of even light of 3 x 3 pixels."""

    key: ClassVar = "box"
    conditions: ClassVar = {"fwhm": FWHM}

    fwhm: Setting

    def margin(self, grid):
        return 1

    def kernel(self, values, margin):
        return torch.full((len(values["fwhm"]), 3, 3), 1 / 9, dtype=torch.float64)

    def peak(self, values):
        return 1 / 9 + 0 * values["fwhm"]

    def points(self, record, values, grid):
        raise NotImplementedError
'''
SPREAD_BOX = """
@kernel
def _spread_box(pixels, conditions, rooms, image, size, margin):
    scene, line, taps = rooms
    taps[0] = taps[1] = float32(1 / 3)
    spread_by_axes(scene, taps, 1, line, image, size, margin)


"""
# by file: pairs of a text and what follows or replaces it
EDITS = {
    "degrade/noise.py": [("\n\ndef brightest(", STRIPES + "\n\ndef brightest(")],
    "degrade/table.py": [
        ("Photons, ReadOut\n", "Photons, ReadOut, Stripes\n"),
        ("Pedestal, ReadOut)", "Pedestal, ReadOut, Stripes)"),
        ("import Gradient\n", "import Gradient\nfrom deepbench_torch.degrade.box import Box\n"),
        ("(Gaussian, Moffat)", "(Gaussian, Moffat, Box)"),
    ],
    "native/noise.py": [
        ("\n# By class of noise", ADD_STRIPES + "\n# By class of noise"),
        ("    ReadOut: add_read_out,\n", "    ReadOut: add_read_out,\n    Stripes: add_stripes,\n"),
        ("(HEIGHT,)", "from deepbench_torch.degrade.noise import Stripes\n\n(HEIGHT,)"),
    ],
    "native/psf.py": [
        (
            "\n# By class of point spread",
            SPREAD_BOX
            + "from deepbench_torch.degrade.box import Box\n\n# By class of point spread",
        ),
        (
            "    ArraySpread: Kernels(",
            "    Box: Kernels(_gaussian_room, _spread_box, _add_gaussian_point),\n"
            "    ArraySpread: Kernels(",
        ),
    ],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Results of the program, run on the copy."""
    folder = tmp_path_factory.mktemp("copy")
    copy = folder / "deepbench_torch"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "degrade/box.py").write_text(BOX)
    for file, edits in EDITS.items():
        text = (copy / file).read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text, (file, old)
            text = text.replace(old, new, 1)
        (copy / file).write_text(text, encoding="utf-8")
    # without LLVM's optimisation the kernels compile in less time, to the same results
    own = {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder), "NUMBA_OPT": "0"}
    program = Path(__file__).with_name("new_effect_program.py")
    printed = subprocess.run(  # noqa: S603
        [sys.executable, str(program), str(folder)],
        env=os.environ | own,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr[-2000:]
    result: dict[str, object] = json.loads(printed.stdout.splitlines()[-1])
    return result


@pytest.mark.slow  # compiles all kernels: a minute of one core
def test_a_class_its_row_and_its_kernel_are_enough(found: dict[str, object]) -> None:
    """Oracle of the image: the tensors of the class; of the spread: the light that moved."""
    assert float(str(found.pop("noise"))) < 1e-6
    assert float(str(found.pop("spread"))) > 1e-3
    assert found == {
        "margin": 1,
        "conditions": ["fwhm", "stripe_height"],
        "units": "brightness",
        "schema": [True, True],
        "rungs": [0],
        "card": True,
        "again": True,
    }


def test_every_class_has_its_kernels() -> None:
    assert set(native_noise.KERNELS) == set(NOISES)
    assert set(native_psf.KERNELS) == set(FAMILIES)


def test_names_are_unique() -> None:
    cards = [condition.card for condition in CONDITIONS.values()]
    assert len(set(cards)) == len(cards)
    assert all(len(card) <= 8 for card in cards)
    assert len({family.key for family in FAMILIES}) == len(FAMILIES)
    assert len({noise.key for noise in NOISES}) == len({noise.stream for noise in NOISES})


# modules outside of degrade/ that may name an effect or a condition, and why
ALLOWED = {
    "convert/configuration.py": "the configurations of another package, key by key",
    "recipes/single_object.py": "the sky of the recipes of one object",
    "recipes/degradation.py": "rules between two effects, and the file of an array",
    "recipes/doubts.py": "doubts of a width and of an angle",
    "recipes/units.py": "the width of a blur",
    "images/measure/fisher.py": "the noise that a measurement takes as an argument",
    "images/measure/fit.py": "the same",
    "images/measure/noise.py": "the same",
    "images/given_conditions.py": "how far a recipe renders, and rules between two effects",
}


def literals() -> Iterator[tuple[str, str]]:
    """Yield the modules outside of degrade/ that quote the name of a noise or a condition."""
    common = {
        "alpha",
        "sigma",
        "snr",
        "fwhm",
        "gradient",
        "gaussian",
        "array",
    }  # also of other parts
    names = {effect.key for effect in EFFECTS} | set(CONDITIONS)
    quoted = re.compile("[\"'](" + "|".join(sorted(names - common)) + ")[\"']")
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        if not file.startswith("degrade/"):
            yield from ((file, name) for name in quoted.findall(path.read_text(encoding="utf-8")))


def test_no_other_module_lists_the_effects() -> None:
    assert [(file, name) for file, name in literals() if file not in ALLOWED] == []
