"""Tables of the `parameters` target, of one row or of a batch."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepbench_torch.numerics.checks import as_tensor
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import AbstractRecipe, load_recipe
from deepbench_torch.samples import AbstractSample
from deepbench_torch.samples.lines import Array, Owner, owner_lines
from deepbench_torch.systems import SYSTEMS

if TYPE_CHECKING:
    from astropy.table import Table

PRESENT = "present"


def to_table(
    parameters: Mapping[str, Any] | AbstractSample,
    *,
    recipe: str | Path | AbstractRecipe | None = None,
) -> "Table":
    """Return the `parameters` target of a row, or of a batch of a DataLoader, as a table.

    The table has a line for each object, body or system. Its columns are `index`, the position of
    the row in the batch, `kind`, `slot` and the parameters with their units. Slots without an
    object are omitted; a parameter that a kind lacks is masked. Objects have further columns that
    are derived from their parameters, as in `Sample.to_table`.

    Args:
        parameters: Target of a row or a batch, or a Sample, whose `index` has the row numbers.
        recipe: Recipe of the rows: of time series, for their system and units; of images, for its
            `zero_point`. If None, the column `kind` is "series" if several systems have these
            parameters, and objects have no magnitudes.

    Returns:
        An `astropy.table.Table`.

    Raises:
        ValueError: If it is not such a target.

    Example:
        >>> import deepbench_torch as db
        >>> _, parameters = db.Catalogue("star", size=5, target="parameters")[0]
        >>> table = db.to_table(parameters)
        >>> table.colnames
        ['index', 'kind', 'slot', 'x', 'y', 'amplitude', 'gamma', 'alpha', 'flux', 'fwhm']
        >>> str(table["gamma"].unit)
        'pix'
    """
    if isinstance(parameters, AbstractSample):
        return parameters.to_table()
    owners = _owners(parameters, None if recipe is None else load_recipe(recipe))
    return owner_lines(owners, np.arange(len(owners[0].present))).to_table()


def _owners(parameters: Mapping[str, Any], recipe: AbstractRecipe | None) -> list[Owner]:
    if not isinstance(parameters, Mapping) or not parameters:
        raise ValueError(_expected(type(parameters).__name__))
    if all(isinstance(part, Mapping) and PRESENT in part for part in parameters.values()):
        zero_point = None if recipe is None else recipe.calibration.zero_point
        owners = [_owner(kind, part, _object_units(kind)) for kind, part in parameters.items()]
        return [owner.with_derived(zero_point=zero_point) for owner in owners]
    if any(isinstance(part, Mapping) for part in parameters.values()):
        raise ValueError(_expected(f"a mapping of {', '.join(map(str, parameters))}"))
    return [_owner(*_system(parameters, recipe))]


def _expected(got: str) -> str:
    return (
        f"parameters: expected the target 'parameters' of a row or a batch, got {got}; of several "
        "targets pass target['parameters']"
    )


def _object_units(kind: str) -> dict[str, str]:
    if kind not in OBJECTS:
        raise ValueError(
            f"parameters: expected kinds of objects, got {kind!r}; use a kind of db.OBJECTS"
        )
    return {name: field.unit for name, field in OBJECTS[kind].fields.items()}


def _system(
    parameters: Mapping[str, Any], recipe: AbstractRecipe | None
) -> tuple[str, Mapping[str, Any], dict[str, str]]:
    """Return the system of parameters of time series, the parameters, and their units."""
    names = [name for name in parameters if name != PRESENT]
    systems = [system for system in SYSTEMS.values() if set(names) <= set(system.fields)]
    if recipe is not None and not SYSTEMS.keys().isdisjoint(recipe.owners):
        systems = [system for system in systems if system.name in recipe.owners]
    if not systems:
        raise ValueError(_expected(f"a mapping of {', '.join(names)}"))
    units = {}
    for name in names:
        of_systems = {system.fields[name].unit for system in systems}
        units[name] = of_systems.pop() if len(of_systems) == 1 else ""
    return systems[0].name if len(systems) == 1 else "series", parameters, units


def _owner(name: str, part: Mapping[str, Any], units: Mapping[str, str]) -> Owner:
    """Return one kind or system; a single row becomes a batch of one."""
    values = {key: as_tensor(value).detach().cpu().numpy() for key, value in part.items()}
    present = values.pop(PRESENT, None)
    unknown = [key for key in values if key not in units]
    if unknown or not values:
        raise ValueError(_expected(f"{name} with {', '.join(unknown) or 'no parameters'}"))
    least = min(array.ndim for array in values.values()) if present is None else present.ndim - 1
    arrays: dict[str, Array] = {
        key: array if least else array[np.newaxis] for key, array in values.items()
    }
    if present is None:
        present = np.ones((len(next(iter(arrays.values()))), 1), dtype=bool)
    elif not least:
        present = present[np.newaxis]
    return Owner(name, arrays, np.asarray(present, dtype=bool), units)
