"""Records of a plan: the numpy types that kernels read, and the codes in their fields."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

AMPLITUDE, FLUX, MAGNITUDE = range(3)  # what decides the brightness of an object
UNIFORM, LOG_UNIFORM, NORMAL, INTEGER, CHOICE, FIXED, POWER_LAW = range(7)
ONE_COUNT, COUNTS, LISTED, GROUPS = range(4)  # how the number of objects is decided
NUMBERS = 7  # of one prior
NO_SPREAD = -1  # instead of an index in `degrade.FAMILIES`
NOT_SET = -1  # instead of the index of a prior

_INTEGERS = (
    "slots",
    "counting",
    "weighted",
    "count_prior",
    "candidates",
    "least_pixels",
    "union",
    "height",
    "width",
    "margin",
    "layout_height",
    "layout_width",
    "layout_margin",
    "spread",
    "gradient",
    "most",
    "reassigns",
    "classes",
)
SETTINGS = np.dtype(
    [(name, np.int64) for name in _INTEGERS]
    + [(name, np.float64) for name in ("visible", "zero_point")]
    + [(name, np.uint64) for name in ("count", "kind", "group", "reassigned")],
    align=True,
)
KIND = np.dtype(
    [
        ("address", np.int64),  # of the kernel that adds its light
        ("layout_address", np.int64),  # the same, at pixel centres alone
        ("first", np.int64),  # of its parameters
        ("last", np.int64),  # one after the last of them
        ("prior", np.int64),  # of its number
        ("share_end", np.float64),  # share of objects of `count` of this kind and those before it
        ("count", np.uint64),  # stream of its number
        ("kept", np.int64),  # index among the classes; -1 for a kind left out
        ("balance", np.uint64),  # stream that balances it
        ("keep_below", np.float64),  # balance removes it unless its number is below
        ("add_below", np.float64),  # balance adds a missing one if its number is below
        ("is_point", np.int64),  # whether its light is the point spread itself
        ("flux_address", np.int64),  # of the kernel of its flux; 0 where amplitudes are sampled
        ("amplitude", np.int64),  # the place of its amplitude, if it has a flux_address
    ],
    align=True,
)
CONDITION = np.dtype(
    [
        ("stream", np.uint64),
        ("prior", np.int64),  # NOT_SET where the recipe does not set it
        ("scale", np.float64),  # from the units of the recipe to pixels
    ],
    align=True,
)
NOISE = np.dtype([("is_set", np.int64), ("stream", np.uint64)], align=True)
PARAMETER = np.dtype(
    [
        ("stream", np.uint64),
        ("scale", np.float64),  # from the units of the recipe to pixels, of the image
        ("shift", np.float64),
        ("layout_scale", np.float64),  # the same of the grid on which layouts are judged
        ("layout_shift", np.float64),
        ("held", np.float64),  # the value that it always has; NaN where it is free
        ("held_quantity", np.int64),  # AMPLITUDE, FLUX or MAGNITUDE
        ("relative", np.float64),  # to the image's shorter side, of positions and lengths
        ("shared", np.int64),  # whether all objects of an image have one value
        ("largest", np.float32),
    ],
    align=True,
)
PRIOR = np.dtype(
    [
        ("family", np.int64),
        ("numbers", np.float64, (NUMBERS,)),
        ("first", np.int64),  # of its choices
        ("last", np.int64),
        ("quantity", np.int64),  # of the brightness: AMPLITUDE, FLUX or MAGNITUDE
    ],
    align=True,
)


class Plan(NamedTuple):
    """A recipe and a seed, for the kernels.

    Attributes:
        settings: Numbers of the whole recipe, SETTINGS, shape (1,).
        kinds: KIND, shape (K,), in the recipe's order.
        parameters: Those of all kinds, PARAMETER, shape (S,).
        priors: PRIOR, shape (P,).
        chosen: The prior of each parameter and slot, int64, shape (S, slots).
        choices: Cumulative shares and values of the priors' choices, float64, shape (C, 2).
        listed: Which slots hold an object where a recipe lists them, bool, shape (K, slots).
        conditions: CONDITION, shape (C,), in the order of `degrade.CONDITIONS`.
        noises: NOISE, shape (N,), in the order of `degrade.NOISES`.
        groups: The prior of each kind's number in each group, -1 for none, int64, shape (G, K).
        group_ends: The shares of the groups up to each, float64, shape (G,).
        spread: Pixels of a point spread that is an array, float32, shape (h, w); else (1, 1).
    """

    settings: NDArray[Any]
    kinds: NDArray[Any]
    parameters: NDArray[Any]
    priors: NDArray[Any]
    chosen: NDArray[np.int64]
    choices: NDArray[np.float64]
    listed: NDArray[np.bool_]
    conditions: NDArray[Any]
    noises: NDArray[Any]
    groups: NDArray[np.int64]
    group_ends: NDArray[np.float64]
    spread: NDArray[np.float32]
