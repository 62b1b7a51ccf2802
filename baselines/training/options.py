"""Options of the command line that take several numbers."""

from collections.abc import Collection, Sequence


def spread(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Arguments in which an option that several numbers follow stands before each of them.

    So that `--seeds 0 1 2` may be written, of which the command line would take the first alone.
    """
    told: list[str] = []
    option = ""  # the one whose numbers these are
    for argument in arguments:
        if argument in options:
            option = argument
        elif not option or not argument.isdecimal():
            option = ""
        elif told[-1] != option:
            told.append(option)
        told.append(argument)
    return told
