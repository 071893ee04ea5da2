"""Orthogonal polynomials by their recurrences, which hold for any number x: values only, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.checks import NOT_COMPLEX
from wengert.ops.record import Kind, Op, Promote, defop

# p_{k+1} from p_k and p_{k-1}
Step = Callable[[int, Any, Any, Any], Any]


def _by_recurrence(first: Callable[[Any], Any], step: Step) -> Callable[[Any, Any], Any]:
    """The polynomial of each degree: 1, ``first(x)``, and on; 0 below degree 0."""

    def compute(x: Any, n: Any) -> Any:
        dtype = np.result_type(x) if hasattr(x, "dtype") else n.dtype
        x, n = np.broadcast_arrays(np.asarray(x, dtype), np.asarray(n))
        degree = np.trunc(np.where(np.isfinite(n), n, -1)).astype(np.int64)
        before, here = np.ones_like(x), np.asarray(first(x), dtype)
        out = np.where(degree == 0, before, 0).astype(dtype)
        for k in range(1, int(degree.max(initial=0)) + 1):
            out = np.where(degree == k, here, out)
            before, here = here, step(k, x, here, before)
        return out[()]

    return compute


def _chebyshev_step(k: int, x: Any, here: Any, before: Any) -> Any:
    return 2 * x * here - before


def _hermite_step(k: int, x: Any, here: Any, before: Any) -> Any:
    return 2 * (x * here - k * before)


def _hermite_e_step(k: int, x: Any, here: Any, before: Any) -> Any:
    return x * here - k * before


def _laguerre_step(k: int, x: Any, here: Any, before: Any) -> Any:
    return ((2 * k + 1 - x) * here - k * before) / (k + 1)


def _legendre_step(k: int, x: Any, here: Any, before: Any) -> Any:
    return ((2 * k + 1) * x * here - k * before) / (k + 1)


def _shifted(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, n: compute(2 * x - 1, n)


_T = _by_recurrence(lambda x: x, _chebyshev_step)
_U = _by_recurrence(lambda x: 2 * x, _chebyshev_step)
_V = _by_recurrence(lambda x: 2 * x - 1, _chebyshev_step)
_W = _by_recurrence(lambda x: 2 * x + 1, _chebyshev_step)

_COMPUTE = {
    "chebyshev_polynomial_t": (_T, "Chebyshev's polynomial of the first kind"),
    "chebyshev_polynomial_u": (_U, "Chebyshev's polynomial of the second kind"),
    "chebyshev_polynomial_v": (_V, "Chebyshev's polynomial of the third kind"),
    "chebyshev_polynomial_w": (_W, "Chebyshev's polynomial of the fourth kind"),
    "shifted_chebyshev_polynomial_t": (_shifted(_T), "Chebyshev's polynomial of the first kind, of 2 x - 1"),
    "shifted_chebyshev_polynomial_u": (_shifted(_U), "Chebyshev's polynomial of the second kind, of 2 x - 1"),
    "shifted_chebyshev_polynomial_v": (_shifted(_V), "Chebyshev's polynomial of the third kind, of 2 x - 1"),
    "shifted_chebyshev_polynomial_w": (_shifted(_W), "Chebyshev's polynomial of the fourth kind, of 2 x - 1"),
    "hermite_polynomial_h": (_by_recurrence(lambda x: 2 * x, _hermite_step), "Hermite's polynomial, the physicists'"),
    "hermite_polynomial_he": (
        _by_recurrence(lambda x: x, _hermite_e_step),
        "Hermite's polynomial, the probabilists'",
    ),
    "laguerre_polynomial_l": (_by_recurrence(lambda x: 1 - x, _laguerre_step), "Laguerre's polynomial"),
    "legendre_polynomial_p": (_by_recurrence(lambda x: x, _legendre_step), "Legendre's polynomial"),
}

POLYNOMIALS: dict[str, Op] = {
    name: defop(
        name,
        compute,
        Kind.ELEMENTWISE,
        vjp=(None, None),
        args=("x", "n"),
        promote=Promote.FLOAT,
        check=NOT_COMPLEX,
        formula="p_n(x)",
        doc=f"{doc}, of degree n; 0 where n is negative. It has no gradient.",
    )
    for name, (compute, doc) in _COMPUTE.items()
}
