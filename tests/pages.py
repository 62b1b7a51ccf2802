"""Pages of the API reference and the notebooks: `python -m tests.pages FOLDER`, or `make docs`."""

import re
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pdoc
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert import HTMLExporter
from pdoc.render_helpers import to_markdown_with_context

import deepbench_torch as db

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# guides, whose docstrings the README names, and what users import beside `db`
MODULES = [
    "deepbench_torch",
    *(
        f"deepbench_torch.{name}"
        for name in (
            "convert", "datasets", "datasets.problems", "datasets.streams", "degrade", "generate",
            "images", "objects", "objects.lens_equation", "objects.reference", "physics",
            "physics.hamiltonian", "physics.nbody", "physics.pendulum", "plotting", "priors",
            "recipes", "samples", "storage", "systems", "training",
        )
    ),
    "baselines",
]  # fmt: skip
# pdoc adds the modules within a package; those not named above are left out
OTHERS = f"!(?!({'|'.join(map(re.escape, MODULES))})$)"
# a table of reStructuredText: three rules of = and the rows between them
TABLE = re.compile(r"^=+ [ =]+\n.+\n=+ [ =]+\n(?:.+\n)+?=+ [ =]+$", re.MULTILINE)


@pass_context
def _markdown(context: Context, docstring: str) -> str:
    """Return a docstring as Markdown; pdoc itself knows neither the tables nor the ends `::`."""
    known = TABLE.sub(lambda table: f"```text\n{table[0]}\n```", docstring)
    known = re.sub(r"::$", ":", known, flags=re.MULTILINE)
    return to_markdown_with_context(context, known)


def write_pages(folder: Path) -> None:
    """Write a page of each module and notebook, and an index.

    Args:
        folder: Folder to write; files in it are replaced.
    """
    for module in MODULES:
        loaded = import_module(module)
        # names that are imported at first use are not in the module until then
        for name in getattr(loaded, "__all__", ()):
            setattr(loaded, name, getattr(loaded, name))
    pages = [f"notebooks/{path.stem}.html" for path in NOTEBOOKS]
    pdoc.render.configure(docformat="google", template_directory=ROOT / ".docs", search=True)
    pdoc.render.env.globals["notebook_pages"] = pages
    pdoc.render.env.filters["to_markdown"] = _markdown
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The module specification")  # of a package and its module
        pdoc.pdoc(*MODULES, OTHERS, output_directory=folder)
    (folder / "notebooks").mkdir(exist_ok=True)
    exporter = HTMLExporter()  # type: ignore[no-untyped-call]
    for page, path in zip(pages, NOTEBOOKS, strict=True):
        html, _ = exporter.from_filename(str(path))
        (folder / page).write_text(html, encoding="utf-8")
    print(f"{folder}: {len(MODULES)} modules of deepbench_torch {db.__version__}, open index.html")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
