"""Choosing and adding at indices by machine code against NumPy's way: the same bits, the same errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert
from wengert.compile.eager.indexed import index_kernel
from wengert.compile.nest_check import check_kernel
from wengert.ops.machine import MACHINE
from wengert.ops.record import TABLE

NAMES = [
    f"{what} {whose} {depth}"
    for what in ("chosen", "added")
    for whose in ("own", "shared")
    for depth in ("flat", "deep")
]
SHAPES = [
    ((4000,), 0),
    ((70, 90), 1),
    ((90, 70), 0),
    ((1, 3000), 1),
    ((11, 13, 17), 1),
    ((11, 13, 17), 0),
    ((600, 5), 1),
]
DTYPES = [np.float32, np.float64]
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45]

Case = Callable[[], Any]


@pytest.fixture(autouse=True)
def numpys_way() -> Iterator[None]:
    """Each test leaves machine code as it found it."""
    find = MACHINE.find
    yield
    MACHINE.bind(find)


def values(dtype: Any, *shape: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    x.flat[rng.integers(0, x.size, len(SPECIAL))] = np.array(SPECIAL, dtype)
    return x


def places(below: int, *shape: int) -> Any:
    return np.random.default_rng(7).integers(0, below, shape)


def calls(shape: tuple[int, ...], dim: int, dtype: Any) -> dict[str, Case]:
    """Each operation that asks for machine code, on arrays of this shape."""
    x, own = values(dtype, *shape), places(shape[dim], *shape)
    count = shape[dim] + 3
    shared = places(shape[dim], count)
    longer = (*shape[:dim], count, *shape[dim + 1 :])
    rows = values(dtype, *longer, seed=1)
    spec = (*(False,) * dim, True)
    return {
        "gather": lambda: TABLE["gather"].impl(x, own, dim=dim),
        "gather_backward": lambda: TABLE["gather_backward"].impl(x, own, shape=shape, dim=dim),
        "scatter_add": lambda: TABLE["scatter_add"].impl(x, own, x[::-1].copy(), dim=dim),
        "index_select": lambda: TABLE["index_select"].impl(x, shared, dim=dim),
        "index_select_backward": lambda: TABLE["index_select_backward"].impl(rows, shared, shape=shape, dim=dim),
        "index_add": lambda: TABLE["index_add"].impl(x, shared, rows, dim=dim, alpha=1),
        "index_backward": lambda: TABLE["index_backward"].impl(rows, shared - shape[dim], shape=shape, spec=spec),
    }


def bits(x: Any) -> Any:
    return x.view(np.uint32 if x.dtype == np.float32 else np.uint64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_both_ways_give_the_same_bits(shape: tuple[int, ...], dim: int, dtype: Any) -> None:
    assert MACHINE.find is not None
    for name, call in calls(shape, dim, dtype).items():
        by_machine = call()
        find = MACHINE.find
        MACHINE.bind(None)
        by_numpy = call()
        MACHINE.bind(find)
        assert by_machine.shape == by_numpy.shape, name
        assert by_machine.dtype == dtype, name
        assert by_machine.flags.c_contiguous, name
        np.testing.assert_array_equal(bits(by_machine), bits(by_numpy), err_msg=name)


def test_machine_code_runs_where_it_should() -> None:
    """The comparison above compares two ways."""
    asked: list[str] = []
    find = MACHINE.find
    assert find is not None

    def noted(name: str, dtype: str) -> Any:
        asked.append(name)
        return find(name, dtype)

    MACHINE.bind(noted)
    for shape, dim in SHAPES:
        for call in calls(shape, dim, np.float32).values():
            call()
    assert set(NAMES) - set(asked) == {"chosen shared deep"}  # whole rows are NumPy's


@pytest.mark.parametrize("wrong", [-1, 70])
def test_an_index_outside_is_an_error_and_reads_nothing(wrong: int) -> None:
    x, index = values(np.float32, 60, 70), places(70, 60, 70)
    index[37, 5] = wrong
    for call in (
        lambda: TABLE["gather"].impl(x, index, dim=1),
        lambda: TABLE["gather_backward"].impl(x, index, shape=(60, 70), dim=1),
        lambda: TABLE["index_select_backward"].impl(x, index[37], shape=(60, 70), dim=1),
        lambda: TABLE["index_add"].impl(x, index[37], x, dim=1, alpha=1),
    ):
        with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for dimension 1 with size 70"):
            call()


def test_users_see_the_usual_errors() -> None:
    x, index = wengert.zeros(60, 70), wengert.full((60, 70), 70)
    with pytest.raises(RuntimeError, match="index 70 is out of bounds for dimension 1 with size 70"):
        wengert.gather(x, 1, index)
    with pytest.raises(IndexError, match="index out of range in self"):
        wengert.index_select(x, 1, index[0])


def test_arrays_out_of_order_and_other_types_go_the_other_way() -> None:
    x, index = values(np.float32, 70, 60).T, places(70, 60, 70)
    expected = np.take_along_axis(x, index, 1)
    np.testing.assert_array_equal(TABLE["gather"].impl(x, index, dim=1), expected)
    np.testing.assert_array_equal(TABLE["gather"].impl(x.copy(), index[:, ::-1], dim=1), expected[:, ::-1])
    whole = np.arange(4200).reshape(60, 70)
    np.testing.assert_array_equal(TABLE["gather"].impl(whole, index, dim=1), np.take_along_axis(whole, index, 1))
    few = index[:40]  # fewer lines than the input has
    np.testing.assert_array_equal(TABLE["gather"].impl(x.copy(), few, dim=1), np.take_along_axis(x[:40], few, 1))


def test_threads_change_no_bit() -> None:
    x, index = values(np.float32, 600, 900), places(900, 600, 900)
    before = wengert.get_num_threads()
    results = []
    for threads in (1, 2):
        wengert.set_num_threads(threads)
        results.append([TABLE["gather"].impl(x, index, dim=1), TABLE["scatter_add"].impl(x, index, x, dim=1)])
    wengert.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(bits(one), bits(two))


def test_the_switch_turns_it_off() -> None:
    kernels = wengert.backends.kernels
    before = kernels.enabled
    kernels.enabled = False
    try:
        assert MACHINE.find is None
    finally:
        kernels.enabled = before
    assert (MACHINE.find is not None) == before


@pytest.mark.parametrize("name", NAMES)
def test_the_loop_nests_are_well_formed(name: str) -> None:
    for dtype in ("f4", "f8"):
        check_kernel(index_kernel(name, dtype))
