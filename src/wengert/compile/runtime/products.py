"""The code of matrix products in this process: assembled for each dtype when a kernel first calls it."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from wengert.compile.llvm import machine
from wengert.compile.llvm.interface import PRODUCTS
from wengert.compile.runtime.linking import host_target
from wengert.compile.runtime.objects import made_object
from wengert.compile.runtime.support import support


@cache
def _linked(dtype: str) -> machine.Linked:
    code = made_object(f"product {dtype} {host_target()!r}", lambda: _text(dtype))
    return machine.link(code, (PRODUCTS[dtype],), support().addresses)


def _text(dtype: str) -> str:
    target = host_target()
    gemm = import_module("wengert.compile.llvm.gemm")
    return str(gemm.gemm_text(dtype, register=target.register, registers=target.registers, fma=target.fma))


def product_addresses(dtype: str) -> dict[str, int]:
    """The address of the product by the name that kernels use."""
    return {PRODUCTS[dtype]: _linked(dtype).address(PRODUCTS[dtype])}
