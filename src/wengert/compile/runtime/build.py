"""A kernel as a callable: emitted, turned into machine code, linked, and called with arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from wengert.compile.llvm import machine
from wengert.compile.llvm.interface import NO_MEMORY, OUT_OF_BOUNDS, Interface
from wengert.compile.llvm.places import stride_name
from wengert.compile.nest import Buffer, Expr, Extent, Kernel, Role
from wengert.compile.runtime.entry import ALWAYS, Box, Fixed, Terms, fast_entry
from wengert.compile.runtime.linking import compiled_kernel, kernel_key, kernel_source, stored_kernel
from wengert.compile.runtime.products import product_addresses
from wengert.compile.runtime.support import support

_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
_FOLD: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "max": max,
    "min": min,
}


def available() -> bool:
    """Whether kernels can be built here: llvmlite is installed (it is loaded when the first is built)."""
    return machine.available()


def evaluate(extent: Extent, sizes: dict[str, int]) -> int:
    """A size expression's value."""
    if isinstance(extent, int):
        return extent
    if isinstance(extent, str):
        return sizes[extent]
    assert isinstance(extent, Expr)
    first, *rest = [evaluate(arg, sizes) for arg in extent.args]
    for other in rest:
        first = _FOLD[extent.op](first, other)
    return first


class CompiledKernel:
    """Machine code of a kernel, and how to call it.

    ``call(*arrays)`` takes the IN and INOUT buffers in order and returns the OUT buffers, fresh: None, one array or a
    tuple. A result without axes is a NumPy scalar.
    """

    def __init__(
        self,
        kernel: Kernel,
        interface: Interface,
        linked: machine.Linked,
        *,
        key: str = "",
        fast_math: bool = False,
        slow: Callable[..., Any] | None = None,
        box: Box | None = None,
        terms: Terms = ALWAYS,
    ) -> None:
        self.kernel = kernel
        self.interface = interface
        self.key = key  # its name in the cache on disk
        self.fast_math = fast_math
        self.linked = linked
        self.entry = _ENTRY(linked.address(interface.name))
        self.arguments = kernel.of_role(Role.IN, Role.INOUT)
        self.results = kernel.of_role(Role.OUT)
        self.constants = {b.name: np.array(b.data, b.dtype, order="C") for b in kernel.of_role(Role.CONST)}
        self.box = box
        self._may_copy = all([b.role is Role.IN and not b.strided for b in self.arguments])
        patient = slow or self.in_order
        self.call = fast_entry(kernel, interface, linked, self.constants, patient, box, terms=terms) or patient

    @property
    def source(self) -> str:
        """The IR text."""
        return kernel_source(self.kernel, fast_math=self.fast_math)

    def __call__(self, *arrays: Any) -> Any:
        """As :attr:`call`, a little slower."""
        return self.call(*arrays)

    def on(
        self,
        arguments: Sequence[tuple[int, ...] | None],
        order: Sequence[int],
        seen: Sequence[tuple[int, ...]],
        results: Sequence[tuple[int, ...]],
        slow: Callable[..., Any],
    ) -> Callable[..., Any]:
        """A function of arrays in memory order that have these shapes, and of nothing else.

        Args:
            arguments: the shapes of what is given; None for what is not read.
            order: which of them are the kernel's arguments.
            seen: the shapes under which the kernel takes these, with as many elements each.
            results: the shapes in which results are given, with as many elements as the kernel makes.
            slow: called with the same arguments for anything else.
        """
        sizes: dict[str, int] = {}
        for buffer, shape in zip(self.arguments, seen, strict=True):
            sizes.update({extent: n for extent, n in zip(buffer.shape, shape, strict=True) if isinstance(extent, str)})
        fixed = Fixed(tuple(arguments), tuple(order), tuple(results), sizes)
        return fast_entry(self.kernel, self.interface, self.linked, self.constants, slow, None, fixed) or slow

    def in_order(self, *arrays: Any) -> Any:
        """Call it with arrays that are copied into memory order where they are not in it."""
        if all([array.__class__ is ndarray for array in arrays]):
            copied = [array if array.flags.c_contiguous else array.copy("C") for array in arrays]
            if self._may_copy and any([a is not b for a, b in zip(copied, arrays, strict=True)]):
                return self.call(*copied)
        return self.checked(*arrays)

    def checked(self, *arrays: Any) -> Any:
        """Call it.

        Raises:
            TypeError: an argument has another dtype or number of axes, or there are too many or too few.
            ValueError: sizes that should be equal differ.
        """
        if len(arrays) != len(self.arguments):
            raise TypeError(f"{self.kernel.name} takes {len(self.arguments)} arrays, got {len(arrays)}")
        sizes: dict[str, int] = {}
        held = dict(self.constants)
        back = []
        for buffer, value in zip(self.arguments, arrays, strict=True):
            if self.box is not None and isinstance(value, type(self.box.template)):
                value = getattr(value, self.box.slot)  # noqa: PLW2901 - what is in the box
            array, copied = _as_argument(buffer, value)
            _bind(buffer, array, sizes)
            held[buffer.name] = array
            if copied and buffer.role is Role.INOUT:
                back.append((value, array))
        fresh: list[Any] = [np.empty([evaluate(e, sizes) for e in b.shape], b.dtype) for b in self.results]
        held.update(zip([b.name for b in self.results], fresh, strict=True))
        self.run(held, sizes)
        for value, array in back:
            value[...] = array
        fresh = [self._boxed(y if y.ndim else y[()]) for y in fresh]
        return tuple(fresh) if len(fresh) > 1 else fresh[0] if fresh else None

    def _boxed(self, value: Any) -> Any:
        """A result in its box, if there is one."""
        if self.box is None:
            return value
        template = self.box.template
        made = object.__new__(type(template))
        for name in (*self.box.plain, *self.box.others):
            setattr(made, name, getattr(template, name))
        setattr(made, self.box.slot, value)
        return made

    def run(self, held: dict[str, ndarray[Any, Any]], sizes: dict[str, int]) -> None:
        """Call the machine code with these buffers and sizes."""
        pointers = (ctypes.c_void_p * max(1, len(held)))(*[held[n].ctypes.data for n in self.interface.pointers])
        numbers = (ctypes.c_int64 * max(1, len(self.interface.sizes)))(*[sizes[n] for n in self.interface.sizes])
        status = self.entry(ctypes.addressof(pointers), ctypes.addressof(numbers))
        if status == OUT_OF_BOUNDS:
            raise IndexError("an index is out of bounds for the axis that it chooses from")
        if status == NO_MEMORY:
            needed = evaluate(self.interface.arena, sizes)
            raise MemoryError(f"{self.kernel.name} needs {needed} bytes for what lies between its loops")


