"""Untrusted names and descriptions are printed without effect in every medium."""

import html
import json
import shutil
from pathlib import Path

import h5py
import pytest

import deepbench_torch as db
from deepbench_torch.cli import main
from deepbench_torch.storage.escape import line, markdown, terminal

HOSTILE = {
    "clear the screen": "\x1b[2J",
    "title of the window": "\x1b]0;owned\x07",
    "8-bit control": "\x9b31m",
    "back": "safe\b\b\b\bevil",
    "overwrite": "safe\revil",
    "direction": "\u202egnp.exe",
    "null": "a\0b",
    "separator": "a\u2028b",
    "surrogate": "a\udc1bb",
}
FORBIDDEN = {each for text in HOSTILE.values() for each in text if not each.isprintable()}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_terminal_interprets_nothing(text: str) -> None:
    for shown in (terminal(text), line(text), markdown(text)):
        assert shown.isprintable()
    assert terminal("é 星 🌌\nb") == "é 星 🌌\nb"


@pytest.mark.parametrize(
    "text", ["<script>x</script>", "a|b", "[x](http://y)", "`code`", "# head", "*b*", "$1$", "a\nb"]
)
def test_markdown_shows_text_unchanged(text: str) -> None:
    shown = markdown(text)
    assert "\n" not in shown
    assert "<" not in shown
    plain = html.unescape(shown).replace("\\", "")
    assert plain == text.replace("\n", " ")


def hostile_catalogue(folder: Path, text: str, form: str) -> Path:
    """Return a valid catalogue whose recipe has a hostile description."""
    recipe = db.load_recipe("astro").replace(description=text, image={"height": 8, "width": 8})
    path = folder / ("c.h5" if form == "h5" else "c")
    return db.materialize(db.Catalogue(recipe, size=6), path, format=form, progress=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["h5", "npy", "jpeg", "fits"])
@pytest.mark.parametrize("name", ["clear the screen", "direction", "8-bit control"])
def test_commands_escape_descriptions(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hostile_catalogue(tmp_path, HOSTILE[name], form)
    for command in ("info", "verify", "reproduce"):
        with pytest.raises(SystemExit) as done:
            main([command, str(path)])
        captured = capsys.readouterr()
        assert done.value.code == 0, captured.err
        assert not set(captured.out) & FORBIDDEN


@pytest.mark.parametrize("command", ["info", "verify", "reproduce", "show"])
@pytest.mark.parametrize("attribute", ["package", "date", "digest", "recipe", "licence"])
def test_errors_escape_the_contents_of_files(
    attribute: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hostile_catalogue(tmp_path, "plain", "h5")
    with h5py.File(path, "r+") as file:
        file.attrs[attribute] = "a: \x1b[2J\u202e\x9b"
        file.attrs["generator_version"] = (
            0 if attribute == "package" else file.attrs["generator_version"]
        )
    with pytest.raises(SystemExit) as done:
        main([command, str(path)])
    captured = capsys.readouterr()
    if attribute != "licence" or command in ("verify", "reproduce"):
        assert done.value.code == 2
    assert not set(captured.err + captured.out) & (FORBIDDEN - {"\r"})  # of the progress bar


def test_a_hostile_file_name_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = hostile_catalogue(tmp_path, "plain", "npy")
    hostile = Path(shutil.move(path, tmp_path / "\x1b[2J\u202e"))
    for command in ("verify", "info", "reproduce"):
        with pytest.raises(SystemExit) as done:
            main([command, str(hostile)])
        captured = capsys.readouterr()
        assert done.value.code == 0, captured.err
        assert not set(captured.out + captured.err) & (FORBIDDEN - {"\r"})
    metadata = json.loads((hostile / "metadata.json").read_text())
    (hostile / "metadata.json").write_text(json.dumps(metadata | {"package": 3}))
    with pytest.raises(SystemExit):
        main(["info", str(hostile)])
    assert not set(capsys.readouterr().err) & FORBIDDEN
