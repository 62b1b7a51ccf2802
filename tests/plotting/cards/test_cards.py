"""Cards: their numbers against counts from samples."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

import deepbench_torch as db
from deepbench_torch.plotting.cards.card import write_card
from deepbench_torch.plotting.cards.columns import columns_of
from deepbench_torch.plotting.cards.croissant import write_croissant


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the pictures by empty ones, which are written in milliseconds."""
    for name in ("_gallery", "plot_labels", "plot_parameters"):
        monkeypatch.setattr(f"deepbench_torch.plotting.cards.card.{name}", lambda _: Figure((1, 1)))


@pytest.mark.parametrize("name", ["sky", "geometric"])
def test_columns_hold_the_objects_that_are_there(name: str) -> None:
    columns = columns_of(db.Catalogue(name, size=30, seed=2, image_size=6))
    sample = db.generate(name, 2, torch.arange(30), image_size=6)
    assert columns.rows == 30
    assert columns.labels == {
        kind: int(there.any(1).sum()) for kind, there in sample.present.items()
    }
    own = [column for column in columns.parameters if column.prior != "derived"]
    for column in own:
        values = sample.scene[column.owner][column.name]
        np.testing.assert_array_equal(column.values, values[sample.present[column.owner]])
    named = {(column.owner, column.name) for column in own}
    assert named == {(kind, each) for kind, values in sample.scene.items() for each in values}


@pytest.mark.usefixtures("blank")
def test_the_card_explains_what_follows_from_the_parameters(tmp_path: Path) -> None:
    recipe = db.load_recipe("sky").replace(zero_point=25.0, pixel_scale=0.2)
    catalogue = db.Catalogue(recipe, size=20, image_size=32)
    card = write_card(db.materialize(catalogue, tmp_path / "a.h5", progress=False)).read_text()
    table = catalogue.to_table()
    for kind, name, unit in (
        ("star", "flux", "brightness pixel2"),
        ("galaxy", "fwhm", "pixel"),
        ("spiral", "magnitude", "mag"),
    ):
        values = table[name][table["kind"] == kind]
        ends = ", ".join(f"{float(each):.4g}" for each in (min(values), values.mean(), max(values)))
        assert f"| {kind} | {name} | {unit} | derived | {ends} |" in card
    assert "| spiral | fwhm |" not in card
    assert "flux (total light, summed over pixels), fwhm (full width at half maximum" in card
    assert "| zero point | 23.49 mag" in card
    assert "| pixel scale | 0.4 arcsec a pixel |" in card
    plain = db.Catalogue("geometric", size=5, image_size=8)
    card = write_card(db.materialize(plain, tmp_path / "b.h5", progress=False)).read_text()
    assert "| zero point |" not in card
    assert "| circle | flux | brightness pixel2 | derived |" in card
    motion = db.Catalogue("pendulum", size=2)
    card = write_card(db.materialize(motion, tmp_path / "c.h5", progress=False)).read_text()
    assert "erived" not in card


def test_columns_of_time_series_hold_the_bodies_that_are_there() -> None:
    recipe = db.load_recipe("nbody").replace(time={"steps": 2})
    columns = {each.name: each for each in columns_of(db.Catalogue(recipe, size=12)).parameters}
    bodies = columns["bodies"].values
    assert len(bodies) == len(columns["gravity"].values) == 12
    assert len(columns["mass"].values) == bodies.sum()
    assert (columns["mass"].values > 0).all()


def test_the_card_reports_shares_and_ranges(tmp_path: Path) -> None:
    catalogue = db.Catalogue("astro", size=40, image_size=6)
    card = write_card(db.materialize(catalogue, tmp_path / "a.h5", progress=False)).read_text()
    sample = db.generate("astro", 0, torch.arange(40), image_size=6)
    for number, kind in enumerate(catalogue.classes):
        share = 100 * (sample.label == number).double().mean()
        assert f"| {number} | {kind} | {share:.1f} % |" in card
    n = sample.scene["galaxy"]["n"][sample.present["galaxy"]].numpy()
    assert f" | {n.min():.4g}, {n.mean():.4g}, {n.max():.4g} |" in card


