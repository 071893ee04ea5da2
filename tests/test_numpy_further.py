"""NumPy's less frequent functions on tensors: values are NumPy's, gradients those of differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

A = np.array([[0.3, 1.2, 0.7, -0.6], [0.9, -0.4, 1.6, 0.1], [-1.1, 0.5, 0.2, 0.8]])
S = A[:, :3] @ A[:, :3].T + 2 * np.eye(3)
MASK = A > 0.25
NAN = np.where(A < -0.5, np.nan, A)

CALLS: dict[str, Callable[[Any], Any]] = {
    # Elements in other places.
    "atleast_3d": np.atleast_3d,
    "rollaxis": lambda a: np.rollaxis(a, 1),
    "expand_dims": lambda a: np.expand_dims(a, (0, -1)),
    "matrix_transpose": lambda a: np.linalg.matrix_transpose(a) + np.matrix_transpose(a),
    "splits": lambda a: np.hsplit(a, 2)[1] + np.vsplit(a, [1])[0][0, 0] + np.dsplit(a[..., None], 1)[0][0, 0, 0],
    "take": lambda a: np.take(a, [0, 2]) + np.take(a, 5) + np.take(a, [9, 1], axis=0, mode="wrap")[0, 0],
    "take of many": lambda a: np.take(a, [[0, 1], [2, -1]], axis=1),
    "pad by reflection": lambda a: np.pad(a, ((1, 0), (2, 1)), mode="reflect"),
    "pad by its edge": lambda a: np.pad(a, 1, mode="edge"),
    "pad around": lambda a: np.pad(a, (2, 3), "wrap") + np.pad(a, (2, 3), mode="symmetric"),
    "insert": lambda a: np.insert(a, 1, 5, axis=1) + np.insert(a, 2, a[:, 0], axis=1),
    "insert flat": lambda a: np.insert(a, [1, 3], [1.0, 2.0]),
    "delete": lambda a: np.delete(a, 1, axis=0) + np.delete(a, [0], axis=0),
    "resize": lambda a: np.resize(a, (2, 7)),
    "compress": lambda a: np.compress([True, False, True], a, axis=0),
    "extract": lambda a: np.extract(MASK, a),
    "choose": lambda a: np.choose([0, 2, 1, 0], a),
    "block": lambda a: np.block([[a, 2 * a], [np.ones((1, 8))]]),
    "partition": lambda a: np.partition(a, 2)[:, 2] + np.partition(a, 3, axis=None)[3],
    "unique": lambda a: np.unique(a) * np.unique(a, return_counts=True)[1],
    "unique rows": lambda a: np.unique(a, axis=0),
    "apply_along_axis": lambda a: np.apply_along_axis(lambda row: row * row[0], 0, a),
    "apply_along_axis to numbers": lambda a: np.apply_along_axis(lambda row: row.sum() ** 2, 1, a),
    # Some of the elements.
    "max where": lambda a: np.max(a, axis=1, initial=-1.0, where=MASK) + np.amin(a, axis=0, initial=0.0)[0],
    "mean where": lambda a: np.mean(a, where=MASK) + np.mean(a, axis=1, where=MASK, keepdims=True),
    "sum where": lambda a: np.sum(a, axis=0, where=MASK, initial=3.0),
    "amax": lambda a: np.amax(a, axis=1) + np.amin(a) + np.around(a[:, 0] * 0, 1),
    "average": lambda a: np.average(a, axis=0, weights=[1.0, 2.0, 3.0]),
    "nanprod": lambda a: np.nanprod(a) + np.nanprod(a, axis=1, keepdims=True),
    "nanmedian": lambda a: np.nanmedian(a) + np.nanmedian(a, axis=1),
    "nanquantile": lambda a: np.nanquantile(a, 0.4, axis=0) + np.nanpercentile(a, [30])[0],
    "cumulative_sum": lambda a: np.cumulative_sum(a, axis=1, include_initial=True),
    "cumulative_prod": lambda a: np.cumulative_prod(a[0], include_initial=True) + np.cumulative_prod(a[0])[2],
    # Signals, samples, fits.
    "convolve": lambda a: np.convolve(a[0], a[1, :3]) + np.convolve(a[1, :3], a[0])[0],
    "convolve same": lambda a: np.convolve(a[0], a[1, :3], "same") + np.convolve(a[1, :2], a[0], "same"),
    "convolve valid": lambda a: np.convolve(a[0], a[1, :2], "valid"),
    "correlate": lambda a: np.correlate(a[0], a[1, :3]) + np.correlate(a[1, :3], a[0])[1],
    "correlate full": lambda a: np.correlate(a[0], a[1, :3], "full"),
    "correlate same": lambda a: np.correlate(a[0], a[1, :3], "same") + np.correlate(a[1, :2], a[0], "same"),
    "correlate same, even": lambda a: np.correlate(a[0], a[1], "same"),
    "interp": lambda a: np.interp(a[0], [0.0, 0.5, 1.0, 2.0], np.cumsum(np.abs(a[1]))),
    "interp at new places": lambda a: np.interp([-1.0, 0.1, 1.0, 9.0], np.cumsum(np.exp(a[1])), a[2], left=2, right=3),
    "linspace": lambda a: np.linspace(a[0, 0], a[0, 1], 4) + np.linspace(a[0], 2.0, 4, endpoint=False, axis=1)[0],
    "logspace": lambda a: np.logspace(a[0, 0], 1.0, 3) + np.geomspace(abs(a[0, 0]), 2.0, 3),
    "unwrap": lambda a: np.unwrap(9 * a, axis=0) + np.unwrap(a, period=0.5),
    "bincount": lambda a: np.bincount([0, 2, 2, 1], weights=a[0], minlength=5),
    "polyfit": lambda a: (
        np.polyfit([0.0, 1.0, 2.0, 4.0], a[0], 2) + np.polyfit(np.exp(a[1]), a[2], 1, w=[1, 2, 1, 3])[0]
    ),
    "piecewise": lambda a: np.piecewise(a, [a > 0.55, a < 0], [lambda x: x**2, 3.0, lambda x: -x]),
    "lstsq": lambda a: np.linalg.lstsq(a[:, :2], np.ones(3), rcond=None)[0],
    "lstsq residuals": lambda a: np.linalg.lstsq(a[:, :2], a[:, 2:], rcond=None)[1],
    # Single numbers and linear algebra.
    "fmod": lambda a: np.fmod(a, 0.37) + np.fmod(2.03, a),
    "parts": lambda a: np.modf(a)[0] + np.fix(3 * a) + np.ldexp(a, 2) + np.frexp(a + 0.01)[0],
    "heaviside": lambda a: a * np.heaviside(a, 0.5),
    "norms": lambda a: np.linalg.vector_norm(a) + np.linalg.matrix_norm(a) + np.linalg.vector_norm(a, axis=0, ord=3),
    "products": lambda a: np.linalg.outer(a[0], a[1]) + np.linalg.vecdot(a, a)[0] + np.linalg.trace(a @ a.T),
    "cross": lambda a: np.linalg.cross(a[:, :3], a[:, 1:]),
    "real_if_close": lambda a: np.real_if_close(a) * 2,
    "rfft2": lambda a: np.fft.irfft2(np.fft.rfft2(a) * 2),
}


def _is_of(y: Any) -> bool:
    return isinstance(y, wengert.Tensor) and y.requires_grad


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    f = CALLS[name]
    values = NAN if name.startswith("nan") else A
    x = wengert.tensor(values, requires_grad=True)
    y, want = f(x), f(values)
    assert _is_of(y)
    assert y.shape == np.shape(want)
    assert y.dtype == wengert.float64
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-10, atol=1e-12)
    there = ~np.isnan(values)

    def of_numbers(v: Any) -> Any:
        filled = wengert.where(wengert.tensor(there), wengert.zeros(values.shape, dtype=wengert.float64), np.nan)
        return f(filled.index_put((wengert.tensor(there),), v))

    assert wengert.autograd.gradcheck(of_numbers, (wengert.tensor(values[there], requires_grad=True),))


def test_linear_algebra() -> None:
    x = wengert.tensor(S, requires_grad=True)
    for f in (
        lambda s: np.linalg.cond(s),
        lambda s: np.linalg.tensorsolve(s, np.ones(3)),
        lambda s: np.linalg.tensorinv(s, ind=1),
    ):
        assert _is_of(f(x))
        np.testing.assert_allclose(f(x).detach().numpy(), f(S), rtol=1e-10)
        assert wengert.autograd.gradcheck(f, (x,))


def test_several_results_and_plain_data() -> None:
    x = wengert.tensor(A, requires_grad=True)
    for f in (np.unstack, lambda a: np.hsplit(a, 2), lambda a: np.split(a, [1, 2])):
        for got, want in zip(f(x), f(A), strict=True):
            assert _is_of(got)
            np.testing.assert_array_equal(got.detach().numpy(), want)
    mantissa, exponent = np.frexp(x)
    assert _is_of(mantissa)
    np.testing.assert_array_equal(exponent.numpy(), np.frexp(A)[1])
    for f in (
        np.signbit,
        np.spacing,
        np.nanargmax,
        lambda a: np.lexsort((a[0], a[1])),
        lambda a: np.argpartition(a, 1),
    ):
        np.testing.assert_array_equal(np.asarray(f(x)), f(A))
    values, index, inverse = np.unique(x, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(values.detach().numpy()[inverse].reshape(A.shape), A)
    np.testing.assert_array_equal(A.reshape(-1)[index], values.detach().numpy())
    _, step = np.linspace(x[0, 0], x[0, 1], 5, retstep=True)
    assert step.item() == pytest.approx((A[0, 1] - A[0, 0]) / 4)
    z = np.sort_complex(x[0] + 1j * x[1])
    np.testing.assert_array_equal(z.detach().numpy(), np.sort_complex(A[0] + 1j * A[1]))


def test_what_cannot_be_is_said() -> None:
    x = wengert.tensor(A, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"np.pad with mode on Tensor that requires grad"):
        np.pad(x, 1, mode="mean")
    with pytest.raises(ValueError, match="needs an initial value"):
        np.max(x, where=MASK)
    with pytest.raises(ValueError, match="modes full, same and valid"):
        np.convolve(x[0], x[1], "all")
    with pytest.raises(ValueError, match="several dimensions"):
        np.cumulative_sum(x)
    with pytest.raises(IndexError):
        np.take(x, 99)
