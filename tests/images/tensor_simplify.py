"""An oracle of the kernels: scenes made simpler after they were sampled, by tensors."""

import torch
from torch import Tensor

from deepbench_torch.native.plan import chance_of_none
from deepbench_torch.numerics import rng
from deepbench_torch.recipes import Recipe


def simplified_present(
    recipe: Recipe, present: dict[str, Tensor], *, seed: int, index: Tensor
) -> dict[str, Tensor]:
    """Return which slots still hold an object, by the kinds that are kept.

    A slot that loses its object, or another kind's, keeps the parameters that were drawn for it, so
    nothing but the mask changes.

    Args:
        recipe: What the images hold; it is simplified.
        present: Which slots hold an object, by all kinds, bool of shape (B, slots).
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    simplify = recipe.simplify
    if simplify is None:
        return present
    if simplify.balanced:
        present = _balanced(recipe, present, seed=seed, index=index)
    if simplify.kinds is not None:
        kept = {kind: present[kind] for kind in simplify.kinds}
        others = [there for kind, there in present.items() if kind not in kept]
        present = kept
        if others and recipe.count is not None:
            unassigned = torch.stack(others).any(0)  # (B, slots)
            present = _reassigned(kept, unassigned, seed=seed, index=index)
    if simplify.objects is not None:
        first = torch.arange(recipe.slots, dtype=torch.int64, device="cpu") < simplify.objects
        present = {kind: there & first for kind, there in present.items()}
    return present


def simplified_values(recipe: Recipe, values: Tensor) -> Tensor:
    """Values of every slot with those that are settled put in, shape (B, parameters, slots)."""
    if recipe.simplify is None or not recipe.simplify.values:
        return values
    values = values.clone()
    places = [(kind, name) for kind, priors in recipe.objects.items() for name in priors]
    for kind, settled in recipe.simplify.values.items():
        for name, value in settled.items():
            values[:, places.index((kind, name))] = value
    return values


def _reassigned(
    kept: dict[str, Tensor], unassigned: Tensor, *, seed: int, index: Tensor
) -> dict[str, Tensor]:
    """Objects of other kinds given to those that are kept, evenly by a stream of its own."""
    u = rng.uniform(seed, ("simplify.kind",), index, unassigned.shape[1])[:, 0]
    chosen = (u * len(kept)).long()
    return {
        kind: there | (unassigned & (chosen == number))
        for number, (kind, there) in enumerate(kept.items())
    }


def _balanced(
    recipe: Recipe, present: dict[str, Tensor], *, seed: int, index: Tensor
) -> dict[str, Tensor]:
    """Each kind in half of the images: taken from some, or put into some that lack it."""
    counts = recipe.counts or {}
    u = rng.uniform(seed, [f"simplify.{kind}" for kind in counts], index, 1)  # (B, kinds, 1)
    numbers = dict(zip(counts, u.unbind(1), strict=True))
    first = torch.arange(recipe.slots, dtype=torch.int64, device="cpu") == 0
    balanced = {}
    for kind, there in present.items():
        share = 1 - chance_of_none(counts[kind])
        if share >= 0.5:
            balanced[kind] = there & (numbers[kind] < 0.5 / share)
        else:
            lacking = ~there.any(1, keepdim=True) & (numbers[kind] < (0.5 - share) / (1 - share))
            balanced[kind] = there | (lacking & first)
    return balanced
