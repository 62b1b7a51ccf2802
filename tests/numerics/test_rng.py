"""Addressed numbers: published vectors, the law of rows, and statistics against scipy."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from deepbench_torch.numerics import rng

# Steele, Lea & Flood (2014): the first outputs of SplitMix64 from the seed 1234567
PUBLISHED = (6457827717110365317, 3203168211198807973, 9817491932198370423)
WORD = (1 << 64) - 1


def split_mix(word: int) -> int:
    """The finaliser of SplitMix64 in Python's whole numbers, as published."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return word ^ (word >> 31)


def unmix(word: int) -> int:
    """The inverse of `split_mix`: a shift is undone by repeating it, a factor by its inverse."""
    word = word ^ (word >> 31) ^ (word >> 62)
    word = (word * pow(0x94D049BB133111EB, -1, 1 << 64)) & WORD
    word = word ^ (word >> 27) ^ (word >> 54)
    word = (word * pow(0xBF58476D1CE4E5B9, -1, 1 << 64)) & WORD
    return word ^ (word >> 30) ^ (word >> 60)


def signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def row_that_gives(word: int, *, seed: int, stream: str) -> Tensor:
    """The row whose first word is `word`; there is one, for the hash is one to one."""
    first = int(rng.words(seed, (stream,), torch.tensor([0]), 1)) & WORD
    origin = unmix(unmix(first))
    index = (unmix(unmix(word)) ^ origin) * pow(rng.GOLDEN, -1, 1 << 64) & WORD
    return torch.tensor([signed(index)])


def words_of(index: Tensor, count: int = 1, *, seed: int = 0, stream: str = "a") -> Tensor:
    return rng.words(seed, (stream,), index, count)[:, 0]


# ---- the numbers themselves


def test_published_vector_of_splitmix64() -> None:
    states = [rng._signed(1234567 + (step + 1) * rng.GOLDEN) for step in range(len(PUBLISHED))]
    sampled = rng.mix(torch.tensor(states))
    assert [word & WORD for word in sampled.tolist()] == list(PUBLISHED)


def test_mix_is_the_published_function_on_any_word() -> None:
    words = torch.cat((words_of(torch.arange(1000), 3).flatten(), torch.tensor([0, -1, 2**63 - 1])))
    words = torch.cat((words, torch.tensor([-(2**63)])))
    expected = [signed(split_mix(word & WORD)) for word in words.tolist()]
    assert rng.mix(words).tolist() == expected


def test_mix_leaves_its_argument_alone() -> None:
    words = torch.arange(5)
    rng.mix(words)
    assert words.tolist() == [0, 1, 2, 3, 4]


def test_words_are_the_documented_hash() -> None:
    """Key of seed, stream and index, XOR position times an odd constant, hashed: step by step."""
    seed, stream = 77, "star.gamma"
    origin = unmix(unmix(int(words_of(torch.tensor([0]), seed=seed, stream=stream)) & WORD))
    for index in (0, 1, 12345, 2**62):
        key = split_mix(origin ^ (index * rng.GOLDEN & WORD))
        expected = [split_mix(key ^ (k * rng._POSITION & WORD)) for k in range(4)]
        sampled = words_of(torch.tensor([index]), 4, seed=seed, stream=stream)[0]
        assert [word & WORD for word in sampled.tolist()] == expected


def test_first_words_stay_what_they_are() -> None:
    """Written down once: catalogues of other machines and versions hold the same numbers."""
    sampled = rng.words(0, ("a", "b"), torch.tensor([0, 1]), 2)
    assert sampled.tolist() == FIRST_WORDS


FIRST_WORDS = [
    [[-5710657066493751802, 1804393655224853685], [-1520595713191981414, -8026166383863363304]],
    [[121211074081907829, -6036438346117719192], [-4422702407243038905, 7451122277250017076]],
]


# ---- the law: a row depends on seed, stream and its own index


@pytest.mark.parametrize("sample", ["words", "uniform", "pixel_bits", "pixel_normal"])
@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_a_row_alone_equals_the_row_in_any_batch(sample: str, count: int) -> None:
    def rows(index: Tensor) -> Tensor:
        if sample in ("words", "uniform"):
            return torch.as_tensor(getattr(rng, sample)(5, ("a", "b"), index, count))
        return torch.as_tensor(getattr(rng, sample)(5, "a", index, count))

    index = torch.tensor([3, 0, 2**40, 17, 3, 99, 1_000_003])
    batch = rows(index)
    assert torch.equal(batch, torch.cat([rows(index[k : k + 1]) for k in range(len(index))]))
    assert torch.equal(batch.flip(0), rows(index.flip(0)))
    assert torch.equal(batch[:0], rows(index[:0]))


