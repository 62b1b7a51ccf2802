"""Several catalogues in one folder, written atomically."""

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import yaml

from deepbench_torch.recipes.paths import user_path
from deepbench_torch.recipes.text import parse_yaml
from deepbench_torch.storage.names import LIST, beside
from deepbench_torch.storage.owned import GROUP_VERSION
from deepbench_torch.storage.replace import check_kept, find_existing, real_target, recover, replace
from deepbench_torch.storage.suffixes import check_folder_name
from deepbench_torch.storage.trust import inside, read_text
from deepbench_torch.storage.work.atomic import folders, sync
from deepbench_torch.storage.work.folder import PARTIAL, begin_work, remove_other_work
from deepbench_torch.storage.work.lock import locked


class Options(NamedTuple):
    """Arguments of `materialize` for each catalogue of a group."""

    workers: int
    executor: Executor | None
    overwrite: bool
    progress: bool
    compression: Literal["gzip", "lzf"] | None


class Listed(NamedTuple):
    """Metadata of a folder of catalogues.

    Attributes:
        files: The file of each catalogue, by its name.
        attributes: Settings that combine them, such as weights.
    """

    files: dict[str, Path]
    attributes: dict[str, Any]


@contextmanager
def writing_group(path: Path, *, options: Options) -> Iterator[Path]:
    """Provide an empty folder for the catalogues, and rename it in the end.

    Args:
        path: The final name.
        options: Whether it may be replaced, and whether to report a wait.

    Raises:
        FileExistsError: If the path exists and may not be replaced.
        ValueError: If the name is that of a file.
    """
    check_folder_name(path, "a collection")
    target, key = real_target(path), uuid4().hex[:12]
    _check_free(path, target, overwrite=options.overwrite)
    folder = beside(target, f".{key}{PARTIAL}", hidden=True)
    with folders(target.parent), locked(target, quiet=not options.progress):
        recover(target)
        _check_free(path, target, overwrite=options.overwrite)
        remove_other_work(target, keep=folder)
        begin_work(folder, target)
        new = folder / "new.tmp"
        new.mkdir()
        try:
            yield new
            sync(new)
            replace(new, target, key=key)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _check_free(path: Path, target: Path, *, overwrite: bool) -> None:
    existing = find_existing(target)
    if existing is not None and not existing.empty and not overwrite:
        raise FileExistsError(
            f"{str(path)!r} exists; replace it with overwrite=True, or open it with Collection.open"
        )
    check_kept(existing, target, folder=True)


def list_members(folder: Path, *, names: Mapping[str, str], attributes: dict[str, Any]) -> None:
    """Write the list of the catalogues in a folder, by name and file."""
    plain = {"version": GROUP_VERSION, **attributes, "members": dict(names)}
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    (folder / LIST).write_text(text, encoding="utf-8")


def read_group(path: str | Path) -> Listed:
    """Return the metadata of a folder of catalogues.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is damaged.
    """
    path = user_path(path)
    if not (path / LIST).is_file():
        raise FileNotFoundError(
            f"there is no collection {str(path)!r}, which would have a {LIST}; write one with "
            "deepbench_torch.materialize"
        )
    plain = parse_yaml(read_text(inside(path, LIST)), source=str(path / LIST))
    members = plain.get("members") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or not isinstance(members, dict) or not members:
        raise ValueError(f"{str(path / LIST)!r} is damaged: it lists no members; write it again")
    if plain.get("version") != GROUP_VERSION:
        raise ValueError(
            f"{str(path / LIST)!r} is of version {plain.get('version')!r}, this package reads "
            f"version {GROUP_VERSION}; write it again"
        )
    return Listed({name: inside(path, str(file)) for name, file in members.items()}, plain)
