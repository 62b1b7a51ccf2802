"""Prose: words and openings that the project does not use, in code and README: `make check`.

`python -m tests.prose` prints each with its place and a plainer word, and fails if there is any.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1]
RENDER = "sample, render or plot"
# an everyday word that stands for a technical act, and what to write
WORDS = {
    "anew": "again",
    "afresh": "again",
    "at once (?:one|write|ask|a file)": "in one batch, or at the same time",
    "told": "reported, or stated",
    "homeless": "unassigned",
    "mended": "corrected",
    "whoever": "any process that",
    "goes on with": "resumes",
    "go on with": "resume",
    "thing": "value, row or file",
    "deaf": "ignored",
    "to the bit": "bit for bit",
    "makes no sense": "is out of range",
    "the crew": "the workers",
    "do without": "omit",
    "does without": "omits",
    "nothing half-written": "atomic",
    "rolls back": "returns",
    "portraits?": "gallery",
    "asked was": "requested was",
    "asked for": "requested",
    # not as a name or key: `draw`, "draw", draw=
    r"(?<![\"'`._])(?:draws?|drawn|drawing)(?![\"'`=:_.])": RENDER,
}
# a name of functions and classes, and the field's name for it
NAMES = {
    "Deal": "ShardPlan",
    "Drawn": "RenderedObjects or SampledSystems",
    "Height": "RungResult",
    "Interleaved": "interleave",
    "Lane": "WorkerShard",
    "Places?": "Progress",
    "Told": "ParentRank",
    "_?draw(_.*)?": "sample_*, render_* or plot_*",
    "follow": "simulate",
    "_?moments?": "time",
    "_?portraits?": "gallery",
    "prepare": "initial_state",
    "_?race": "time_*",
    "_?settled?": "choose_layout, fixed",
    "_?seal": "checksum",
    "adopted|homeless": "reassign, unassigned",
    "at_moment": "at_time",
    "climb": "evaluate_rung",
    "crew": "workers",
    "momentary": "memoryless",
    "separate": "render_instances",
    "silent": "not_hashed",
    "transforms_nothing": "has_transforms",
}
# what tests may use for names and oracles of their own
LOCAL = {RENDER, *NAMES.values()}
# files that hold the words themselves
TABLES = ("tests/prose.py", "tests/test_prose.py")
OPENINGS = ("What", "Which", "How", "That", "Of")
# Python 3.12 splits f-strings into tokens of their own
TEXTS = (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1))
_NAME = {re.compile(name): plain for name, plain in NAMES.items()}
_WORD = {re.compile(rf"\b{word}\b", re.IGNORECASE): plain for word, plain in WORDS.items()}


class Finding(NamedTuple):
    """A word or an opening to change."""

    file: str
    line: int
    found: str
    plain: str


def in_text(text: str, *, file: str, line: int = 1) -> Iterator[Finding]:
    """Yield the words of a text that have a plainer one."""
    for number, content in enumerate(text.split("\n"), line):
        for pattern, plain in _WORD.items():
            if found := pattern.search(content):
                yield Finding(file, number, found[0], plain)


def in_python(source: str, *, file: str) -> Iterator[Finding]:
    """Yield the words of comments and strings, the names, and the openings of docstrings."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in TEXTS:
            yield from in_text(token.string, file=file, line=token.start[0])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            for pattern, plain in _NAME.items():
                if pattern.fullmatch(node.name):
                    yield Finding(file, node.lineno, node.name, plain)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            if text.split(" ")[0] in OPENINGS:
                line = node.body[0].lineno
                yield Finding(file, line, text.split("\n")[0], "begin with a verb or a noun")


def findings(folder: Path = FOLDER) -> Iterator[Finding]:
    """Yield all findings of the package, the baselines, the tests, their recipes and the README."""
    for part in ("deepbench_torch", "baselines", "tests"):
        for path in sorted((folder / part).rglob("*")):
            name = str(path.relative_to(folder))
            if name in TABLES:
                continue
            if path.suffix == ".py":
                found = in_python(path.read_text(encoding="utf-8"), file=name)
                yield from (each for each in found if part != "tests" or each.plain not in LOCAL)
            elif path.suffix == ".yaml":
                yield from in_text(path.read_text(encoding="utf-8"), file=name)
    yield from in_text((folder / "README.md").read_text(encoding="utf-8"), file="README.md")


def main() -> int:
    """Print all findings; return 1 if there are any."""
    found = list(findings())
    for file, line, words, plain in found:
        print(f"{file}:{line}: {words!r}: {plain}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
