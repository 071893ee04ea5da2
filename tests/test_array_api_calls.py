"""The standard's functions that are not elementwise, its operators and indexing, against the reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("array_api_strict")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wengert
import wengert.array_api as xp
from array_api import judge as j
from test_array_api import two

few = settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))

Draw = Callable[[Any], Any]


def _axis(draw: Draw, a: Any) -> int:
    return draw(st.integers(-a.ndim, a.ndim - 1))


def _axes(draw: Draw, a: Any) -> Any:
    if not a.ndim or draw(st.booleans()):
        return None
    if draw(st.booleans()):
        return _axis(draw, a)
    return tuple(draw(st.lists(st.integers(0, a.ndim - 1), unique=True, max_size=a.ndim)))


def _reduction(name: str, dtypes: list[str], **more: Any) -> Any:
    def case(draw: Draw) -> None:
        a = draw(j.arrays(dtypes, safe=name in ("var", "std", "prod", "sum", "mean")))
        axis = _axes(draw, a)
        options = {key: draw(values) for key, values in more.items()}
        axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        if name in ("max", "min", "mean", "var", "std") and 0 in [a.shape[n] for n in axes]:
            return
        if options.get("correction", 0) >= np.prod([a.shape[n] for n in axes]):
            return
        j.judge(name, a, axis=axis, keepdims=draw(st.booleans()), tolerance=1e-5, **options)

    return case


def _place(name: str) -> Any:
    def case(draw: Draw) -> None:
        a = draw(j.arrays(j.INTEGER + j.REAL))
        axis = _axis(draw, a) if a.ndim and draw(st.booleans()) else None
        if a.size:
            j.judge(name, a, axis=axis, keepdims=draw(st.booleans()))

    return case


def _along(name: str, dtypes: list[str], **more: Any) -> Any:
    def case(draw: Draw) -> None:
        a = draw(j.arrays(dtypes, min_dims=1, safe=True))
        j.judge(name, a, axis=_axis(draw, a), tolerance=1e-5, **{key: draw(values) for key, values in more.items()})

    return case


def _whole(name: str, dtypes: list[str], **limits: Any) -> Any:
    return lambda draw: j.judge(name, draw(j.arrays(dtypes, **limits)))


def _flip(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL))
    j.judge("flip", a, axis=_axes(draw, a))


def _roll(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL))
    axis = _axes(draw, a)
    j.judge("roll", a, draw(st.integers(-5, 5)), axis=axis)


def _reshape(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL))
    j.judge("reshape", a, draw(st.sampled_from([(a.size,), (1, a.size), (*a.shape, 1), a.shape[::-1]])))
    if a.size:
        j.judge("reshape", a, (-1,), copy=draw(st.sampled_from([None, True])))


def _expand(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL))
    j.judge("expand_dims", a, draw(st.integers(-a.ndim - 1, a.ndim)))


def _squeeze(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL))
    place = draw(st.integers(0, a.ndim))
    j.judge("squeeze", np.expand_dims(a, place), place)


def _permute(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL))
    j.judge("permute_dims", a, tuple(draw(st.permutations(range(a.ndim)))))


def _moveaxis(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL, min_dims=1))
    j.judge("moveaxis", a, _axis(draw, a), _axis(draw, a))


def _broadcast(draw: Draw) -> None:
    a, b = draw(two(j.ALL))
    j.judge("broadcast_arrays", a, b)
    j.judge("broadcast_to", a, np.broadcast_shapes(a.shape, b.shape))
    j.judge("broadcast_shapes", a.shape, b.shape)


def _joined(draw: Draw) -> None:
    a = draw(j.arrays(j.NUMERIC, min_dims=1))
    group = [d for d in j.NUMERIC if (np.dtype(d).kind in "iu") == (a.dtype.kind in "iu")]
    b = draw(j.arrays(group, a.shape))
    j.judge("concat", [a, b], axis=draw(st.sampled_from([None, 0, -1])))
    j.judge("stack", (a, b), axis=draw(st.integers(-a.ndim - 1, a.ndim)))
    j.judge("unstack", a, axis=_axis(draw, a))


def _repeat(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL, min_dims=1))
    axis = _axis(draw, a)
    j.judge("repeat", a, draw(st.integers(0, 3)), axis=axis)
    j.judge("repeat", a, np.arange(a.shape[axis]), axis=axis)
    j.judge("repeat", a, 2)
    j.judge("tile", a, draw(st.sampled_from([(2,), (1, 2), (2, 1, 3), (0,), ()])))


def _take(draw: Draw) -> None:
    a = draw(j.arrays(j.ALL, min_dims=1))
    axis = _axis(draw, a)
    size = a.shape[axis]
    if size:
        j.judge("take", a, np.array(draw(st.lists(st.integers(-size, size - 1), max_size=4)), np.int64), axis=axis)
        places = draw(st.integers(0, size - 1))
        j.judge("take_along_axis", a, np.full_like(a, places, dtype=np.int64), axis=axis)


def _where(draw: Draw) -> None:
    a, b = draw(two(j.ALL))
    shape = np.broadcast_shapes(a.shape, b.shape)
    j.judge("where", draw(j.arrays(j.BOOL, shape)), a, b)
    if a.dtype.kind in "iufc":
        j.judge("where", draw(j.arrays(j.BOOL, a.shape)), a, 1)
        j.judge("where", draw(j.arrays(j.BOOL, a.shape)), 2, a)


def _searching(draw: Draw) -> None:
    edges = np.sort(draw(j.arrays(j.REAL, (4,), safe=True)))
    values = draw(j.arrays([edges.dtype.name], safe=True))
    j.judge("searchsorted", edges, values, side=draw(st.sampled_from(["left", "right"])))
    order = np.array([3, 1, 2, 0])
    j.judge("searchsorted", np.sort(edges)[np.argsort(order)], values, sorter=order)
    a = draw(j.arrays(j.ALL, min_dims=1))
    j.judge("nonzero", a)
    j.judge("count_nonzero", a, axis=_axes(draw, a), keepdims=draw(st.booleans()))
    first, second = draw(two(j.INTEGER))
    j.judge("isin", first, second)
    # The reference, 2.6, takes no notice of `invert`.
    second = second.astype(first.dtype)
    mine = xp.isin(j.mine(first), j.mine(second), invert=True)
    np.testing.assert_array_equal(mine.numpy(), np.isin(first, second, invert=True))


def _sets(draw: Draw) -> None:
    a = draw(j.arrays(j.BOOL + j.INTEGER + j.REAL, safe=True))
    for name in ("unique_all", "unique_counts", "unique_inverse", "unique_values"):
        j.judge(name, a)


def _clip(draw: Draw) -> None:
    a = draw(j.arrays(j.INTEGER + j.REAL))
    j.judge("clip", a, draw(st.sampled_from([None, 1])), draw(st.sampled_from([None, 4])))
    low = draw(j.arrays([a.dtype.name], a.shape, safe=True))
    j.judge("clip", a, low, low + low.dtype.type(1))


def _diff(draw: Draw) -> None:
    a = draw(j.arrays(j.NUMERIC, min_dims=1, safe=True))
    axis = _axis(draw, a)
    j.judge("diff", a, axis=axis, n=draw(st.integers(0, 3)))
    j.judge("diff", a, axis=axis, prepend=a, append=a)


def _creation(draw: Draw) -> None:
    dtype = np.dtype(draw(st.sampled_from(j.NUMERIC)))
    shape = draw(st.sampled_from([3, (), (2, 0), (2, 3)]))
    for name in ("zeros", "ones"):
        j.judge(name, shape, dtype=dtype)
    j.judge("full", shape, 3, dtype=dtype)
    a = draw(j.arrays([dtype.name]))
    for name in ("zeros_like", "ones_like"):
        j.judge(name, a)
        j.judge(name, a, dtype=np.dtype("bool"))
    j.judge("full_like", a, 2)
    rows, columns, k = draw(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-5, 5)))
    j.judge("eye", rows, columns, k=k, dtype=dtype)
    whole = np.dtype(draw(st.sampled_from(j.INTEGER + j.REAL)))
    start, stop = draw(st.tuples(st.integers(0, 5), st.integers(0, 9)))
    j.judge("arange", start, stop, draw(st.sampled_from([1, 2, 3])), dtype=whole)
    j.judge("arange", start, stop, 0.5, dtype=np.dtype("float64"))
    inexact = np.dtype(draw(st.sampled_from(j.FLOATING)))
    j.judge("linspace", start, stop, draw(st.integers(0, 5)), dtype=inexact, endpoint=draw(st.booleans()))
    j.judge("meshgrid", np.arange(3), np.arange(2), indexing=draw(st.sampled_from(["xy", "ij"])))
    square = draw(j.arrays(j.NUMERIC, (2, 3, 3)))
    j.judge("tril", square, k=k)
    j.judge("triu", square, k=k)
    j.judge("asarray", a)
    j.judge("asarray", a, dtype=dtype, copy=True)


def _dtypes(draw: Draw) -> None:
    a, b = (np.dtype(draw(st.sampled_from(j.ALL))) for _ in range(2))
    (x, r), (y, s) = j.dtype_of(a.name), j.dtype_of(b.name)
    try:
        want = j.reference.result_type(r, s)
    except TypeError:
        return
    assert xp.result_type(x, y).name == np.dtype(want._np_dtype).name
    assert xp.can_cast(x, y) == j.reference.can_cast(r, s)
    for kind in (
        "bool",
        "signed integer",
        "unsigned integer",
        "integral",
        "real floating",
        "complex floating",
        "numeric",
    ):
        assert xp.isdtype(x, kind) == j.reference.isdtype(r, kind)
    for name in ("finfo", "iinfo"):
        if a.kind in ("fc" if name == "finfo" else "iu"):
            mine, theirs = getattr(xp, name)(x), getattr(j.reference, name)(r)
            assert [getattr(mine, f) for f in ("bits", "max", "min")] == [
                getattr(theirs, f) for f in ("bits", "max", "min")
            ]
    value = draw(j.arrays([a.name], safe=True))
    if a.kind != "c" or b.kind in "cb":
        j.compare(xp.astype(j.mine(value), y), j.reference.astype(j.theirs(value), s))


def _products(draw: Draw) -> None:
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    group = draw(st.sampled_from([j.INTEGER[:4], j.FLOATING]))
    a, b = draw(j.arrays(group, (2, n, k), safe=True)), draw(j.arrays(group, (k, m), safe=True))
    loose = 1e-4
    j.judge("matmul", a, b, tolerance=loose)
    j.judge("linalg.matmul", a, b[:, 0] if m else b, tolerance=loose)
    j.judge("tensordot", a, b, axes=1, tolerance=loose)
    j.judge("linalg.tensordot", a, b, axes=((2,), (0,)), tolerance=loose)
    c = draw(j.arrays(group, a.shape, safe=True))
    axis = draw(st.integers(-3, -1))
    j.judge("vecdot", a, c, axis=axis, tolerance=loose)
    j.judge("linalg.vecdot", a, c, tolerance=loose)
    j.judge("linalg.outer", a.reshape(-1), b.reshape(-1))
    u, v = draw(j.arrays(group, (2, 3), safe=True)), draw(j.arrays(group, (3,), safe=True))
    j.judge("linalg.cross", u, v, tolerance=loose)
    j.judge("matrix_transpose", a)
    j.judge("linalg.matrix_transpose", a)
    j.judge("linalg.diagonal", a, offset=draw(st.integers(-3, 3)))
    j.judge("linalg.trace", a, offset=draw(st.integers(-3, 3)))


def _matrices(draw: Draw) -> Any:
    kind = draw(st.sampled_from(j.FLOATING))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    shape = draw(st.sampled_from([(3, 3), (2, 4, 4), (0, 2, 2), (1, 1)]))
    a = rng.standard_normal(shape) + 3 * np.eye(shape[-1])
    return (a + (1j * rng.standard_normal(shape) if kind.startswith("c") else 0)).astype(kind), rng


def _solving(draw: Draw) -> None:
    a, rng = _matrices(draw)
    loose = 1e-3 if a.dtype.itemsize == 4 or a.dtype.name == "complex64" else 1e-9
    for name in ("det", "inv", "slogdet", "pinv", "svdvals", "matrix_rank"):
        j.judge(f"linalg.{name}", a, tolerance=loose)
    j.judge("linalg.matrix_power", a, draw(st.integers(-2, 3)), tolerance=loose)
    n = a.shape[-1]
    j.judge("linalg.solve", a, rng.standard_normal(n).astype(a.dtype), tolerance=loose)
    j.judge("linalg.solve", a, rng.standard_normal((n, 2)).astype(a.dtype), tolerance=loose)
    j.judge("linalg.solve", a, rng.standard_normal((*a.shape[:-1], 2)).astype(a.dtype), tolerance=loose)
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        if a.size:
            j.judge("linalg.matrix_norm", a, ord=order, keepdims=draw(st.booleans()), tolerance=loose)
    for order in (0, 1, 2, 3, np.inf, -np.inf, -1, 0.5):
        if a.size:
            j.judge("linalg.vector_norm", a, axis=_axes(draw, a), ord=order, tolerance=loose)
    hermitian = a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(n, dtype=a.dtype)
    j.judge("linalg.cholesky", hermitian, upper=draw(st.booleans()), tolerance=loose * 10)
    j.judge("linalg.eigvalsh", hermitian, tolerance=loose * 10)


def _factors(draw: Draw) -> None:
    """Factors are not unique: they are right if their product is the matrix."""
    a, _ = _matrices(draw)
    t = j.mine(a)
    loose = {"rtol": 1e-3, "atol": 1e-3} if a.dtype.name in ("float32", "complex64") else {"rtol": 1e-9, "atol": 1e-9}
    q, r = xp.linalg.qr(t)
    np.testing.assert_allclose(np.asarray(q @ r), a, **loose)
    u, s, vh = xp.linalg.svd(t, full_matrices=False)
    np.testing.assert_allclose(np.asarray((u * s[..., None, :]) @ vh), a, **loose)
    hermitian = t + xp.conj(t.mT)
    values, vectors = xp.linalg.eigh(hermitian)
    np.testing.assert_allclose(np.asarray(hermitian @ vectors), np.asarray(vectors * values[..., None, :]), **loose)
    values, vectors = xp.linalg.eig(t)
    np.testing.assert_allclose(
        np.asarray(t.to(values.dtype) @ vectors), np.asarray(vectors * values[..., None, :]), **loose
    )
    np.testing.assert_allclose(np.asarray(xp.linalg.eigvals(t)), np.asarray(values), **loose)


def _transforms(draw: Draw) -> None:
    norm = draw(st.sampled_from(["backward", "ortho", "forward"]))
    shape = draw(st.sampled_from([(4,), (3, 5), (2, 3, 4)]))
    for dtypes, names in ((j.COMPLEX, ("fft", "ifft", "irfft", "hfft")), (j.REAL, ("rfft", "ihfft"))):
        a = draw(j.arrays(dtypes, shape, safe=True))
        n = draw(st.sampled_from([None, 3, 6]))
        for name in names:
            j.judge(f"fft.{name}", a, n=n, axis=_axis(draw, a), norm=norm, tolerance=1e-4)
    for dtypes, names in ((j.COMPLEX, ("fftn", "ifftn", "irfftn")), (j.REAL, ("rfftn",))):
        a = draw(j.arrays(dtypes, shape, safe=True))
        for name in names:
            j.judge(f"fft.{name}", a, norm=norm, tolerance=1e-4)
            j.judge(f"fft.{name}", a, s=(4,), axes=(-1,), norm=norm, tolerance=1e-4)
    n = draw(st.integers(1, 6))
    for name in ("fftfreq", "rfftfreq"):
        j.judge(f"fft.{name}", n, d=0.5, dtype=np.dtype(draw(st.sampled_from(j.REAL))))
    for name in ("fftshift", "ifftshift"):
        j.judge(f"fft.{name}", draw(j.arrays(j.FLOATING, shape)), axes=draw(st.sampled_from([None, 0, (0,)])))


booleans = st.booleans()
CASES: dict[str, Any] = {
    **{name: _reduction(name, j.NUMERIC) for name in ("sum", "prod")},
    **{name: _reduction(name, j.INTEGER + j.REAL) for name in ("max", "min")},
    **{name: _reduction(name, j.ALL) for name in ("all", "any")},
    **{name: _reduction(name, j.REAL, correction=st.sampled_from([0, 1, 0.5])) for name in ("var", "std")},
    "mean": _reduction("mean", j.FLOATING),
    **{name: _place(name) for name in ("argmax", "argmin")},
    "sort": _along("sort", j.INTEGER + j.REAL, descending=booleans),
    "argsort": _along("argsort", j.INTEGER + j.REAL, descending=booleans),
    "cumulative_sum": _along("cumulative_sum", j.NUMERIC, include_initial=booleans),
    "cumulative_prod": _along("cumulative_prod", j.NUMERIC, include_initial=booleans),
    "flip": _flip,
    "roll": _roll,
    "reshape": _reshape,
    "expand_dims": _expand,
    "squeeze": _squeeze,
    "permute_dims": _permute,
    "moveaxis": _moveaxis,
    "broadcasting": _broadcast,
    "joining": _joined,
    "repeating": _repeat,
    "taking": _take,
    "where": _where,
    "searching": _searching,
    "sets": _sets,
    "clip": _clip,
    "diff": _diff,
    "creation": _creation,
    "dtypes": _dtypes,
    "products": _products,
    "solving": _solving,
    "factors": _factors,
    "transforms": _transforms,
}


@pytest.mark.parametrize("name", CASES)
def test_function(name: str) -> None:
    @few
    @given(st.data())
    def check(data: Any) -> None:
        CASES[name](data.draw)

    check()


@pytest.mark.parametrize("operator", j.OPERATORS)
def test_operator(operator: str) -> None:
    name = j.OPERATORS[operator]

    @few
    @given(st.data())
    def check(data: Any) -> None:
        a, b = data.draw(two(j.BINARY[name], safe=True))
        wide = {"uint16", "uint32", "uint64"} & {a.dtype.name, b.dtype.name}
        if a.dtype != b.dtype and (0 in (a.ndim, b.ndim) or wide):
            return  # operators promote as PyTorch's do: docs/array-api.md
        if name in ("floor_divide", "remainder") and a.dtype.kind in "iu":
            b = np.where(b == 0, b.dtype.type(1), b)
        if name.endswith("shift"):
            b = (abs(b.astype(np.int64)) % 8).astype(b.dtype)
        with np.errstate(all="ignore"):
            want = getattr(j.theirs(a), operator)(j.theirs(b))
            got = getattr(j.mine(a), operator)(j.mine(b))
        j.compare(got, want, signs=name != "remainder")

    check()


KEYS = [
    0, -1, slice(None), slice(None, None, -1), slice(3, 0, -2), slice(1, None), slice(5, 9), None, ..., (0, ...),
    (..., 0), (None, slice(None), 1), (slice(None, None, 2), slice(None, None, -1)), (1, 2),
    (slice(0, 0),), (..., None), (),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "complex128"])
def test_indexing(key: Any, dtype: str) -> None:
    a = np.arange(12).reshape(4, 3).astype(dtype)
    if np.ndim(key) == 0 and not isinstance(key, (slice, tuple)) and key not in (None, ...):
        a = a[:, 0].copy()
    if key == slice(None) or isinstance(key, slice):
        a = a[:, 0].copy()
    t = j.mine(a)
    np.testing.assert_array_equal(t[key].numpy(), a[key])
    t[key] = True if dtype == "bool" else 7
    a[key] = 7
    np.testing.assert_array_equal(t.numpy(), a)


def test_masks_and_index_arrays() -> None:
    a = np.arange(12.0).reshape(4, 3)
    t, r = j.mine(a), j.theirs(a)
    j.compare(t[t > 4], r[r > 4])
    t[t > 4], r[r > 4] = 0.0, 0.0
    j.compare(t, r)
    places = np.array([2, 0])
    j.compare(t[j.mine(places), 1], r[j.theirs(places), 1])


def test_writing_is_on_the_graph() -> None:
    x = wengert.arange(3.0, dtype=wengert.float64).requires_grad_()
    y = xp.zeros((4,), dtype=xp.float64)
    y[1:] = x * x
    y[xp.asarray([True, False, False, True])] = xp.sum(x)
    xp.sum(y * xp.arange(4, dtype=xp.float64)).backward()
    assert x.grad.tolist() == [3.0, 7.0, 3.0]


def _with_itself(f: Any) -> Any:
    return lambda x: f(x, xp.flip(x) + 0.11)


def _regular(f: Any) -> Any:
    return lambda x: f(x + 2 * xp.eye(3, dtype=x.dtype))


def _of_complex(f: Any) -> Any:
    return lambda x: f(xp.astype(x, xp.complex128))


def _differentiable() -> dict[str, Any]:
    """Functions of a 3 x 3 matrix of positive numbers with distinct elements."""
    smooth = "abs acos asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 negative positive reciprocal real"
    one = {name: getattr(xp, name) for name in [*smooth.split(), "sin", "sinh", "sqrt", "square", "tan", "tanh"]}
    pairs = "add atan2 divide hypot logaddexp maximum minimum multiply pow subtract copysign remainder"
    pairs += " matmul vecdot tensordot"
    two_of = {name: _with_itself(getattr(xp, name)) for name in pairs.split()}
    along = "sum prod mean std var max min sort cumulative_sum cumulative_prod diff flip"
    reduced = {name: partial(getattr(xp, name), axis=1) for name in along.split()}
    parts = {
        "asarray": lambda x: xp.asarray([x[0, 0], x[1, 1]]),
        "astype": lambda x: xp.astype(x, xp.complex128),
        "broadcast_to": lambda x: xp.broadcast_to(x, (2, 3, 3)),
        "clip": lambda x: xp.clip(x, 0.3, 0.6),
        "concat": lambda x: xp.concat([x, x], axis=None),
        "stack": lambda x: xp.stack([x, x * x], axis=-1),
        "unstack": lambda x: xp.unstack(x, axis=1)[1],
        "take": lambda x: xp.take(x, xp.asarray([2, 0, -1]), axis=1),
        "take_along_axis": lambda x: xp.take_along_axis(x, xp.argsort(x)),
        "where": lambda x: xp.where(x > 0.45, x, x * x),
        "repeat": lambda x: xp.repeat(x, 2, axis=0),
        "tile": lambda x: xp.tile(x, (2, 1)),
        "roll": lambda x: xp.roll(x, 1, axis=0),
        "unique_values": xp.unique_values,
        "full": lambda x: xp.full((2, 2), x[0, 0]),
        "tril": xp.tril,
        "meshgrid": lambda x: xp.meshgrid(x[0], x[1])[0],
        "unary of 0-d and 1-d": lambda x: xp.multiply(x[0, 0], x[1]),
    }
    linear = {
        f"linalg.{name}": _regular(getattr(xp.linalg, name))
        for name in (
            "det",
            "inv",
            "pinv",
            "svdvals",
            "matrix_norm",
            "vector_norm",
            "trace",
            "diagonal",
        )
    } | {
        "linalg.cholesky": lambda x: xp.linalg.cholesky(x @ x.mT + xp.eye(3, dtype=x.dtype)),
        "linalg.eigvalsh": lambda x: xp.linalg.eigvalsh(x + x.mT),
        "linalg.slogdet": lambda x: xp.linalg.slogdet(x).logabsdet,
        "linalg.solve": lambda x: xp.linalg.solve(x + 2 * xp.eye(3, dtype=x.dtype), x[0]),
        "linalg.cross": lambda x: xp.linalg.cross(x, xp.flip(x)),
        "linalg.outer": lambda x: xp.linalg.outer(x[0], x[1]),
        "linalg.matrix_power": lambda x: xp.linalg.matrix_power(x, 3),
    }
    waves = {f"fft.{name}": getattr(xp.fft, name) for name in ("rfft", "rfftn", "ihfft", "fftshift")} | {
        f"fft.{name}": _of_complex(getattr(xp.fft, name))
        for name in ("fft", "ifft", "fftn", "ifftn", "irfft", "hfft", "irfftn")
    }
    return {**one, **two_of, **reduced, **parts, **linear, **waves}


@pytest.mark.parametrize("name", _differentiable())
def test_gradient(name: str) -> None:
    values = np.random.default_rng(11).permutation(np.linspace(0.15, 0.85, 9)).reshape(3, 3)
    x = wengert.from_numpy(values).requires_grad_()
    assert wengert.autograd.gradcheck(_differentiable()[name], (x,))


SPECIAL = {
    **dict.fromkeys(
        [
            "cbrt",
            "entr",
            "erf",
            "erfc",
            "erfcx",
            "erfinv",
            "exp10",
            "exp2",
            "expit",
            "expm1",
            "exprel",
            "gamma",
            "gammaln",
            "i0",
            "i0e",
            "i1",
            "i1e",
        ],
        1,
    ),
    **dict.fromkeys(
        [
            "j0",
            "j1",
            "k0",
            "k0e",
            "k1",
            "k1e",
            "log1p",
            "log_ndtr",
            "logit",
            "ndtr",
            "ndtri",
            "psi",
            "rgamma",
            "sinc",
            "y0",
            "y1",
        ],
        1,
    ),
    **dict.fromkeys(
        [
            "betaln",
            "binom",
            "boxcox",
            "boxcox1p",
            "huber",
            "inv_boxcox",
            "inv_boxcox1p",
            "kl_div",
            "poch",
            "pseudo_huber",
            "rel_entr",
        ],
        2,
    ),
    **dict.fromkeys(["xlog1py", "xlogy"], 2),
    **dict.fromkeys(["chdtr", "chdtrc", "gammainc", "gammaincc", "pdtr", "pdtrc", "stdtr"], -2),
    **dict.fromkeys(["betainc", "betaincc", "fdtr", "fdtrc", "gdtr", "gdtrc"], -3),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special(name: str) -> None:
    """Values are SciPy's; the gradient is by all arguments, or by the last alone where the number is negative."""
    special = pytest.importorskip("scipy.special")
    count = abs(SPECIAL[name])
    rng = np.random.default_rng(3)
    values = [rng.uniform(0.2, 0.8, 5) for _ in range(count)]
    mine = getattr(xp.special, name)
    tensors = [wengert.from_numpy(v.copy()) for v in values]
    np.testing.assert_allclose(mine(*tensors).numpy(), getattr(special, name)(*values), rtol=1e-9, atol=1e-12)
    if SPECIAL[name] > 0:
        assert wengert.autograd.gradcheck(mine, tuple(t.requires_grad_() for t in tensors))
    else:
        assert wengert.autograd.gradcheck(lambda x: mine(*tensors[:-1], x), (tensors[-1].requires_grad_(),))
