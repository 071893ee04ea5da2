"""Fit the polynomial of ``wengert.ops.normal_cdf`` (needs SciPy); prints its coefficients and its largest error.

The normal distribution function is (1 + tanh(z)) / 2 with z = x P(x^2). P is fitted on 0 <= x <= 5.6 by weighted least
squares, with the weights adapted until the error of the function itself is level (Lawson's algorithm).
"""

import sys

import numpy as np
from scipy.special import log_ndtr, ndtr

DEGREE = 6
END = 5.6  # beyond, tanh is 1 in float32 whatever P is, as long as x P(x^2) grows


def main() -> None:
    """Fit and print."""
    x = np.cos(np.linspace(0, np.pi / 2, 20001))[::-1] * END
    x = x[x > 1e-3]
    z = (log_ndtr(x) - log_ndtr(-x)) / 2
    sensitivity = x / np.cosh(z) ** 2 / 2
    basis = np.polynomial.chebyshev.chebvander(2 * x * x / END**2 - 1, DEGREE)
    weights = sensitivity.copy()
    for _ in range(60):
        fit = np.linalg.lstsq(basis * weights[:, None], z / x * weights, rcond=None)[0]
        error = np.abs((basis @ fit - z / x) * sensitivity)
        weights *= (error / error.max()) ** 0.3 + 1e-3
        weights /= weights.max()
    in_t = np.polynomial.Polynomial(np.polynomial.chebyshev.cheb2poly(fit))
    in_square = in_t(np.polynomial.Polynomial([-1, 2 / END**2]))
    sys.stdout.write(f"coefficients of 1, x^2, x^4, ...: {in_square.coef.tolist()}\n")
    grid = np.linspace(-9, 9, 100001)
    got = (1 + np.tanh(grid * in_square(grid * grid))) / 2
    sys.stdout.write(f"largest error: {np.abs(got - ndtr(grid)).max()}\n")


if __name__ == "__main__":
    main()
