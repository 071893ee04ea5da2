"""Kernels to object files, from the cache on disk if it has them."""

from __future__ import annotations

import json
from functools import cache

from wengert.compile.llvm import machine
from wengert.compile.llvm.emit import Interface, emit_kernel
from wengert.compile.llvm.plan import Target
from wengert.compile.nest import Kernel
from wengert.compile.nest_check import check_kernel
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.compile.runtime.objects import emitter_version


@cache
def host_target() -> Target:
    """What matters about this machine."""
    host = machine.machine()
    register = 64 if "avx512f" in host.features else 32 if "avx2" in host.features else 16
    fma = bool({"fma", "avx512f"} & host.features) or not host.is_x86
    return Target(register, fma, 16 if host.is_x86 and register < 64 else 32)


def compiled_kernel(kernel: Kernel, form: str, *, fast_math: bool) -> tuple[Interface, bytes]:
    """The object file of a kernel, and what its caller must know; ``form`` is ``repr(kernel)``.

    Raises:
        MalformedKernel: the kernel does not make sense. Those that are in the cache do.
    """
    key = digest("kernel", emitter_version(), machine.machine().key, repr(host_target()), form, str(fast_math))
    kept = disk_cache().get(key)
    if kept is None:
        check_kernel(kernel)
        text, interface = emit_kernel(kernel, host_target(), fast_math=fast_math)
        code = machine.emit_object(text)
        disk_cache().put(key, json.dumps(interface.as_data()).encode() + b"\n" + code)
        return interface, code
    head, _, code = kept.partition(b"\n")
    return Interface.from_data(json.loads(head)), code


def kernel_source(kernel: Kernel, *, fast_math: bool) -> str:
    """The IR text of a kernel."""
    return emit_kernel(kernel, host_target(), fast_math=fast_math)[0]
