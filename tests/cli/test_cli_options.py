"""Every option of every command acts on every kind of input, or is refused with the remedy."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
import yaml

import deepbench_torch as db
from deepbench_torch.cli import app
from tests.cli.test_cli import run
from tests.convert.test_convert import shape


def _stored(folder: Path, form: str, **options: Any) -> str:
    path = folder / ("a.h5" if form == "h5" else "a")
    data = db.Catalogue("astro", size=6, image_size=8)
    return str(db.materialize(data, path, format=form, progress=False, **options))  # type: ignore[arg-type]


def _collection(folder: Path) -> str:
    members = [db.Catalogue(name, size=4, image_size=8, seed=n) for n, name in enumerate(NAMES)]
    return str(db.materialize(db.Collection(members), folder / "both", progress=False))


def _yaml(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


NAMES = ("star", "galaxy")
SMALL = "extends: astro\nimage: {height: 8, width: 8}\nsize: 6\nladder: [noise]\n"
SERIES = "extends: pendulum\ntime: {steps: 5}\nsize: 4\n"
# Functions by input: each writes the input and returns the argument that a user types
INPUTS: dict[str, Callable[[Path], str]] = {
    "name": lambda folder: "circle",
    "yaml": lambda folder: _yaml(folder, SMALL),
    "series": lambda folder: _yaml(folder, SERIES),
    "h5": lambda folder: _stored(folder, "h5"),
    "gzip": lambda folder: _stored(folder, "h5", compression="gzip"),
    "shards": lambda folder: _stored(folder, "h5", shard_rows=2),
    "npy": lambda folder: _stored(folder, "npy"),
    "jpeg": lambda folder: _stored(folder, "jpeg"),
    "fits": lambda folder: _stored(folder, "fits"),
    "collection": _collection,
}
RECIPES, STORED = ("name", "yaml", "series"), ("h5", "gzip", "shards", "npy", "jpeg", "fits")
SHOWN = tuple(INPUTS)
IMAGES = tuple(kind for kind in SHOWN if kind != "series")


class Case(NamedTuple):
    """An option of a command.

    Attributes:
        command: The command and its arguments; `{}` is the input.
        option: The option and its value.
        inputs: Names of the inputs to test.
        refusal: Part of the error message; empty if the option has an effect.
        seen: Whether its effect changes files or output.
    """

    command: str
    option: str
    inputs: tuple[str, ...]
    refusal: str = ""
    seen: bool = True

    @property
    def name(self) -> str:
        return f"{self.command.split()[0]} {self.option.split()[0]} {self.refusal[:9]}".strip()


SHOW = "show {} --output {out}/a.png --columns 2 --rows 1"
GENERATE = "generate {} {out} --size 5 --no-card"
APPEND = "generate {} {out}/b.h5 --append 2 --no-card --quiet"
LADDER = "ladder {} {out} --size 3"
CASES = [
    Case("show {}", "--output {out}/b.png", SHOWN),
    Case(SHOW, "--seed 5", RECIPES),
    Case(SHOW, "--seed 5", SHOWN[3:], "rows are fixed, got 5; omit it, or name"),
    Case(SHOW, "--image-size 6", ("name", "yaml")),
    Case(SHOW, "--image-size 6", ("series",), "image_size: expected a recipe of images"),
    Case(SHOW, "--image-size 6", SHOWN[3:], "rows are fixed, got 6; omit it"),
    Case("show {} --output {out}/a.png --rows 1", "--columns 3", SHOWN),
    Case("show {} --output {out}/a.png --columns 1", "--rows 5", SHOWN),
    Case(SHOW, "--boxes", IMAGES),
    Case(SHOW, "--boxes", ("series",), "a recipe of images"),
    Case(SHOW, "--masks", IMAGES),
    Case(SHOW, "--masks", ("series",), "a recipe of images"),
    Case("generate {} {out} --no-card", "--size 3", ("yaml", "series")),
    Case(GENERATE, "--seed 5", RECIPES),
    Case(GENERATE, "--image-size 6", ("name", "yaml")),
    Case(GENERATE, "--image-size 6", ("series",), "image_size: expected a recipe of images"),
    Case(GENERATE, "--format npy", RECIPES),
    Case(GENERATE, "--workers 1", ("yaml",), seen=False),
    Case(GENERATE, "--compression gzip", RECIPES),
    Case(
        f"{GENERATE} --format npy",
        "--compression gzip",
        RECIPES,
        "compression: expected None for format",
    ),
    Case(f"{GENERATE} --format fits", "--extension clean", ("name", "yaml")),
    Case(
        f"{GENERATE} --format fits",
        "--extension masks",
        ("series",),
        "extensions: expected none for time series",
    ),
    Case(GENERATE, "--extension clean", RECIPES, "extensions: expected none for format 'h5'"),
    Case("generate {} {out} --size 5", "--no-card", ("yaml", "series")),
    Case(f"{GENERATE} --quiet", "--overwrite", RECIPES, seen=False),
    Case(GENERATE, "--quiet", RECIPES),
    Case("generate {} {out}/b.h5 --no-card", "--append 2", ("yaml",), "there is no catalogue"),
    Case(APPEND, "--size 9", ("yaml",), "--size: expected no such option with --append, got 9"),
    Case(APPEND, "--compression gzip", ("yaml",), "with --append, got gzip; the catalogue keeps"),
    Case(APPEND, "--extension clean", ("yaml",), "with --append, got ['clean']; the catalogue"),
    Case(APPEND, "--overwrite", ("yaml",), "--overwrite: expected no such option with --append"),
    Case("ladder {} {out} --quiet", "--size 2", ("yaml", "series")),
    Case(LADDER, "--seed 5", ("yaml", "series")),
    Case(LADDER, "--image-size 6", ("yaml",)),
    Case(LADDER, "--image-size 6", ("series",), "image_size: expected a recipe of images"),
    Case(LADDER, "--workers 1", ("yaml",), seen=False),
    Case(LADDER, "--overwrite", ("yaml",), seen=False),
    Case(LADDER, "--quiet", ("yaml",)),
    *(
        Case("ladder {}", option, ("yaml", "series"), "the rungs are only listed")
        for option in ("--size 2", "--seed 5", "--image-size 6", "--workers 1", "--overwrite")
    ),
    Case("ladder {}", "--quiet", ("yaml",), "--quiet: expected no such option without a folder"),
    Case("reproduce {} --quiet", "--output {out}/b", STORED),
    Case("reproduce {}", "--quiet", STORED),
    Case("reproduce {} --quiet", "--workers 1", ("h5",), seen=False),
    Case("reproduce {} --quiet", "--overwrite", STORED, "expected no such option without --output"),
    Case("reproduce {} --quiet --output {out}/b", "--overwrite", STORED, seen=False),
    Case("convert {old}", "--overwrite", ("name",), "without a file to write"),
    Case("convert {old} {out}/new.yaml", "--overwrite", ("name",), seen=False),
    Case("list", "--problems", ("name",)),
]
trials = [(case, kind) for case in CASES for kind in case.inputs]
each_trial = pytest.mark.parametrize(
    ("case", "kind"), trials, ids=[f"{case.name} {kind}" for case, kind in trials]
)


def test_every_option_has_a_case() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    expected = {
        (name, option)
        for name, command in commands.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }
    assert {tuple(case.name.split()[:2]) for case in CASES} == expected


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return the function that writes an input once and returns its argument."""

    @cache
    def write(kind: str) -> str:
        return INPUTS[kind](tmp_path_factory.mktemp(kind))

    return write


@each_trial
def test_an_option_has_an_effect_or_is_refused(
    case: Case,
    kind: str,
    inputs: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    image = inputs(kind)
    without = outcome(case.command, image, tmp_path / "without", capsys)
    before = tree(tmp_path)
    status, printed, files = outcome(
        f"{case.command} {case.option}", image, tmp_path / "with", capsys
    )
    if case.refusal:
        assert status == 2
        assert case.refusal in printed
        assert tree(tmp_path) == before
        return
    assert status == 0, printed
    assert ((printed, files) != without[1:]) is case.seen


def outcome(
    command: str, image: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, dict[str, bytes]]:
    """Return the exit status of a command, its output without times and paths, and its files."""
    old = out.parent / "old.yaml"
    old.write_text(yaml.safe_dump(shape(polygon={}, line={}), sort_keys=False))
    words = [word.format(image, out=out, old=old) for word in command.split()]
    status = run(*words)
    captured = capsys.readouterr()
    errors = "bar" if "%" in captured.err else captured.err
    return status, (captured.out + errors).replace(str(out), "OUT"), tree(out)


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder, by relative path."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
