"""
Counting words
==============

.. note:: Words are compared in *lower case*.

========  ======
Text      Count
========  ======
``A a``   2
``a-b``   1
========  ======
"""


def count(words: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    # Words keep their order [1]_, unlike in a :class:`set`.
    #
    # .. [1] That in which they are first met.
    for word in words:
        found[word.lower()] = found.get(word.lower(), 0) + 1
    return found
