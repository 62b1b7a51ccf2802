"""Strict YAML: plain values only; ambiguous and hostile text is refused."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, final

import yaml

MOST_CHARACTERS = 1 << 20
MOST_VALUES = 100_000  # with aliases expanded
MOST_DIGITS = 40  # of a whole number
DEEPEST = 50  # levels of mappings and lists


def read_yaml(path: str | Path, *, source: str | None = None) -> object:
    """Return the values of a YAML file: numbers, strings, lists and mappings.

    Args:
        path: The file.
        source: Name of the file in messages; its path if None.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not YAML in UTF-8, or `parse_yaml` refuses it.
    """
    path, source = Path(path), str(path) if source is None else source
    if not path.is_file():
        folder = str(path.parent.resolve())
        raise FileNotFoundError(
            f"{source}: expected a recipe file, got none in {folder!r}; check the name and folder"
        )
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source}: expected text in UTF-8, got {error.reason} at byte {error.start}; "
            "save the file as UTF-8"
        ) from None
    return parse_yaml(content, source=source)


def parse_yaml(content: str, *, source: str) -> object:
    """Return the values of YAML text: numbers, strings, lists and mappings with string keys.

    Args:
        content: The text.
        source: Origin of the text, for the error message.

    Raises:
        ValueError: If it is not YAML, repeats a key, or has a key that is not a string. Also if it
            names a Python object, or is larger or deeper than any recipe.
    """
    try:
        _check_length(content)
        node = yaml.compose(content, Loader=_Loader)
        if node is None:
            return None
        _check_size(node)
        return _Loader("").construct_document(node)
    except RefusedTextError as error:
        raise ValueError(f"{source}: {error}") from None
    except yaml.YAMLError as error:
        rule, remedy = "expected valid YAML", "correct it there"
        raise ValueError(f"{source}: {rule}, got an error: {_problem(error)}; {remedy}") from None
    except RecursionError:
        rule = f"expected at most {DEEPEST} levels of lists and mappings"
        raise ValueError(f"{source}: {rule}, got more; flatten them") from None
    except (OverflowError, ValueError, TypeError, AttributeError) as error:
        rule = "expected values that YAML defines"
        raise ValueError(f"{source}: {rule}, got an error: {error}; correct the value") from None


@final
class RefusedTextError(ValueError):
    """A rule of this module that YAML text breaks; the message has rule, value and remedy."""


def _check_length(content: str) -> None:
    if len(content) > MOST_CHARACTERS:
        raise RefusedTextError(
            f"expected at most {MOST_CHARACTERS:,} characters, got {len(content):,}; "
            "split the file or remove some"
        )


def _problem(error: yaml.YAMLError) -> str:
    """Return the problem that YAML reports, with its line and column."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem is None:
        return " ".join(str(error).split())
    mark = error.problem_mark
    position = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    problem = error.problem
    if problem.startswith("but ") and error.context:  # the two halves of a sentence of yaml
        problem = f"{error.context} {problem}"
    return f"{problem}{position}"


@final
class _Loader(yaml.SafeLoader):
    """Loader of plain values that refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping, if its keys are strings and none is repeated."""
        faults = list(_key_faults(node))
        if faults:
            raise RefusedTextError("; ".join(faults))
        return super().construct_mapping(node, deep=deep)


def _key_faults(node: yaml.MappingNode) -> Iterator[str]:
    """Yield the fault of each key that is not a string or is repeated."""
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield f"expected strings as keys, got a list or mapping in line {line}; write a name"
        elif key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
            yield f"expected strings as keys, got {key.value} in line {line}; write it in quotes"
        elif key.value in first:
            lines = f"lines {first[key.value]} and {line}"
            yield f"expected each key once, got {key.value} in {lines}; remove one of them"
        else:
            first[key.value] = line


def _check_size(node: yaml.Node) -> None:
    """Refuse text that is endless, huge or too deep with its aliases expanded."""
    sizes: dict[int, int] = {}
    if _size(node, sizes, depth=0) > MOST_VALUES:
        raise RefusedTextError(
            f"expected at most {MOST_VALUES:,} values, got more with aliases expanded; "
            "use fewer aliases"
        )


def _size(node: yaml.Node, sizes: dict[int, int], *, depth: int) -> int:
    """Return the number of values of a node with its aliases expanded."""
    if depth > DEEPEST:  # also for an alias within itself
        raise RecursionError
    _check_number(node)
    if id(node) not in sizes:
        sizes[id(node)] = 1 + sum(_size(part, sizes, depth=depth + 1) for part in _parts(node))
    return sizes[id(node)]


def _check_number(node: yaml.Node) -> None:
    """Refuse very long numbers, and numbers that YAML 1.1 reads in another base."""
    if node.tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
        return
    line = node.start_mark.line + 1
    if node.tag.endswith("int") and len(node.value) > MOST_DIGITS:
        raise RefusedTextError(
            f"expected whole numbers of at most {MOST_DIGITS} digits, got {len(node.value)} in "
            f"line {line}; write a smaller number"
        )
    if ":" in node.value or (node.value.isdecimal() and node.value != str(int(node.value))):
        raise RefusedTextError(
            f"expected numbers without ':' and without a leading 0, got {node.value} in "
            f"line {line}; write it in plain decimals, or in quotes if it is a string"
        )


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
