"""Averages of a series."""


def smooth(values, weight=0.9):
    r"""
    Yield the exponential moving average.

    Parameters
    ----------
    values : iterable of float
        The series :math:`x_1, x_2, \dots`
    weight : float, optional
        The share :math:`w` of the past.

    Notes
    -----
    .. math:: y_t = w\,y_{t-1} + (1 - w)\,x_t
    """
    mean = 0.0
    for value in values:
        mean = weight * mean + (1 - weight) * value
        yield mean
