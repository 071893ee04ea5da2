"""What xarray asks an array's namespace for though the standard does not have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert.engine.base import TensorBase, wrap
from wengert.functions import contraction, numpy_further
from wengert.functions.data import adopted

__all__ = ["einsum", "pad"]


def einsum(subscripts: str, /, *operands: Any) -> Any:
    """Sums of products, as ``numpy.einsum``: operands may be arrays, and are promoted to one type.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.einsum("i,i->", torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    tensors: list[Any] = [x if isinstance(x, TensorBase) else wrap(adopted(np.asarray(x))) for x in operands]
    common = from_numpy_dtype(np.result_type(*[x._data.dtype for x in tensors]))
    return contraction.einsum(subscripts, *[x.to(common) for x in tensors])


def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """More elements at the ends of axes, as ``numpy.pad``: a constant, or the array's own elements.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.pad(torch.tensor([1, 2]), (1, 2), mode="edge")
    tensor([1, 1, 2, 2, 2])
    """
    return numpy_further.pad(array, pad_width, mode, **options)
