"""The command line from outside: its files, its output and its errors."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from PIL import Image

import deepbench_torch as db
from deepbench_torch.cli import main


def run(*arguments: str) -> int:
    """Return the exit status of a command."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_generate_writes_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--size", "30", "--seed", "3", "--image-size", "8x10", "--quiet")
    assert run("generate", "astro", str(tmp_path / "out"), *options) == 0
    assert "30 images of 8 x 10 pixels, recipe astro, seed 3" in capsys.readouterr().out
    stored = db.StoredCatalogue(tmp_path / "out" / "astro.h5")
    sample = db.generate("astro", 3, torch.arange(30), image_size=(8, 10))
    assert torch.equal(
        torch.stack([image for image, _ in stored.__getitems__(list(range(30)))]), sample.image
    )


def test_generate_takes_a_file_name_a_yaml_file_and_options(tmp_path: Path) -> None:
    recipe = db.load_recipe("astro").replace(name="mine", image={"height": 5, "width": 5})
    (tmp_path / "mine.yaml").write_text(recipe.to_yaml())
    path = tmp_path / "file.h5"
    common = ("generate", str(tmp_path / "mine.yaml"), str(path), "--size", "9", "--quiet")
    assert run(*common, "--compression", "gzip", "--image-size", "6") == 0
    assert db.StoredCatalogue(path)[0][0].shape == (1, 6, 6)
    assert run(*common) == 2
    assert run(*common, "--overwrite") == 0
    assert db.StoredCatalogue(path)[0][0].shape == (1, 5, 5)


def test_info_and_list_print_the_metadata(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = db.materialize(
        db.Catalogue("astro", size=7, image_size=4), tmp_path / "a.h5", progress=False
    )
    assert run("info", str(path)) == 0
    printed = capsys.readouterr().out
    for text in ("astro: one star", "7 of 4 x 4 pixels", "star, galaxy, spiral", "mapped", "CC0"):
        assert text in printed
    assert run("list") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in db.list_recipes())


def test_check_prints_every_fault_of_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.yaml").write_text("extends: sky\nsize: 5\nseed: 3\n")
    (tmp_path / "bad.yaml").write_text("extends: sky\nlabel: clas\nimage: {height: 0}\n")
    (tmp_path / "ugly.yaml").write_text("a: 1\na: 2\n")
    paths = [str(tmp_path / name) for name in ("good.yaml", "bad.yaml", "ugly.yaml", "no.yaml")]
    assert run("check", "astro", *paths) == 2
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "astro: valid, astro of 28 x 28 pixels"
    assert lines[1] == f"{paths[0]}: valid, good of 64 x 64 pixels"
    assert (
        lines[2]
        == f"{paths[1]}: image.height: expected a number >= 1, got 0; write a larger number"
    )
    assert lines[3].startswith(f"{paths[1]}: label: expected class, present, brightness or ")
    assert lines[4].startswith(f"{paths[2]}: expected each key once, got a in lines 1 and 2")
    assert lines[5].startswith(f"{paths[3]}: expected a recipe file")
    assert len(lines) == 6
    assert printed.err == "deepbench-torch: error: 3 of 5 recipes are invalid\n"
    assert run("check", "sky", paths[0]) == 0


def test_verify_finds_a_flipped_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.h5"
    db.materialize(db.Catalogue("star", size=9, seed=4, image_size=5), path, progress=False)
    assert run("verify", str(path)) == 0
    assert "intact, 9 rows of recipe star, seed 4" in capsys.readouterr().out
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert run("verify", str(path)) == 2
    printed = capsys.readouterr().err
    assert "a.h5' is damaged" in printed
    assert len(printed.splitlines()) == 1


def test_schema_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["title"] == "A recipe of deepbench_torch"
    assert run("schema", str(tmp_path / "sub" / "recipe.json")) == 0
    assert (tmp_path / "sub" / "recipe.json").read_text() == printed
    assert "yaml-language-server: $schema=recipe.json" in capsys.readouterr().out


