"""The functions of ``torch.special`` that stand nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi
from typing import Any

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.out import deliver
from wengert.engine.pointwise import inplace_method, unary
from wengert.functions.elementwise import call, shown
from wengert.functions.options import require_tensor
from wengert.ops.bessel import AIRY_AI, I0, I0E, I1, I1E, J0, J1, K0, K0E, K1, K1E, Y0, Y1
from wengert.ops.gamma_functions import LGAMMA
from wengert.ops.polynomials import POLYNOMIALS
from wengert.ops.probability import BETAINC, ENTR, ERFCX, IGAMMA, IGAMMAC, LOG_NDTR, NDTR, NDTRI, XLOG1PY, ZETA
from wengert.ops.record import Op
from wengert.spaces.tensors import TENSOR

__all__ = [
    "SpecialMethods",
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "betainc",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "entr",
    "erfcx",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "igamma",
    "igammac",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log_ndtr",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "mvlgamma",
    "ndtr",
    "ndtri",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "spherical_bessel_j0",
    "xlog1py",
    "zeta",
]

airy_ai = shown(unary(AIRY_AI), __name__, "special.airy_ai(torch.tensor(1.0))", "tensor(0.1353)")
bessel_j0 = shown(unary(J0), __name__, "special.bessel_j0(torch.tensor(1.0))", "tensor(0.7652)")
bessel_j1 = shown(unary(J1), __name__, "special.bessel_j1(torch.tensor(1.0))", "tensor(0.4401)")
bessel_y0 = shown(unary(Y0), __name__, "special.bessel_y0(torch.tensor(1.0))", "tensor(0.0883)")
bessel_y1 = shown(unary(Y1), __name__, "special.bessel_y1(torch.tensor(1.0))", "tensor(-0.7812)")
entr = shown(unary(ENTR), __name__, "special.entr(torch.tensor(0.5))", "tensor(0.3466)")
erfcx = shown(unary(ERFCX), __name__, "special.erfcx(torch.tensor(1.0))", "tensor(0.4276)")
i0 = shown(unary(I0), __name__, "special.i0(torch.tensor(1.0))", "tensor(1.2661)")
i0e = shown(unary(I0E), __name__, "special.i0e(torch.tensor(1.0))", "tensor(0.4658)")
i1 = shown(unary(I1), __name__, "special.i1(torch.tensor(1.0))", "tensor(0.5652)")
i1e = shown(unary(I1E), __name__, "special.i1e(torch.tensor(1.0))", "tensor(0.2079)")
log_ndtr = shown(unary(LOG_NDTR), __name__, "special.log_ndtr(torch.tensor(0.0))", "tensor(-0.6931)")
modified_bessel_k0 = shown(unary(K0), __name__, "special.modified_bessel_k0(torch.tensor(1.0))", "tensor(0.4210)")
modified_bessel_k1 = shown(unary(K1), __name__, "special.modified_bessel_k1(torch.tensor(1.0))", "tensor(0.6019)")
ndtr = shown(unary(NDTR), __name__, "special.ndtr(torch.tensor(1.0))", "tensor(0.8413)")
ndtri = shown(unary(NDTRI), __name__, "special.ndtri(torch.tensor(0.5))", "tensor(0.)")
scaled_modified_bessel_k0 = shown(
    unary(K0E), __name__, "special.scaled_modified_bessel_k0(torch.tensor(1.0))", "tensor(1.1445)"
)
scaled_modified_bessel_k1 = shown(
    unary(K1E), __name__, "special.scaled_modified_bessel_k1(torch.tensor(1.0))", "tensor(1.6362)"
)


def _of_two(op: Op, first: str, second: str) -> Callable[..., Any]:
    """The public function of an operation of which one argument may be a number."""

    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        if not isinstance(input, TensorBase) and not isinstance(other, TensorBase):
            raise TypeError(
                f"special_{op.name}(): argument '{first}' (position 1) must be Tensor, not {type(input).__name__}"
            )
        return deliver(out, apply(op, input, other), input, other)

    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = f"{op.doc}\n\n``{op.formula}``; ``{first}`` or ``{second}`` may be a number."
    return function


xlog1py = shown(
    _of_two(XLOG1PY, "input", "other"),
    __name__,
    "special.xlog1py(torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 1.0]))",
    "tensor([0.0000, 1.3863])",
)
zeta = shown(_of_two(ZETA, "input", "other"), __name__, "special.zeta(torch.tensor(2.0), 1.0)", "tensor(1.6449)")


def igamma(input: Any, other: Any, *, out: Any = None) -> Any:
    """The lower incomplete gamma function, scaled: ``1/Gamma(a) integral_0^x t^(a-1) exp(-t) dt``.

    Its derivative by the order ``input`` is not available. By SciPy (the extra ``[scipy]``).

    Raises:
        TypeError: what is no tensor.

    >>> import wengert as torch
    >>> torch.igamma(torch.tensor(1.0), torch.tensor(1.0))
    tensor(0.6321)
    """
    require_tensor("igamma", input)
    require_tensor("igamma", other, "other", 2)
    return call(IGAMMA, out, input, other)


def igammac(input: Any, other: Any, *, out: Any = None) -> Any:
    """The upper incomplete gamma function, scaled: ``1 - igamma``.

    Its derivative by the order ``input`` is not available. By SciPy (the extra ``[scipy]``).

    Raises:
        TypeError: what is no tensor.

    >>> import wengert as torch
    >>> torch.igammac(torch.tensor(1.0), torch.tensor(1.0))
    tensor(0.3679)
    """
    require_tensor("igammac", input)
    require_tensor("igammac", other, "other", 2)
    return call(IGAMMAC, out, input, other)


def betainc(a: Any, b: Any, x: Any) -> Any:
    """The incomplete beta function, scaled: ``1/B(a, b) integral_0^x t^(a-1) (1-t)^(b-1) dt``.

    Its derivatives by ``a`` and ``b`` are not available. By SciPy (the extra ``[scipy]``).

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.special.betainc(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(0.5))
    tensor(0.7500)
    """
    return apply(BETAINC, a, b, x)


def mvlgamma(input: Any, p: int, *, out: Any = None) -> Any:
    """The logarithm of the multivariate gamma function: ``ln(pi) p (p - 1) / 4 + sum_j lgamma(x - j / 2)``, j < p.

    Raises:
        RuntimeError: ``p`` is not positive.

    >>> import wengert as torch
    >>> torch.mvlgamma(torch.tensor(3.0), 2)
    tensor(1.5502)
    """
    require_tensor("mvlgamma", input)
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, but got {p}")
    total = apply(LGAMMA, input)
    for j in range(1, p):
        total = TENSOR.add(total, apply(LGAMMA, TENSOR.sub(input, j / 2)))
    return deliver(out, TENSOR.add(total, log(pi) * p * (p - 1) / 4), input)


chebyshev_polynomial_t = shown(
    _of_two(POLYNOMIALS["chebyshev_polynomial_t"], "input", "n"),
    __name__,
    "special.chebyshev_polynomial_t(torch.tensor(0.5), 2)",
    "tensor(-0.5000)",
)
chebyshev_polynomial_u = shown(
    _of_two(POLYNOMIALS["chebyshev_polynomial_u"], "input", "n"),
    __name__,
    "special.chebyshev_polynomial_u(torch.tensor(0.5), 2)",
    "tensor(0.)",
)
chebyshev_polynomial_v = shown(
    _of_two(POLYNOMIALS["chebyshev_polynomial_v"], "input", "n"),
    __name__,
    "special.chebyshev_polynomial_v(torch.tensor(0.5), 2)",
    "tensor(-1.)",
)
chebyshev_polynomial_w = shown(
    _of_two(POLYNOMIALS["chebyshev_polynomial_w"], "input", "n"),
    __name__,
    "special.chebyshev_polynomial_w(torch.tensor(0.5), 2)",
    "tensor(1.)",
)
hermite_polynomial_h = shown(
    _of_two(POLYNOMIALS["hermite_polynomial_h"], "input", "n"),
    __name__,
    "special.hermite_polynomial_h(torch.tensor(0.5), 2)",
    "tensor(-1.)",
)
hermite_polynomial_he = shown(
    _of_two(POLYNOMIALS["hermite_polynomial_he"], "input", "n"),
    __name__,
    "special.hermite_polynomial_he(torch.tensor(0.5), 2)",
    "tensor(-0.7500)",
)
laguerre_polynomial_l = shown(
    _of_two(POLYNOMIALS["laguerre_polynomial_l"], "input", "n"),
    __name__,
    "special.laguerre_polynomial_l(torch.tensor(0.5), 2)",
    "tensor(0.1250)",
)
legendre_polynomial_p = shown(
    _of_two(POLYNOMIALS["legendre_polynomial_p"], "input", "n"),
    __name__,
    "special.legendre_polynomial_p(torch.tensor(0.5), 2)",
    "tensor(-0.1250)",
)
shifted_chebyshev_polynomial_t = shown(
    _of_two(POLYNOMIALS["shifted_chebyshev_polynomial_t"], "input", "n"),
    __name__,
    "special.shifted_chebyshev_polynomial_t(torch.tensor(0.5), 2)",
    "tensor(-1.)",
)
shifted_chebyshev_polynomial_u = shown(
    _of_two(POLYNOMIALS["shifted_chebyshev_polynomial_u"], "input", "n"),
    __name__,
    "special.shifted_chebyshev_polynomial_u(torch.tensor(0.5), 2)",
    "tensor(-1.)",
)
shifted_chebyshev_polynomial_v = shown(
    _of_two(POLYNOMIALS["shifted_chebyshev_polynomial_v"], "input", "n"),
    __name__,
    "special.shifted_chebyshev_polynomial_v(torch.tensor(0.5), 2)",
    "tensor(-1.)",
)
shifted_chebyshev_polynomial_w = shown(
    _of_two(POLYNOMIALS["shifted_chebyshev_polynomial_w"], "input", "n"),
    __name__,
    "special.shifted_chebyshev_polynomial_w(torch.tensor(0.5), 2)",
    "tensor(-1.)",
)


def spherical_bessel_j0(input: Any, *, out: Any = None) -> Any:
    """The spherical Bessel function of order 0: ``sin(x) / x``, 1 at 0.

    >>> import wengert as torch
    >>> torch.special.spherical_bessel_j0(torch.tensor(1.0))
    tensor(0.8415)
    """
    require_tensor("special_spherical_bessel_j0", input)
    return deliver(out, TENSOR.sinc(TENSOR.mul(input, 1 / pi)), input)


def _mvlgamma_(self: Any, p: int) -> Any:
    """As :func:`mvlgamma`, written into the tensor itself."""
    return self.copy_(mvlgamma(self, p))


class SpecialMethods:
    """Special functions as methods of tensors."""

    __slots__ = ()

    i0 = i0
    igamma = igamma
    igammac = igammac
    mvlgamma = mvlgamma
    i0_ = inplace_method(I0)
    igamma_ = inplace_method(IGAMMA)
    igammac_ = inplace_method(IGAMMAC)
    mvlgamma_ = _mvlgamma_
