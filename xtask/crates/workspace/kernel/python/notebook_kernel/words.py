"""Lines and words of what people write into cells: where they end."""

from __future__ import annotations

import shlex


def lines(text: str) -> list[str]:
    r"""The lines of a text, which end at \n, \r\n or \r, as Python's own tokenizer has it.

    `str.splitlines` also ends them at form feeds and at characters such as U+2028, which stand inside literals.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def words(line: str) -> list[str]:
    """The words of a magic's line as a shell reads them; a word that starts with `#` begins a comment."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    # The lexer itself would end a word at a `#` within it, which an address may have.
    lexer.commenters = ""
    found: list[str] = []
    # One by one: quotes in a comment need not be closed.
    while not line[lexer.instream.tell() :].lstrip().startswith("#"):
        word = lexer.get_token()
        if word is None:
            break
        found.append(word)
    return found
