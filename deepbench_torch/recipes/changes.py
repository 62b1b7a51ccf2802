"""Changes to a recipe: the same rules for `replace` in Python and `extends` in YAML."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from deepbench_torch.arguments import Fault, FaultsError, Location
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import is_prior

# a system always has all of its parameters, so an empty change cannot mean "none of them"
PARAMETERS = ("parameters",)


def apply_changes(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's plain values with changes merged in.

    Mappings are merged key by key; a prior, a list or any other value replaces what was there.
    None removes a key: it takes its default, a kind of object is gone, and its count with it.

    Args:
        base: Plain values of the recipe to change; may be incomplete.
        changes: What to change.

    Raises:
        FaultsError: If an empty mapping is to change a mapping that holds something, or a kind is
            removed that the scene lists.

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
            gone = [kind for kind in removed if key == "objects" or kind not in counted]
            merged[key] = {
                kind: value
                for kind, value in merged[key].items()
                if kind not in gone and (value is not None or kind not in OBJECTS)
            }
    return merged


def merge(
    base: Mapping[str, Any], changes: Mapping[str, Any], *, location: Location = ()
) -> dict[str, Any]:
    """Return `base` with `changes` merged in; None removes a key, and stays where there is none.

    Args:
        base: What to change.
        changes: The changes.
        location: The keys that lead to `base`, for messages.

    Raises:
        FaultsError: If an empty mapping is to change a mapping that holds something.
    """
    merged = dict(base)
    for key, change in changes.items():
        old, new = merged.get(key), _plain(change)
        if isinstance(old, Mapping) and isinstance(new, Mapping) and not is_prior(old):
            if old and not new and (*location, key) != PARAMETERS:
                raise FaultsError([_changes_nothing((*location, key))])
            new = merge(old, new, location=(*location, key))
        if new is None and key in merged:
            del merged[key]
        else:
            merged[key] = new
    return merged


def _plain(change: Any) -> Any:
    return change.model_dump(mode="json") if isinstance(change, BaseModel) else change


def _changes_nothing(location: Location) -> Fault:
    return Fault(
        location,
        "expected at least one change, got {}, which changes nothing; "
        f"leave {location[-1]} out to keep it, or set it to None (null in YAML) to remove it",
    )


def _kinds(changes: Mapping[str, Any], key: str, *, removed: bool) -> list[str]:
    """Return the kinds that changes remove from a key, or those that they set there."""
    kinds = changes.get(key)
    if not isinstance(kinds, Mapping):
        return []
    return [
        kind for kind, change in kinds.items() if kind in OBJECTS and (change is None) == removed
    ]


def _check_scene(merged: Mapping[str, Any], removed: list[str]) -> None:
    """Refuse to remove a kind that the scene lists.

    Raises:
        FaultsError: With the kind.
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
