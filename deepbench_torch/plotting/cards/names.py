"""Names of a card's files; only those of the same catalogue are replaced."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from deepbench_torch.recipes.paths import is_litter
from deepbench_torch.storage import Description, is_file_name
from deepbench_torch.storage.names import beside

PICTURES = ("gallery.png", "labels.png", "parameters.png")
PICTURE_KEY = "Description"  # key of the text in a PNG file that names its catalogue
RESERVED = ("readme", "license", "licence", "changelog", "contributing", "index")


class CardFiles(NamedTuple):
    """Files of one card.

    Attributes:
        card: Card in Markdown.
        pictures: Folder of its pictures.
        croissant: Metadata in JSON-LD.
        mark: Text in the card and its pictures that names their catalogue.
    """

    card: Path
    pictures: Path
    croissant: Path
    mark: str


def card_files(stored: Description) -> CardFiles:
    """Return the paths of a catalogue's card, beside the catalogue.

    The card of sky.h5 or of a folder sky is sky.md. If another file or card has this name, or for
    a name such as README.md, the card is sky.h5.md, or sky.npy.md for a folder.

    Raises:
        FileExistsError: If other files have all these names.
    """
    candidates = [_named(stored, stem) for stem in _stems(stored)]
    for files in candidates:
        if _is_card(files.card, files.mark) and _is_free(files):
            return files
    for files in candidates:
        if not os.path.lexists(files.card) and _is_free(files):
            return files
    raise FileExistsError(
        f"card: expected no other file with one of the names "
        f"{', '.join(files.card.name for files in candidates)} in {str(stored.path.parent)!r}, "
        "got other files; move them elsewhere, or write no card (--no-card)"
    )


def _stems(stored: Description) -> list[str]:
    """Return the possible names of a card without suffix, in order of preference."""
    name = stored.path.name
    short = stored.path.stem if is_file_name(stored.path) else name
    full = name if is_file_name(stored.path) else f"{name}.{stored.format}"
    stems = [short, full, f"{full}.card"]
    return [stem for stem in stems if stem.casefold() not in RESERVED and not is_litter(stem)]


def _named(stored: Description, stem: str) -> CardFiles:
    path = stored.path.with_name(stem)
    return CardFiles(
        card=beside(path, ".md"),
        pictures=beside(path, "_card"),
        croissant=beside(path, ".croissant.json"),
        mark=json.dumps({"deepbench_torch card of": stored.path.name}).replace("-", r"\u002d"),
    )


def first_line(mark: str) -> str:
    """Return the first line of a card: a comment that Markdown does not show."""
    return f"<!-- {mark} -->"


def _is_free(files: CardFiles) -> bool:
    """Return whether every other file of a card is missing or belongs to the same catalogue."""
    pictures, croissant = files.pictures, files.croissant
    if os.path.lexists(pictures) and not pictures.is_dir():
        return False
    names = [pictures / name for name in PICTURES]
    return all(not os.path.lexists(name) or _is_picture(name, files.mark) for name in names) and (
        not os.path.lexists(croissant) or is_croissant(croissant, files.card)
    )


def _is_card(path: Path, mark: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.readline(1 << 16).rstrip() == first_line(mark).encode()


def _is_picture(path: Path, mark: str) -> bool:
    try:
        with Image.open(path) as image:
            return bool(image.info.get(PICTURE_KEY) == mark)
    except (OSError, ValueError):
        return False


def is_croissant(path: Path, card: Path) -> bool:
    """Return whether a file is the JSON-LD that this package wrote beside a card."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    cited = plain.get("citeAs") if isinstance(plain, dict) else None
    return (
        isinstance(cited, str)
        and cited.startswith("deepbench_torch ")
        and (plain.get("url") == card.name)
    )
