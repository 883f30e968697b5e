# %% [markdown]
# # A noisy line
#
# Points lie around $y = 2x$. Is the *slope* found?

# %% Data
import random

random.seed(0)
x = range(100)
y = [2 * value + random.gauss(0, 1) for value in x]

# %% Fit
# The line goes through the origin, so one quotient is enough.
slope = sum(a * b for a, b in zip(x, y))
slope /= sum(value**2 for value in x)
%timeit sum(value**2 for value in x)
print(f"{slope:.3f}")
