"""Function evaluations of SciPy's solvers: derivatives supplied by wengert beside SciPy's differences.

python benchmarks/solvers.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import integrate, optimize

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import wengert as torch
from wengert.interop import scipy as solvers


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def residuals(p: Any) -> Any:
    t = torch.linspace(0, 4, 50, dtype=torch.float64)
    return p[0] * torch.exp(-p[1] * t) + p[2] - (2.5 * torch.exp(-1.3 * t) + 0.5 + 0.01 * torch.sin(40 * t))


def robertson(_t: Any, y: Any) -> Any:
    a, b, c = y
    slow, fast = 0.04 * a - 1e4 * b * c, 3e7 * b * b
    return torch.stack([-slow, slow - fast, fast])


class Counted:
    """A function of tensors as one of arrays, and how often it was called."""

    def __init__(self, fun: Any) -> None:
        self.fun = fun
        self.calls = 0

    def __call__(self, *args: Any) -> Any:  # noqa: D102 - what the class says
        self.calls += 1
        return self.fun(*args[:-1], torch.from_numpy(np.array(args[-1]))).numpy()


def row(name: str, mine: int, theirs: int, difference: float) -> None:
    print(f"| {name} | {mine} | {theirs} | {theirs / mine:.0f} | {difference:.1e} |")


def main() -> None:
    print("| problem | evaluations | with differences | ratio | largest difference of the answers |")
    print("|---|---|---|---|---|")
    x0 = 1.0 + 0.05 * np.sin(np.arange(1000.0))
    options = {"maxfun": 10_000_000}
    a = solvers.minimize(rosenbrock, x0, method="L-BFGS-B", options=options)
    b = optimize.minimize(rosenbrock, x0, method="L-BFGS-B", options=options)
    row("Rosenbrock, 1,000 variables, L-BFGS-B", a.nfev, b.nfev, np.max(np.abs(a.x - b.x)))
    for method in ("trf", "lm"):
        count = Counted(residuals)
        c, d = (
            solvers.least_squares(residuals, [1, 1, 0], method=method),
            optimize.least_squares(count, [1, 1, 0], method=method),
        )
        row(f"least squares, {method}", c.nfev + (c.njev or 0), count.calls, np.max(np.abs(c.x - d.x)))
    for method in ("BDF", "Radau"):
        count = Counted(robertson)
        span, start, limits = (0, 1e4), [1.0, 0.0, 0.0], {"rtol": 1e-6, "atol": 1e-10}
        e = solvers.solve_ivp(robertson, span, start, method, **limits)
        f = integrate.solve_ivp(count, span, start, method, **limits)
        row(
            f"Robertson's stiff equations, {method}",
            e.nfev + e.njev,
            count.calls,
            np.max(np.abs(e.y[:, -1] - f.y[:, -1])),
        )


if __name__ == "__main__":
    main()
