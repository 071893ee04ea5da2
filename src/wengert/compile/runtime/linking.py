"""Kernels to object files, from the cache on disk if it has them."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module

from wengert.compile.llvm import machine
from wengert.compile.llvm.interface import Interface
from wengert.compile.llvm.target import Target
from wengert.compile.nest import Kernel
from wengert.compile.nest_data import signature_data, signature_of
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.compile.runtime.objects import source_version
from wengert.compile.runtime.processor import processor


@cache
def host_target() -> Target:
    """What matters about this machine."""
    host = processor()
    register = 64 if "avx512f" in host.features else 32 if "avx2" in host.features else 16
    fma = bool({"fma", "avx512f"} & host.features) or not host.is_x86
    tables = {"avx512f", "avx512dq"} <= host.features
    return Target(register, fma, 16 if host.is_x86 and register < 64 else 32, tables)


def kernel_key(form: str, *, fast_math: bool) -> str:
    """The name of a kernel in the cache; ``form`` is ``repr(kernel)``."""
    return digest("kernel", source_version(), processor().key, repr(host_target()), form, str(fast_math))


def compiled_kernel(kernel: Kernel, key: str, *, fast_math: bool) -> tuple[Interface, bytes]:
    """The object file of a kernel, and what its caller must know.

    Raises:
        MalformedKernel: the kernel does not make sense. Those that are in the cache do.
    """
    kept = stored_kernel(key)
    if kept is not None:
        return kept[1:]
    import_module("wengert.compile.nest_check").check_kernel(kernel)
    text, interface = _emitted(kernel, fast_math=fast_math)
    code = machine.emit_object(text)
    head = json.dumps([signature_data(kernel), interface.as_data()])
    disk_cache().put(key, head.encode() + b"\n" + code)
    return interface, code


def stored_kernel(key: str) -> tuple[Kernel, Interface, bytes] | None:
    """A kernel from the cache by its key: without its statements, which whoever calls it need not know."""
    kept = disk_cache().get(key)
    if kept is None:
        return None
    head, _, code = kept.partition(b"\n")
    signature, interface = json.loads(head)
    return signature_of(signature), Interface.from_data(interface), code


def kernel_source(kernel: Kernel, *, fast_math: bool) -> str:
    """The IR text of a kernel."""
    return _emitted(kernel, fast_math=fast_math)[0]


def _emitted(kernel: Kernel, *, fast_math: bool) -> tuple[str, Interface]:
    """IR text and what its caller must know; what writes it is loaded for kernels that are not in the cache."""
    emit = import_module("wengert.compile.llvm.emit")
    text, interface = emit.emit_kernel(kernel, host_target(), fast_math=fast_math)
    return text, interface
