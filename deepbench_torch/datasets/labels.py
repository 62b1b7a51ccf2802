"""The labels of a dataset as an immutable list."""

from typing import Any, NoReturn, final

from typing_extensions import override


@final
class FixedLabels(list[int]):
    """A list that refuses changes; it compares and prints as a list does.

    A change would not reach the rows, for they are made again on each access.
    """

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            "targets: expected no change of the labels of a dataset, got one; pass "
            "target_transform to change the labels of its rows, or change list(data.targets)"
        )

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    @override
    def __reduce__(self) -> tuple[type[list[int]], tuple[list[int]]]:
        return list, ([*self],)

    def __copy__(self) -> list[int]:
        return [*self]

    def __deepcopy__(self, memo: dict[int, Any]) -> list[int]:
        return [*self]
