"""Metadata of a stored catalogue."""

import hashlib
import json
import os
import re
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple, Self

from deepbench_torch.datasets import Catalogue, Split
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.recipes import AbstractRecipe

FORMAT_VERSION = 2
PACKAGE = "deepbench_torch "
LICENCE = "CC0-1.0"  # of the rows; the code that generates them is Apache-2.0
_DIGEST = re.compile("[0-9a-f]{64}")

# read when the module is imported: later no file may be free to open
WRITER = f"deepbench_torch {version('deepbench_torch')}"


class Metadata(NamedTuple):
    """Metadata of some rows of a catalogue.

    Attributes:
        recipe: Recipe of the rows.
        seed: Their seed.
        size: Number of rows of the catalogue before splitting.
        split: Split that the rows are; None for all.
        rows: Row numbers.
    """

    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    rows: range

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Return the metadata of a catalogue or of one of its splits.

        Raises:
            ValueError: If the catalogue is limited to some rows of its split.
        """
        c = catalogue
        if c.limit is not None:
            raise ValueError(
                f"materialize: expected all rows of a split, got limit={c.limit}; write the "
                f"catalogue without limit and open it with StoredCatalogue(path, limit={c.limit})"
            )
        return cls(recipe=c.recipe, seed=c.seed, size=c.size, split=c.split, rows=c.rows)

    def key(self, **also: object) -> str:
        """Return twelve hexadecimal digits of everything that decides the bytes of the rows."""
        attributes = {
            "recipe": self.recipe.digest,
            "seed": self.seed,
            "rows": [self.rows.start, self.rows.stop],
            "generator_version": GENERATOR_VERSION,
            "format_version": FORMAT_VERSION,
        }
        text = json.dumps(attributes | also, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of a file, which suffice to make it again; no checksums."""
        return {
            "recipe": self.recipe.to_yaml(),
            "digest": self.recipe.digest,
            "classes": self.recipe.classes,
            "seed": self.seed,
            "size": self.size,
            "split": self.split or "all",
            "package": WRITER,
            "generator_version": GENERATOR_VERSION,
            "format_version": FORMAT_VERSION,
            "date": today(),
            "licence": LICENCE,
        }


def today() -> str:
    """Return the day in UTC, or that of the environment variable SOURCE_DATE_EPOCH.

    Raises:
        ValueError: If the variable is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return datetime.now(UTC).date().isoformat()
    if not epoch.isdecimal():
        raise ValueError(
            f"SOURCE_DATE_EPOCH must be seconds since 1970, got {epoch!r}; correct it or unset it"
        )
    return datetime.fromtimestamp(int(epoch), UTC).date().isoformat()


def is_own(attributes: dict[str, Any]) -> bool:
    """Return whether metadata name this package, a digest and versions."""
    digest, package = attributes.get("digest"), attributes.get("package")
    versions = [str(attributes.get(name)) for name in ("format_version", "generator_version")]
    return (
        isinstance(digest, str)
        and _DIGEST.fullmatch(digest) is not None
        and isinstance(package, str)
        and package.startswith(PACKAGE)
        and all(version.isdecimal() for version in versions)
    )
