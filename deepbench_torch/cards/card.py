"""A dataset card in Markdown, with a gallery and the distribution of every label and parameter."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepbench_torch import plotting
from deepbench_torch.cards.columns import Columns, columns_of, number, statistics_facts
from deepbench_torch.cards.pictures import labels_figure, parameters_figure
from deepbench_torch.datasets import Catalogue
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage import Description, describe, is_file_name

READ = {
    "h5": 'import deepbench_torch as db\n\ntrain = db.StoredCatalogue("{name}", split="train")\n'
    "data, label = train[0]",
    "npy": 'import numpy as np\n\ndata = np.load("{name}/{array}.npy", mmap_mode="r")\n'
    'labels = np.load("{name}/labels.npy")',
    "folders": "from torchvision.datasets import ImageFolder\n\n"
    'train = ImageFolder("{name}/{split}", allow_empty=True)\nimage, label = train[0]',
    "jpeg": "import csv\nfrom PIL import Image\n\n"
    'for row in csv.DictReader(open("{name}/labels.csv", newline="")):\n'
    '    image = Image.open("{name}/" + row["file"])',
    "fits": "import csv\nfrom astropy.io import fits\n\n"
    'for row in csv.DictReader(open("{name}/labels.csv", newline="")):\n'
    '    data, header = fits.getdata("{name}/" + row["file"], header=True)',
}


def card_path(path: Path) -> Path:
    """Where the card of a stored catalogue lies: beside it, sky.md for sky.h5 or the folder sky."""
    stem = path.stem if is_file_name(path) else path.name
    return path.with_name(f"{stem}.md")


def write_card(path: str | Path) -> Path:
    """Write the card of a stored catalogue of any format beside it, `NAME.md` and `NAME_card/`.

    Returns:
        The path of the card.

    Raises:
        FileNotFoundError: If there is no catalogue.
        OSError: If the card cannot be written.
    """
    told = describe(path)
    catalogue, card = told.catalogue(), card_path(told.path)
    pictures = card.with_name(f"{card.stem}_card")
    pictures.mkdir(exist_ok=True)
    columns = columns_of(catalogue)
    plotting.save(_gallery(catalogue), pictures / "gallery.png")
    if columns.labels:
        plotting.save(labels_figure(columns), pictures / "labels.png")
    if any(column.varies for column in columns.parameters):
        plotting.save(parameters_figure(columns), pictures / "parameters.png")
    card.write_text(_text(told, columns, pictures.name), encoding="utf-8")
    return card


def _gallery(catalogue: Catalogue) -> Figure:
    shown = Catalogue(
        catalogue.recipe,
        size=catalogue.size,
        seed=catalogue.seed,
        split=catalogue.split,
        target=plotting.gallery_target(catalogue.recipe),
    )
    return plotting.gallery(shown)


def _text(told: Description, columns: Columns, pictures: str) -> str:
    recipe = told.recipe
    sections = [
        f"# {recipe.name}\n\n{recipe.description}".rstrip(),
        f"![the first rows]({pictures}/gallery.png)",
        _facts(told, columns),
        f"## Reading it\n\n```python\n{_reading(told)}\n```",
    ]
    if columns.labels:
        sections.append(_labels(recipe, columns, pictures))
    sections.append(_parameters(columns, pictures))
    sections.append(
        f"## Making it again\n\n`deepbench-torch reproduce {told.path.name}` makes every row again "
        "from the recipe and the seed, and compares. The recipe, complete:\n\n"
        f"```yaml\n{recipe.to_yaml()}```"
    )
    return "\n\n".join(sections) + "\n"


def _facts(told: Description, columns: Columns) -> str:
    recipe, facts = told.recipe, told.facts
    rows = {
        recipe.nouns: f"{len(told.rows):,} of {recipe.extent}, float32",
        "splits": told.split or "train, val, test: the first 60 %, the next 20 %, the last 20 %",
        "format": f"{told.format}, {told.bytes / 1e6:,.2f} MB",
        **statistics_facts(recipe, columns.statistics),
        "seed": str(told.seed),
        "recipe's digest": f"`{facts['digest']}`",
        "made by": f"{facts['package']}, generator {facts['generator_version']}, {facts['date']}",
        "licence": str(facts["licence"]),
    }
    if told.format == "jpeg":
        scale = facts["scale"]
        rows["8 bits"] = (
            f"{scale['meaning']} Here low = {scale['low']:g}, high = {scale['high']:g}, "
            f"softening = {scale['softening']:g}."
        )
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {fact} |" for name, fact in rows.items())


def _reading(told: Description) -> str:
    recipe, form = told.recipe, told.format
    if form == "jpeg" and recipe.single_label:
        form = "folders"
    array = "images" if recipe.content == "image" else "series"
    return READ[form].format(name=told.path.name, array=array, split=told.split or "train")


def _labels(recipe: AbstractRecipe, columns: Columns, pictures: str) -> str:
    meaning = (
        "the class of the one object" if recipe.single_label else "which kinds of objects are there"
    )
    lines = [
        f"| {place} | {name} | {100 * count / columns.rows:.1f} % |"
        for place, (name, count) in enumerate(columns.labels.items())
    ]
    return (
        f"## Labels\n\nA label says {meaning}.\n\n![how often]({pictures}/labels.png)\n\n"
        f"| | label | share of the first {columns.rows:,} rows |\n|---|---|---|\n"
        + "\n".join(lines)
    )


def _parameters(columns: Columns, pictures: str) -> str:
    lines = [
        f"| {each.owner} | {each.name} | {each.unit} | {each.prior} | {_range(each.values)} |"
        for each in columns.parameters
    ]
    varies = any(column.varies for column in columns.parameters)
    picture = f"![how they are spread]({pictures}/parameters.png)\n\n" if varies else ""
    return (
        f"## Parameters\n\nOf the first {columns.rows:,} rows; what a parameter is drawn from is "
        f"in the units of the recipe.\n\n{picture}"
        "| of | parameter | unit | drawn from | least, mean and largest value |\n"
        "|---|---|---|---|---|\n" + "\n".join(lines)
    )


def _range(values: NDArray[Any]) -> str:
    if not len(values):
        return "none"
    return ", ".join(number(float(each)) for each in (values.min(), values.mean(), values.max()))
