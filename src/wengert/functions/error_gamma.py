"""The error and gamma functions and their relatives: functions and methods."""

from __future__ import annotations

from typing import Any

from wengert.engine.inplace import inplace
from wengert.engine.pointwise import inplace_method, unary
from wengert.functions.elementwise import call, shown
from wengert.functions.options import require_tensor
from wengert.ops.error_functions import ERF, ERFC, ERFINV, LOGIT
from wengert.ops.gamma_functions import DIGAMMA, LGAMMA, POLYGAMMA

__all__ = ["ErrorGammaMethods", "digamma", "erf", "erfc", "erfinv", "lgamma", "logit", "polygamma"]

erf = shown(unary(ERF), __name__, "erf(torch.tensor([0.0, 0.5]))", "tensor([0.0000, 0.5205])")
erfc = shown(unary(ERFC), __name__, "erfc(torch.tensor([0.0, 0.5]))", "tensor([1.0000, 0.4795])")
erfinv = shown(unary(ERFINV), __name__, "erfinv(torch.tensor([0.0, 0.5]))", "tensor([0.0000, 0.4769])")
lgamma = shown(unary(LGAMMA), __name__, "lgamma(torch.tensor([0.5, 3.0]))", "tensor([0.5724, 0.6931])")
digamma = shown(unary(DIGAMMA), __name__, "digamma(torch.tensor([0.5, 3.0]))", "tensor([-1.9635,  0.9228])")


def polygamma(n: int, input: Any, *, out: Any = None) -> Any:
    """The ``n``-th derivative of the digamma function at each element; digamma itself for ``n = 0``.

    Raises:
        RuntimeError: ``n`` is negative.

    >>> import wengert as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    require_tensor("polygamma", input, "input", 2)
    return call(POLYGAMMA, out, input, n=_order("polygamma", n))


def _order(function: str, n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{function}(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n. Got n={n}")
    return n


def logit(input: Any, eps: float | None = None, *, out: Any = None) -> Any:
    """The inverse of the logistic function: ``log(x / (1 - x))``, nan for ``x`` outside 0..1.

    With ``eps``, elements are first limited to ``eps .. 1 - eps``; the derivative is 0 where that changed them.

    >>> import wengert as torch
    >>> torch.logit(torch.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    return call(LOGIT, out, require_tensor("logit", input), eps=None if eps is None else float(eps))


def _polygamma_method(self: Any, n: int) -> Any:
    """As :func:`polygamma`, with the tensor first."""
    return polygamma(n, self)


def _polygamma_(self: Any, n: int) -> Any:
    """In-place version of :func:`polygamma`."""
    return inplace(POLYGAMMA, self, n=_order("polygamma_", n))


def _logit_(self: Any, eps: float | None = None) -> Any:
    """In-place version of :func:`logit`."""
    return inplace(LOGIT, self, eps=None if eps is None else float(eps))


class ErrorGammaMethods:
    """The error and gamma functions as methods."""

    __slots__ = ()

    digamma = digamma
    digamma_ = inplace_method(DIGAMMA)
    erf = erf
    erf_ = inplace_method(ERF)
    erfc = erfc
    erfc_ = inplace_method(ERFC)
    erfinv = erfinv
    erfinv_ = inplace_method(ERFINV)
    lgamma = lgamma
    lgamma_ = inplace_method(LGAMMA)
    logit = logit
    logit_ = _logit_
    polygamma = _polygamma_method
    polygamma_ = _polygamma_
