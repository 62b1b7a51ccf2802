"""Parameters as a table of astropy or pandas: a line for each object, body or system."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.photometry import UNITS, derived
from deepbench_torch.recipes import AbstractRecipe

if TYPE_CHECKING:
    from astropy.table import Table
    from pandas import DataFrame

Array = NDArray[Any]
# astropy's names of units that recipes name differently; None for a plain number
ASTROPY = {"brightness": None, "": None, "brightness pixel2": "pix2"}


CONDITIONS = "conditions/"  # begins the path of a condition


OBJECTS_A_BATCH = 4096  # whose derived quantities are worked out together: 4 MB for spirals


class Column(NamedTuple):
    """One parameter in every line of a table.

    Attributes:
        values: Values, shape (N,); 0 where `absent`.
        absent: Whether an object lacks the parameter, bool, shape (N,).
        unit: Unit, as in recipes; empty for a plain number.
    """

    values: Array
    absent: NDArray[np.bool_]
    unit: str


@dataclass(frozen=True)
class Lines:
    """Objects, bodies or systems of some rows, ordered by row, then kind, then slot.

    Attributes:
        index: Row number of each, int64, shape (N,).
        kind: Kind or system of each, shape (N,).
        slot: Slot of each among those of its kind, int64, shape (N,).
        columns: Every parameter by name.
    """

    index: Array
    kind: Array
    slot: Array
    columns: dict[str, Column]

    def to_table(self) -> "Table":
        """Return an astropy Table, with units; parameters that an object lacks are masked."""
        from astropy.table import Column as Plain
        from astropy.table import MaskedColumn, Table

        table = Table({"index": self.index, "kind": self.kind, "slot": self.slot})
        for name, (values, absent, unit) in self.columns.items():
            named = {"name": name, "unit": _astropy_unit(unit)}
            if absent.any():
                table.add_column(MaskedColumn(values, mask=absent, **named))
            else:
                table.add_column(Plain(values, **named))
        return table

    def to_pandas(self) -> "DataFrame":
        """Return a pandas DataFrame; parameters that an object lacks are NaN.

        The unit of each parameter is in `frame.attrs["units"]`.

        Raises:
            ModuleNotFoundError: If pandas, an optional package, is not installed.
        """
        if find_spec("pandas") is None:
            raise ModuleNotFoundError(
                "to_pandas: expected pandas to be installed, got no such package; install it with "
                "pip install pandas, or use to_table"
            )
        from pandas import DataFrame

        columns = {
            name: np.where(absent, values.dtype.type(np.nan), values)
            for name, (values, absent, _) in self.columns.items()
        }
        frame = DataFrame({"index": self.index, "kind": self.kind, "slot": self.slot, **columns})
        frame.attrs["units"] = {name: column.unit for name, column in self.columns.items()}
        return frame


class Owner(NamedTuple):
    """Parameters of one kind of object, or of one system.

    Attributes:
        name: Kind or system.
        parameters: Parameters by name, shape (B, slots), or (B,) for one value a row.
        present: Whether a slot has an object, bool, shape (B, slots).
        units: Unit of each parameter.
        derived: Quantities that follow from the parameters, which are in no file, in the same form;
            NaN where there is no object.
    """

    name: str
    parameters: Mapping[str, Array]
    present: NDArray[np.bool_]
    units: Mapping[str, str]
    derived: Mapping[str, Array] = {}

    @property
    def columns(self) -> dict[str, Array]:
        """The parameters and what follows from them."""
        return {**self.parameters, **self.derived}

    def unit(self, name: str) -> str:
        """Return the unit of a parameter or of what follows from the parameters."""
        return self.units[name] if name in self.units else UNITS[name]

    def with_derived(self, *, zero_point: float | None = None) -> "Owner":
        """Return the same with what follows from the parameters of a kind of object.

        Args:
            zero_point: Magnitude of an object of flux 1; None for no magnitudes.
        """
        kind = OBJECTS.get(self.name)
        if kind is None or not set(kind.fields) <= set(self.parameters):
            return self
        own = {name: torch.from_numpy(self.parameters[name][self.present]) for name in kind.fields}
        dtype = torch.promote_types(torch.float32, own[kind.parameters[0]].dtype)
        batches = zip(
            *(torch.split(values, OBJECTS_A_BATCH) for values in own.values()), strict=True
        )
        found = [
            derived(kind, dict(zip(own, batch, strict=True)), zero_point=zero_point)
            for batch in batches
        ]
        tables = {}
        for name in found[0]:
            values = torch.cat([batch[name].to(dtype) for batch in found]).numpy()
            tables[name] = np.full(self.present.shape, np.nan, values.dtype)
            tables[name][self.present] = values
        return self._replace(derived=tables)


def owner_lines(owners: Iterable[Owner], index: Array) -> Lines:
    """Return a line for each slot that has an object.

    Args:
        owners: Kinds or systems, in their order within a row.
        index: Row numbers, int64, shape (B,).
    """
    found = [(owner, *np.argwhere(owner.present).T) for owner in owners]
    rows, slots = (np.concatenate([each[axis] for each in found]) for axis in (1, 2))
    number = np.repeat(np.arange(len(found)), [len(each[1]) for each in found])
    order = np.lexsort((slots, number, rows))
    names = dict.fromkeys(name for owner, _, _ in found for name in owner.parameters)
    names |= dict.fromkeys(name for owner, _, _ in found for name in owner.derived)
    columns = {name: _column(name, found, order) for name in names}
    kinds = np.array([owner.name for owner, _, _ in found])
    return Lines(index[rows[order]], kinds[number[order]], slots[order], columns)


def _column(name: str, found: Sequence[tuple[Owner, Array, Array]], order: Array) -> Column:
    """Return one parameter of all objects, in some order."""
    values, absent, units = [], [], set()
    dtype = np.result_type(*(each.columns[name] for each, *_ in found if name in each.columns))
    for owner, rows, slots in found:
        if name in owner.columns:
            table = owner.columns[name]
            table = table[:, np.newaxis] if table.ndim == 1 else table
            lacks = slots >= table.shape[1]  # one value a row is in the line of slot 0
            values.append(np.where(lacks, dtype.type(0), table[rows, np.where(lacks, 0, slots)]))
            absent.append(lacks)
            units.add(owner.unit(name))
        else:
            values.append(np.zeros(len(rows), dtype))
            absent.append(np.ones(len(rows), dtype=bool))
    unit = units.pop() if len(units) == 1 else ""
    return Column(np.concatenate(values)[order], np.concatenate(absent)[order], unit)


def _astropy_unit(unit: str) -> str | None:
    """Return a unit as astropy parses it."""
    return ASTROPY.get(unit, unit.replace("solar mass", "solMass"))


def lines_of(recipe: AbstractRecipe, tables: Mapping[str, Tensor], index: Tensor) -> Lines:
    """Return the lines of some rows.

    Args:
        recipe: Recipe of the rows.
        tables: Result of `sample.tables()`.
        index: Row numbers, int64, shape (B,).
    """
    arrays = {path: table.cpu().numpy() for path, table in tables.items()}
    rows = index.cpu().numpy()
    lines = owner_lines(owners_of(recipe, arrays), rows)
    order = rows.argsort(kind="stable")
    places = order[np.searchsorted(rows, lines.index, sorter=order)]
    present = np.zeros(len(places), dtype=bool)
    for path in (path for path in arrays if path.startswith(CONDITIONS)):
        column = Column(arrays[path][places], present, recipe.unit(path) or "")
        lines.columns[condition_column(path)] = column
    return lines


def condition_column(path: str) -> str:
    """Return the column of a condition in tables, from its path in a file.

    Example:
        >>> condition_column("conditions/fwhm")
        'conditions.fwhm'
    """
    return path.replace("/", ".")


def owners_of(recipe: AbstractRecipe, tables: Mapping[str, Array]) -> list[Owner]:
    """Return the kinds or the system of some rows, with what follows from the parameters.

    Args:
        recipe: Recipe of the rows.
        tables: Result of `sample.tables()`, as arrays.
    """
    named: dict[str, dict[str, Array]] = {}
    units: dict[str, dict[str, str]] = {}
    for path, values in tables.items():
        match path.split("/"):
            case ["parameters", owner, name]:
                named.setdefault(owner, {})[name] = values
                units.setdefault(owner, {})[name] = recipe.unit(path) or ""
    owners = [
        Owner(owner, parameters, _present(tables.get(f"present/{owner}"), parameters), units[owner])
        for owner, parameters in named.items()
    ]
    zero_point = recipe.calibration.zero_point
    return [owner.with_derived(zero_point=zero_point) for owner in owners]


def _present(present: Array | None, parameters: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Return whether each slot has an object; without slots every row has one."""
    if present is not None:
        return np.asarray(present, dtype=bool)
    return np.ones((len(next(iter(parameters.values()))), 1), dtype=bool)
