"""Croissant files, judged by the library of the standard's authors."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.plotting.cards.card import write_card
from deepbench_torch.plotting.cards.croissant import write_croissant
from deepbench_torch.storage.formats.folder import sha256

mlc = pytest.importorskip("mlcroissant")


@pytest.mark.parametrize("form", ["h5", "npy", "jpeg", "fits"])
def test_it_is_valid_and_lists_the_files(form: str, tmp_path: Path) -> None:
    path = tmp_path / ("sky.h5" if form == "h5" else "sky")
    made = db.Catalogue("sky", size=8, image_size=6)
    db.materialize(made, path, format=form, progress=False)  # type: ignore[arg-type]
    written = write_croissant(path, write_card(path))
    assert written == tmp_path / "sky.croissant.json"
    metadata = mlc.Dataset(jsonld=str(written)).metadata
    assert not metadata.ctx.issues.errors
    assert not metadata.ctx.issues.warnings
    for file in json.loads(written.read_text())["distribution"]:
        assert sha256(tmp_path / file["contentUrl"]) == file["sha256"]


def test_its_records_are_the_objects(tmp_path: Path) -> None:
    path = db.materialize(
        db.Catalogue("star", size=8, image_size=6), tmp_path / "s", format="npy", progress=False
    )
    records = mlc.Dataset(jsonld=str(write_croissant(path, write_card(path)))).records("parameters")
    expected = db.generate("star", 0, torch.arange(8), image_size=6).scene["star"]["gamma"][:, 0]
    got = [record["parameters/gamma"] for record in records]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
