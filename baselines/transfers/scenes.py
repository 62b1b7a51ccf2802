"""Target: scenes rendered by GalSim, a simulator of other authors."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.transfers.pictures import required
from baselines.transfers.target import Target, divided
from deepbench_torch.numerics import rng

NAMES = ("star", "disc", "spheroid", "merger")
SIDE, NUMBER = 48, 2400
NOISE = 1.0  # standard deviation of a pixel
DEPTH = (1.2, 2.2)  # logarithm of the signal-to-noise ratio of the whole object


def scenes() -> Target:
    """Return stars, discs, spheroids and mergers, 48 x 48, as many of each class.

    The point spread is a Moffat profile of 2 to 4 pixels, the noise is normal. The signal-to-noise
    ratio of an object is 16 to 160, whatever its class.
    """
    galsim = required("galsim")
    index = torch.arange(NUMBER)
    units = rng.uniform(0, ("transfer.scenes",), index, 12)[:, 0].numpy()
    images = [_light(galsim, NAMES[row % len(NAMES)], unit) for row, unit in enumerate(units)]
    noise = rng.pixel_normal(0, "transfer.scenes.noise", index, SIDE * SIDE)
    pixels = torch.as_tensor(np.stack(images), dtype=torch.float32)
    image = (pixels + NOISE * noise.reshape(NUMBER, SIDE, SIDE).float())[:, None]
    label = np.arange(NUMBER) % len(NAMES)
    return divided("scenes", image, label, names=NAMES, sizes=(1200, 200))


def _light(galsim: Any, name: str, unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light of one scene, without noise, scaled to its signal-to-noise ratio."""
    point = galsim.Moffat(beta=3.0, fwhm=2.0 + 2.0 * unit[0])
    if name == "star":
        profile = point
    else:
        galaxy = _galaxy(galsim, name, unit[3:7])
        if name == "merger":
            angle, apart = 2 * math.pi * unit[7], 6.0 + 5.0 * unit[8]
            other = _galaxy(galsim, "disc", unit[8:12]) * (0.4 + 0.6 * unit[9])
            galaxy += other.shift(apart * math.cos(angle), apart * math.sin(angle))
        profile = galsim.Convolve(galaxy, point)
    image = profile.shift(6 * unit[1] - 3, 6 * unit[2] - 3).drawImage(nx=SIDE, ny=SIDE, scale=1.0)
    light: NDArray[np.float64] = image.array.astype(np.float64)
    ratio = 10 ** (DEPTH[0] + (DEPTH[1] - DEPTH[0]) * unit[11])
    scaled: NDArray[np.float64] = light * (ratio * NOISE / math.sqrt(float((light**2).sum())))
    return scaled


def _galaxy(galsim: Any, name: str, unit: NDArray[np.float64]) -> Any:
    radius = 3.0 + 3.0 * unit[0]  # half of the light [pixel]
    profile = (
        galsim.DeVaucouleurs(half_light_radius=radius)
        if name == "spheroid"
        else galsim.Exponential(half_light_radius=radius)
    )
    most = 0.3 if name == "spheroid" else 0.6  # discs may be seen from the side
    return profile.shear(g=most * unit[1], beta=math.pi * unit[2] * galsim.radians)
