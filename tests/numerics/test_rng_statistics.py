"""Addressed numbers look random: distribution, and no relation between neighbours."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from deepbench_torch.numerics import rng

ROWS = torch.arange(100_000)
# Every statistic below is of fixed numbers, so a test never fails by chance. True random numbers
# would break these limits less than once in ten thousand times.
SIGMAS = 4.0
UNLIKELY = 1e-4


def words_of(seed: int = 0, stream: str = "a", index: Tensor = ROWS, count: int = 1) -> Tensor:
    return rng.words(seed, (stream,), index, count)[:, 0]


def bits_of(words: Tensor) -> NDArray[np.bool_]:
    """The 64 bits of every word, shape (..., 64)."""
    return ((words[..., None] >> torch.arange(64)) & 1).bool().numpy()


def unit(words: Tensor) -> NDArray[np.float64]:
    """Words as uniform numbers."""
    return words.numpy().ravel().astype(np.float64) * 2.0**-64 + 0.5


# ---- no two streams share anything


def test_seeds_and_splits_share_no_word() -> None:
    """Not `seed + index`: 1.2 million words of three seeds, two streams and all splits differ.

    By chance two of them would be equal once in 25 million trials.
    """
    words = [words_of(seed, name, ROWS, 2) for seed in (0, 1, 2) for name in ("a", "b")]
    together = torch.cat(words).numpy().ravel()
    assert len(np.unique(together)) == len(together)


def halves() -> NDArray[np.float64]:
    return rng.bits_to_uniform(rng.pixel_bits(0, "a", ROWS, 2)).numpy()


def one_row() -> NDArray[np.float64]:
    return unit(words_of(index=ROWS[:1], count=len(ROWS)))


Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
NEIGHBOURS: dict[str, Callable[[], Pair]] = {
    "seeds": lambda: (unit(words_of(0)), unit(words_of(1))),
    "large seeds": lambda: (unit(words_of(2**62)), unit(words_of(2**62 + 1))),
    "streams": lambda: (unit(words_of(0, "a")), unit(words_of(0, "b"))),
    "rows": lambda: (unit(words_of())[:-1], unit(words_of())[1:]),
    "positions": lambda: (unit(words_of(count=2)[:, 0]), unit(words_of(count=2)[:, 1])),
    "positions of one row": lambda: (one_row()[:-1], one_row()[1:]),
    "row and position": lambda: (unit(words_of(count=2)[1:, 0]), unit(words_of(count=2)[:-1, 1])),
    "seed and row": lambda: (unit(words_of(0))[1:], unit(words_of(1))[:-1]),
    "halves of a word": lambda: (halves()[:, 0], halves()[:, 1]),
}
each_pair = pytest.mark.parametrize("pair", NEIGHBOURS)


@each_pair
def test_neighbours_are_uncorrelated(pair: str) -> None:
    """Correlation of n independent pairs has a standard deviation of n ** -1/2."""
    first, second = NEIGHBOURS[pair]()
    assert abs(np.corrcoef(first, second)[0, 1]) < SIGMAS / math.sqrt(len(first))


@each_pair
def test_neighbours_fill_the_plane(pair: str) -> None:
    """Chi-square of 32 by 32 cells: more than correlation, no pattern of any shape."""
    cells = np.histogram2d(*NEIGHBOURS[pair](), bins=32, range=[[0, 1], [0, 1]])[0].ravel()
    assert stats.chisquare(cells).pvalue > UNLIKELY


def test_neighbouring_seeds_are_uncorrelated_in_the_same_row() -> None:
    sampled = [int(words_of(seed, index=ROWS[:1])) * 2.0**-64 for seed in range(2000)]
    assert abs(np.corrcoef(sampled[:-1], sampled[1:])[0, 1]) < SIGMAS / math.sqrt(len(sampled))
    assert stats.kstest(sampled, "uniform", args=(-0.5, 1)).pvalue > UNLIKELY


# ---- statistics


@pytest.mark.parametrize("axis", ["rows", "positions"])
def test_every_bit_is_fair(axis: str) -> None:
    """Chi-square of the ones in each of the 64 bits, one degree of freedom a bit."""
    words = words_of() if axis == "rows" else words_of(index=ROWS[:1], count=len(ROWS))
    ones = bits_of(words.flatten()).sum(axis=0)
    chi2 = ((ones - len(ROWS) / 2) ** 2 / (len(ROWS) / 4)).sum()
    assert UNLIKELY < stats.chi2.sf(chi2, df=64) < 1 - UNLIKELY


def test_bits_of_a_word_are_uncorrelated() -> None:
    """All 2016 pairs of bits; the largest of so many correlations may reach 5 sigma."""
    correlation = np.asarray(np.corrcoef(bits_of(words_of().flatten()).T.astype(np.float64)))
    assert np.abs(correlation[np.triu_indices(64, 1)]).max() < 5 / math.sqrt(len(ROWS))


@pytest.mark.parametrize("bit", [0, 1, 7, 31, 32, 61])
def test_one_bit_of_the_index_turns_half_of_the_bits(bit: int) -> None:
    changed = bits_of((words_of() ^ words_of(index=ROWS ^ (1 << bit))).flatten()).sum(axis=1)
    # 64 fair bits: mean 32, standard deviation 4
    assert abs(changed.mean() - 32) < SIGMAS * 4 / math.sqrt(len(ROWS))
    assert changed.std() == pytest.approx(4, rel=SIGMAS / math.sqrt(2 * len(ROWS)))


def test_uniform_numbers_are_uniform() -> None:
    for index, count in ((ROWS, 1), (ROWS[:1], len(ROWS))):
        u = rng.uniform(3, ("a",), index, count).flatten().numpy()
        assert stats.kstest(u, "uniform").pvalue > UNLIKELY


# ---- normal numbers


def normals(count: int = 100) -> NDArray[np.float64]:
    """100,000 normal numbers, row by row."""
    sampled = rng.pixel_normal(2, "noise.gaussian", torch.arange(100_000 // count), count)
    return sampled.double().numpy()


@pytest.mark.parametrize("count", [1, 2, 100, 784])
def test_normal_numbers_are_normal(count: int) -> None:
    assert stats.kstest(normals(count).ravel(), "norm").pvalue > UNLIKELY


def test_normal_numbers_have_the_moments() -> None:
    """Standard errors of the moments of n normal numbers: 1, 2, 15 - 0, 96 over n."""
    z = normals().ravel()
    error = 1 / math.sqrt(len(z))
    assert abs(z.mean()) < SIGMAS * error
    assert abs((z**2).mean() - 1) < SIGMAS * math.sqrt(2) * error
    assert abs((z**3).mean()) < SIGMAS * math.sqrt(15) * error
    assert abs((z**4).mean() - 3) < SIGMAS * math.sqrt(96) * error


@pytest.mark.parametrize("edge", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_normal_numbers_have_the_tails(edge: float, side: int) -> None:
    z = rng.pixel_normal(0, "tails", torch.arange(1000), 1000).double().numpy() * side
    beyond = int((z > edge).sum())
    assert stats.binomtest(beyond, z.size, stats.norm.sf(edge)).pvalue > UNLIKELY


def test_neighbouring_pixels_are_uncorrelated() -> None:
    """Along a row of 28 pixels and down its columns, and between the two halves of a transform."""
    pixels = rng.pixel_normal(0, "a", torch.arange(200), 28 * 28).double().numpy()
    for lag in (1, 2, 28, 29, 28 * 14, 28 * 14 + 1):
        product = pixels[:, lag:] * pixels[:, :-lag]
        assert abs(product.mean()) < SIGMAS / math.sqrt(product.size)


def test_sizes_of_a_pair_of_normals_are_unrelated() -> None:
    """One radius gives two normals; their squares are independent only if the angle is even."""
    first, second = rng.pixel_normal(0, "a", ROWS, 2).double().numpy().T
    assert abs(np.corrcoef(first**2, second**2)[0, 1]) < SIGMAS / math.sqrt(len(ROWS))
