"""Dataset card in Markdown, with a gallery and the distribution of every label and parameter."""

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepbench_torch.datasets import Catalogue
from deepbench_torch.datasets.splits import SHARES
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.photometry import MEANINGS, UNITS
from deepbench_torch.plotting.cards.columns import (
    Columns,
    calibration_facts,
    columns_of,
    number,
    statistics_facts,
)
from deepbench_torch.plotting.cards.names import (
    PICTURE_KEY,
    PICTURES,
    CardFiles,
    card_files,
    first_line,
)
from deepbench_torch.plotting.cards.pictures import plot_labels, plot_parameters
from deepbench_torch.plotting.gallery import gallery, gallery_target
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage import Description, describe
from deepbench_torch.storage.escape import line, markdown
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.refusals import writing
from deepbench_torch.storage.work.atomic import replacing


def write_card(path: str | Path) -> Path:
    """Write the card of a stored catalogue of any format beside it, `NAME.md` and `NAME_card/`.

    Only files of the card of the same catalogue are replaced. If another file has the name, the
    name of the card includes the format.

    Returns:
        Path of the card.

    Raises:
        FileExistsError: If other files have all possible names of the card.
        FileNotFoundError: If the catalogue does not exist.
        OSError: If the card cannot be written.
    """
    stored = describe(path)
    files = card_files(stored)
    with writing(files.card, "the card"):
        _write(stored, files)
    return files.card


def _write(stored: Description, files: CardFiles) -> None:
    catalogue, folder = stored.catalogue(), files.pictures
    folder.mkdir(exist_ok=True)
    columns = columns_of(catalogue)
    figures = {"gallery.png": _gallery(catalogue)}
    if columns.labels:
        figures["labels.png"] = plot_labels(columns)
    if any(column.varies for column in columns.parameters):
        figures["parameters.png"] = plot_parameters(columns)
    for name, figure in figures.items():
        with replacing(folder / name) as new:
            figure.savefig(new, dpi=110, format="png", metadata={PICTURE_KEY: files.mark})
    for name in set(PICTURES) - set(figures):  # of an earlier card
        (folder / name).unlink(missing_ok=True)
    text = f"{first_line(files.mark)}\n\n{_text(stored, columns, pictures=quote(folder.name))}"
    with replacing(files.card) as new:
        new.write_text(text, encoding="utf-8", errors="backslashreplace")


def _gallery(catalogue: Catalogue) -> Figure:
    shown = Catalogue(
        catalogue.recipe,
        size=catalogue.size,
        seed=catalogue.seed,
        split=catalogue.split,
        target=gallery_target(catalogue.recipe),
    )
    return gallery(shown)


def _text(stored: Description, columns: Columns, *, pictures: str) -> str:
    recipe = stored.recipe
    sections = [
        f"# {_plain(recipe.name)}\n\n{_plain(recipe.description)}".rstrip(),
        f"![the first rows]({pictures}/gallery.png)",
        _metadata(stored, columns),
        f"## Reading\n\n{_fenced(FORMATS[stored.format].example(stored), 'python')}",
    ]
    if columns.labels:
        sections.append(_labels(recipe, columns, pictures))
    sections.append(_parameters(columns, pictures))
    command = _code(f"deepbench-torch reproduce {shlex.quote(stored.path.name)}")
    sections.append(
        f"## Reproduction\n\n{command} generates every row again from the recipe and the seed, and "
        f"compares. The complete recipe:\n\n{_fenced(recipe.to_yaml(), 'yaml')}"
    )
    return "\n\n".join(sections) + "\n"


def _plain(text: str) -> str:
    """Return text escaped for Markdown; words, numbers and dates are unchanged."""
    return text if re.fullmatch(r"[\w .,:;/-]*", text) else markdown(text)


def _code(text: str) -> str:
    """Return text as inline code of Markdown."""
    mark = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{mark}{space}{line(text)}{space}{mark}"


def _fenced(text: str, language: str) -> str:
    """Return text as a code block of Markdown."""
    mark = "`" * max(3, _longest_run(text) + 1)
    return f"{mark}{language}\n{text.rstrip()}\n{mark}"


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _metadata(stored: Description, columns: Columns) -> str:
    recipe, values = stored.recipe, stored.attributes
    rows = {
        recipe.plural: f"{len(stored.rows):,} of {recipe.size_text}, float32",
        "splits": stored.split or f"train, val, test: {SHARES}",
        "format": f"{stored.format}, {stored.bytes / 1e6:,.2f} MB",
        **statistics_facts(recipe, columns.statistics),
        **calibration_facts(recipe),
        "seed": str(stored.seed),
        "recipe digest": _code(str(values["digest"])),
        "generated by": _plain(
            f"{values['package']}, generator {values['generator_version']}, {values['date']}"
        ),
        "licence": _plain(str(values["licence"])),
    }
    notes = FORMATS[stored.format].notes(stored)
    rows |= {name: _plain(note) for name, note in notes.items()}
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _labels(recipe: AbstractRecipe, columns: Columns, pictures: str) -> str:
    meaning = (
        "the class of its object" if recipe.single_label else "the kinds of objects in the image"
    )
    lines = [
        f"| {index} | {_plain(name)} | {100 * count / columns.rows:.1f} % |"
        for index, (name, count) in enumerate(columns.labels.items())
    ]
    return (
        f"## Labels\n\nThe label of a row: {meaning}.\n\n"
        f"![share of each label]({pictures}/labels.png)\n\n"
        f"| | label | share of the first {columns.rows:,} rows |\n|---|---|---|\n"
        + "\n".join(lines)
    )


def _parameters(columns: Columns, pictures: str) -> str:
    lines = [
        f"| {each.owner} | {each.name} | {each.unit} | {each.prior} | {_range(each.values)} |"
        for each in columns.parameters
    ]
    varies = any(column.varies for column in columns.parameters)
    picture = f"![distributions]({pictures}/parameters.png)\n\n" if varies else ""
    return (
        f"## Parameters\n\nValues in the first {columns.rows:,} rows. Priors have the units of "
        f"the recipe.{_derived(columns)}\n\n{picture}"
        "| of | parameter | unit | prior | least, mean and largest value |\n"
        "|---|---|---|---|---|\n" + "\n".join(lines)
    )


def _derived(columns: Columns) -> str:
    """Return the sentences on quantities that no file holds; empty if there are none."""
    named = {
        each.name
        for each in columns.parameters
        if each.owner in OBJECTS and each.name not in OBJECTS[each.owner].fields
    }
    meanings = ", ".join(f"{name} ({MEANINGS[name]})" for name in UNITS if name in named)
    if not meanings:
        return ""
    return (
        f" Derived are {meanings}: of each object alone and whole, before blur and noise. No file "
        "holds them; `data.to_table()` works them out."
    )


def _range(values: NDArray[Any]) -> str:
    if not len(values):
        return "none"
    return ", ".join(number(float(each)) for each in (values.min(), values.mean(), values.max()))
