"""Targets of transfer: sizes, splits, labelled subsets, and shapes measured by other code."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from baselines.transfer import TARGETS
from baselines.transfers import scenes
from baselines.transfers.target import SUBSETS, Target

pytestmark = [
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SIZES = {
    "digits": ((5000, 1, 28, 28), 10),
    "faces": ((200, 1, 25, 25), 2),
    "textures": ((768, 1, 32, 32), 3),
    "hubble": ((511, 1, 32, 32), 3),
    "scenes": ((2400, 1, 48, 48), 4),
}


@pytest.fixture(scope="module")
def made() -> dict[str, Target]:
    return {name: make() for name, make in TARGETS.items()}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_divided_and_balanced(name: str, made: dict[str, Target]) -> None:
    target = made[name]
    shape, classes = SIZES[name]
    assert target.name == name
    assert (tuple(target.image.shape), len(target.names)) == (shape, classes)
    assert target.image.dtype == torch.float32
    assert bool(torch.isfinite(target.image).all())
    parts = [target.pool, target.val, target.test]
    assert sorted(np.concatenate(parts)) == list(range(len(target.image)))
    assert min(map(len, parts)) >= 30
    if target.kind == "class":
        shares = np.bincount(target.label.astype(np.int64)) / len(target.label)
        assert np.allclose(shares, 1 / classes, atol=0.02)


@pytest.mark.parametrize("name", TARGETS)
def test_subsets_are_nested_balanced_and_differ(name: str, made: dict[str, Target]) -> None:
    target = made[name]
    counts = target.counts
    assert counts[-1] == 0
    assert len(counts) > 3
    for number in range(3):
        rows = [set(target.subset(count, number).tolist()) for count in counts]
        assert all(small < large for small, large in pairwise(rows))
        assert rows[-1] == set(target.pool.tolist())
        if target.kind == "class":
            chosen = target.label[target.subset(counts[2], number)].astype(np.int64)
            assert np.bincount(chosen).tolist() == [counts[2]] * len(target.names)
    first = {tuple(sorted(target.subset(counts[0], number))) for number in range(SUBSETS)}
    assert len(first) == SUBSETS


def test_halves_of_the_pictures_do_not_mix(made: dict[str, Target]) -> None:
    """A patch of the right half is never in the pool: its column in the grid of 16 is 8 or more."""
    target = made["textures"]
    columns = np.arange(len(target.image)) % 16
    assert columns[target.test].min() == 8
    assert max(columns[target.pool].max(), columns[target.val].max()) == 7


def test_shapes_turn_with_the_picture(made: dict[str, Target]) -> None:
    """Oracle: moments of a cut-out's own light, which transposing must exchange."""
    target = made["hubble"]
    light = target.image[:, 0] - target.image[:, 0].flatten(1).median(1).values[:, None, None]
    light = light.clamp_min(0).double()
    place = torch.arange(32.0) - 15.5
    near = (place[:, None].square() + place.square() < 36).double()
    weight = light * near
    total = weight.sum((1, 2))
    x, y = (weight.sum(dim) @ place.double() / total for dim in (1, 2))
    dx = place.double() - x[:, None]
    dy = place.double() - y[:, None]
    xx = (weight.sum(1) * dx.square()).sum(1) / total
    yy = (weight.sum(2) * dy.square()).sum(1) / total
    e1 = ((xx - yy) / (xx + yy)).numpy()
    correlation = np.corrcoef(e1, target.label[:, 0].astype(float))[0, 1]
    assert correlation > 0.8


def test_scenes_have_the_stated_noise(made: dict[str, Target]) -> None:
    corner = made["scenes"].image[:, 0, :4, :4]
    assert float(corner.std()) == pytest.approx(1.0, abs=0.05)


def test_the_signal_to_noise_of_a_scene_is_in_its_range() -> None:
    galsim = pytest.importorskip("galsim")
    for number, name in enumerate(scenes.NAMES):
        light = scenes._light(galsim, name, np.full(12, 0.2 + 0.2 * number))
        ratio = np.sqrt((light**2).sum()) / scenes.NOISE
        assert 10 ** scenes.DEPTH[0] <= ratio <= 10 ** scenes.DEPTH[1]
