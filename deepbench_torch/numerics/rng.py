"""Numbers addressed by (seed, stream, index, position): no generator, no state.

Counter-based and vectorised over the batch in plain int64 arithmetic, so the bits are the same
on every device and machine. A word is the SplitMix64 finaliser (Steele, Lea & Flood 2014,
doi 10.1145/2660193.2660195) of a key XOR (position times an odd constant); the key is a hash of
seed, stream and index. XOR and not addition: with addition two keys could share a shifted segment
of one sequence.
"""

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15  # the increment of SplitMix64; odd, so multiples of it never collide
_POSITION = 0xD1342543DE82EF95  # another odd constant, so that index and position never mirror
_FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_SHIFTS = (30, 27, 31)
_WORD = (1 << 64) - 1
LARGEST_SEED = (1 << 63) - 1


def mix(words: Tensor) -> Tensor:
    """Scramble 64-bit words one to one: the finaliser of SplitMix64.

    Args:
        words: Any int64 tensor; read as unsigned words in two's complement.

    Returns:
        A new int64 tensor of the same shape.
    """
    return _mix_(words.clone())


def _mix_(words: Tensor) -> Tensor:
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        _xor_shift_(words, shift).mul_(_signed(factor))
    return _xor_shift_(words, _SHIFTS[2])


def words(seed: int, streams: Sequence[str], index: Tensor, count: int) -> Tensor:
    """Return random 64-bit words, `count` for every pair of index and stream.

    Args:
        seed: 0 to 2**63 - 1.
        streams: S names; each names its own sequence, so a new one disturbs none.
        index: Row numbers, int64, shape (B,).
        count: Words per row and stream; a larger count begins with the smaller one.

    Returns:
        int64, shape (B, S, count), on the device of `index`.
    """
    return words_at(
        seed, streams, index, torch.arange(count, dtype=torch.int64, device=index.device)
    )


def of_realization(stream: str, realization: int) -> str:
    """Return the name of a stream of noise in another realization; 0 is the stream itself."""
    return f"{stream}#{realization}" if realization else stream


def words_at(seed: int, streams: Sequence[str], index: Tensor, positions: Tensor) -> Tensor:
    """Return the words at some positions of every sequence.

    Returns:
        int64, shape (B, S, P).
    """
    origins = torch.tensor(
        [origin(seed, name) for name in streams], dtype=torch.int64, device=index.device
    )
    rows = index[:, None] * _signed(GOLDEN)  # (B, 1)
    keys = _mix_(origins ^ rows)  # (B, S)
    return _mix_(keys[..., None] ^ (positions * _signed(_POSITION)))


def uniform(seed: int, streams: Sequence[str], index: Tensor, count: int) -> Tensor:
    """Return uniform numbers strictly between 0 and 1, of 52 random bits; arguments as `words`.

    Returns:
        float64, shape (B, S, count); every value is exact, none is 0 or 1.
    """
    return _unit(words(seed, streams, index, count))


def uniform_at(seed: int, streams: Sequence[str], index: Tensor, positions: Tensor) -> Tensor:
    """Return the uniform numbers at some positions; arguments as `words_at`.

    Returns:
        float64, shape (B, S, P).
    """
    return _unit(words_at(seed, streams, index, positions))


def _unit(words: Tensor) -> Tensor:
    top = (words >> 12) & ((1 << 52) - 1)
    return (top.double() + 0.5) * 2.0**-52


def pixel_bits(seed: int, stream: str, index: Tensor, count: int) -> Tensor:
    """Return random 32-bit integers, two from a word: enough for a pixel at half the work.

    Args:
        seed: 0 to 2**63 - 1.
        stream: The name of the sequence.
        index: Row numbers, int64, shape (B,).
        count: Integers per row.

    Returns:
        int32, evenly from -2**31 to 2**31 - 1, shape (B, count).
    """
    # flatten and not [:, 0], for an empty batch may have strides that `view` refuses
    pairs = words(seed, (stream,), index, (count + 1) // 2).flatten(1)
    return pairs.view(torch.int32)[:, :count]


def bits_to_uniform(bits: Tensor) -> Tensor:
    """Convert 32-bit integers exactly to uniform float64 numbers between 0 and 1, same shape."""
    return bits.double().add_(2.0**31 + 0.5).mul_(2.0**-32)


def pixel_normal(seed: int, stream: str, index: Tensor, count: int) -> Tensor:
    """Return standard normal numbers for pixels, by the transform of Box & Muller (1958).

    Two 32-bit integers give two normals; the largest is 6.7 in size.

    Args:
        seed: 0 to 2**63 - 1.
        stream: The name of the sequence.
        index: Row numbers, int64, shape (B,).
        count: Numbers per row.

    Returns:
        float32, shape (B, count).
    """
    pairs = (count + 1) // 2
    bits = pixel_bits(seed, stream, index, 2 * pairs).float()
    # |bits + 1/2|: a uniform number whose small values keep all their digits
    radius = bits[:, :pairs].add(0.5).abs_().mul_(2.0**-31).log_().mul_(-2).sqrt_()
    angle = bits[:, pairs:].mul(math.pi * 2.0**-31)
    return torch.cat((angle.cos().mul_(radius), angle.sin().mul_(radius)), dim=1)[:, :count]


def _xor_shift_(words: Tensor, shift: int) -> Tensor:
    """Set words ^= words >> shift with zeros shifted in (torch shifts in the sign)."""
    return words.bitwise_xor_((words >> shift).bitwise_and_((1 << (64 - shift)) - 1))


@lru_cache(maxsize=4096)
def origin(seed: int, stream: str) -> int:
    """Return one word, as a signed integer, for a seed and the name of a stream."""
    name = int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "little")
    return _signed(_mix_integer(_mix_integer(seed + GOLDEN) ^ name))


def _mix_integer(word: int) -> int:
    """Return `mix` for one Python integer."""
    return int(mix(torch.tensor([_signed(word)], dtype=torch.int64, device="cpu"))) & _WORD


def _signed(word: int) -> int:
    """Return the signed integer with the same 64 bits."""
    word &= _WORD
    return word - (1 << 64) if word >> 63 else word
