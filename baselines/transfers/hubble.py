"""Target: shapes of galaxies in the Hubble Deep Field, measured by photutils."""

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.transfers.pictures import required
from baselines.transfers.target import Target, divided

HALF = 16  # half a cut-out [pixel]
SIGMAS, LEAST, MOST = 3.0, 20, 400  # of a detection, and its numbers of pixels
NAMES = ("e1", "e2", "log_size")


def hubble() -> Target:
    """Return cut-outs of galaxies, 32 x 32, with their ellipticity and size.

    The picture is the one of scikit-image. Its colours are added, objects are the connected pixels
    3 sigma above the background, and the shapes their second moments: e1 = (xx - yy) / (xx + yy),
    e2 = 2 xy / (xx + yy), and half the logarithm of xx + yy.
    """
    colours = required("skimage.data").hubble_deep_field().astype(np.float64)
    picture = colours.mean(2) / 255
    x, y, shape = _measure(picture)
    inside = (np.minimum(x, y) >= HALF) & (x < picture.shape[1] - HALF)
    inside &= y < picture.shape[0] - HALF
    places = np.stack((y, x), 1)[inside].round().astype(np.int64)
    cuts = [picture[y - HALF : y + HALF, x - HALF : x + HALF] for y, x in places]
    image = torch.as_tensor(np.stack(cuts), dtype=torch.float32)[:, None]
    return divided("hubble", image, shape[inside], names=NAMES, sizes=(300, 60))


def _measure(picture: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return the positions x and y [pixel] and the shapes (N, 3) of all objects."""
    segmentation, stats = required("photutils.segmentation"), required("astropy.stats")
    _, median, sigma = stats.sigma_clipped_stats(picture)
    light = picture - median
    found = segmentation.detect_sources(light, SIGMAS * sigma, LEAST)
    found.remove_labels(found.labels[found.areas > MOST])
    catalogue = segmentation.SourceCatalog(light, found)
    moments = np.asarray(catalogue.covariance.value)
    xx, yy, xy = moments[:, 0, 0], moments[:, 1, 1], moments[:, 0, 1]
    total = xx + yy
    shape = np.stack(((xx - yy) / total, 2 * xy / total, 0.5 * np.log(total)), 1)
    x, y = np.asarray(catalogue.centroid).T
    return x, y, shape
