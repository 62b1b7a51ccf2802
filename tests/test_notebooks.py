"""Notebooks: kept outputs, small files, a last cell that checks; `make test` runs them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
LARGEST = 300_000  # bytes, so that a web page shows them
# a folder of some machine's user or of its temporary files
PATH = re.compile(r"/(?:home|root|Users|tmp|work|mnt|var|opt|usr)/|[A-Z]:\\\\")


def cells(name: str) -> list[dict[str, Any]]:
    notebook = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return list(notebook["cells"])


def code(name: str) -> list[dict[str, Any]]:
    return [cell for cell in cells(name) if cell["cell_type"] == "code"]


def test_there_are_notebooks() -> None:
    assert "1_first_images.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_they_are_small_and_name_no_machine(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert len(text.encode()) <= LARGEST
    without_pictures = re.sub(r"[A-Za-z0-9+/=\\]{200,}", "", text)
    assert PATH.search(without_pictures) is None


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_kept_in_order_and_without_errors(name: str) -> None:
    found = code(name)
    assert [cell["execution_count"] for cell in found] == list(range(1, len(found) + 1))
    outputs = [output for cell in found for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert {output["output_type"] for output in outputs}.isdisjoint({"error"})
    assert "stderr" not in {output.get("name") for output in outputs}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_they_have_parameters_and_end_with_a_check(name: str) -> None:
    found = code(name)
    assert [cell["metadata"].get("tags") for cell in found].count(["parameters"]) == 1
    assert any(line.startswith("assert ") for line in "".join(found[-1]["source"]).splitlines())
    assert cells(name)[-1] == found[-1]
