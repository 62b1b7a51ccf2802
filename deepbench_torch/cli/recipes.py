"""The commands of recipes: check, convert and schema."""

import warnings
from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.options import Overwrite, refuse_idle
from deepbench_torch.cli.output import echo
from deepbench_torch.convert import convert as convert_configuration
from deepbench_torch.recipes import load_recipe, recipe_faults, recipe_warnings
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.recipes.schema import packaged_schema
from deepbench_torch.storage.outputs import MARK, output_file


def check(
    files: Annotated[
        list[str],
        typer.Argument(help="YAML files or names of packaged recipes.", metavar="FILE..."),
    ],
) -> None:
    """Check recipes and print every fault of each."""
    invalid = 0
    for file in files:
        faults = recipe_faults(file)
        invalid += bool(faults)
        for fault in faults:
            echo(fault if fault.startswith(file) else f"{file}: {fault}")
        if not faults:
            for doubt in recipe_warnings(file):
                echo(f"{file}: warning: {doubt}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # printed above
                recipe = load_recipe(file)
            echo(f"{file}: valid, {recipe.name} of {recipe.size_text}")
    if invalid:
        raise ValueError(f"{invalid} of {len(files)} recipes are invalid")


def convert(
    context: typer.Context,
    old: Annotated[
        Path,
        typer.Argument(help="YAML file of the package released with the paper.", parser=user_path),
    ],
    output: Annotated[
        Path | None,
        typer.Argument(help="Recipe file to write. Default: standard output.", parser=user_path),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert a configuration of the paper's released package to a recipe."""
    if output is None:
        remedy = "nothing is replaced on standard output; name a file, or omit it"
        refuse_idle(context, ["overwrite"], where="without a file to write", remedy=remedy)
    conversion = convert_configuration(old)
    for note in conversion.notes:
        echo(f"note: {note}", err=True)
    if output is None:
        typer.echo(conversion.to_yaml(), nl=False)  # YAML has escapes of its own
        return
    if output.exists() and not overwrite:
        raise FileExistsError(
            f"output: expected a new file, got {str(output)!r}, which exists; "
            "replace it with --overwrite"
        )
    with output_file(output, "the recipe") as new:
        text = f"# converted for {MARK.decode()}\n{conversion.to_yaml()}"
        new.write_text(text, encoding="utf-8")
    echo(f"{output}: recipe {conversion.recipe['name']}; plot it with show {output}")


def schema(
    output: Annotated[
        Path | None,
        typer.Argument(help="File to write. Default: standard output.", parser=user_path),
    ] = None,
) -> None:
    """Write the JSON schema of recipes; an editor completes and checks recipes with it."""
    if output is None:
        typer.echo(packaged_schema(), nl=False)
        return
    with output_file(output, "the schema") as new:
        new.write_text(packaged_schema(), encoding="utf-8")
    echo(
        f"{output}: name it in the first line of a recipe, as in "
        f"# yaml-language-server: $schema={output.name}"
    )
