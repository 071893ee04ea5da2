"""Special functions under SciPy's names, which SciPy calls for arrays of this namespace: so their gradients flow.

With ``SCIPY_ARRAY_API=1`` ``scipy.special.erf(t)`` and the distributions of ``scipy.stats`` that are made of such
functions come here. The standard has no such extension yet; SciPy looks for it already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert._dtypes import DEFAULTS
from wengert.array_api._types import in_dtype, promoted
from wengert.functions import elementary, error_gamma, powers, reduce, select, specials
from wengert.nn.functional import log_softmax as log_softmax_along
from wengert.nn.functional import softmax as softmax_along

__all__ = [
    "betainc",
    "betaincc",
    "betaln",
    "binom",
    "boxcox",
    "boxcox1p",
    "cbrt",
    "chdtr",
    "chdtrc",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "exp10",
    "expit",
    "expm1",
    "exprel",
    "fdtr",
    "fdtrc",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gdtr",
    "gdtrc",
    "huber",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "inv_boxcox",
    "inv_boxcox1p",
    "j0",
    "j1",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kl_div",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "pdtr",
    "pdtrc",
    "poch",
    "polygamma",
    "pseudo_huber",
    "psi",
    "rel_entr",
    "rgamma",
    "sinc",
    "softmax",
    "stdtr",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "zeta",
]


def _of(name: str, function: Callable[..., Any], formula: str = "") -> Callable[..., Any]:
    """The function on tensors or numbers, in their common dtype, integers as floats, with SciPy's name.

    Options that stand after the operands are dropped if they are None, as SciPy's ``out``.
    """

    def special(*operands: Any) -> Any:
        floats = [_floating(x) for x in promoted(name, *operands)]
        return function(*floats)

    special.__name__ = special.__qualname__ = name
    special.__doc__ = f"``{formula}``" if formula else (function.__doc__ or "").partition("\n")[0]
    return special


def _floating(x: Any) -> Any:
    return x if x._data.dtype.kind in "fc" else in_dtype(x, DEFAULTS.float)


def _gamma_sign(x: Any) -> Any:
    """The sign of the gamma function: it changes at each integer from zero down."""
    return select.where((x < 0) & (x.floor().remainder(2) != 0), -1.0, 1.0)


def _gamma(x: Any) -> Any:
    return _gamma_sign(x) * elementary.exp(error_gamma.lgamma(x))


def _betaln(a: Any, b: Any) -> Any:
    return error_gamma.lgamma(a) + error_gamma.lgamma(b) - error_gamma.lgamma(a + b)


def _chosen(condition: Any, yes: Any, no: Any) -> Any:
    return select.where(condition, yes, no)


def _rel_entr(x: Any, y: Any) -> Any:
    positive = (x > 0) & (y > 0)
    inner = _chosen(positive, x, 1.0) * (_chosen(positive, x, 1.0).log() - _chosen(positive, y, 1.0).log())
    value = _chosen(positive, inner, _chosen((x == 0) & (y >= 0), 0.0, float("inf")))
    return _chosen(x.isnan() | y.isnan(), float("nan"), value)


def _stdtr(df: Any, t: Any) -> Any:
    tail = specials.betainc(df / 2, df * 0 + 0.5, df / (t * t + df)) / 2
    return _chosen(t < 0, tail, 1 - tail)


def _fdtr(dfn: Any, dfd: Any, x: Any) -> Any:
    return specials.betainc(dfn / 2, dfd / 2, dfn * x / (dfn * x + dfd))


def _fdtrc(dfn: Any, dfd: Any, x: Any) -> Any:
    return specials.betainc(dfd / 2, dfn / 2, dfd / (dfn * x + dfd))


def _huber(delta: Any, r: Any) -> Any:
    size = r.abs()
    value = _chosen(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta))
    return _chosen(delta < 0, float("inf"), value)


def _boxcox(x: Any, lam: Any) -> Any:
    power = _chosen(lam == 0, 1.0, lam)
    return _chosen(lam == 0, x.log(), elementary.expm1(power * x.log()) / power)


def _boxcox1p(x: Any, lam: Any) -> Any:
    power = _chosen(lam == 0, 1.0, lam)
    return _chosen(lam == 0, x.log1p(), elementary.expm1(power * x.log1p()) / power)


def _inv_boxcox(y: Any, lam: Any) -> Any:
    power = _chosen(lam == 0, 1.0, lam)
    return _chosen(lam == 0, y.exp(), elementary.exp(elementary.log1p(power * y) / power))


def _inv_boxcox1p(y: Any, lam: Any) -> Any:
    power = _chosen(lam == 0, 1.0, lam)
    return _chosen(lam == 0, y.expm1(), elementary.expm1(elementary.log1p(power * y) / power))


def _exprel(x: Any) -> Any:
    near = x.abs() < 1e-5
    away = _chosen(near, 1.0, x)
    return _chosen(near, 1 + x / 2 + x * x / 6, away.expm1() / away)


def _poch(z: Any, m: Any) -> Any:
    size = elementary.exp(error_gamma.lgamma(z + m) - error_gamma.lgamma(z))
    return _gamma_sign(z + m) * _gamma_sign(z) * size


def polygamma(n: Any, x: Any) -> Any:
    """The derivative number ``n + 1`` of the logarithm of the gamma function; ``n`` is one number.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.special.polygamma(1, torch.tensor(1.0))
    tensor(1.6449)
    """
    return error_gamma.polygamma(int(n), _floating(x))


def multigammaln(a: Any, d: Any) -> Any:
    """The logarithm of the multivariate gamma function of dimension ``d``.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.special.multigammaln(torch.tensor(2.0), 1)
    tensor(0.)
    """
    return specials.mvlgamma(_floating(a), int(d))


def _dims(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over axes, without overflow.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.special.logsumexp(torch.tensor([0.0, 0.0]))
    tensor(0.6931)
    """
    return reduce.logsumexp(_floating(x), _dims(x, axis), keepdims)


