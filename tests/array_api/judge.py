"""Checks of `wengert.array_api` against array-api-strict, the standard's reference implementation.

One check for each function, method and operator of the standard: the arguments have the standard's names and kinds, and
on generated input (dtypes that promote to each other, shapes that broadcast, empty arrays, arrays without dimensions,
infinities, NaNs, zeros with either sign) dtype, shape and values are those of the reference.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import array_api_strict as reference
import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

import wengert
import wengert.array_api as xp

reference.set_array_api_strict_flags(api_version="2025.12")

BOOL, SIGNED = ["bool"], ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
REAL, COMPLEX = ["float32", "float64"], ["complex64", "complex128"]
INTEGER = SIGNED + UNSIGNED
FLOATING = REAL + COMPLEX
NUMERIC = INTEGER + FLOATING
ALL = BOOL + NUMERIC

_ELEMENTARY = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1", "log"),
    *("log1p", "log2", "log10", "reciprocal", "sin", "sinh", "sqrt", "tan", "tanh"),
)

UNARY = {
    **dict.fromkeys(("abs", "negative", "positive", "square", "sign"), NUMERIC),
    **dict.fromkeys(("isfinite", "isinf", "isnan", "round"), NUMERIC),
    **dict.fromkeys(("ceil", "floor", "trunc"), INTEGER + REAL),
    **dict.fromkeys(
        _ELEMENTARY,
        FLOATING,
    ),
    **dict.fromkeys(("conj", "imag", "real"), COMPLEX),
    "bitwise_invert": BOOL + INTEGER,
    "logical_not": BOOL,
    "signbit": REAL,
}
BINARY = {
    **dict.fromkeys(("add", "multiply", "subtract"), NUMERIC),
    **dict.fromkeys(("atan2", "copysign", "hypot", "logaddexp", "nextafter"), REAL),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), BOOL + INTEGER),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), INTEGER),
    **dict.fromkeys(("equal", "not_equal"), ALL),
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal", "maximum", "minimum"), INTEGER + REAL),
    **dict.fromkeys(("floor_divide", "remainder"), INTEGER + REAL),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), BOOL),
    **dict.fromkeys(("divide", "pow"), FLOATING),
}
OPERATORS = {
    "__add__": "add",
    "__sub__": "subtract",
    "__mul__": "multiply",
    "__truediv__": "divide",
    "__floordiv__": "floor_divide",
    "__mod__": "remainder",
    "__pow__": "pow",
    "__and__": "bitwise_and",
    "__or__": "bitwise_or",
    "__xor__": "bitwise_xor",
    "__lshift__": "bitwise_left_shift",
    "__rshift__": "bitwise_right_shift",
    "__eq__": "equal",
    "__ne__": "not_equal",
    "__lt__": "less",
    "__le__": "less_equal",
    "__gt__": "greater",
    "__ge__": "greater_equal",
}
NAMES = sorted(
    set(reference.__all__) - {n for n in reference.__all__ if "strict" in n.lower() or n in ("Device", "__version__")}
)
SAFE = (-8, 8)


def dtype_of(name: str) -> tuple[Any, Any]:
    return getattr(xp, name), getattr(reference, name)


@st.composite
def arrays(draw: Any, dtypes: list[str], shape: Any = None, *, safe: bool = False, min_dims: int = 0) -> Any:
    """A NumPy array; `safe` keeps to small numbers for which every function is tame."""
    name = draw(st.sampled_from(dtypes))
    sizes = (
        shape if shape is not None else draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=0, max_side=4))
    )
    kind = np.dtype(name).kind
    if kind == "b":
        elements: Any = st.booleans()
    elif kind in "iu":
        elements = st.integers(0 if kind == "u" else SAFE[0], SAFE[1])
    else:
        width = 32 if name in ("float32", "complex64") else 64
        floats = (
            st.floats(*SAFE, width=32)
            if safe
            else st.floats(*SAFE, width=32) | st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan])
        )
        elements = floats if kind == "f" else st.builds(complex, floats, floats)
        del width
    return draw(hnp.arrays(name, sizes, elements=elements))


def mine(a: Any) -> Any:
    return wengert.from_numpy(np.array(a)) if isinstance(a, (np.ndarray, np.generic)) else a


def theirs(a: Any) -> Any:
    return reference.asarray(np.array(a)) if isinstance(a, (np.ndarray, np.generic)) else a


def each(convert: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, (list, tuple)) and any(isinstance(v, np.ndarray) for v in value):
        return type(value)(convert(v) for v in value)
    return convert(value)


def compare(got: Any, want: Any, tolerance: float = 0.0, *, signs: bool = True) -> None:
    """Fail unless dtype, shape and values are the reference's; floats up to rounding, zeros with their ``signs``."""
    if isinstance(want, (tuple, list)):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            compare(a, b, tolerance, signs=signs)
        return
    if not hasattr(want, "dtype"):
        assert type(got) is type(want), (got, want)
        assert got == want or (got != got and want != want), (got, want)
        return
    assert isinstance(got, wengert.Tensor), type(got)
    ours, expected = np.asarray(got.resolve_conj().numpy()), np.asarray(want._array)
    assert ours.dtype == expected.dtype, f"dtype {ours.dtype}, the reference has {expected.dtype}"
    assert ours.shape == expected.shape, f"shape {ours.shape}, the reference has {expected.shape}"
    if ours.dtype.kind in "fc":
        eps = float(np.finfo(ours.dtype).eps)
        np.testing.assert_allclose(ours, expected, rtol=64 * eps + tolerance, atol=64 * eps + tolerance)
        if signs and ours.dtype.kind == "f":
            _compare_zeros(ours, expected)
    else:
        np.testing.assert_array_equal(ours, expected)


