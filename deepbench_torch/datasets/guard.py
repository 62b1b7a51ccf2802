"""The guard `if __name__ == "__main__":` of scripts that start worker processes.

A spawned process, or one of a forkserver, imports the user's script again. Without the guard, a
call that starts processes runs again in every worker. Errors then name the guard.
"""

import ast
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from multiprocessing import process
from pathlib import Path
from types import FrameType, TracebackType

GUARD = 'if __name__ == "__main__":'
BOOTSTRAPPING = "bootstrapping phase"  # in the error of multiprocessing
LOST = "exited unexpectedly"  # in the error of torch's DataLoader


class UnguardedMainError(RuntimeError):
    """Error of a script that starts worker processes outside the guard."""


def unguarded(where: str) -> UnguardedMainError:
    """Return the error of a call outside the guard."""
    return UnguardedMainError(
        f"{where}: expected the call under {GUARD}, got one that every worker process runs again "
        "when it imports the script; move the code that starts the work under that line"
    )


def check_guard(where: str) -> None:
    """Check that this process is not a worker that is still importing the user's script.

    Args:
        where: Function or class that the user called.

    Raises:
        UnguardedMainError: If this process is such a worker.
    """
    if _imports_main():
        raise unguarded(where)


def explain_guard() -> None:
    """Print the error of a missing guard in a worker process as one line.

    Other processes are not changed.
    """
    if _imports_main() and sys.excepthook is not _print_short:
        sys.excepthook = _print_short


@contextmanager
def naming_guard(where: str) -> Iterator[None]:
    """Replace the error of lost workers if the script that started them has no guard.

    Args:
        where: Function or class that the user called.

    Raises:
        UnguardedMainError: If workers were lost and the guard is missing.
    """
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, BrokenExecutor) or LOST in str(error)
        if lost and main_is_unguarded():
            raise unguarded(where) from None
        raise


def main_is_unguarded() -> bool:
    """Return whether the user's script calls this function, directly or not, outside the guard."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not _runs_main(frame):
        frame = frame.f_back
    if frame is None:
        return False
    try:
        script = ast.parse(Path(frame.f_code.co_filename).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):  # a notebook, a console, -c
        return False
    return not any(_guards(node, frame.f_lineno) for node in ast.walk(script))


def _imports_main() -> bool:
    return bool(getattr(process.current_process(), "_inheriting", False))


def _runs_main(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__"


def _guards(node: ast.AST, line: int) -> bool:
    """Return whether a node is an `if` statement about `__name__` that contains a line."""
    if not isinstance(node, ast.If) or not node.lineno <= line <= (node.end_lineno or line):
        return False
    names = (part.id for part in ast.walk(node.test) if isinstance(part, ast.Name))
    return "__name__" in names


def _print_short(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Print the error of a missing guard as one line, any other error as Python does."""
    if isinstance(error, RuntimeError) and BOOTSTRAPPING in str(error):
        error = unguarded("a worker process")
    if isinstance(error, UnguardedMainError):
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)
