"""Text to numbers."""


def encode(text: str, letters: str = "abc") -> list[int]:
    """Number all letters.

    :param text: what to encode
    :param letters: the alphabet
    :returns: a :class:`list` of places
    :raises KeyError: if one is missing
    """
    places = {}
    for place, letter in enumerate(letters):
        places[letter] = place
    numbers = []
    for letter in text:
        numbers.append(places[letter])
    return numbers
