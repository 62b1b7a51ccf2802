"""Tables of the parameters of a catalogue's rows, without their images or series."""

import torch
from torch import Tensor

from deepbench_torch.generate import sample_parameters
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samples.lines import Lines, lines_of

BATCH = 4096  # rows whose parameters are sampled together


def sampled_lines(recipe: AbstractRecipe, *, seed: int, index: Tensor) -> Lines:
    """Return the lines of some rows of a recipe.

    Args:
        recipe: Recipe of the rows.
        seed: Seed from 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,).
    """
    starts = range(0, max(1, len(index)), BATCH)
    parts = [sample_parameters(recipe, seed, index[at : at + BATCH]) for at in starts]
    tables = {path: torch.cat([part[path] for part in parts]) for path in parts[0]}
    return lines_of(recipe, tables, index)
