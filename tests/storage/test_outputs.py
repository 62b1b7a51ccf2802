"""Pictures, schemas and recipes replace only what this package wrote."""

import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from deepbench_torch.plotting.style import SUFFIXES, save
from tests.cli.test_cli import run

OLD = "object_type: shape\nobject_parameters:\n  circle: {radius: 3}\n"
COMMANDS = {
    "gallery.png": "show star --image-size 4 --columns 1 --rows 1 --output",
    "a.gif": "show pendulum --columns 1 --rows 1 --output",
    "s.json": "schema",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_replaces_only_a_picture_of_this_package(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    for _ in range(2):
        save(Figure((1, 1)), path)
    assert path.stat().st_size > 0
    link = tmp_path / f"link{suffix}"
    link.symlink_to(path.name)
    save(Figure((1, 1)), link)
    assert link.is_symlink()
    path.write_bytes(b"mine")
    for name in (path, link):
        with pytest.raises(FileExistsError, match="which this package did not write; choose"):
            save(Figure((1, 1)), name)
    assert path.read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == [f"a{suffix}", f"link{suffix}"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_replaces_only_its_own_output(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    for _ in range(2):
        assert run(*COMMANDS[name].split(), str(path)) == 0
    path.write_text("mine")
    assert run(*COMMANDS[name].split(), str(path)) == 2
    assert "which this package did not write; choose another name" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert os.listdir(tmp_path) == [name]


def test_a_ladder_replaces_no_picture_of_others(tmp_path: Path) -> None:
    command = ("ladder", "star", str(tmp_path), "--size", "2", "--image-size", "4", "--quiet")
    (tmp_path / "ladder.png").write_text("mine")
    assert run(*command) == 2
    assert os.listdir(tmp_path) == ["ladder.png"]
    (tmp_path / "ladder.png").unlink()
    assert run(*command) == 0
    assert run(*command, "--overwrite") == 0