def write(path: Path, form: Any = "h5", **options: Any) -> Path:
    made = db.Catalogue("astro", size=9, image_size=4)
    return db.materialize(made, path, format=form, progress=False, **options)


def card_format(card: Path) -> str:
    (found,) = re.findall(r"\| format \| (\w+),", card.read_text())
    return str(found)


@pytest.mark.usefixtures("blank")
def test_two_catalogues_of_one_stem_have_two_cards(tmp_path: Path) -> None:
    """Write them in either order, and again after both catalogues were replaced."""
    for folder, order in (("a", ["h5", "npy"]), ("b", ["npy", "h5"])):
        for size in (9, 8):
            for form in order:
                path = tmp_path / folder / ("sky.h5" if form == "h5" else "sky")
                made = db.Catalogue("astro", size=size, image_size=4)
                db.materialize(made, path, format=form, overwrite=True, progress=False)  # type: ignore[arg-type]
                card = write_card(path)
                write_croissant(path, card)
                assert card_format(card) == form
        second = {"a": "sky.npy", "b": "sky.h5"}[folder]
        names = {path.name for path in (tmp_path / folder).iterdir()}
        assert names == {"sky", "sky.h5"} | {
            f"{stem}{end}"
            for stem in ("sky", second)
            for end in (".md", "_card", ".croissant.json")
        }


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("form", ["h5", "npy", "jpeg", "fits"])
@pytest.mark.parametrize(
    "other", ["sky.md", "sky_card/gallery.png", "sky.croissant.json", "sky_card"]
)
def test_a_card_replaces_no_file_of_others(other: str, form: str, tmp_path: Path) -> None:
    path = write(tmp_path / ("sky.h5" if form == "h5" else "sky"), form)
    (tmp_path / other).parent.mkdir(exist_ok=True)
    (tmp_path / other).write_text("mine")
    card = write_card(path)
    write_croissant(path, card)
    assert card.name == f"sky.{form}.md"
    assert write_card(path) == card
    assert (tmp_path / other).read_text() == "mine"


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("name", ["README", "readme", "LICENSE"])
@pytest.mark.parametrize("there", [False, True])
def test_a_readme_is_never_a_card(there: bool, name: str, tmp_path: Path) -> None:
    if there:
        (tmp_path / f"{name}.md").write_text("# My project")
    assert write_card(write(tmp_path / f"{name}.h5")).name == f"{name}.h5.md"
    assert (tmp_path / f"{name}.md").exists() == there


@pytest.mark.usefixtures("blank")
def test_a_card_has_a_name_or_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "sky.h5")
    for name in ("sky.md", "sky.h5.md", "sky.h5.card.md"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=r"sky\.h5\.md, .*got other files; move them"):
        write_card(path)
    (tmp_path / "sky.h5.card.md").unlink()
    assert write_card(path).name == "sky.h5.card.md"


NAMES = [
    "a b",
    "a`b",
    "a``-->b",
    "[a](b)",
    "a<b>|c",
    "a#b?c%20d",
    "ä&",
    "a'\"b",
    "-a_*b*",
    "a" * 252,
]


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("form", ["h5", "npy", "jpeg"])
@pytest.mark.parametrize("name", NAMES)
def test_links_and_code_hold_any_name(name: str, form: str, tmp_path: Path) -> None:
    path = write(tmp_path / (f"{name}.h5" if form == "h5" else name), form)
    card = write_card(path)
    links = re.findall(r"!\[[^]]*\]\(([^)\s]*)\)", card.read_text())
    assert len(links) == 3
    for link in links:
        assert not set(link) & set(" <>[]`|'\"")
        with Image.open(tmp_path / unquote(link)) as picture:
            assert picture.format == "PNG"
    (code,) = re.findall(r"^```+python\n(.*?)\n```+$", card.read_text(), re.DOTALL | re.MULTILINE)
    compile(code, "card", "exec")
    if form == "h5":
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(tmp_path)
            exec(code, {})  # noqa: S102