def softmax(x: Any, axis: Any = None) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, over all elements where it is None.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.special.softmax(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """
    return _along(softmax_along, x, axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of :func:`softmax`.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.special.log_softmax(torch.zeros(2))
    tensor([-0.6931, -0.6931])
    """
    return _along(log_softmax_along, x, axis)


def _along(of: Callable[..., Any], x: Any, axis: Any) -> Any:
    floats = _floating(x)
    return of(floats.reshape(-1), 0).reshape(tuple(x.shape)) if axis is None else of(floats, axis)


betainc = _of("betainc", specials.betainc)
betaincc = _of("betaincc", lambda a, b, x: specials.betainc(b, a, 1 - x), "1 - betainc(a, b, x)")
betaln = _of("betaln", _betaln, "log B(a, b)")
binom = _of("binom", lambda n, k: elementary.exp(-_betaln(1 + n - k, 1 + k)) / (n + 1), "n! / (k! (n - k)!)")
boxcox = _of("boxcox", _boxcox, "(x^lam - 1) / lam; log(x) where lam = 0")
boxcox1p = _of("boxcox1p", _boxcox1p, "((1 + x)^lam - 1) / lam; log(1 + x) where lam = 0")
cbrt = _of("cbrt", lambda x: x.sign() * x.abs() ** (1 / 3), "x^(1/3)")
chdtr = _of("chdtr", lambda v, x: specials.igamma(v / 2, x / 2), "the chi-square distribution's CDF")
chdtrc = _of("chdtrc", lambda v, x: specials.igammac(v / 2, x.clamp(min=0) / 2), "1 - chdtr(v, x)")
entr = _of("entr", specials.entr)
erf = _of("erf", error_gamma.erf)
erfc = _of("erfc", error_gamma.erfc)
erfcx = _of("erfcx", specials.erfcx)
erfinv = _of("erfinv", error_gamma.erfinv)
exp2 = _of("exp2", elementary.exp2)
exp10 = _of("exp10", lambda x: powers.pow(10.0, x), "10^x")
expit = _of("expit", elementary.sigmoid)
expm1 = _of("expm1", elementary.expm1)
exprel = _of("exprel", _exprel, "(exp(x) - 1) / x")
fdtr = _of("fdtr", _fdtr, "the F distribution's CDF")
fdtrc = _of("fdtrc", _fdtrc, "1 - fdtr(dfn, dfd, x)")
gamma = _of("gamma", _gamma, "the gamma function")
gammainc = _of("gammainc", specials.igamma)
gammaincc = _of("gammaincc", specials.igammac)
gammaln = _of("gammaln", error_gamma.lgamma)
gdtr = _of("gdtr", lambda a, b, x: specials.igamma(b, a * x), "the gamma distribution's CDF")
gdtrc = _of("gdtrc", lambda a, b, x: specials.igammac(b, a * x), "1 - gdtr(a, b, x)")
huber = _of("huber", _huber, "r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2)")
i0 = _of("i0", specials.i0)
i0e = _of("i0e", specials.i0e)
i1 = _of("i1", specials.i1)
i1e = _of("i1e", specials.i1e)
inv_boxcox = _of("inv_boxcox", _inv_boxcox, "the x with boxcox(x, lam) = y")
inv_boxcox1p = _of("inv_boxcox1p", _inv_boxcox1p, "the x with boxcox1p(x, lam) = y")
j0 = _of("j0", specials.bessel_j0)
j1 = _of("j1", specials.bessel_j1)
k0 = _of("k0", specials.modified_bessel_k0)
k0e = _of("k0e", specials.scaled_modified_bessel_k0)
k1 = _of("k1", specials.modified_bessel_k1)
k1e = _of("k1e", specials.scaled_modified_bessel_k1)
kl_div = _of("kl_div", lambda x, y: _rel_entr(x, y) - x + y, "x log(x / y) - x + y")
log1p = _of("log1p", elementary.log1p)
log_ndtr = _of("log_ndtr", specials.log_ndtr)
logit = _of("logit", error_gamma.logit)
ndtr = _of("ndtr", specials.ndtr)
ndtri = _of("ndtri", specials.ndtri)
pdtr = _of("pdtr", lambda k, m: specials.igammac(k.floor() + 1, m), "the Poisson distribution's CDF")
pdtrc = _of("pdtrc", lambda k, m: specials.igamma(k.floor() + 1, m), "1 - pdtr(k, m)")
poch = _of("poch", _poch, "gamma(z + m) / gamma(z)")
pseudo_huber = _of(
    "pseudo_huber", lambda d, r: d * d * ((1 + (r / d) ** 2).sqrt() - 1), "delta^2 (sqrt(1 + (r / delta)^2) - 1)"
)
psi = _of("psi", error_gamma.digamma)
rel_entr = _of("rel_entr", _rel_entr, "x log(x / y)")
rgamma = _of("rgamma", lambda x: _gamma_sign(x) * elementary.exp(-error_gamma.lgamma(x)), "1 / gamma(x)")
sinc = _of("sinc", elementary.sinc)
stdtr = _of("stdtr", _stdtr, "Student's t distribution's CDF")
xlog1py = _of("xlog1py", specials.xlog1py)
xlogy = _of("xlogy", elementary.xlogy)
y0 = _of("y0", specials.bessel_y0)
y1 = _of("y1", specials.bessel_y1)
zeta = _of("zeta", specials.zeta)