def _compare_zeros(ours: Any, expected: Any) -> None:
    """Fail where both are zeros of different signs."""
    both = (ours == 0) & (expected == 0)
    assert not (np.signbit(ours) != np.signbit(expected))[both].any(), f"signs of zeros: {ours}, not {expected}"


def judge(name: str, *args: Any, tolerance: float = 0.0, **kwargs: Any) -> None:
    """The function of this name (`linalg.det`) here and in the reference, compared."""
    f, g = _function(xp, name), _function(reference, name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            want = g(*[each(theirs, a) for a in args], **{k: _theirs_kw(v) for k, v in kwargs.items()})
        except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
            want = error
        if isinstance(want, Exception):
            return  # the standard leaves open what happens
        got = f(*[each(mine, a) for a in args], **{k: _mine_kw(v) for k, v in kwargs.items()})
    compare(got, want, tolerance)


def _mine_kw(value: Any) -> Any:
    return getattr(xp, value.name) if isinstance(value, np.dtype) else mine(value)


def _theirs_kw(value: Any) -> Any:
    return getattr(reference, value.name) if isinstance(value, np.dtype) else theirs(value)


def _function(namespace: Any, name: str) -> Any:
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


def functions() -> Iterator[str]:
    """Every function of the standard, with those of the extensions."""
    for name in NAMES:
        found = getattr(reference, name)
        if callable(found) and not isinstance(found, type) and not hasattr(found, "_np_dtype"):
            yield name
    for extension in ("linalg", "fft"):
        for name in getattr(reference, extension).__all__:
            yield f"{extension}.{name}"


def signature_differences(name: str) -> list[str]:
    """What in the arguments is not the standard's: names, order, positional-only, keyword-only, defaults."""
    own = inspect.signature(_function(xp, name)).parameters
    standard = inspect.signature(_function(reference, name)).parameters
    wrong = [f"no argument {p}" for p in standard if p not in own]
    for p in standard.values():
        if p.name in own:
            q = own[p.name]
            if q.kind is not p.kind and q.kind is not q.POSITIONAL_OR_KEYWORD:
                wrong.append(f"{p.name} is {q.kind.description}, in the standard {p.kind.description}")
            if not _default(p.default) and q.default != p.default:
                wrong.append(f"{p.name}={q.default!r}, in the standard {p.default!r}")
    extra = [q.name for q in own.values() if q.name not in standard and q.default is q.empty]
    return wrong + [f"a further argument {name}" for name in extra]


def _default(value: Any) -> bool:
    """Whether the reference has a marker of its own for an argument that is not given."""
    return value is inspect.Parameter.empty or type(value).__name__ == "Undef"
