r"""
---
title: Printing texts of others
summary:
  Showing on a terminal what came from a file, without obeying it. For reference.
---

# Printing texts of others
"""


def printable(text: object, most: int = 200) -> str:
    r"""
    ## Texts from files

    The `text` for a terminal, at most about `most` characters of it. A terminal obeys some
    characters instead of showing them: they move the cursor, change colors or the title of the
    window, or turn the direction of what follows. Class names and error messages may come from
    anybody's file, so what is not printed as itself is shown by its number.

    >>> print(printable('cat\n\x1b[2J\u202edog'))
    cat\n\x1b[2J\u202edog
    >>> printable('9' * 1000, most=4)
    '9999…'
    """
    text = str(text)
    cut = text[:most] + "…" if len(text) > most else text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in cut
    )


def printable_lines(text: str) -> str:
    """The lines of `text`, each of them printable."""
    return "\n".join(printable(line, 4000) for line in text.splitlines())