@pytest.mark.parametrize("smaller", [0, 1, 5, 8])
def test_a_larger_count_begins_with_the_smaller(smaller: int) -> None:
    index = torch.arange(10)
    assert torch.equal(words_of(index, 9)[:, :smaller], words_of(index, smaller))
    bits = rng.pixel_bits(0, "a", index, 9)
    assert torch.equal(bits[:, :smaller], rng.pixel_bits(0, "a", index, smaller))


def test_further_streams_disturb_none() -> None:
    index = torch.arange(10)
    both = rng.uniform(1, ("b", "new", "a"), index, 3)
    assert torch.equal(both[:, [2, 0]], rng.uniform(1, ("a", "b"), index, 3))


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_shapes_and_types(batch: int, count: int) -> None:
    index = torch.arange(batch)
    for streams in ((), ("a",), ("a", "b")):
        words = rng.words(0, streams, index, count)
        assert (words.shape, words.dtype) == ((batch, len(streams), count), torch.int64)
        uniform = rng.uniform(0, streams, index, count)
        assert (uniform.shape, uniform.dtype) == ((batch, len(streams), count), torch.float64)
    bits = rng.pixel_bits(0, "a", index, count)
    assert (bits.shape, bits.dtype) == ((batch, count), torch.int32)
    normal = rng.pixel_normal(0, "a", index, count)
    assert (normal.shape, normal.dtype) == ((batch, count), torch.float32)


@pytest.mark.parametrize("seed", [0, 1, rng.LARGEST_SEED])
def test_seeds_and_rows_reach_to_the_last_bit(seed: int) -> None:
    index = torch.tensor([0, 1, 2**62, 2**63 - 1])
    assert len(np.unique(words_of(index, 3, seed=seed).numpy())) == 12


# ---- extremes


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0, 2.0**-53),
        ((1 << 12) - 1, 2.0**-53),  # the low 12 bits do not count
        (1 << 12, 3 * 2.0**-53),
        (1 << 63, 0.5 + 2.0**-53),
        (WORD, 1 - 2.0**-53),
    ],
)
def test_uniform_numbers_of_extreme_words(word: int, expected: float) -> None:
    row = row_that_gives(word, seed=0, stream="a")
    assert int(words_of(row)) & WORD == word
    sampled = float(rng.uniform(0, ("a",), row, 1))
    assert sampled == expected
    assert 0 < sampled < 1


def test_bits_to_uniform_is_exact() -> None:
    bits = torch.tensor([-(2**31), -(2**31) + 1, -1, 0, 2**31 - 1], dtype=torch.int32)
    expected = [2.0**-33, 3 * 2.0**-33, 0.5 - 2.0**-33, 0.5 + 2.0**-33, 1 - 2.0**-33]
    assert rng.bits_to_uniform(bits).tolist() == expected
    assert rng.bits_to_uniform(bits).dtype == torch.float64


def test_bits_to_uniform_keeps_shape_and_argument() -> None:
    bits = torch.arange(6, dtype=torch.int32).view(2, 3)
    assert rng.bits_to_uniform(bits).shape == (2, 3)
    assert bits.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_pixel_bits_are_the_halves_of_words() -> None:
    words = words_of(torch.arange(4), 3, seed=9, stream="noise")
    halves = torch.stack((words & 0xFFFFFFFF, words >> 32 & 0xFFFFFFFF), dim=-1).flatten(1)
    sampled = rng.pixel_bits(9, "noise", torch.arange(4), 6).long() & 0xFFFFFFFF
    assert torch.equal(sampled, halves)
    assert torch.equal(
        rng.pixel_bits(9, "noise", torch.arange(4), 5).long() & 0xFFFFFFFF, halves[:, :5]
    )


@pytest.mark.parametrize("low", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
@pytest.mark.parametrize("high", [0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
def test_normal_numbers_of_extreme_words(low: int, high: int) -> None:
    """The transform of Box & Muller in float64; the largest radius is sqrt(64 ln 2) = 6.66."""
    row = row_that_gives(high << 32 | low, seed=0, stream="a")
    sampled = rng.pixel_normal(0, "a", row, 2)[0].double()
    near_zero = low in (0, 0xFFFFFFFF)
    radius = math.sqrt(64 * math.log(2)) if near_zero else 0.0
    angle = math.pi * signed(high << 32) * 2.0**-63
    expected = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64) * radius
    # single precision: 6.66 times a rounding of 2**-24 in radius, cosine and an angle up to pi
    assert torch.allclose(sampled, expected, rtol=0, atol=2e-6)
    assert bool((sampled.abs() < 6.7).all())
