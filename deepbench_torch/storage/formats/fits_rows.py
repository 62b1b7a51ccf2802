"""Reading of FITS catalogues, without astropy, which is slow to import."""

from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.rows import RowFileReader, RowReader
from deepbench_torch.storage.trust import read_fits


def row_folder(recipe: AbstractRecipe) -> str:
    """Return the folder of the files, relative to the folder of the catalogue."""
    return "images" if recipe.content == "image" else "series"


def row_file(recipe: AbstractRecipe, number: int) -> str:
    """Return the file of a row, relative to the folder of the catalogue."""
    return f"{row_folder(recipe)}/{number:06d}.fits"


def open_fits(stored: Description) -> RowReader:
    """Return the rows of a folder of FITS files.

    Raises:
        ValueError: If the folder is damaged.
    """
    recipe = stored.recipe
    shape = recipe.shape[1:] if recipe.content == "image" else recipe.shape
    return RowFileReader(
        stored,
        name=lambda number, _: row_file(recipe, number),
        load=lambda path: read_fits(path, shape).reshape(recipe.shape),
    )
