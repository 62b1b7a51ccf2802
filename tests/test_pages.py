"""Pages of the API reference: built without a warning, complete, and linked."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import deepbench_torch as db
from tests.pages import MODULES, NOTEBOOKS, ROOT


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    command = [sys.executable, "-m", "tests.pages", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Warn" not in done.stdout
    return folder


def test_every_public_name_has_its_place(pages: Path) -> None:
    text = (pages / "deepbench_torch.html").read_text(encoding="utf-8")
    shown = set(re.findall(r'id="(\w+)"', text))
    modules = {path.stem for path in (pages / "deepbench_torch").rglob("*.html")}
    assert set(db.__all__) <= shown | modules


@pytest.mark.parametrize("module", MODULES)
def test_every_guide_has_a_page_with_its_text(module: str, pages: Path) -> None:
    text = (pages / f"{module.replace('.', '/')}.html").read_text(encoding="utf-8")
    first = (import_module(module).__doc__ or "").split(":")[0].split(".")[0]
    assert len(first) > 5
    assert first.split("`")[0].strip() in re.sub(r"<[^>]+>", "", text)


def test_the_index_leads_to_the_guides_alone(pages: Path) -> None:
    text = (pages / "index.html").read_text(encoding="utf-8")
    found = set(re.findall(r'href="((?:deepbench_torch|baselines)[^"]*)"', text))
    assert sorted(found) == sorted(f"{name.replace('.', '/')}.html" for name in MODULES)
    written = pages.rglob("*.html")
    assert len([page for page in written if page.parent.name != "notebooks"]) == len(MODULES) + 1


def test_every_notebook_is_linked_and_readable(pages: Path) -> None:
    assert NOTEBOOKS
    for page in pages.rglob("*.html"):
        links = re.findall(r'href="([^"#]*notebooks/[^"]+)"', page.read_text(encoding="utf-8"))
        if page.parent.name != "notebooks":
            assert len(links) == len(NOTEBOOKS), page
        for link in links:
            assert (page.parent / link).is_file(), (page, link)


def test_tables_stay_tables_and_no_mark_is_left(pages: Path) -> None:
    for page in (pages / "deepbench_torch").rglob("*.html"):
        text = re.sub(r"<pre>.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert "=====" not in text, page
        assert "::</p>" not in text, page
    guide = (pages / "deepbench_torch/datasets.html").read_text(encoding="utf-8")
    assert "slots                 for each object in view" in guide
