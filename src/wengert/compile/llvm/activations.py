"""Activation functions and other formulas of a few operations, as the eager implementations have them."""

from __future__ import annotations

from typing import Final

from wengert.compile.llvm import elementary, special
from wengert.compile.llvm.elementary import absolute
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.registry import FLOATS, NUMBERS, Scalars

ACTIVATIONS: Final = Scalars()


@ACTIVATIONS.enter("relu", dtypes=NUMBERS)
def _relu(ir: Ir, dtype: str, x: Val) -> Val:
    positive = x > 0
    if dtype in FLOATS:
        positive = positive | x.is_nan()
    return positive.where(x, 0) if dtype != "u1" else x


@ACTIVATIONS.enter("silu")
def _silu(ir: Ir, dtype: str, x: Val) -> Val:
    return x / (elementary.exp(ir, -x) + 1.0)


@ACTIVATIONS.enter("softplus")
def _softplus(ir: Ir, dtype: str, x: Val, *, beta: float, threshold: float) -> Val:
    z = x if beta == 1 else x * beta
    y = elementary.log1p(ir, elementary.exp(ir, z))
    y = y if beta == 1 else y / beta
    return (z > threshold).where(x, y)


@ACTIVATIONS.enter("logsigmoid")
def _logsigmoid(ir: Ir, dtype: str, x: Val) -> Val:
    low = (x > 0.0).where(0.0, x)
    return low - elementary.log1p(ir, elementary.exp(ir, -absolute(ir, x)))


@ACTIVATIONS.enter("gelu")
def _gelu(ir: Ir, dtype: str, x: Val) -> Val:
    return x * special.normal_cdf(ir, x)
