"""Compact storage of weights, and the preparation of images."""

import pickle

import pytest
import torch

from deepbench_torch.training.quantize import PRECISIONS, Precision, dequantize, quantize
from deepbench_torch.training.standardize import Standardize

pytestmark = pytest.mark.moves_generators
GENERATOR = torch.Generator().manual_seed(0)
STATE = {
    "conv.weight": torch.randn(8, 4, 3, 3, generator=GENERATOR),
    "wide.weight": torch.randn(5, 7, generator=GENERATOR) * torch.logspace(-6, 6, 5)[:, None],
    "zero.weight": torch.zeros(2, 3),
    "empty.weight": torch.zeros(0, 3),
    "bn.running_var": torch.rand(8, generator=GENERATOR),
    "bn.num_batches_tracked": torch.tensor(7),
    "last.weight": torch.randn(4, 4, 3, 3, generator=GENERATOR).contiguous(
        memory_format=torch.channels_last
    ),
}


SIGNIFICANDS = {"float16": 11, "bfloat16": 8}  # bits


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_error_of_each_weight_is_bounded(precision: Precision) -> None:
    """Oracle: half a step of the number format, from its definition."""
    state = {key: value.clamp(-6e4, 6e4) if precision == "float16" else value
             for key, value in STATE.items()}  # fmt: skip
    back = dequantize(quantize(state, precision))
    assert back.keys() == state.keys()
    for key, value in state.items():
        assert back[key].shape == value.shape
        if value.dim() < 2 or precision == "float32":
            assert torch.equal(back[key], value)
            continue
        error = (back[key] - value).abs()
        if precision in SIGNIFICANDS:
            assert (error <= value.abs() * 2 ** -SIGNIFICANDS[precision] + 2**-25).all()
        elif value.numel():
            largest = value.abs().flatten(1).amax(1).reshape(-1, *[1] * (value.dim() - 1))
            assert (error <= largest / 127 * 0.5001).all()


def test_a_weight_beyond_the_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^wide.weight: expected at most 65504 in torch.float16"):
        quantize({"wide.weight": torch.full((2, 2), 1e5)}, "float16")


def test_int8_takes_a_quarter_of_the_bytes() -> None:
    state = {"weight": torch.randn(64, 64, 3, 3)}
    sizes = {
        precision: sum(t.nbytes for t in quantize(state, precision).values())
        for precision in PRECISIONS
    }
    assert sizes["float16"] == sizes["bfloat16"] == sizes["float32"] / 2
    assert sizes["int8"] < sizes["float32"] * 0.26


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 1, 17, 40), (1, 9, 5), (0, 1, 8, 8)])
def test_images_are_scaled_to_mean_0_and_variance_1(shape: tuple[int, ...]) -> None:
    image = torch.rand(shape) * 1000 - 300
    found = Standardize()(image)
    assert found.shape == image.shape
    if image.numel():
        pixels = found.double().reshape(-1, image.shape[-2] * image.shape[-1])
        torch.testing.assert_close(
            pixels.mean(1), torch.zeros(len(pixels)).double(), atol=1e-5, rtol=0
        )
        torch.testing.assert_close(pixels.var(1, correction=0), torch.ones(len(pixels)).double())
    torch.testing.assert_close(Standardize()(image * 7 + 3), found, rtol=1e-3, atol=1e-3)


def test_other_images() -> None:
    prepare = pickle.loads(pickle.dumps(Standardize(least_side=16)))  # noqa: S301
    assert torch.equal(prepare(torch.full((1, 1, 16, 16), 5.0)), torch.zeros(1, 1, 16, 16))
    assert prepare(torch.rand(1, 8, 12)).shape == (1, 16, 24)
    assert prepare(torch.rand(2, 1, 20, 30)).shape == (2, 1, 20, 30)
    assert prepare(torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16)).dtype == torch.float32
    one = torch.rand(3, 1, 16, 16)
    torch.testing.assert_close(torch.stack([prepare(image) for image in one]), prepare(one))
    same = torch.rand(2, 1, 8, 8)
    assert torch.equal(Standardize(standardize=False)(same), same)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(2, 3, 8, 8), "average colours"),
        (torch.zeros(8, 8), "got shape"),
        (torch.zeros(1, 1, 0, 8), "got shape"),
        (torch.zeros(1, 8, 8, dtype=torch.bool), "got torch.bool"),
        ([[1.0]], "as a tensor, got list"),
    ],
)
def test_wrong_images_are_refused(image: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Standardize()(image)  # type: ignore[arg-type]
