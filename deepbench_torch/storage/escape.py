"""Escapes of untrusted text, one function a medium."""

import re
import unicodedata

_HIDDEN = ("Cc", "Cs", "Zl", "Zp")  # control characters, lone surrogates, separators of lines
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")


def terminal(text: str) -> str:
    r"""Return text without effect on a terminal: no cursor moves, colours or hidden text.

    Control characters except the newline, and marks of writing direction, become backslash
    escapes.

    Example:
        >>> print(terminal("a\x1b[2Jb"))
        a\x1b[2Jb
    """
    return "".join(each if each == "\n" else _visible(each) for each in text)


def line(text: str) -> str:
    """Return text as one line for a terminal: every run of white space becomes a space."""
    return terminal(" ".join(text.split()))


def markdown(text: str) -> str:
    r"""Return text that Markdown and HTML show unchanged, on one line.

    Example:
        >>> markdown("a|b <script>")
        'a\\|b &lt;script&gt;'
    """
    shown = line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", shown)


def _visible(character: str) -> str:
    """Return a character, or its escape if a terminal interprets it."""
    interpreted = unicodedata.category(character) in _HIDDEN or character in _DIRECTION
    return (
        character.encode("unicode_escape", "surrogatepass").decode() if interpreted else character
    )
