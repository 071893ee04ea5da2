"""NumPy's BLAS: the addresses of its matrix products, where NumPy brings a library that we know."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from wengert.compile.llvm.products import NAMES

_FOLDERS: Final = ("../numpy.libs", ".dylibs", ".libs")
# CBLAS with sizes of 64 bits, as NumPy's wheels have it.
_FUNCTIONS: Final = {"f4": "scipy_cblas_sgemm64_", "f8": "scipy_cblas_dgemm64_"}


@cache
def product_addresses() -> dict[str, int]:
    """The addresses by the names that kernels use; none where there is no such library."""
    package = Path(np.__file__).parent
    for folder in _FOLDERS:
        for path in sorted((package / folder).glob("*openblas*")):
            library = ctypes.CDLL(str(path))
            if all([hasattr(library, function) for function in _FUNCTIONS.values()]):
                return {
                    NAMES[dtype]: ctypes.cast(getattr(library, function), ctypes.c_void_p).value or 0
                    for dtype, function in _FUNCTIONS.items()
                }
    return {}
