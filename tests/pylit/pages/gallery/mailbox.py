"""Letters that wait."""


class Box:
    """
    @ivar letters: all of them, by C{name}
    @type letters: C{dict} of L{str}
    """

    def take(self, name, default=None):
        """
        Take a letter out of the box. I{It is gone} then::

            box.take("Ada")

        @param name: whose letter it is
        @return: the letter, or C{default}
        @raise KeyError: if there is neither
        """
        if default is None:
            return self.letters.pop(name)
        return self.letters.pop(name, default)