def _as_argument(buffer: Buffer, value: Any) -> tuple[ndarray[Any, Any], bool]:
    """The value as an array that the kernel can read: of its dtype, in memory order; and whether it was copied."""
    dtype = np.dtype(buffer.dtype)
    array = np.asarray(value)
    if array.dtype != dtype or array.ndim != len(buffer.shape):
        raise TypeError(
            f"the argument {buffer.name} should be a {dtype} array with {len(buffer.shape)} axes, "
            f"got {array.dtype} with {array.ndim}"
        )
    flags = array.flags
    fits = flags.aligned and array.dtype.isnative and (buffer.strided or flags.c_contiguous)
    if buffer.strided:
        fits = fits and not any([step % array.itemsize for step in array.strides])
    if buffer.role is Role.INOUT and not flags.writeable:
        raise ValueError(f"the argument {buffer.name} is written to, but it is read-only")
    return (array, False) if fits else (np.array(array, dtype, order="C"), True)


def _bind(buffer: Buffer, array: ndarray[Any, Any], sizes: dict[str, int]) -> None:
    """Learn the symbolic sizes from an argument's shape, and check those that are known."""
    for axis, (extent, n) in enumerate(zip(buffer.shape, array.shape, strict=True)):
        if isinstance(extent, str):
            known = sizes.setdefault(extent, n)
        elif isinstance(extent, int):
            known = extent
        else:
            continue
        if known != n:
            raise ValueError(f"axis {axis} of the argument {buffer.name} should have size {known}, got {n}")
    if buffer.strided:
        for axis, step in enumerate(array.strides):
            sizes[stride_name(buffer.name, axis)] = step // array.itemsize


def build(
    kernel: Kernel,
    *,
    fast_math: bool = False,
    slow: Callable[..., Any] | None = None,
    box: Box | None = None,
    text: str = "",
) -> CompiledKernel:
    """Machine code for a kernel.

    Args:
        kernel: what to compute.
        fast_math: let sums be reordered and products and sums be fused.
        slow: called instead of the kernel, with the same arguments, if these are not exactly what it takes. By default
            they are copied into order or refused with an error.
        box: objects that hold arrays, to be taken and given in place of these.
        text: ``repr(kernel)``, where that is known already.

    Raises:
        MalformedKernel: the kernel does not make sense (an error in this package).
    """
    key = kernel_key(text or repr(kernel), fast_math=fast_math)
    interface, code = compiled_kernel(kernel, key, fast_math=fast_math)
    linked = _linked(interface, code)
    return CompiledKernel(kernel, interface, linked, key=key, fast_math=fast_math, slow=slow, box=box)


def stored(key: str) -> CompiledKernel | None:
    """The kernel that has this name in the cache on disk: it can be called, and nothing else is known of it."""
    found = stored_kernel(key)
    if found is None:
        return None
    kernel, interface, code = found
    return CompiledKernel(kernel, interface, _linked(interface, code), key=key)


def _linked(interface: Interface, code: bytes) -> machine.Linked:
    imports = support().addresses
    for dtype in interface.products:
        imports = imports | product_addresses(dtype)
    linked = machine.link(code, (interface.name, interface.prepare), imports)
    if interface.shares or interface.products:
        support().use_threads()
    return linked
