"""Plans of a recipe by seed, kept as long as the recipe exists.

Making a plan takes longer than making a row.
"""

import weakref

from deepbench_torch.degrade import CONDITIONS
from deepbench_torch.native.plan import make_plan
from deepbench_torch.native.records import Plan
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import Recipe


class RecipePlans:
    """Plans of a recipe by seed, and the indices of its parts in the kernels' arrays.

    Attributes:
        first_parameters: For each class, the index of its first parameter and the names of all.
        kinds: For each class, its index among the kinds of the recipe.
        conditions: For each condition of the recipe, its index in `degrade.CONDITIONS`.
        plans: By seed.
    """

    def __init__(self, recipe: Recipe) -> None:
        firsts, first = {}, 0
        for kind, own in recipe.objects.items():
            firsts[kind] = first, OBJECTS[kind].parameters
            first += len(own)
        self.first_parameters = {kind: firsts[kind] for kind in recipe.kinds}
        self.kinds = {kind: list(recipe.objects).index(kind) for kind in recipe.kinds}
        places = {name: place for place, name in enumerate(CONDITIONS)}
        self.conditions = {name: places[name] for name in recipe.degrade.conditions}
        self.plans: dict[int, Plan] = {}

    def plan(self, recipe: Recipe, seed: int) -> Plan:
        """Return the plan of a seed."""
        if seed not in self.plans:
            if len(self.plans) >= _MOST_SEEDS:
                self.plans.clear()
            self.plans[seed] = make_plan(recipe, seed)
        return self.plans[seed]


_MOST_SEEDS = 64  # plans kept of one recipe
# by identity: hashing a recipe takes as long as making a row
_kept: dict[int, tuple["weakref.ref[Recipe]", RecipePlans]] = {}


def plans_of(recipe: Recipe) -> RecipePlans:
    """Return the plans of a recipe, the same object as long as the recipe exists."""
    number = id(recipe)
    kept = _kept.get(number)
    if kept is None or kept[0]() is not recipe:
        kept = weakref.ref(recipe, lambda _: _kept.pop(number, None)), RecipePlans(recipe)
        _kept[number] = kept
    return kept[1]
