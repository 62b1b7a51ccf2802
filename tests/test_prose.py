"""The check of prose: it finds what it should, and nothing in this repository."""

import pytest

from tests import prose


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("# it is measured anew\n", "anew"),
        ("raise ValueError('3 files must be mended')\n", "mended"),
        ('"""What it is."""\n', "What it is."),
        ('def f() -> None:\n    """Of two files one."""\n', "Of two files one."),
        ("text = f'asked was {1}'\n", "asked was"),
        ("# Objects are drawn here\n", "drawn"),
        ("def draw_scene() -> None: ...\n", "draw_scene"),
        ("class Told: ...\n", "Told"),
    ],
)
def test_words_are_found_with_their_line(source: str, found: str) -> None:
    (finding,) = prose.in_python(source, file="a.py")
    assert finding.found == found
    assert finding.line in (1, 2)


@pytest.mark.parametrize(
    "source",
    [
        "anew = 1\n",
        '"""Return what it is."""\n',
        "# renewed\n",
        "noise = {'draw': 'step'}  # `draw`\n",
    ],
)
def test_names_and_other_words_pass(source: str) -> None:
    assert list(prose.in_python(source, file="a.py")) == []


def test_the_repository_has_none() -> None:
    assert list(prose.findings()) == []
