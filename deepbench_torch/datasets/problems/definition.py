"""Definition of a problem set: its YAML file, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from deepbench_torch.datasets.splits import LARGEST_SIZE
from deepbench_torch.numerics.rng import LARGEST_SEED
from deepbench_torch.recipes import Recipe, load_recipe, recipe_from_plain, require_images
from deepbench_torch.recipes.faults import find_faults
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.text import read_yaml

LEAST_ROWS = 5  # fewer rows have no row in each of the three splits
Changes = dict[str, Any]
Seed = Annotated[StrictInt, Field(ge=0, le=LARGEST_SEED)]
Size = Annotated[StrictInt, Field(ge=LEAST_ROWS, le=LARGEST_SIZE)]


class Definition(BaseModel):
    """Keys of the YAML file of a problem set.

    Attributes:
        name: Name of the set.
        description: One line on what the set asks.
        recipe: Name of a packaged recipe, a YAML file beside this one, or a recipe, which may have
            the key `extends`. Its own size and seed are not used.
        train: Changes to the recipe in the rows for training and validation.
        size: Number of rows before splitting: 60 % for training and 20 % for validation. The rest
            is not used, so that the rows are those of `Catalogue`.
        seed: Seed of these rows.
        labels_per_class: Number of training rows of each class, the first ones; None for all.
        wrong_labels: Share of training and validation rows whose label states another class.
        test_size: Number of test rows.
        test_seed: Seed of the test rows.
        domains: By name, changes to the recipe in test rows of a shifted domain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = Field(min_length=1)
    recipe: str | Changes
    train: Changes = {}
    size: Size = 10_000
    seed: Seed = 0
    labels_per_class: Annotated[StrictInt, Field(ge=1)] | None = None
    wrong_labels: float = Field(default=0.0, ge=0, lt=1, strict=True)
    test_size: Size = 20_000
    test_seed: Seed = 1_000_003
    domains: dict[str, Changes] = {}

    @model_validator(mode="after")
    def _check_seeds(self) -> Self:
        # each domain has the seed after the one before
        last = self.test_seed + len(self.domains)
        if self.test_seed <= self.seed <= last:
            raise ValueError(
                f"expected another seed than those of the test rows, {self.test_seed} to {last}, "
                f"got {self.seed}, so that training rows would be test rows; change seed"
            )
        if last > LARGEST_SEED:
            raise ValueError(
                f"test_seed: expected at most 2**63 - 1 less the number of domains, got "
                f"{self.test_seed}; use a smaller one"
            )
        return self

    def load_recipe(self, changes: Mapping[str, Any] | None = None) -> Recipe:
        """Return the recipe, with changes if there are any.

        Raises:
            ValueError: If the recipe is not valid, or of time series.
        """
        recipe = _recipe(self.recipe, source=f"problem set {self.name}")
        return recipe.replace(**changes) if changes else recipe


def read_definition(path: Path) -> Definition:
    """Return the definition in a YAML file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not YAML, or a key is not valid.
    """
    plain = read_yaml(path, source=path.name)
    if isinstance(plain, dict) and "recipe" in plain:
        plain["recipe"] = _beside(plain["recipe"], path.parent)
    faults = find_faults(Definition, plain, source=path.name)
    if faults:
        raise ValueError(
            f"{path.name}: " + "; ".join(each.removeprefix(f"{path.name}: ") for each in faults)
        )
    return Definition.model_validate(plain)


def _beside(given: object, folder: Path) -> object:
    """Return a recipe whose file name, or that of `extends`, is one beside the problem set."""
    if isinstance(given, str) and given.endswith((".yaml", ".yml")):
        return str(folder / given)
    if isinstance(given, dict) and "extends" in given:
        return given | {"extends": _beside(given["extends"], folder)}
    return given


def _recipe(given: str | Changes, *, source: str) -> Recipe:
    if isinstance(given, str):
        loaded = load_recipe(given)
    elif "extends" in given:
        if not isinstance(given["extends"], str):
            raise ValueError(
                f"{source}: recipe.extends: expected the name of a recipe or a YAML file, got "
                f"{short_repr(given['extends'])}; write one name"
            )
        changes = {key: value for key, value in given.items() if key != "extends"}
        loaded = load_recipe(given["extends"]).replace(**changes)
    else:
        loaded = recipe_from_plain(given, source=source)
    return require_images(loaded, source, remedy="choose a recipe of images")
