"""Changes to a recipe: the same rules for `replace` in Python and `extends` in YAML."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from deepbench_torch.degrade import NOISES
from deepbench_torch.numerics.checks import Fault, FaultsError, Location
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import is_prior
from deepbench_torch.recipes.brightness import brightness_names

# a system always has all of its parameters, so an empty change cannot mean "remove them"
PARAMETERS = ("parameters",)
# mappings with one of several keys, so that another key replaces the old one
ALTERNATIVES = (
    ("degrade", "psf"),
    *(("degrade", noise.key) for noise in NOISES if noise.alternatives),
)


def apply_changes(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's plain values with changes merged in.

    Mappings are merged key by key; a prior, a list or any other value replaces the old one.
    None resets a key to its default; a kind of object is removed together with its count.

    Args:
        base: Plain values of the recipe to change; may be incomplete.
        changes: New values by key.

    Raises:
        FaultsError: If a change is an empty mapping where `base` has entries, or removes a kind
            that the scene lists.

    Example:
        >>> apply_changes({"objects": {"star": {}, "galaxy": {}}}, {"objects": {"star": None}})
        {'objects': {'galaxy': {}}}
    """
    merged = merge(base, changes)
    removed = _kinds(changes, "objects", removed=True)
    _check_scene(merged, removed)
    counted = _kinds(changes, "counts", removed=False)
    for key in ("objects", "counts"):
        if isinstance(merged.get(key), Mapping):
            dropped = [kind for kind in removed if key == "objects" or kind not in counted]
            merged[key] = {
                kind: value
                for kind, value in merged[key].items()
                if kind not in dropped and (value is not None or kind not in OBJECTS)
            }
    return merged


def merge(
    base: Mapping[str, Any], changes: Mapping[str, Any], *, location: Location = ()
) -> dict[str, Any]:
    """Return `base` with `changes` merged in.

    None removes a key that `base` has, and is kept for a key that it does not have.

    Args:
        base: The values to change.
        changes: New values by key.
        location: The keys that lead to `base`, for messages.

    Raises:
        FaultsError: If a change is an empty mapping where `base` has entries.
    """
    merged = _without_replaced(base, changes, location)
    for key, change in changes.items():
        old, new = merged.get(key), _plain(change)
        if isinstance(old, Mapping) and isinstance(new, Mapping) and not is_prior(old):
            if old and not new and (*location, key) != PARAMETERS:
                raise FaultsError([_changes_nothing((*location, key))])
            if (*location, key) not in ALTERNATIVES or _same_keys(old, new):
                new = merge(old, new, location=(*location, key))
        if new is None and key in merged:
            del merged[key]
        else:
            merged[key] = new
    return merged


def _same_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether a change of a mapping sets the keys that are set."""
    return set(new) <= {key for key, value in old.items() if value is not None}


def _without_replaced(
    base: Mapping[str, Any], changes: Mapping[str, Any], location: Location
) -> dict[str, Any]:
    """Return `base` without the brightness of an object that another name in `changes` states."""
    match location:
        case ("objects", kind) | ("simplify", "values", kind) if kind in OBJECTS:
            names = brightness_names(str(kind))
            if any(changes.get(name) is not None for name in names):
                return {key: old for key, old in base.items() if key not in names}
    return dict(base)


def _plain(change: Any) -> Any:
    return change.model_dump(mode="json") if isinstance(change, BaseModel) else change


def _changes_nothing(location: Location) -> Fault:
    return Fault(
        location,
        "expected at least one change, got {}, which changes nothing; "
        f"omit {location[-1]} to keep it, or set it to None (null in YAML) to remove it",
    )


def _kinds(changes: Mapping[str, Any], key: str, *, removed: bool) -> list[str]:
    """Return the kinds that changes remove from a key, or the kinds that they set in it."""
    kinds = changes.get(key)
    if not isinstance(kinds, Mapping):
        return []
    return [
        kind for kind, change in kinds.items() if kind in OBJECTS and (change is None) == removed
    ]


def _check_scene(merged: Mapping[str, Any], removed: list[str]) -> None:
    """Refuse to remove a kind that the scene lists.

    Raises:
        FaultsError: If a removed kind is listed.
    """
    scene = merged.get("scene")
    parts = [part for part in scene if isinstance(part, Mapping)] if scene else []
    listed = [kind for kind in removed if any(kind in part for part in parts)]
    if listed:
        raise FaultsError(
            Fault(
                ("objects", kind),
                f"expected a kind that scene does not list, got None for {kind}; "
                "remove its objects from scene as well",
            )
            for kind in listed
        )
