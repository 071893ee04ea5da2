"""llvmlite, in this one place: IR text to an object file, an object file to addresses.

It is loaded when something is compiled that is not in the cache on disk. Code goes one way only, text to object to
linked code, so that what comes from the cache is the same as what was compiled just now.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from wengert import _threads
from wengert.compile.llvm import elf

_numbers = count()

# Lines of one function from which registers are handed out first come, first served. LLVM's allocator takes time with
# more than the square of what lives at once: 0.3 s for 9,000 lines (a gradient of 1,000 operations), 1 s for 18,000 and
# 90 s for 90,000. The other takes 0.07, 0.15 and 1 s, and its code runs for 10 to 18 % longer.
LONG_FUNCTION: Final = 15_000
_FUNCTION: Final = re.compile(r"^define ", re.MULTILINE)


def available() -> bool:
    """Whether llvmlite is installed (it is not loaded)."""
    return importlib.util.find_spec("llvmlite") is not None


def version() -> str:
    """That of llvmlite (the compiler is not loaded)."""
    import llvmlite

    return str(llvmlite.__version__)


class _Machine:
    """The host: its target machine and the linker of this process."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.llvm = llvm
        self.cpu = llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features()
        self.features = {name for name, there in features.items() if there}
        self.flattened = features.flatten()
        triple = llvm.get_process_triple()
        self.target, self.hasty_target = [
            llvm.Target.from_triple(triple).create_target_machine(
                cpu=self.cpu, features=self.flattened, opt=opt, reloc="pic", codemodel="default"
            )
            for opt in (2, 0)
        ]
        self.jit = llvm.create_lljit_compiler(use_jit_link=False)
        self.is_x86 = triple.startswith(("x86_64", "i686", "i386"))
        self.key = "|".join([version(), triple, self.cpu, self.flattened])


@_threads.once
def machine() -> Any:
    """The host's machine, made when first asked for."""
    return _Machine()


def emit_object(text: str) -> bytes:
    """Machine code of IR text, as an object file.

    Raises:
        RuntimeError: the text is not valid IR.
    """
    host = machine()
    module = host.llvm.parse_assembly(text)
    module.verify()
    target = host.hasty_target if longest_function(text) > LONG_FUNCTION else host.target
    return bytes(target.emit_object(module))


def longest_function(text: str) -> int:
    """How many lines of IR text the longest function has."""
    return max([function.count("\n") for function in _FUNCTION.split(text)])


def assembly(text: str) -> str:
    """The machine code of IR text as the host's assembly language."""
    host = machine()
    return str(host.target.emit_assembly(host.llvm.parse_assembly(text)))


class Linked:
    """Machine code in memory; it lives as long as this."""

    __slots__ = ("_keep", "_library")

    def __init__(self, library: Any, keep: Any = None) -> None:
        self._library = library
        self._keep = keep

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._library[name])


def link(code: bytes, names: tuple[str, ...], imports: Mapping[str, int]) -> Linked:
    """Load an object file; ``names`` are its functions, ``imports`` are addresses of what it calls."""
    if elf.is_supported():
        try:
            return Linked(elf.load(code, imports))
        except elf.UnknownFormError:
            pass  # LLVM knows all
    return _linked_by_llvm(code, names, imports)


def _linked_by_llvm(code: bytes, names: tuple[str, ...], imports: Mapping[str, int]) -> Linked:
    host = machine()
    builder = host.llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name, address in imports.items():
        builder.import_symbol(name, address)
    for name in names:
        builder.export_symbol(name)
    return Linked(builder.link(host.jit, f"wengert.{next(_numbers)}"), host)
