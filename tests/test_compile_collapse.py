"""Loops directly inside of each other become one where memory is in order."""

from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")
from wengert.compile.lower.collapse import collapsed
from wengert.compile.nest import Buffer, Compute, Kernel, Load, Loop, Role, Statement, Store, at
from wengert.compile.nest_check import check_kernel
from wengert.compile.nest_text import kernel_text


def kernel(*index: Any, shape: tuple[Any, ...] = ("n", "m", 3)) -> Kernel:
    """``y[i, j, k] = x[index] + 1``."""
    inner: tuple[Statement, ...] = (
        Load("a", "x", index),
        Compute("b", "add", ("a", 1.0), "f8"),
        Store("y", (at("i"), at("j"), at("k")), "b"),
    )
    for axis, extent in (("k", 3), ("j", "m"), ("i", "n")):
        inner = (Loop(axis, extent, inner, parallel=axis == "i"),)
    sizes = Buffer("s", "f8", ("n", "m", "h"), Role.IN)
    buffers = (Buffer("x", "f8", shape, Role.IN), Buffer("y", "f8", ("n", "m", 3), Role.OUT))
    return Kernel("k", (*buffers, sizes), inner)


@pytest.mark.parametrize(
    ("made", "loops"),
    [
        (kernel(at("i"), at("j"), at("k")), 1),
        (kernel(at("j"), at("k"), shape=("m", 3)), 2),  # broadcast over the first axis
        (kernel(at("i"), at("j"), shape=("n", "m")), 2),
        (kernel(at("i"), at("k"), shape=("n", 3)), 3),
        (kernel(at("i"), at("j"), at("k"), shape=("n", "m", 4)), 2),  # of wider rows
        (kernel(at("i"), at("j", 1, 1), at("k"), shape=("n", "h", 3)), 3),
        (kernel(at("j"), at("i"), at("k"), shape=("m", "n", 3)), 3),
    ],
)
def test_what_becomes_one(made: Kernel, loops: int) -> None:
    after = collapsed(made)
    check_kernel(after)
    assert kernel_text(after).count("for ") == loops


def test_sums_over_columns_of_stacks() -> None:
    x = torch.tensor(np.random.default_rng(0).standard_normal((50, 20, 10)))
    row = torch.tensor(np.random.default_rng(1).standard_normal((20, 10)))
    for f in (
        lambda x, row: (x * row).sum(0),
        lambda x, row: (x - row).square().sum(2),
        lambda x, row: (x * row[0]).exp().amax(0) + row,
        lambda x, row: (x + row).permute(1, 2, 0).sum(2) * 2,
    ):
        np.testing.assert_allclose(torch.compile(f)(x, row), f(x, row), rtol=1e-12, atol=1e-12)
    assert "in 0..200" in torch.compile(lambda x, row: (x * row).sum(0)).loops(x, row)
