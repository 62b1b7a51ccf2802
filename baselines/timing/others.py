"""Time of a scene like those of sky by GalSim, and recorded times of the released DeepBench."""

import math
import time
from importlib.util import find_spec
from typing import Any

from scipy.special import gammaincinv

import deepbench_torch as db

Scene = list[tuple[str, dict[str, float]]]  # kind and parameters of each object
ROWS = 64
EXPOSURE = 400.0  # photons of sky in a pixel, as in the recipe
# The package released with the paper, version 0.2, on a machine like this one; milliseconds
RECORDED = {
    "three objects, 28 x 28": 3.0,
    "three objects, 64 x 64": 3.3,
    "three shapes, 256 x 256": 213.0,
}


def compare_galsim(rounds: int = 3) -> str:
    """Return the time of stars and galaxies of `sky` by GalSim, one image after another.

    Both take the brightness at the centre of a pixel and add Poisson noise. The parameters of
    GalSim's objects are ready before its time starts; ours are sampled within the time.
    """
    recorded = ", ".join(f"{case} {time} ms" for case, time in RECORDED.items())
    released = f"the released DeepBench, as recorded once: {recorded}"
    if find_spec("galsim") is None:
        return f"GalSim is not installed; {released}"
    data = db.Catalogue(stars_and_galaxies(), size=ROWS)
    scenes = scenes_of(data.samples(range(ROWS)))
    ours, theirs = math.inf, math.inf
    for _ in range(rounds):
        ours = min(ours, _seconds(lambda: [data[row] for row in range(ROWS)]))
        theirs = min(theirs, _seconds(lambda: [_with_noise(scene) for scene in scenes]))
    return (
        f"a scene of sky without spirals, one by one: {1e6 * ours / ROWS:.0f} us an image, by "
        f"GalSim {1e6 * theirs / ROWS:.0f} us: {theirs / ours:.0f} times longer; {released}"
    )


def stars_and_galaxies() -> db.Recipe:
    """Return the recipe sky without spirals, which GalSim does not have."""
    recipe: db.Recipe = db.load_recipe("sky")
    return recipe.replace(objects={"spiral": None})


def scenes_of(sample: Any) -> list[Scene]:
    """Return the objects of each image: their kind and parameters."""
    scenes: list[Scene] = [[] for _ in range(len(sample.image))]
    for kind in ("star", "galaxy"):
        for row, slot in sample.present[kind].nonzero().tolist():
            own = {name: float(values[row, slot]) for name, values in sample.scene[kind].items()}
            scenes[row].append((kind, own))
    return scenes


def render_with_galsim(scene: Scene, size: int = 64) -> Any:
    """Render objects with GalSim into an image of size x size pixels, without noise."""
    import galsim

    image = galsim.ImageD(size, size, scale=1.0)
    middle = (size - 1) / 2
    for kind, own in scene:
        profile = _star(own) if kind == "star" else _galaxy(own)
        shifted = profile.shift(own["x"] - middle, own["y"] - middle)
        shifted.drawImage(image=image, method="no_pixel", add_to_image=True)
    return image


def _with_noise(scene: Scene) -> Any:
    """Render objects, with Poisson noise of the recipe's exposure."""
    import galsim

    image = render_with_galsim(scene) * EXPOSURE
    image.addNoise(galsim.PoissonNoise(galsim.BaseDeviate(1), sky_level=EXPOSURE))
    return image


def _star(own: dict[str, float]) -> Any:
    import galsim

    flux = math.pi * own["gamma"] ** 2 / (own["alpha"] - 1) * own["amplitude"]
    return galsim.Moffat(beta=own["alpha"], scale_radius=own["gamma"], flux=flux)


def _galaxy(own: dict[str, float]) -> Any:
    """Return a galaxy; its amplitude is the brightness at the effective radius.

    The flux follows from it as in Graham & Driver (2005, PASA 22, 118), equation 4.
    """
    import galsim

    n, ratio = own["n"], 1 - own["ellip"]
    radius = own["radius"] * math.sqrt(ratio)  # of the circle with the same area
    b = gammaincinv(2 * n, 0.5)
    shape = 2 * math.pi * n * math.exp(b) * b ** (-2 * n) * math.gamma(2 * n)
    flux = own["amplitude"] * radius**2 * shape
    profile = galsim.Sersic(n=n, half_light_radius=radius, flux=flux)
    return profile.shear(q=ratio, beta=own["theta"] * galsim.radians)


def _seconds(function: Any) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start
