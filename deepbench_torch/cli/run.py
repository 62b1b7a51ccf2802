"""Execution of a command; every error ends in one line."""

import sys
from typing import NoReturn

import typer

from deepbench_torch.storage.escape import line


def run_command(command: typer.Typer, name: str, arguments: list[str] | None = None) -> NoReturn:
    """Run a command; every error ends in one line on standard error and exit status 2."""
    try:
        status = command(arguments, standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        _fail(name, "interrupted", status=130)
    except typer.TyperException as error:
        _fail(name, f"{_named(error)}; see --help" if str(error) else "")
    except Exception as error:
        _fail(name, _message(error))
    if status == 130:  # typer's status for Ctrl-C
        _fail(name, "interrupted", status=130)
    sys.exit(status if isinstance(status, int) else 0)


def _named(error: typer.TyperException) -> str:
    """Return what is wrong with an option, after its name."""
    wrong = isinstance(error, typer.BadParameter) and not str(error).startswith("Missing")
    return line(error.format_message()).rstrip(".") if wrong else str(error)


def _message(error: BaseException) -> str:
    """Return the message of an error on one line."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename!r}" if error.filename else error.strerror
    else:
        text = str(error.args[0]) if error.args else type(error).__name__
    return line(text)


def _fail(name: str, message: str, status: int = 2) -> NoReturn:
    if message:  # else the help was printed
        print(f"{name}: error: {message}", file=sys.stderr)
    sys.exit(status)
