# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: light
#   kernelspec:
#     name: python3
# ---

# # Primes
#
# A number is prime if no prime up to $\sqrt{n}$ divides it.

primes = [2]

# +
for n in range(3, 100, 2):
    if all(n % p for p in primes if p * p <= n):
        primes.append(n)
# -

# There are **25** of them below 100.

len(primes)
