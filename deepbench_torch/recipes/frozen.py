"""Immutable mappings: a recipe cannot change after it is built."""

from collections.abc import Mapping
from typing import Any, NoReturn, Self, TypeVar, final

from typing_extensions import override

K = TypeVar("K")
V = TypeVar("V")


@final
class FrozenDict(dict[K, V]):
    """A dict that refuses changes and has a hash; it compares and prints as a dict."""

    __slots__ = ("_hash",)
    _hash: int

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            f"recipe: expected no change of a frozen recipe, got one of {dict(self)!r:.60}; "
            "make a changed copy with recipe.replace(...)"
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    @override
    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:  # computed once, because recipes are keys of caches
            self._hash = hash(frozenset(self.items()))
            return self._hash

    @override
    def __reduce__(self) -> tuple[type[Self], tuple[dict[K, V]]]:
        return type(self), (dict(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # its values are immutable too


def freeze(value: Any) -> Any:
    """Return a value with every mapping and list within it immutable.

    Example:
        >>> freeze({"star": [1, 2]})
        {'star': (1, 2)}
    """
    if isinstance(value, Mapping):
        return FrozenDict({key: freeze(part) for key, part in value.items()})
    if isinstance(value, tuple | list):
        return tuple(freeze(part) for part in value)
    return value
