"""The code of matrix products in this process: assembled for each dtype when a kernel first calls it."""

from __future__ import annotations

from functools import cache

from wengert.compile.llvm import machine
from wengert.compile.llvm.gemm import NAMES, gemm_text
from wengert.compile.runtime.linking import host_target
from wengert.compile.runtime.objects import compiled_object
from wengert.compile.runtime.support import support


@cache
def _linked(dtype: str) -> machine.Linked:
    target = host_target()
    text = gemm_text(dtype, register=target.register, registers=target.registers, fma=target.fma)
    return machine.link(compiled_object(text), (NAMES[dtype],), support().addresses)


def product_addresses(dtype: str) -> dict[str, int]:
    """The address of the product by the name that kernels use."""
    return {NAMES[dtype]: _linked(dtype).address(NAMES[dtype])}
