"""NumPy's functions on tensors: recorded and differentiable where a tensor is tracked, as in PyTorch where none is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

A = np.array([[0.3, 1.2, 0.7], [0.9, 0.4, 1.6]])
B = np.array([[1.1, 0.6, 0.2], [0.5, 1.4, 0.8]])
V = np.array([0.4, 1.3, 0.9])

CALLS: dict[str, Callable[..., Any]] = {
    "sin": lambda a, b: np.sin(a),
    "exp of log": lambda a, b: np.exp(np.log(a)),
    "sqrt": lambda a, b: np.sqrt(a),
    "square": lambda a, b: np.square(a),
    "reciprocal": lambda a, b: np.reciprocal(a),
    "log10": lambda a, b: np.log10(a),
    "cbrt": lambda a, b: np.cbrt(a),
    "degrees": lambda a, b: np.degrees(np.deg2rad(a)),
    "abs": lambda a, b: np.abs(a - 0.8),
    "operators": lambda a, b: b * a + a / b - b**a + (b - a) * 2.0,
    "numbers": lambda a, b: np.float64(2) * a + np.power(2.0, a) + np.divide(3.0, a) - np.subtract(1, a),
    "minimum": lambda a, b: np.minimum(a, b) + np.maximum(b, a) * np.maximum(a, 0.5),
    "arctan2": lambda a, b: np.arctan2(b, a) + np.hypot(a, b) + np.logaddexp(a, b),
    "matmul": lambda a, b: b.T @ a,
    "remainder": lambda a, b: np.remainder(a, 0.77),
    "add.reduce": lambda a, b: np.add.reduce(a),
    "multiply.reduce": lambda a, b: np.multiply.reduce(a, axis=1),
    "maximum.reduce": lambda a, b: np.maximum.reduce(a, axis=1, keepdims=True),
    "add.accumulate": lambda a, b: np.add.accumulate(a, axis=1),
    "multiply.outer": lambda a, b: np.multiply.outer(a, b),
    "concatenate": lambda a, b: np.concatenate([a, b], axis=1),
    "concatenate flat": lambda a, b: np.concatenate([a, b], axis=None),
    "stack": lambda a, b: np.stack([a, b], axis=-1),
    "vstack": lambda a, b: np.vstack([a, V]),
    "hstack": lambda a, b: np.hstack([a, b]),
    "column_stack": lambda a, b: np.column_stack([a[:, 0], b]),
    "sum": lambda a, b: np.sum(a) + np.sum(a, axis=0) + np.sum(a, 0, keepdims=True),
    "sum of several": lambda a, b: np.sum(a, axis=(0, 1)),
    "mean": lambda a, b: np.mean(a, axis=1),
    "prod": lambda a, b: np.prod(a) + np.prod(a, axis=0),
    "max": lambda a, b: np.max(a, axis=0) - np.min(a),
    "std": lambda a, b: np.std(a) + np.var(a, axis=0, ddof=1),
    "cumsum": lambda a, b: np.cumsum(a) + np.cumprod(a),
    "sort": lambda a, b: np.sort(a, axis=1),
    "dot": lambda a, b: np.dot(a, V) + np.dot(a, b.T)[0],
    "inner": lambda a, b: np.inner(a, b),
    "outer": lambda a, b: np.outer(a, V),
    "vdot": lambda a, b: np.vdot(a, b),
    "tensordot": lambda a, b: np.tensordot(a, b, axes=([1], [1])) + np.tensordot(a, b),
    "einsum": lambda a, b: np.einsum("ij,kj->ik", a, b),
    "trace": lambda a, b: np.trace(a) + np.diagonal(a).sum(),
    "diag": lambda a, b: np.diag(a[0]) + np.tril(np.outer(a[0], V)) - np.triu(np.outer(V, a[1])),
    "norm": lambda a, b: np.linalg.norm(a) + np.linalg.norm(a, axis=1),
    "inv": lambda a, b: np.linalg.inv(a @ b.T + 3 * np.eye(2)),
    "where": lambda a, b: np.where(B > 0.7, a, 2.0) + np.where(A > 0.7, 0.0, a),
    "clip": lambda a, b: np.clip(a, 0.5, 1.0),
    "shapes": lambda a, b: np.reshape(a, (3, 2)) + np.transpose(a) + np.swapaxes(b * a, 0, 1),
    "more shapes": lambda a, b: np.squeeze(np.expand_dims(a, 0), 0) + np.moveaxis(np.moveaxis(a, 0, 1), 1, 0),
    "ravel": lambda a, b: np.ravel(a) + np.broadcast_to(a[0, 0], (6,)),
    "tile": lambda a, b: np.tile(a, (2, 1)) + np.repeat(a, 2, axis=0),
    "roll": lambda a, b: np.roll(a, 1) + np.roll(a, 1, axis=1) + np.flip(a) + np.flip(a, 1),
    "take": lambda a, b: np.take(a, np.array([2, 0]), axis=1),
    "diff": lambda a, b: np.diff(a),
    "copy": lambda a, b: np.copy(a) * np.ones_like(a) + np.zeros_like(a),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_value_is_numpys_and_the_gradient_is_right(name: str) -> None:
    f = CALLS[name]
    a = wengert.tensor(A, requires_grad=True)
    y = f(a, B)
    want = f(A, B)
    assert isinstance(y, wengert.Tensor)
    assert y.requires_grad
    assert y.shape == np.shape(want)
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-13, atol=1e-14)
    b = wengert.tensor(B)
    if name not in ("matmul", "inv", "dot"):
        assert wengert.autograd.gradcheck(lambda a: f(a, b), (wengert.tensor(A, requires_grad=True),))
    else:
        assert wengert.autograd.gradcheck(lambda a: f(a, B), (wengert.tensor(A, requires_grad=True),))


def test_the_graph_names_the_users_line() -> None:
    a = wengert.tensor(A, requires_grad=True)
    y = np.exp(a)
    with wengert.no_grad():
        y += 1
    with pytest.raises(RuntimeError, match=r"test_numpy_protocol.py:\d+, `y = np.exp\(a\)`"):
        y.sum().backward()


def test_what_is_not_there_says_so() -> None:
    a = wengert.tensor(A, requires_grad=True)
    for call in (
        lambda: np.sin(a, where=A > 1),
        lambda: np.poly(a[:, :2]),
        lambda: np.prod(a, where=A > 1),
        lambda: np.add(A, a, out=A.copy()),
        lambda: np.asarray(a),
        lambda: np.histogram2d(a[0], a[1], weights=a[0]),
    ):
        with pytest.raises(RuntimeError, match=r"on Tensor that requires grad"):
            call()


def test_untracked_tensors_are_left_to_numpy() -> None:
    t = wengert.tensor(A)
    assert isinstance(np.stack([t, t]), np.ndarray)
    assert isinstance(np.sin(t), wengert.Tensor)
    assert isinstance(np.median(t), float)
    assert np.allclose(np.linalg.norm(t), np.linalg.norm(A))
    with wengert.no_grad():
        assert isinstance(np.concatenate([wengert.ones(2, requires_grad=True)] * 2), np.ndarray)
    array = A.copy()
    array += t
    np.testing.assert_array_equal(array, 2 * A)
    out = wengert.zeros(2, 3, dtype=wengert.float64)
    assert np.sin(t, out=out) is out
    np.testing.assert_array_equal(out.numpy(), np.sin(A))


def test_arrays_and_tensors_on_both_sides() -> None:
    t = wengert.tensor([1.0, 2.0], requires_grad=True)
    array = np.array([3.0, 4.0], dtype=np.float32)
    for y, want in (
        (array * t, [3, 8]),
        (array - t, [2, 2]),
        (array / t, [3, 2]),
        (array**t, [3, 16]),
        (array @ t, 11),
        (array > t, [True, True]),
        (array == t, [False, False]),
    ):
        assert isinstance(y, wengert.Tensor)
        assert y.tolist() == want
        assert y.dtype in (wengert.float32, wengert.bool)


FURTHER: dict[str, Any] = {
    "det": np.linalg.det,
    "solve": lambda m: np.linalg.solve(m, m[0]),
    "eigvalsh": lambda m: np.linalg.eigvalsh(m + np.transpose(m)),
    "svd": lambda m: np.linalg.svd(m, compute_uv=False),
    "cholesky": lambda m: np.linalg.cholesky(m @ np.transpose(m)),
    "slogdet": lambda m: np.linalg.slogdet(m)[1],
    "pinv": np.linalg.pinv,
    "matrix power": lambda m: np.linalg.matrix_power(m, 3),
    "norm": np.linalg.norm,
    "norm 1": lambda m: np.linalg.norm(m, 1),
    "norm 2": lambda m: np.linalg.norm(m, 2),
    "norm axis": lambda m: np.linalg.norm(m, axis=1),
    "rfft": lambda m: abs(np.fft.rfft(m, axis=0)),
    "fft2": lambda m: abs(np.fft.fft2(m)),
    "median": lambda m: np.median(m, axis=0),
    "percentile": lambda m: np.percentile(m, 30, axis=1),
    "average": lambda m: np.average(m, axis=0, weights=np.array([1.0, 2.0, 3.0])),
    "ptp": np.ptp,
    "trapezoid": np.trapezoid,
    "gradient": lambda m: np.gradient(m[0]),
    "kron": lambda m: np.kron(m, m),
    "cross": lambda m: np.cross(m, m[::-1]),
    "pad": lambda m: np.pad(m, ((1, 0), (0, 2)), constant_values=3.0),
    "split": lambda m: np.split(m, 3)[1],
    "array split": lambda m: np.array_split(m, 2, axis=1)[1],
    "append": lambda m: np.append(m, [1.0]),
    "rot90": np.rot90,
    "nanmean": lambda m: np.nanmean(m, axis=0),
    "nanvar": lambda m: np.nanvar(m, axis=0, ddof=1),
    "nanmax": lambda m: np.nanmax(m, axis=1),
    "sum dtype": lambda m: np.sum(m, dtype=np.float64),
    "sum where": lambda m: np.sum(m, axis=0, where=np.eye(3, dtype=bool)),
    "prod of axes": lambda m: np.prod(m, axis=(0, 1)),
    "select": lambda m: np.select([m > 1, m <= 1], [m, m * m]),
    "sinc": np.sinc,
    "polyval": lambda m: np.polyval([1.0, 2.0, 3.0], m),
    "convolve": lambda m: np.convolve(m[0], m[1]),
    "vander": lambda m: np.vander(m[0]),
    "ediff1d": np.ediff1d,
    "meshgrid": lambda m: np.meshgrid(m[0], m[1])[0],
    "divmod": lambda m: np.divmod(m, 0.4 * m + 0.3)[1],
    "matvec": lambda m: np.matvec(m, m[0]),
}


@pytest.mark.parametrize("name", FURTHER)
def test_further_functions(name: str) -> None:
    function = FURTHER[name]
    values = np.random.default_rng(5).uniform(0.2, 1.8, (3, 3)) + np.eye(3)
    x = wengert.from_numpy(values.copy()).requires_grad_()
    y = function(x)
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), function(values), rtol=1e-10, atol=1e-12)
    assert wengert.autograd.gradcheck(function, (x,))


def test_what_has_no_derivative_is_plain() -> None:
    x = wengert.tensor([3.0, 1.0, 2.0], requires_grad=True)
    assert np.argsort(x).tolist() == [1, 2, 0]
    assert np.size(x) == 3
    assert np.allclose(x, x)
    assert np.full_like(x, 2.0).tolist() == [2.0, 2.0, 2.0]


def test_an_array_cannot_take_a_tracked_result() -> None:
    a = np.ones(2)
    x = wengert.ones(2, dtype=wengert.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"np.add with out"):
        a += x
    assert a.tolist() == [1.0, 1.0]


# --- arrays with meanings of their own ---

MASKED = np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0])


@pytest.mark.parametrize(
    "compute",
    [
        lambda m, t: m * t,
        lambda m, t: m + t,
        lambda m, t: m / t,
        lambda m, t: m**t,
        lambda m, t: np.ma.add(m, t),
        lambda m, t: m.copy().__iadd__(t),
        lambda m, t: t * m,
        lambda m, t: t - m,
        lambda m, t: t**m,
        lambda m, t: np.multiply(m, t),
        lambda m, t: np.concatenate([m, t]),
        lambda m, t: np.where(np.ones(3, bool), m, t),
    ],
)
def test_masked_arrays_do_not_swallow_gradients(compute: Any) -> None:
    t = wengert.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises((RuntimeError, TypeError), match="MaskedArray"):
        compute(MASKED, t)


def test_masked_arrays_with_untracked_tensors() -> None:
    t = wengert.tensor([1.0, 2.0, 3.0], requires_grad=True)
    product = MASKED * t.detach()
    assert isinstance(product, np.ma.MaskedArray)
    assert product.mask.tolist() == [False, True, False]
    with wengert.no_grad():
        assert (MASKED * t).filled(0).tolist() == [1.0, 0.0, 9.0]
    with pytest.raises(TypeError, match="tensors have no masks"):
        t.detach() * MASKED
    assert not hasattr(t.detach(), "_mask")


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrices_of_numpy_are_not_multiplied_element_by_element() -> None:
    m, t = np.matrix([[1.0, 2.0], [3.0, 4.0]]), wengert.ones(2, 2, dtype=wengert.float64, requires_grad=True)
    for compute in (lambda: m * t, lambda: t * m, lambda: t**m):
        with pytest.raises(TypeError, match=r"products of matrices.*numpy\.asarray"):
            compute()
    assert (m @ t).tolist() == [[3.0, 3.0], [7.0, 7.0]]
    assert (t @ m).grad_fn is not None
    assert (m + t).tolist() == [[2.0, 3.0], [4.0, 5.0]]
