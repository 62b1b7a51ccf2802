"""Endings of HDF5 files: the same in the table of formats and wherever a name is read."""

from pathlib import Path

import pytest

import deepbench_torch as db
from deepbench_torch.storage import is_file_name
from deepbench_torch.storage.formats import FORMATS

ENDINGS = FORMATS["h5"].suffixes


@pytest.mark.parametrize("ending", [*ENDINGS, ".HDF5"])
def test_a_file_of_any_ending_is_a_source_of_training(ending: str, tmp_path: Path) -> None:
    catalogue = db.Catalogue("circle", size=10, image_size=8)
    path = db.materialize(catalogue, tmp_path / f"a{ending}", progress=False)
    assert is_file_name(path)
    assert db.CatalogueDataModule(path, batch_size=2).classes == ["circle"]
    with pytest.raises(FileNotFoundError, match=f"b{ending}"):
        db.CatalogueDataModule(tmp_path / f"b{ending}", batch_size=2)


@pytest.mark.parametrize("name", ["a", "a.npy", "a.fits", "a.yaml", "a.h5.old"])
def test_other_names_are_no_files_of_rows(name: str) -> None:
    assert not is_file_name(Path(name))
