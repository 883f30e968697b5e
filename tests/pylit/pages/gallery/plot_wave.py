"""
A damped wave
=============

It loses a part of its height with each swing.
"""

import math

# %%
# Damping
# -------
# The height falls like :math:`e^{-t/5}`.
times = [step / 10 for step in range(200)]
heights = [math.exp(-time / 5) for time in times]

############################################################
# The wave is the product of both.
wave = [h * math.cos(t) for h, t in zip(heights, times)]
