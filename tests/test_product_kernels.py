"""Products of matrices by machine code are those of NumPy, whatever the operands' strides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert as w
from wengert.compile.eager.products import function
from wengert.ops.machine import MACHINE
from wengert.ops.products import dot, stacked
from wengert.ops.record import TABLE

if function("product 2", "f4") is None:
    pytest.skip("NumPy multiplies on this machine", allow_module_level=True)

SHAPES = [(2, 8, 40), (3, 50, 7), (16, 16, 16), (1, 600, 5), (9, 1, 90), (300, 3, 9), (37, 53, 401), (130, 97, 193)]
LEADS: list[tuple[int, ...]] = [(), (3,), (2, 3)]
DTYPES = [np.float32, np.float64]


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The names by which machine code is asked for while the test runs."""
    find, names = MACHINE.find, list[str]()
    assert find is not None

    def noted(name: str, dtype: str) -> Any:
        names.append(name)
        return find(name, dtype)

    MACHINE.bind(noted)
    yield names
    MACHINE.bind(find)


def layouts(x: Any) -> list[Any]:
    """The same values in memory order, transposed, between other elements, backwards, and not at all aligned."""
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
    wide[..., ::2] = x
    odd = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    return [
        x,
        x.swapaxes(-1, -2).copy().swapaxes(-1, -2),
        wide[..., ::2],
        x[..., ::-1, :].copy()[..., ::-1, :],
        np.asfortranarray(x),
        odd,
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("shape", SHAPES)
def test_products_are_those_of_numpy(shape: tuple[int, int, int], lead: tuple[int, ...], dtype: Any) -> None:
    m, n, k = shape
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((*lead, m, k)).astype(dtype), rng.standard_normal((*lead, k, n)).astype(dtype)
    exact = np.matmul(a.astype(np.longdouble), b.astype(np.longdouble))
    room = np.matmul(abs(a), abs(b)) * np.finfo(dtype).eps * (4 + k / 16)
    first = None
    for left, right in [(x, y) for x in layouts(a) for y in layouts(b)]:
        y = stacked(left, right) if lead else dot(left, right)
        assert y.dtype == dtype
        assert y.flags.c_contiguous
        assert y.flags.writeable
        assert (abs(y - exact) <= room).all()
        if left.flags.aligned and right.flags.aligned:
            first = y if first is None else first
            by_machine = m > 1 and (n >= 8 or m * n * k <= 4096) and m * n * k >= 512
            assert not by_machine or (y == first).all()  # an element's sum does not depend on the layout


def test_machine_code_is_asked_for_where_it_should_be(asked: list[str]) -> None:
    def names_for(m: int, k: int, n: int, *lead: int) -> list[str]:
        MACHINE.bind(MACHINE.find)
        asked.clear()
        w.matmul(w.ones(*lead, m, k), w.ones(*lead, k, n))
        return list(asked)

    assert names_for(16, 16, 16) == ["product 2"]
    assert names_for(8, 8, 8, 5) == ["product 3"]
    assert names_for(8, 8, 8, 5, 2) == ["product 4"]
    assert names_for(5, 5, 5) == []  # nothing is loaded for so little
    assert names_for(1, 100, 100) == []
    assert names_for(200, 100, 4) == []
    assert names_for(8, 8, 8, 5, 2, 1) == []


@pytest.mark.parametrize("at", [0, 36, 300])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_row_and_column(value: float, at: int) -> None:
    a, b = np.ones((37, 301), np.float32), np.ones((301, 53), np.float32)
    a[at % 37, at] = value
    y = dot(a, b)
    assert not np.isfinite(y[at % 37]).any()
    y[at % 37] = 0
    assert np.isfinite(y).all()
    b[at, 11] = value
    y = dot(np.ones_like(a), b)
    assert not np.isfinite(y[:, 11]).any()
    assert np.isfinite(np.delete(y, 11, 1)).all()


def test_a_matrix_times_its_transpose_is_symmetric() -> None:
    a = np.random.default_rng(1).standard_normal((70, 290)).astype(np.float32)
    y = dot(a, a.T)
    assert (y == y.T).all()


def test_what_does_not_fit_is_numpys() -> None:
    a, b = np.ones((20, 30), np.float32), np.ones((31, 20), np.float32)
    with pytest.raises(ValueError, match=r"30.*31|31.*30"):
        dot(a, b)
    assert dot(a, b[:30].astype(np.float64)).dtype == np.float64
    assert dot(a.astype(np.float16), b[:30].astype(np.float16)).dtype == np.float16
    assert (dot(a.astype(np.int64), b[:30].astype(np.int64)) == 30).all()
    swapped = a.astype(a.dtype.newbyteorder())
    assert (dot(swapped, b[:30]) == 30).all()
    assert stacked(np.ones((1, 20, 30), np.float32), np.ones((4, 30, 20), np.float32)).shape == (4, 20, 20)


def test_products_by_either_way_have_the_same_gradients() -> None:
    def gradients() -> list[Any]:
        x = w.tensor(np.random.default_rng(2).standard_normal((6, 40, 30)), requires_grad=True)
        v = w.tensor(np.random.default_rng(3).standard_normal((30, 20)), requires_grad=True)
        y = w.nn.functional.linear(w.bmm(x, x.transpose(1, 2)) @ x, v.T)
        (y * y).sum().backward()
        return [x.grad.numpy(), v.grad.numpy()]

    by_machine = gradients()
    find = MACHINE.find
    MACHINE.bind(None)
    try:
        by_numpy = gradients()
    finally:
        MACHINE.bind(find)
    for mine, numpys in zip(by_machine, by_numpy, strict=True):
        np.testing.assert_allclose(mine, numpys, rtol=1e-11, atol=1e-11 * abs(numpys).max())
    assert TABLE["bmm"].impl is stacked