def test_a_recipe_may_set_size_and_seed(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: star\nsize: 6\nseed: 3\n")
    common = ("generate", str(tmp_path / "mine.yaml"), str(tmp_path), "--image-size", "4")
    assert run(*common, "--quiet") == 0
    stored = db.StoredCatalogue(tmp_path / "mine.h5")
    assert (len(stored), stored.seed) == (6, 3)
    assert run(*common, "--quiet", "--overwrite", "--size", "5", "--seed", "0") == 0
    stored = db.StoredCatalogue(tmp_path / "mine.h5")
    assert (len(stored), stored.seed) == (5, 0)


@pytest.mark.parametrize("form", ["npy", "jpeg", "fits"])
def test_generate_writes_folders_and_cards(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("generate", "astro", str(tmp_path), "--image-size", "6", "--quiet")
    assert run(*common, "--size", "12", "--format", form) == 0
    printed = capsys.readouterr().out
    assert "12 images of 6 x 6 pixels, recipe astro, seed 0" in printed
    assert printed.endswith(": dataset card\n")
    card = (tmp_path / "astro.md").read_text()
    for text in ("## Labels", "## Parameters", "| star | gamma | pixel |", f"reproduce {'astro'}`"):
        assert text in card
    for picture in ("gallery", "labels", "parameters"):
        assert f"astro_card/{picture}.png" in card
        assert (tmp_path / "astro_card" / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
    assert run("info", str(tmp_path / "astro")) == 0
    printed = capsys.readouterr().out
    for text in ("12 of 6 x 6 pixels", f"format     {form}", "star, galaxy, spiral"):
        assert text in printed
    assert run(*common, "--append", "3", "--format", form, "--no-card") == 0
    assert "15 images" in capsys.readouterr().out
    assert run(*common, "--append", "3", "--size", "3", "--format", form) == 2
    assert "--size: expected no such option with --append, got 3; omit" in capsys.readouterr().err


def test_time_series_have_cards(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text("extends: pendulum\ntime: {steps: 8}\n")
    common = ("generate", str(tmp_path / "short.yaml"), str(tmp_path), "--size", "20", "--quiet")
    assert run(*common) == 0
    card = (tmp_path / "short.md").read_text()
    assert "| pendulum | length | m | uniform 0.5, 2 |" in card
    assert "## Labels" not in card
    assert run(*common, "--overwrite", "--no-card") == 0


def test_reproduce_prints_what_is_identical(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = db.materialize(
        db.Catalogue("star", size=6, image_size=4), tmp_path / "a", format="fits", progress=False
    )
    assert run("reproduce", str(path), "--quiet") == 0
    assert capsys.readouterr().out == f"{path}: reproduced, identical pixels in 10 files\n"
    (path / "labels.csv").write_text("")
    assert run("reproduce", str(path), "--quiet") == 2
    assert "labels.csv differs from byte 0 on; write it again" in capsys.readouterr().err


def test_ladder_lists_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ladder", "lensing") == 0
    printed = capsys.readouterr().out
    assert all(rung in printed for rung in ("0-simplest", "5-balance", "7-noise"))
    options = ("--size", "5", "--image-size", "8", "--quiet")
    assert run("ladder", "star", str(tmp_path / "out"), *options) == 0
    assert "5 catalogues of 5 rows, and ladder.png" in capsys.readouterr().out
    assert len(list((tmp_path / "out").glob("*.h5"))) == 5


@pytest.mark.parametrize("name", db.list_recipes("image"))
def test_show_plots_every_recipe(name: str, tmp_path: Path) -> None:
    output = tmp_path / "sub" / "gallery.png"
    options = ("--output", str(output), "--image-size", "16", "--columns", "3", "--rows", "2")
    assert run("show", name, *options, "--boxes", "--masks") == 0
    assert run("show", name, *options) == 0
    assert output.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("overlay", ["--boxes", "--masks"])
def test_show_plots_what_is_requested_over_the_images(overlay: str, tmp_path: Path) -> None:
    common = ("show", "sky", "--image-size", "16", "--columns", "1", "--rows", "1", "--output")
    for name, options in (("plain", ()), ("one", (overlay,)), ("two", ("--boxes", "--masks"))):
        assert run(*common, str(tmp_path / f"{name}.png"), *options) == 0
    pictures = {(tmp_path / f"{name}.png").read_bytes() for name in ("plain", "one", "two")}
    assert len(pictures) == 3


def test_info_describes_a_collection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = {
        "day": db.Catalogue("star", size=6, image_size=4),
        "night": db.Catalogue("circle", size=4, image_size=4, seed=3),
    }
    path = db.materialize(db.Collection(members, weights=[2, 1]), tmp_path / "c", progress=False)
    assert run("info", str(path)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:7] == ["day", "6", "4", "x", "4", "pixels", "0"]
    assert lines[2].split()[:7] == ["night", "4", "4", "x", "4", "pixels", "3"]
    assert lines[-1] == "9 rows in total, mixed by [2.0, 1.0]; labels: star, circle"


def test_show_plots_a_file_by_class(tmp_path: Path) -> None:
    path = db.materialize(
        db.Catalogue("astro", size=5, image_size=4), tmp_path / "a.h5", progress=False
    )
    assert run("show", str(path), "--output", str(tmp_path / "a.svg")) == 0
    picture = (tmp_path / "a.svg").read_text()
    assert "<!-- star -->" in picture


def test_no_command_shows_the_help_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    printed = capsys.readouterr()
    assert "generate" in printed.out + printed.err
    assert "error" not in printed.out + printed.err


def test_help_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    printed = capsys.readouterr().out
    assert all(command in printed for command in ("generate", "show", "info", "list"))
    assert run("generate", "--help") == 0
    assert "Folder, or file ending in .h5." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("generate astr out", "or a file ending in .yaml, got 'astr'; did you mean"),
        ("generate nowhere.yaml out", "nowhere.yaml: expected a recipe file, got none in '"),
        ("generate astro", "Missing"),
        ("generate astro out --size 0", "size: expected a positive whole number of rows, got 0"),
        ("generate astro out --size many", "see --help"),
        ("generate astro out --seed -1", "seed must be a whole number"),
        (
            "generate astro out --image-size 3x",
            "--image-size: expected whole pixels, as 64 or",
        ),
        ("generate astro out --format zip", "see --help"),
        (
            "generate astro a.h5 --format npy",
            "expected a folder for --format npy, got 'a.h5'",
        ),
        ("generate astro out --append 5", "/out/astro.h5'; write one with"),
        ("reproduce nowhere.h5", "/nowhere.h5'; write one with"),
        ("generate astro out --workers -1", "workers must be 0 or a positive number"),
        ("generate astro /dev/null/out", "cannot write the catalogue"),
        ("info nowhere.h5", "/nowhere.h5'; write one with"),
        ("verify nowhere.h5", "/nowhere.h5'; write one with"),
        ("verify pyproject.toml", "is damaged: it does not end with the checksum"),
        ("info pyproject.toml", "is not a catalogue written by deepbench_torch"),
        ("show astro --rows 0", "at most 1000 images, got 0 and 10"),
        ("show astro --output out/a.xyz", "xyz"),
        ("show astro --output /dev/null/a.png", "/dev/null"),
        ("paint", "No such command 'paint'"),
        ("generate sky out --size 1000000000000000000", "GB of data"),
        ("generate astro out --image-size 100000000", "from 1 to 16384"),
        ("generate deep.yaml out", "at most 50 levels of lists and mappings"),
        ("generate huge.yaml out", "huge.yaml"),
        ("generate latin.yaml out", "expected text in UTF-8, got "),
        ("show astro --columns 1000000", "at most 1000 images"),
    ],
)
def test_bad_input_ends_in_one_line_and_status_2(
    arguments: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("not a catalogue")
    (tmp_path / "deep.yaml").write_text("[" * 5000)
    (tmp_path / "huge.yaml").write_text("count: 1" + "0" * 400)
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    assert run(*arguments.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("deepbench-torch: error: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.h5*"))


@pytest.mark.parametrize(
    "command", [["deepbench-torch"], [sys.executable, "-m", "deepbench_torch"]]
)
def test_the_version_is_printed(command: list[str]) -> None:
    if command[0] == "deepbench-torch":
        command = [str(Path(sys.executable).with_name(command[0]))]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == f"deepbench-torch {db.__version__}\n"
    assert db.__version__ == version("deepbench_torch")


@pytest.mark.parametrize(
    ("recipe", "name", "message"),
    [
        (
            "star",
            "a.gif",
            "got '.gif'; change the name, for instance to gallery.png; only time series",
        ),
        (
            "star",
            "a.mp4",
            "got '.mp4'; change the name, for instance to gallery.png; only time series",
        ),
        ("star", "a.xyz", "got '.xyz'; change the name, for instance to gallery.png\n"),
        ("star", "a", "got no suffix"),
        ("pendulum", "a.mp4", "ends in .png, .pdf, .svg"),
        ("pendulum", "a.h5", ".gif, got '.h5'; change the name"),
    ],
)
def test_show_refuses_names_that_it_cannot_write(
    recipe: str, name: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("show", recipe, "--output", str(tmp_path / name)) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["png", "PNG", "pdf", "svg", "jpg", "webp", "tif", "eps", "ps"])
def test_show_writes_the_format_of_the_name(suffix: str, tmp_path: Path) -> None:
    options = ("--image-size", "4", "--columns", "1", "--rows", "1", "--output")
    assert run("show", "star", *options, str(tmp_path / f"a.{suffix}")) == 0
    (written,) = tmp_path.iterdir()
    assert written.name == f"a.{suffix}"
    starts = {
        "pdf": b"%PDF", "svg": b"<?xml", "jpg": b"\xff\xd8", "webp": b"RIFF", "tif": b"II*",
        "eps": b"%!PS", "ps": b"%!PS",
    }  # fmt: skip
    assert written.read_bytes().startswith(starts.get(suffix, b"\x89PNG"))


def test_show_animates_time_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "short.yaml").write_text("extends: pendulum\ntime: {steps: 3}\n")
    output = tmp_path / "a.gif"
    assert run("show", str(tmp_path / "short.yaml"), "--output", str(output)) == 0
    assert "a.gif: an animation of the recipe" in capsys.readouterr().out
    with Image.open(output) as film:
        assert film.n_frames == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize("names", [("star", "sky"), ("star", "circle"), ("nbody", "nbody")])
def test_show_plots_a_collection(names: tuple[str, str], tmp_path: Path) -> None:
    recipes = [db.load_recipe(name) for name in names]
    if names[0] == "nbody":
        recipes = [recipe.replace(time={"steps": 4}) for recipe in recipes]
        recipes[1] = recipes[1].replace(name="heavy", parameters={"mass": 2.0})
    size = None if names[0] == "nbody" else 6
    members = [db.Catalogue(r, size=4, image_size=size, seed=n) for n, r in enumerate(recipes)]
    path = db.materialize(db.Collection(members), tmp_path / "c", progress=False)
    assert run("show", str(path), "--output", str(tmp_path / "a.svg"), "--columns", "3") == 0
    assert "<!-- " in (tmp_path / "a.svg").read_text()
