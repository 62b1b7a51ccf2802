"""Priors of a recipe: reading, writing and errors."""

import math

import pytest

from deepbench_torch.numerics.checks import is_number
from deepbench_torch.priors import prior_from_plain
from deepbench_torch.priors.plain import REMEDY
from tests.priors.test_priors import Case, each_prior

INF = math.inf


@each_prior
def test_prior_is_read_from_a_recipe(case: Case) -> None:
    assert prior_from_plain(case.plain) == case.prior


@each_prior
def test_prior_round_trips_through_its_plain_form(case: Case) -> None:
    assert prior_from_plain(case.prior.to_plain()) == case.prior
    assert prior_from_plain(case.prior) is case.prior


BAD: list[tuple[object, str]] = [
    ({"uniform": [1, 1]}, 'uniform: expected finite low < high, '
     'got [1, 1]; for one value write the number alone'),
    ({"uniform": [2, 1]}, 'uniform: expected finite low < high, '
     'got [2, 1]; for one value write the number alone'),
    ({"uniform": [0, INF]}, 'uniform: expected finite low < high, '
     'got [0, inf]; for one value write the number alone'),
    ({"uniform": [math.nan, 1]}, 'uniform: expected finite low < high, '
     'got [nan, 1]; for one value write the number alone'),
    ({"uniform": [-1e308, 1e308]}, 'uniform: expected finite low < high, '
     'got [-1e+308, 1e+308]; for one value write the number alone'),
    ({"log_uniform": [1, 0.5]}, 'log_uniform: expected finite low < high, '
     'got [1, 0.5]; for one value write the number alone'),
    ({"log_uniform": [0, 1]}, 'log_uniform: expected low > 0, '
     'got [0, 1]; write a small number above 0, or uniform'),
    ({"log_uniform": [-1, 1]}, 'log_uniform: expected low > 0, '
     'got [-1, 1]; write a small number above 0, or uniform'),
    ({"log_uniform": [1e-310, 1]}, 'log_uniform: expected values from 1e-300 to 1e300, '
     'got [1e-310, 1]; choose low and high in this range'),
    ({"log_uniform": [1, 1e301]}, 'log_uniform: expected values from 1e-300 to 1e300, '
     'got [1, 1e+301]; choose low and high in this range'),
    ({"normal": [0, 0]}, 'normal: expected a finite mean, std > 0 and low < high, '
     'got mean 0, std 0, low -inf, high inf; for one value write the number alone'),
    ({"normal": [0, -1]}, 'normal: expected a finite mean, std > 0 and low < high, '
     'got mean 0, std -1, low -inf, high inf; for one value write the number alone'),
    ({"normal": [0, INF]}, 'normal: expected a finite mean, std > 0 and low < high, '
     'got mean 0, std inf, low -inf, high inf; for one value write the number alone'),
    ({"normal": [INF, 1]}, 'normal: expected a finite mean, std > 0 and low < high, '
     'got mean inf, std 1, low -inf, high inf; for one value write the number alone'),
    ({"normal": [0, 1, 2, 2]}, 'normal: expected a finite mean, std > 0 and low < high, '
     'got mean 0, std 1, low 2, high 2; for one value write the number alone'),
    ({"normal": [0, 1, math.nan]}, 'normal: expected a finite mean, std > 0 and low < high, '
     'got mean 0, std 1, low nan, high inf; for one value write the number alone'),
    ({"normal": [0, 1, 40]}, 'normal: expected a probability above 1e-12 between low and high, '
     'got mean 0, std 1, low 40, high inf; move low and high nearer to the mean'),
    ({"integer": [2, 1]}, 'integer: expected whole low <= high, '
     'got [2, 1]; write the smaller number first'),
    ({"integer": [1, 2.5]}, 'integer: expected whole low <= high, '
     'got [1, 2.5]; write the smaller number first'),
    ({"integer": [0.5, 2]}, 'integer: expected whole low <= high, '
     'got [0.5, 2]; write the smaller number first'),
    ({"integer": [0, INF]}, 'integer: expected whole low <= high, '
     'got [0, inf]; write the smaller number first'),
    ({"integer": [math.nan, 1]}, 'integer: expected whole low <= high, '
     'got [nan, 1]; write the smaller number first'),
    ({"choice": []}, 'choice: expected at least one value, all different, '
     'got (); use weights to make a value more frequent'),
    ({"choice": [1, 2, 1]}, 'choice: expected at least one value, all different, '
     'got (1.0, 2.0, 1.0); use weights to make a value more frequent'),
    ({"choice": [1, math.nan]}, 'choice: expected numbers, got (1.0, nan); remove nan'),
    ({"choice": {"values": [1, 2], "weights": [1]}},
     'choice: expected one weight >= 0 for each of 2 values and a positive sum, '
     'got (1.0,); omit weights for equal ones'),
    ({"choice": {"values": [1, 2], "weights": [1, -1]}},
     'choice: expected one weight >= 0 for each of 2 values and a positive sum, '
     'got (1.0, -1.0); omit weights for equal ones'),
    ({"choice": {"values": [1, 2], "weights": [0, 0]}},
     'choice: expected one weight >= 0 for each of 2 values and a positive sum, '
     'got (0.0, 0.0); omit weights for equal ones'),
    ({"choice": {"values": [1, 2], "weights": [1, INF]}},
     'choice: expected one weight >= 0 for each of 2 values and a positive sum, '
     'got (1.0, inf); omit weights for equal ones'),
    (math.nan, 'fixed: expected a number, '
     'got nan; write a number, or inf for a solid shape'),
    # ---- arguments of a wrong type
    ({"uniform": ["1e-3", 1]}, "uniform.low: expected a number, got '1e-3'; "
     + REMEDY),
    ({"uniform": {"low": "a", "high": 1}}, "uniform.low: expected a number, "
     "got 'a'; write a number as in 1 or 0.5"),
    ({"uniform": [True, 2]}, 'uniform.low: expected a number, '
     'got True; write a number as in 1 or 0.5'),
    ({"uniform": [None, 2]}, 'uniform.low: expected a number, '
     'got None; write a number as in 1 or 0.5'),
    ({"uniform": [[0, 1], 2]}, 'uniform.low: expected a number, '
     'got [0.0, 1.0]; write a number as in 1 or 0.5'),
    ({"choice": "123"}, "choice.values: expected a list of numbers, "
     "got '123'; write it in brackets, [1, 2]"),
    ({"choice": [1, "2"]}, "choice.values.1: expected a number, got '2'; "
     + REMEDY),
    ({"choice": [1, True]}, 'choice.values.1: expected a number, '
     'got True; write a number as in 1 or 0.5'),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_arguments_are_refused(plain: object, message: str) -> None:
    """Check that the message has the prior, the rule, the value found and a remedy."""
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
    """Check that the message starts with the prior and ends with a remedy."""
    name = next(iter(plain))
    with pytest.raises(ValueError, match=rf"^{name}[.\w]*: expected .+, got .+; .+"):
        prior_from_plain(plain)


@pytest.mark.parametrize(
    "plain", ["1e-3", None, True, [0, 1], {}, {"gauss": [0, 1]}, {"uniform": [0, 1], "fixed": 1}]
)
def test_other_values_are_refused(plain: object) -> None:
    with pytest.raises(ValueError) as caught:
        prior_from_plain(plain)
    assert str(caught.value).startswith(
        "recipe: expected a number or one of uniform, log_uniform, power_law, normal, integer, "
        f"choice, fixed with its arguments, as in {{uniform: [0, 1]}}, got {plain!r}; "
    )
    assert str(caught.value).endswith(REMEDY) == is_number(plain)
