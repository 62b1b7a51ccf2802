"""Time of a scene like those of sky by GalSim, and recorded times of the released DeepBench."""

import math
import time
from importlib.util import find_spec
from typing import Any

import torch

import deepbench_torch as db

ROWS = 64
# The package released with the paper, version 0.2, on a machine like this one; milliseconds
RECORDED = {
    "three objects, 28 x 28": 3.0,
    "three objects, 64 x 64": 3.3,
    "three shapes, 256 x 256": 213.0,
}


def compare_galsim(rounds: int = 3) -> str:
    """Return the time of stars and galaxies of `sky` by GalSim, one image after another.

    GalSim integrates light over pixels, where sky takes the centre; both add Poisson noise.
    """
    recorded = ", ".join(f"{case} {time} ms" for case, time in RECORDED.items())
    released = f"the released DeepBench, as recorded once: {recorded}"
    if find_spec("galsim") is None:
        return f"GalSim is not installed; {released}"
    recipe = db.load_recipe("sky").replace(objects={"spiral": None})
    data = db.Catalogue(recipe, size=ROWS)
    sample = data.samples(range(ROWS))
    ours, theirs = math.inf, math.inf
    for _ in range(rounds):
        ours = min(ours, _seconds(lambda: [data[row] for row in range(ROWS)]))
        theirs = min(theirs, _seconds(lambda: [_by_galsim(sample, row) for row in range(ROWS)]))
    return (
        f"a scene of sky without spirals, one by one: {1e6 * ours / ROWS:.0f} us an image, by "
        f"GalSim {1e6 * theirs / ROWS:.0f} us: {theirs / ours:.0f} times longer; {released}"
    )


def _by_galsim(sample: Any, row: int) -> Any:
    """Render a scene with GalSim, with Poisson noise of the recipe's exposure."""
    import galsim

    grid, image = sample.recipe.grid, None
    image = galsim.ImageD(grid.width, grid.height, scale=1.0)
    image.setCenter(0, 0)
    for kind in ("star", "galaxy"):
        tables = sample.scene[kind]
        for slot in sample.present[kind][row].nonzero().flatten().tolist():
            own = {name: float(values[row, slot]) for name, values in tables.items()}
            place = own["x"] - (grid.width - 1) / 2, own["y"] - (grid.height - 1) / 2
            profile = _star(own) if kind == "star" else _galaxy(own)
            stamp = profile.shift(*place).drawImage(image=image.copy(), method="no_pixel")
            image += stamp
    noise = galsim.PoissonNoise(galsim.BaseDeviate(row), sky_level=400.0)
    image *= 400.0
    image.addNoise(noise)
    return image


def _star(own: dict[str, float]) -> Any:
    import galsim

    flux = math.pi * own["gamma"] ** 2 / (own["alpha"] - 1) * own["amplitude"]
    return galsim.Moffat(beta=own["alpha"], scale_radius=own["gamma"], flux=flux)


def _galaxy(own: dict[str, float]) -> Any:
    import galsim

    ratio = 1 - own["ellip"]
    n = min(max(own["n"], 0.3), 6.2)  # what GalSim has
    profile = galsim.Sersic(n=n, half_light_radius=own["radius"] * math.sqrt(ratio), flux=1.0)
    return profile.shear(q=ratio, beta=own["theta"] * galsim.radians) * own["amplitude"]


def _seconds(function: Any) -> float:
    torch.set_num_threads(1)
    start = time.process_time()
    function()
    return time.process_time() - start
