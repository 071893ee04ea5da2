"""Run one function on wengert and on PyTorch and compare everything that a user can see of it.

``compare(f, *arrays)`` calls ``f(lib, *tensors)`` with both libraries: values, dtype, shape, the name of ``grad_fn``,
the gradients of all float inputs, and the gradients of those gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

TOLERANCE = {"float16": (2e-3, 2e-3), "float32": (2e-5, 2e-6), "complex64": (2e-5, 2e-6)}


def close(got: np.ndarray, want: np.ndarray, what: str, scale: float = 1.0) -> None:
    """Assert equality to rounding, NaN and infinities included, and the same dtype and shape."""
    assert got.dtype == want.dtype, f"{what}: dtype {got.dtype}, expected {want.dtype}"
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    rtol, atol = TOLERANCE.get(want.dtype.name, (1e-9, 1e-11))
    np.testing.assert_allclose(got, want, rtol=rtol * scale, atol=atol * scale, err_msg=what)


def _tensors(lib: Any, arrays: tuple[Any, ...], frozen: tuple[int, ...]) -> list[Any]:
    tensors = []
    for i, a in enumerate(arrays):
        if not isinstance(a, np.ndarray):
            tensors.append(a)
            continue
        # A copy in the same memory order, so that both libraries see the same strides and neither the other's writes.
        t = lib.from_numpy(a.copy("K")) if a.ndim else lib.tensor(a.item(), dtype=getattr(lib, a.dtype.name))
        if a.dtype.kind in "fc" and i not in frozen:
            t.requires_grad_()
        tensors.append(t)
    return tensors


def _array(t: Any) -> np.ndarray:
    t = t.detach()
    return np.asarray(t.resolve_conj().numpy(force=True) if hasattr(t, "resolve_conj") else t.numpy())


def _name(y: Any) -> str | None:
    return None if y.grad_fn is None else y.grad_fn.name().removeprefix("torch::autograd::")


def _weights(shape: tuple[int, ...], dtype: np.dtype, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(shape)
    return np.asarray(w + 1j * rng.standard_normal(shape) if dtype.kind == "c" else w).astype(dtype)


def _inner(lib: Any, tensors: list[Any], seed: int) -> Any:
    """A scalar made of tensors and fixed random weights."""
    total = 0
    for i, t in enumerate(tensors):
        if t is None:
            continue
        a = _array(t)
        w = _weights(a.shape, a.dtype, seed + i)
        w = lib.tensor(w.tolist(), dtype=getattr(lib, a.dtype.name)).reshape(a.shape)
        term = (t * w).sum()
        total = total + (term.real if a.dtype.kind == "c" else term)
    return total


def _derivatives(lib: Any, y: Any, tensors: list[Any], order: int) -> list[list[np.ndarray | None]]:
    leaves = [t for t in tensors if hasattr(t, "requires_grad") and t.requires_grad]
    found = []
    total = _inner(lib, [y], 1)
    for level in range(order):
        if not total.requires_grad:
            break
        grads = lib.autograd.grad(total, leaves, create_graph=level + 1 < order, allow_unused=True)
        found.append([None if g is None else _array(g) for g in grads])
        total = _inner(lib, [g for g in grads if g is not None], 10 * level + 20)
        if not hasattr(total, "requires_grad"):
            break
    return found


def compare(
    f: Callable[..., Any],
    *arrays: Any,
    order: int = 2,
    name: bool = True,
    frozen: tuple[int, ...] = (),
    scale: float = 1.0,
) -> Any:
    """Assert that ``f`` does on wengert what it does on PyTorch; gives wengert's result.

    Args:
        f: ``f(lib, *tensors)``.
        arrays: inputs; NumPy arrays become tensors (float and complex ones require grad), others are passed on.
        order: how many times to differentiate.
        name: compare the names of ``grad_fn``.
        frozen: positions of arrays that do not require grad.
        scale: how much further than usual the results may lie apart.
    """
    mine, theirs = _tensors(wengert, arrays, frozen), _tensors(torch, arrays, frozen)
    y, want = f(wengert, *mine), f(torch, *theirs)
    close(_array(y), _array(want), "value", scale)
    assert y.requires_grad == want.requires_grad
    if name:
        assert _name(y) == _name(want)
    if order and want.requires_grad:
        got = _derivatives(wengert, y, mine, order)
        expected = _derivatives(torch, want, theirs, order)
        for level, (ours, wanted) in enumerate(zip(got, expected, strict=False), 1):
            for i, (a, b) in enumerate(zip(ours, wanted, strict=True)):
                if b is None or a is None:  # zero and "not reached" are the same derivative
                    assert not np.any(a if b is None else b), f"derivative {level} of input {i}"
                else:
                    close(a, b, f"derivative {level} of input {i}", scale * 4**level)
        for wanted in expected[len(got) :]:
            assert not any(np.any(b) for b in wanted if b is not None), "PyTorch has a further derivative"
    return y


def same_error(f: Callable[..., Any], *arrays: Any, beginning: int | None = None, frozen: tuple[int, ...] = ()) -> str:
    """Assert that ``f`` raises on wengert what it raises on PyTorch; gives wengert's message.

    wengert's message goes on where PyTorch's ends: it must begin with PyTorch's first ``beginning`` characters (all of
    it when None).
    """
    with pytest.raises(Exception) as want:  # noqa: PT011 - which exception it is, PyTorch says
        f(torch, *_tensors(torch, arrays, frozen))
    kind = next(
        k for k in (NotImplementedError, IndexError, ValueError, TypeError, RuntimeError) if isinstance(want.value, k)
    )
    with pytest.raises(kind) as got:
        f(wengert, *_tensors(wengert, arrays, frozen))
    text = str(want.value)
    assert str(got.value).startswith(text if beginning is None else text[:beginning]), (str(got.value), text)
    return str(got.value)
