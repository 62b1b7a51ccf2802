"""What a file holds, before it is written."""

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
LICENCE = "CC0-1.0"  # the rows are nobody's work; the code that draws them is Apache-2.0
_DIGEST = re.compile("[0-9a-f]{64}")


class Metadata(NamedTuple):
    """Some rows of a catalogue.

    Attributes:
        recipe: What the rows hold.
        seed: Their seed.
        size: How many rows the catalogue has before splitting.
        split: Which of them it is; None for all.
        rows: Their numbers.
    """

    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    rows: range

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Return what a file of a catalogue or of one of its splits holds.

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
        """Twelve letters that stand for all that decides the rows' bytes, and for what else."""
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
        """What a file says of itself and how to make it again, but for its checksums."""
        return {
            "recipe": self.recipe.to_yaml(),
            "digest": self.recipe.digest,
            "classes": self.recipe.classes,
            "seed": self.seed,
            "size": self.size,
            "split": self.split or "all",
            "package": f"deepbench_torch {version('deepbench_torch')}",
            "generator_version": GENERATOR_VERSION,
            "format_version": FORMAT_VERSION,
            "date": today(),
            "licence": LICENCE,
        }


def today() -> str:
    """The day, UTC; that of SOURCE_DATE_EPOCH if the environment has it, for files made anew.

    Raises:
        ValueError: If it is no number of seconds.
    """
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        return datetime.now(UTC).date().isoformat()
    if not told.isdecimal():
        raise ValueError(
            f"SOURCE_DATE_EPOCH must be seconds since 1970, got {told!r}; correct it or unset it"
        )
    return datetime.fromtimestamp(int(told), UTC).date().isoformat()


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
