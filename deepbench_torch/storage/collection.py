"""Collections as folders of catalogues."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepbench_torch.datasets import Split
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.members import unlimited
from deepbench_torch.storage.group import Options, list_members, read_group, writing_group
from deepbench_torch.storage.stored_catalogue import StoredCatalogue


def write_collection(
    collection: Collection, path: Path, *, write: Callable[..., Path], options: Options
) -> Path:
    """Write every member to a file of one folder, and their list with the arguments.

    Args:
        collection: What to write.
        path: The folder to write.
        write: `materialize`, which writes a member.
        options: Its options.
    """
    with writing_group(path, options=options) as folder:
        names = {}
        for number, (domain, member) in enumerate(
            zip(collection.domains, collection.members, strict=True)
        ):
            names[domain] = f"{number}-{member.recipe.name}.h5"
            write(
                unlimited(member),
                folder / names[domain],
                workers=options.workers,
                executor=options.executor,
                progress=options.progress,
                compression=options.compression,
            )
        attributes = {
            "weights": collection.weights,
            "sizes": _stored_sizes(collection),
            "size": collection.size,
            "split": collection.split,
            "paired": collection.paired,
        }
        list_members(folder, names=names, attributes=attributes)
    return path


def _stored_sizes(collection: Collection) -> list[int] | None:
    """Return the sizes that select the members' rows from their complete stored splits."""
    limited = any(member.limit is not None for member in collection.members)
    if limited and collection.sizes is None:
        return [*map(len, collection.members)]
    return collection.sizes


def read_collection(
    path: str | Path, *, split: Split | None
) -> tuple[dict[str, StoredCatalogue], dict[str, Any]]:
    """Return the members of a folder of catalogues, and the arguments of their Collection.

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If it is damaged, or contains another split only.
    """
    stored = read_group(path)
    written = stored.attributes.get("split")
    if written is not None and split not in (None, written):
        raise ValueError(
            f"split: expected {written!r}, the only split in {str(path)!r}, got {split!r}; "
            "write the collection without a split to have all splits"
        )
    arguments = {name: stored.attributes.get(name) for name in ("weights", "sizes", "size")}
    arguments["split"] = written if split is None else split
    arguments["paired"] = stored.attributes.get("paired", True)
    return {name: StoredCatalogue(file) for name, file in stored.files.items()}, arguments


Collection.read_folder = read_collection
