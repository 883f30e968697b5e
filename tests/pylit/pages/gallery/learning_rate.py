"""Learning rates that fall."""


def decay(step: int, steps: int = 100) -> float:
    """Hold the rate for half of the time, then let it fall.

    Args:
        step: The step to be taken.
        steps: How *many* there are.

    Example:
        >>> decay(75)
        0.5
    """
    half = steps // 2
    if step < half:
        return 1.0
    return 2 - step / half


rates = [0.1 * decay(step) for step in range(100)]
