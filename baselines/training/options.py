"""Command-line options with several numbers."""

from collections.abc import Collection, Sequence


def repeat_option(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Return arguments with an option repeated before each of its numbers.

    It permits `--seeds 0 1 2`; the command line alone would read only the first number.
    """
    repeated: list[str] = []
    option = ""  # the option of these numbers
    for argument in arguments:
        if argument in options:
            option = argument
        elif not option or not argument.isdecimal():
            option = ""
        elif repeated[-1] != option:
            repeated.append(option)
        repeated.append(argument)
    return repeated
