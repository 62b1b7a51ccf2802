"""YAML text as plain values, strictly: what is ambiguous or hostile is refused."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, final

import yaml

MOST_CHARACTERS = 1 << 20
MOST_VALUES = 100_000  # with aliases written out
MOST_DIGITS = 40  # of a whole number
DEEPEST = 50  # mappings and lists within each other


def read_yaml(path: str | Path, *, source: str | None = None) -> object:
    """Return what a YAML file holds: numbers, texts, lists and mappings.

    Args:
        path: The file.
        source: What messages call it; its path if None.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not YAML in UTF-8, or as `parse_yaml` refuses it.
    """
    path, source = Path(path), str(path) if source is None else source
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no recipe file {source!r} (looked in {str(path.parent.resolve())!r})"
        )
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{source!r} is not text in UTF-8: {error.reason}") from None
    return parse_yaml(content, source=source)


def parse_yaml(content: str, *, source: str) -> object:
    """What YAML text holds: numbers, texts, lists and mappings with texts as keys.

    Args:
        content: The text.
        source: Where it came from, for the error message.

    Raises:
        ValueError: If it is not YAML, has a key twice or a key that is no text, names a Python
            object, or is larger or deeper than any recipe.
    """
    if len(content) > MOST_CHARACTERS:
        raise ValueError(
            f"{source} must have at most {MOST_CHARACTERS:,} characters, got {len(content):,}"
        )
    try:
        node = yaml.compose(content, Loader=_Loader)
        if node is None:
            return None
        _check_size(node, source)
        return _Loader("").construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(f"{source} is not YAML: {_words(error)}") from None
    except RecursionError:
        raise ValueError(f"{source} has lists or mappings too deep within each other") from None
    except (OverflowError, ValueError, TypeError, AttributeError) as error:
        if str(error).startswith(source):
            raise
        raise ValueError(f"{source} holds a value that cannot be read: {error}") from None


def _words(error: yaml.YAMLError) -> str:
    """What is wrong, and where."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem is None:
        return " ".join(str(error).split())
    mark = error.problem_mark
    location = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    problem = error.problem
    if problem.startswith("but ") and error.context:  # yaml's own two halves of a sentence
        problem = f"{error.context} {problem}"
    return f"{problem}{location}"


@final
class _Loader(yaml.SafeLoader):
    """Plain values only, and every key of a mapping once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping, if its keys are texts, each given once."""
        self._check_keys(node)
        return super().construct_mapping(node, deep=deep)

    def _check_keys(self, node: yaml.MappingNode) -> None:
        first: dict[str, int] = {}
        faults = []
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                faults.append(f"a key must be a text, got a list or mapping in line {line}")
            elif key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                faults.append(
                    f"a key must be a text, got {key.value} in line {line}; put it in quotes"
                )
            elif key.value in first:
                faults.append(
                    f"a key must be given once, got {key.value} in line {first[key.value]} and "
                    f"in line {line}; take one of them out"
                )
            else:
                first[key.value] = line
        if faults:
            raise yaml.constructor.ConstructorError(problem="; ".join(faults))


def _check_size(node: yaml.Node, source: str) -> None:
    """Refuse what aliases make endless, huge or too deep, before anything is made of it."""
    sizes: dict[int, int] = {}
    if _size(node, sizes, depth=0) > MOST_VALUES:
        raise ValueError(
            f"{source} must hold at most {MOST_VALUES:,} values, got more by its aliases; write "
            "out what they stand for"
        )


def _size(node: yaml.Node, sizes: dict[int, int], *, depth: int) -> int:
    """How many values a node stands for with its aliases written out."""
    if depth > DEEPEST:  # so does an alias within itself
        raise RecursionError
    _check_number(node)
    if id(node) not in sizes:
        sizes[id(node)] = 1 + sum(_size(part, sizes, depth=depth + 1) for part in _parts(node))
    return sizes[id(node)]


def _check_number(node: yaml.Node) -> None:
    """Refuse numbers without end, and those that YAML 1.1 reads otherwise than people do."""
    if node.tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
        return
    line = node.start_mark.line + 1
    if node.tag.endswith("int") and len(node.value) > MOST_DIGITS:
        raise OverflowError(
            f"whole numbers must have at most {MOST_DIGITS} digits, got {len(node.value)} in line "
            f"{line}"
        )
    if ":" in node.value or (node.value.isdecimal() and node.value != str(int(node.value))):
        raise ValueError(
            f"a number must be written without ':' and without a leading 0, got {node.value} in "
            f"line {line}"
        )


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
