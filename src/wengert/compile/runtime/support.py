"""The code that kernels call, in this process: linked once, its workers started when a kernel can use them."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from typing import Any, Final

from wengert import _threads
from wengert.compile.llvm import machine
from wengert.compile.runtime import keeper_code as keeper
from wengert.compile.runtime import support_code as code
from wengert.compile.runtime.objects import compiled_object

_NOTHING = ctypes.CFUNCTYPE(None)
_ONE = ctypes.CFUNCTYPE(None, ctypes.c_int64)


def _keep_for_ever(thing: Any) -> None:
    """Workers stand in this code when the interpreter ends and takes everything else apart."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


_HANDLER_NAME: Final = b"mem_handler"


class _Handler(ctypes.Structure):
    """NumPy's PyDataMem_Handler."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


class Support:
    """The linked code, and the workers of this process."""

    def __init__(self) -> None:
        architecture = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
        self.can_sleep = sys.platform.startswith("linux") and architecture in ("x86_64", "aarch64")
        text = code.support_text(architecture, self.can_sleep)
        names: tuple[str, ...] = code.NAMES
        self.keeps = sys.platform.startswith("linux")
        if self.keeps:
            text, names = text + keeper.KEEPER_TEXT, (*names, *keeper.NAMES, keeper.KEPT_NAME, keeper.DROP_NAME)
        self.linked = machine.link(compiled_object(text), names, {})
        _keep_for_ever(self.linked)
        self.addresses = {name: self.linked.address(name) for name in names}
        self.words = (ctypes.c_int64 * code.WORDS).from_address(self.addresses["wengert_pool"])
        self.reset = _NOTHING(self.addresses["wengert_pool_reset"])
        self.resize = _ONE(self.addresses["wengert_pool_resize"])
        self.handler = self._memory_handler() if self.keeps else None
        self.lock = threading.Lock()
        self.started = 0
        self.shared = False  # whether a kernel was built that threads can share
        self.words[code.THREADS] = 1

    def _memory_handler(self) -> Any:
        """The handler that NumPy is given for large results, as the capsule in which NumPy wants it."""
        functions = [self.addresses[name] for name in keeper.NAMES]
        handler = _Handler(b"wengert", 1, None, *functions)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        capsule = new(ctypes.addressof(handler), _HANDLER_NAME, None)
        for thing in (handler, capsule):  # arrays may be freed when the interpreter ends
            _keep_for_ever(thing)
        return capsule

    def use_threads(self, count: int | None = None) -> None:
        """Let this many threads work; workers that are missing are started."""
        count = _threads.get() if count is None else count
        with self.lock:
            self.shared = True
            while self.can_sleep and self.started < count - 1:
                worker = _ONE(self.addresses["wengert_worker"])
                name = f"wengert-kernel-worker-{self.started}"
                threading.Thread(target=worker, args=(self.started,), name=name, daemon=True).start()
                self.started += 1
            allowed = count if self.can_sleep else 1
            if self.words[code.THREADS] != allowed:
                self.resize(allowed)

    @property
    def jobs(self) -> int:
        """How many jobs were posted to the workers so far."""
        return self.words[code.TICKETS] >> 33

    def expect_help(self) -> None:
        """Forget that nobody came to help with the last jobs."""
        self.words[code.FAILURES] = 0

    def release_memory(self) -> None:
        """Give memory that is kept for the next kernel back to the system."""
        for name in ("wengert_arena_drop", keeper.DROP_NAME):
            if name in self.addresses:
                _NOTHING(self.addresses[name])()

    def after_fork(self) -> None:
        """In the child: there are no workers any more."""
        self.reset()
        self.lock = threading.Lock()
        self.started = 0


@_threads.once
def support() -> Support:
    """The support code of this process, made when first asked for."""
    made = Support()
    _threads.listeners.append(_changed)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=made.after_fork)
    return made


def _changed(count: int) -> None:
    made = support()
    if made.shared:
        made.use_threads(count)
