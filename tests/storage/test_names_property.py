"""Any file name, any format, any command: only the catalogue's own files change."""

import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from matplotlib.figure import Figure

import deepbench_torch as db
from deepbench_torch.plotting.cards.card import write_card
from deepbench_torch.storage import append, describe, reproduce
from deepbench_torch.storage.suffixes import check_suffix
from tests.cli.test_cli import run

RECIPE = db.load_recipe("star").replace(image={"height": 4, "width": 4})
SHELL = "*?[]{}!~$&;|<>()'\"`\\# .%@^=+,:-_"
NAMES = st.text(
    st.one_of(
        st.sampled_from(SHELL),
        st.characters(exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="/"),
    ),
    min_size=1,
    max_size=40,
).filter(lambda name: name not in (".", "..") and not name.startswith("-"))
FORMATS = ["h5", "shards", "npy", "jpeg", "fits"]


def is_misleading(name: str, form: str) -> bool:
    """Whether a name ends as files of another format do."""
    try:
        check_suffix(Path(name), "h5" if form == "shards" else form)
    except ValueError:
        return True
    return False


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def neighbours(folder: Path, name: str) -> None:
    """Files that a pattern, a second expansion or a loose comparison would hit."""
    for other in (
        "a.h5",
        "z",
        name[:-1] + "x",
        name + "x",
        f"x{name}",
        f"{name}.0123456789ab.shards",
        f".{name}.0123456789ab.partial",
        f".{name}.0123456789ab.old",
        f"{name}.md",
    ):
        if len(os.fsencode(other)) <= 255 and other not in (name, ".", ".."):
            (folder / other).write_text(f"mine: {other}", errors="surrogatepass")


def quietly(*arguments: str) -> int:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run(*arguments)


@pytest.fixture(autouse=True, scope="module")
def blank_pictures() -> Any:
    """Pictures without content: here only their files matter."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("_gallery", "plot_labels", "plot_parameters"):
            patched.setattr(f"deepbench_torch.plotting.cards.card.{name}", lambda _: Figure((1, 1)))
        yield


@hypothesis.settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(name=NAMES)
@hypothesis.example(name="~")
@hypothesis.example(name="[az]*.%b ")
@hypothesis.example(name="ä'`$(x)\"->..")
@pytest.mark.parametrize("form", FORMATS)
def test_only_own_files_change_and_what_is_written_is_read(form: str, name: str) -> None:
    hypothesis.assume(not is_misleading(name, form))
    options: dict[str, Any] = {"format": "h5" if form == "shards" else form, "progress": False}
    if form == "shards":
        options["shard_rows"] = 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        neighbours(folder, name)
        others, path = state(folder), folder / name

        def check(size: int, seed: int) -> None:
            after = state(folder)
            assert {each: after[each] for each in others} == others
            stored = db.StoredCatalogue(path, verify=True)
            images = db.generate(RECIPE, seed, torch.arange(size)).image
            found = torch.stack([image for image, _ in stored.__getitems__(list(range(size)))])
            assert len(stored) == size
            assert form == "jpeg" or torch.equal(found, images)

        db.materialize(db.Catalogue(RECIPE, size=4, seed=1), path, **options)
        check(4, 1)
        with pytest.raises(FileExistsError):
            db.materialize(db.Catalogue(RECIPE, size=4, seed=2), path, **options)
        db.materialize(db.Catalogue(RECIPE, size=5, seed=2), path, overwrite=True, **options)
        check(5, 2)
        append(path, 2, progress=False)
        check(7, 2)
        for command in ("verify", "info", "reproduce"):
            assert quietly(command, str(path)) == 0
        assert reproduce(path, output=folder / "again" / name).files > 0
        assert describe(folder / "again" / name).size == 7
        assert write_card(path).is_file()
        check(7, 2)
        hidden = [each for each in os.listdir(folder) if each.startswith(".") and each != name]
        assert all((folder / each).read_text().startswith("mine") for each in hidden)


@hypothesis.settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(name=NAMES)
@hypothesis.example(name="~")
@hypothesis.example(name="~root")
@hypothesis.example(name="*[a]?{b,c} ~")
def test_relative_names_mean_the_same_in_every_command(name: str) -> None:
    """Oracle: the file of exactly this name is there, and no other."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        file = f"./{name}.h5"
        common = ("generate", "star", file, "--image-size", "4", "--quiet", "--no-card")
        assert quietly(*common, "--size", "3") == 0
        assert os.listdir() == [f"{name}.h5"]
        assert quietly(*common, "--size", "3") == 2
        assert quietly(*common, "--size", "4", "--overwrite") == 0
        assert quietly(*common, "--append", "2") == 0
        shown = ("show", file, "--columns", "1", "--rows", "1", "--output", f"./{name}.png")
        assert quietly(*shown) == 0
        for command in ("verify", "info", "reproduce"):
            assert quietly(command, file) == 0
        assert sorted(os.listdir()) == sorted([f"{name}.h5", f"{name}.png"])
        assert len(db.StoredCatalogue(file)) == 6
