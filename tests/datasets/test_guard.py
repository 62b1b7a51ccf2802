"""Scripts without the guard end with an error that names it; those with it work."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepbench_torch.datasets.guard import GUARD, _guards, main_is_unguarded

HEAD = "import deepbench_torch as db\nfrom torch.utils.data import DataLoader\n"
STREAM = 'db.CatalogueStream("star", size=8, image_size=4, batch_size=4)'
CALLS = {
    "materialize": 'db.materialize(db.Catalogue("star", size=9, image_size=4), "a.h5", workers=1, '
    "overwrite=True, progress=False)",
    "stream": f'list(db.StreamLoader({STREAM}, num_workers=1, multiprocessing_context="spawn"))',
    "forkserver": f"list(db.StreamLoader({STREAM}, num_workers=1, "
    'multiprocessing_context="forkserver"))',
    "DataLoader": 'list(DataLoader(db.Catalogue("star", size=9, image_size=4), num_workers=1, '
    'multiprocessing_context="spawn"))',
}


def script(folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    """Run a script from a file, as a user does."""
    (folder / "script.py").write_text(HEAD + text)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.parametrize("call", CALLS)
def test_a_script_without_the_guard_is_reported(call: str, tmp_path: Path) -> None:
    done = script(tmp_path, CALLS[call] + '\nprint("done")\n')
    assert done.returncode == 1
    assert "done" not in done.stdout
    assert f"expected the call under {GUARD}" in done.stderr
    assert "freeze_support" not in done.stderr
    if call != "DataLoader":  # torch's own error of the process that lost its worker follows there
        last = done.stderr.splitlines()[-1]
        assert last.startswith("deepbench_torch.datasets.guard.UnguardedMainError: ")
        assert "The above exception" not in done.stderr
    assert not list(tmp_path.glob("*.h5"))


def test_a_script_with_the_guard_works(tmp_path: Path) -> None:
    calls = "".join(f"    {CALLS[call]}\n" for call in ("materialize", "DataLoader"))
    done = script(tmp_path, f'{GUARD}\n{calls}    print("done")\n')
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(
    ("text", "line", "guarded"),
    [
        ('if __name__ == "__main__":\n    work()\n', 2, True),
        ("if '__main__' == __name__:\n    for each in range(3):\n        work(\n)\n", 3, True),
        ('if debug:\n    if __name__ == "__main__":\n        work()\n', 3, True),
        ("work()\n", 1, False),
        ("if debug:\n    work()\n", 2, False),
        ('work()\nif __name__ == "__main__":\n    pass\n', 1, False),
    ],
)
def test_the_guard_is_found_in_any_position(text: str, line: int, guarded: bool) -> None:
    assert any(_guards(node, line) for node in ast.walk(ast.parse(text))) is guarded


def test_a_process_of_a_console_is_never_blamed() -> None:
    code = "from deepbench_torch.datasets.guard import main_is_unguarded as m\nprint(m())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"
    assert isinstance(main_is_unguarded(), bool)
