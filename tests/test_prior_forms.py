"""Priors as they stand in a recipe: read, written and refused."""

import math

import pytest

from deepbench_torch.arguments import is_number
from deepbench_torch.priors import prior_from_plain
from deepbench_torch.priors.plain import REMEDY
from tests.test_priors import Case, each_prior

INF = math.inf


@each_prior
def test_prior_is_read_from_a_recipe(case: Case) -> None:
    assert prior_from_plain(case.plain) == case.prior


@each_prior
def test_prior_comes_back_from_its_plain_form(case: Case) -> None:
    assert prior_from_plain(case.prior.to_plain()) == case.prior
    assert prior_from_plain(case.prior) is case.prior


BAD: list[tuple[object, str]] = [
    ({"uniform": [1, 1]}, "uniform needs finite low < high, got [1, 1]; "
     "for one value write the number alone"),
    ({"uniform": [2, 1]}, "uniform needs finite low < high, got [2, 1]; "
     "for one value write the number alone"),
    ({"uniform": [0, INF]}, "uniform needs finite low < high, got [0, inf]; "
     "for one value write the number alone"),
    ({"uniform": [math.nan, 1]}, "uniform needs finite low < high, got [nan, 1]; "
     "for one value write the number alone"),
    ({"uniform": [-1e308, 1e308]}, "uniform needs finite low < high, got [-1e+308, 1e+308]; "
     "for one value write the number alone"),
    ({"log_uniform": [1, 0.5]}, "log_uniform needs finite low < high, got [1, 0.5]; "
     "for one value write the number alone"),
    ({"log_uniform": [0, 1]}, "log_uniform needs low > 0, got [0, 1]"),
    ({"log_uniform": [-1, 1]}, "log_uniform needs low > 0, got [-1, 1]"),
    ({"log_uniform": [1e-310, 1]}, "log_uniform reaches from 1e-300 to 1e300, got [1e-310, 1]"),
    ({"log_uniform": [1, 1e301]}, "log_uniform reaches from 1e-300 to 1e300, got [1, 1e+301]"),
    ({"normal": [0, 0]}, "normal needs a finite mean, std > 0 and low < high, "
     "got mean 0, std 0, low -inf, high inf"),
    ({"normal": [0, -1]}, "normal needs a finite mean, std > 0 and low < high, "
     "got mean 0, std -1, low -inf, high inf"),
    ({"normal": [0, INF]}, "normal needs a finite mean, std > 0 and low < high, "
     "got mean 0, std inf, low -inf, high inf"),
    ({"normal": [INF, 1]}, "normal needs a finite mean, std > 0 and low < high, "
     "got mean inf, std 1, low -inf, high inf"),
    ({"normal": [0, 1, 2, 2]}, "normal needs a finite mean, std > 0 and low < high, "
     "got mean 0, std 1, low 2, high 2"),
    ({"normal": [0, 1, math.nan]}, "normal needs a finite mean, std > 0 and low < high, "
     "got mean 0, std 1, low nan, high inf"),
    ({"normal": [0, 1, 40]}, "normal has no weight between low 40 and high inf "
     "(mean 0, std 1); move the cut nearer to the mean"),
    ({"integer": [2, 1]}, "integer needs whole low <= high, got [2, 1]"),
    ({"integer": [1, 2.5]}, "integer needs whole low <= high, got [1, 2.5]"),
    ({"integer": [0.5, 2]}, "integer needs whole low <= high, got [0.5, 2]"),
    ({"integer": [0, INF]}, "integer needs whole low <= high, got [0, inf]"),
    ({"integer": [math.nan, 1]}, "integer needs whole low <= high, got [nan, 1]"),
    ({"choice": []}, "choice needs at least one value and none twice, got ()"),
    ({"choice": [1, 2, 1]}, "choice needs at least one value and none twice, got (1.0, 2.0, 1.0)"),
    ({"choice": [1, math.nan]}, "choice needs numbers, got (1.0, nan)"),
    ({"choice": {"values": [1, 2], "weights": [1]}}, "choice needs one weight >= 0 for each of "
     "its 2 values and a positive sum, got (1.0,)"),
    ({"choice": {"values": [1, 2], "weights": [1, -1]}}, "choice needs one weight >= 0 for each "
     "of its 2 values and a positive sum, got (1.0, -1.0)"),
    ({"choice": {"values": [1, 2], "weights": [0, 0]}}, "choice needs one weight >= 0 for each "
     "of its 2 values and a positive sum, got (0.0, 0.0)"),
    ({"choice": {"values": [1, 2], "weights": [1, INF]}}, "choice needs one weight >= 0 for each "
     "of its 2 values and a positive sum, got (1.0, inf)"),
    (math.nan, "fixed needs a number, got nan"),
    # ---- not even the arguments of a prior
    ({"uniform": ["1e-3", 1]}, "uniform takes low, high, got ['1e-3', 1]; '1e-3' is not a number; "
     + REMEDY),
    ({"uniform": {"low": "a", "high": 1}}, "uniform takes low, high, got {'low': 'a', 'high': 1}; "
     "'a' is not a number"),
    ({"uniform": [True, 2]}, "uniform takes low, high, got [True, 2]; True is not a number"),
    ({"uniform": [None, 2]}, "uniform takes low, high, got [None, 2]; None is not a number"),
    ({"uniform": [[0, 1], 2]}, "uniform takes low, high, got [[0, 1], 2]; [0, 1] is not a number"),
    ({"choice": "123"}, "choice takes values, weights, got '123'; '123' is not a number; "
     + REMEDY),
    ({"choice": [1, "2"]}, "choice takes values, weights, got [1, '2']; '2' is not a number; "
     + REMEDY),
    ({"choice": [1, True]}, "choice takes values, weights, got [1, True]; True is not a number"),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_arguments_are_refused(plain: object, message: str) -> None:
    """The message names the prior, the rule and what was found."""
    with pytest.raises(ValueError) as caught:
        prior_from_plain(plain)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "plain",
    [
        {"uniform": 1},
        {"uniform": [0, 1, 2]},
        {"uniform": {"low": 0, "upper": 1}},
        {"uniform": {1: 0, "high": 1}},
        {"normal": {"std": 1}},
        {"integer": []},
        {"integer": {"low": [1], "high": 2}},
        {"choice": 3},
        {"choice": {"values": 3}},
        {"choice": {"values": [1, 2], "weights": 3}},
        {"fixed": [1, 2]},
        {"fixed": {"at": [1]}},
        {"normal": {"mean": [0], "std": 1}},
    ],
    ids=str,
)
def test_arguments_of_another_form_are_refused(plain: dict[str, object]) -> None:
    """The rest of the message is Python's own and tells which argument is amiss."""
    (name, arguments) = next(iter(plain.items()))
    with pytest.raises(ValueError) as caught:
        prior_from_plain(plain)
    assert str(caught.value).startswith(f"{name} takes ")
    assert f", got {arguments!r}" in str(caught.value)


@pytest.mark.parametrize(
    "plain", ["1e-3", None, True, [0, 1], {}, {"gauss": [0, 1]}, {"uniform": [0, 1], "fixed": 1}]
)
def test_what_is_no_prior_is_refused(plain: object) -> None:
    with pytest.raises(ValueError) as caught:
        prior_from_plain(plain)
    assert str(caught.value) == (
        "a prior is a number or one of uniform, log_uniform, normal, integer, choice, fixed with "
        f"its arguments, as in {{uniform: [0, 1]}}, got {plain!r}"
        + (f"; {REMEDY}" * is_number(plain))
    )
