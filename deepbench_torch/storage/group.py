"""Several catalogues in one folder, whole or not at all."""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import yaml

from deepbench_torch.recipes.text import read_yaml
from deepbench_torch.storage.header import is_file_name
from deepbench_torch.storage.whole import folders, sync

LIST = "collection.yaml"
GROUP_VERSION = 1


class Group(ABC):
    """What `materialize` writes to a folder of catalogues."""

    @abstractmethod
    def store(self, path: Path, *, options: "Options") -> Path:
        """Write it; the path is returned."""


class Options(NamedTuple):
    """The arguments of `materialize` that go for each catalogue of a group."""

    workers: int
    executor: Executor | None
    overwrite: bool
    progress: bool
    compression: Literal["gzip", "lzf"] | None


class Listed(NamedTuple):
    """What a folder of catalogues says of itself.

    Attributes:
        files: The file of each catalogue, by its name.
        facts: How they are put together.
    """

    files: dict[str, Path]
    facts: dict[str, Any]


def begin_group(path: Path, *, overwrite: bool) -> Path:
    """A fresh folder beside the path, to write the catalogues in.

    Raises:
        FileExistsError: If there is something that may not be replaced.
    """
    if is_file_name(path):
        raise ValueError(f"a collection is a folder, got {str(path)!r}; leave the ending out")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{str(path)!r} exists; replace it with overwrite=True, or open it with Collection.open"
        )
    if path.exists() and not (path / LIST).is_file():
        raise FileExistsError(
            f"{str(path)!r} holds no collection, so it is not replaced; choose another path"
        )
    with folders(path.parent):
        beside = path.with_name(f".{path.name}.{uuid4().hex}.partial")
        beside.mkdir()
    return beside


def end_group(beside: Path, path: Path, *, names: Mapping[str, str], facts: dict[str, Any]) -> None:
    """List the catalogues of a folder, by name and file, and give it its own name."""
    plain = {"version": GROUP_VERSION, **facts, "members": dict(names)}
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    (beside / LIST).write_text(text, encoding="utf-8")
    sync(beside)
    old = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    if path.exists():
        os.replace(path, old)
    os.replace(beside, path)
    shutil.rmtree(old, ignore_errors=True)


def read_group(path: str | Path) -> Listed:
    """What a folder of catalogues says of itself.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is damaged.
    """
    path = Path(path).expanduser()
    if not (path / LIST).is_file():
        raise FileNotFoundError(
            f"there is no collection {str(path)!r}, which would have a {LIST}; write one with "
            "deepbench_torch.materialize"
        )
    plain = read_yaml(path / LIST)
    members = plain.get("members") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or not isinstance(members, dict) or not members:
        raise ValueError(f"{str(path / LIST)!r} is damaged: it lists no members; write it again")
    if plain.get("version") != GROUP_VERSION:
        raise ValueError(
            f"{str(path / LIST)!r} is of version {plain.get('version')!r}, this package reads "
            f"version {GROUP_VERSION}; write it again"
        )
    return Listed({str(name): path / Path(str(file)).name for name, file in members.items()}, plain)
