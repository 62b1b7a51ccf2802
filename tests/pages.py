"""Pages of the API reference and the notebooks: `python -m tests.pages FOLDER`, or `make docs`."""

import sys
from importlib import import_module
from pathlib import Path

import pdoc
from nbconvert import HTMLExporter

import deepbench_torch as db

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# guides, whose docstrings the README names, and what users import beside `db`; pdoc adds the
# modules that are public names of these
MODULES = [
    "deepbench_torch",
    *(
        f"deepbench_torch.{name}"
        for name in (
            "convert", "datasets", "datasets.problems", "datasets.streams", "degrade", "images",
            "objects", "plotting", "priors",
            "recipes", "samples", "storage", "systems", "training",
        )
    ),
    "baselines",
]  # fmt: skip


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
    pdoc.pdoc(*MODULES, output_directory=folder)
    (folder / "notebooks").mkdir(exist_ok=True)
    exporter = HTMLExporter()  # type: ignore[no-untyped-call]
    for page, path in zip(pages, NOTEBOOKS, strict=True):
        html, _ = exporter.from_filename(str(path))
        (folder / page).write_text(html, encoding="utf-8")
    print(f"{folder}: {len(MODULES)} modules of deepbench_torch {db.__version__}, open index.html")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
