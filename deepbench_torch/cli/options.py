"""Arguments that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.paths import user_path

Image = Annotated[
    str,
    typer.Argument(help="A recipe's name, as `list` shows them, or YAML file.", metavar="IMAGE"),
]
Stored = Annotated[
    Path, typer.Argument(help="A stored catalogue: a file or a folder.", parser=user_path)
]
Seed = Annotated[
    int | None, typer.Option(help="Another seed gives other rows; 0, or as the recipe says.")
]
Size = Annotated[int | None, typer.Option(help="How many rows; 10,000, or as the recipe says.")]
ImageSize = Annotated[
    str | None,
    typer.Option(help="Pixels, as 64 or as 48x64 (height x width).", metavar="SIZE"),
]
Workers = Annotated[int, typer.Option(help="Processes that make rows; 0 for this one.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


def refuse_idle(context: typer.Context, names: Sequence[str], *, where: str, remedy: str) -> None:
    """Refuse options that the user gave where they can have no effect.

    Args:
        context: The command as the user called it.
        names: Parameters of the command that have no effect here.
        where: Where they have none, as in "with --append".
        remedy: What to do instead.

    Raises:
        ValueError: Naming the first of them that was given.
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            value = context.params[name]
            flag = f"--{name.replace('_', '-')}"
            got = flag if isinstance(value, bool) else str(value)
            raise ValueError(f"{flag}: expected no such option {where}, got {got}; {remedy}")


def size_text(count: int) -> str:
    """A size on disk for people."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def parse_size(text: str | None) -> int | tuple[int, int] | None:
    """64 or 48x64 as one or two numbers."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"--image-size must be like 64 or 48x64 (height x width), got {text!r}")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))
