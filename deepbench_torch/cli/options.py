"""Arguments that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.recipes.paths import user_path

Image = Annotated[
    str,
    typer.Argument(help="Name of a recipe in `list`, or YAML file.", metavar="IMAGE"),
]
Stored = Annotated[
    Path, typer.Argument(help="Stored catalogue: a file or a folder.", parser=user_path)
]
Seed = Annotated[int | None, typer.Option(help="Seed of the rows. Default: the recipe's, or 0.")]
Size = Annotated[int | None, typer.Option(help="Number of rows. Default: the recipe's, or 10,000.")]
ImageSize = Annotated[
    str | None,
    typer.Option(help="Size in pixels, as 64 or 48x64 (height x width).", metavar="SIZE"),
]
Workers = Annotated[int, typer.Option(help="Number of worker processes; 0 for none.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress bar.")]


def refuse_idle(context: typer.Context, names: Sequence[str], *, where: str, remedy: str) -> None:
    """Refuse options of the user that would have no effect.

    Args:
        context: The command as the user called it.
        names: Parameters of the command that have no effect.
        where: Condition under which they have none, as in "with --append".
        remedy: Instruction for the user.

    Raises:
        ValueError: If the user set one of them; it names the first.
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            value = context.params[name]
            flag = f"--{name.replace('_', '-')}"
            got = flag if isinstance(value, bool) else str(value)
            raise ValueError(f"{flag}: expected no such option {where}, got {got}; {remedy}")


def size_text(count: int) -> str:
    """Return a size on disk as text."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def parse_size(text: str | None) -> int | tuple[int, int] | None:
    """Return the text 64 or 48x64 as one or two numbers.

    Raises:
        ValueError: If the text has another form.
    """
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() for part in parts):
        rule = "whole pixels, as 64 or 48x64"
        raise ValueError(f"--image-size: expected {rule}, got {text!r}; write height x width")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))
