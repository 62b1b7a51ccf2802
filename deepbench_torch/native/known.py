"""Plans that are kept: those of a recipe, by seed, for as long as the recipe lives.

To make a plan takes longer than to make a row.
"""

import weakref

from deepbench_torch.degrade import CONDITIONS
from deepbench_torch.native.plan import make_plan
from deepbench_torch.native.records import Plan
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import Recipe


class Known:
    """Plans of a recipe, kept by seed.

    Attributes:
        scene_places: For each class, the place of its first parameter and the names of all.
        kinds: For each class, its place among the kinds of the recipe.
        conditions: For each condition of the recipe, its place among all.
        plans: By seed.
    """

    def __init__(self, recipe: Recipe) -> None:
        firsts, first = {}, 0
        for kind, own in recipe.objects.items():
            firsts[kind] = first, OBJECTS[kind].parameters
            first += len(own)
        self.scene_places = {kind: firsts[kind] for kind in recipe.kinds}
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
# by identity: to hash a recipe takes as long as to make a row
_known: dict[int, tuple["weakref.ref[Recipe]", Known]] = {}


def known(recipe: Recipe) -> Known:
    """Return what is kept of a recipe, for as long as it lives."""
    number = id(recipe)
    kept = _known.get(number)
    if kept is None or kept[0]() is not recipe:
        kept = weakref.ref(recipe, lambda _: _known.pop(number, None)), Known(recipe)
        _known[number] = kept
    return kept[1]
