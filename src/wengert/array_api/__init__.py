"""The Python array API standard, 2025.12, on tensors: what ``tensor.__array_namespace__()`` returns.

Code written for the standard (SciPy, scikit-learn, einops, xarray) computes with tensors through these functions, on
the graph: gradients flow through whatever has any. The names and arguments are the standard's (``axis``, ``keepdims``),
the operations PyTorch's. ``linalg`` and ``fft`` are the standard's extensions; ``special`` has SciPy's names.

>>> import wengert as torch
>>> x = torch.tensor([3.0, 4.0], requires_grad=True)
>>> xp = x.__array_namespace__()
>>> xp.sqrt(xp.sum(x * x, axis=0)).backward()
>>> x.grad
tensor([0.6000, 0.8000])
"""

import math as _math

from wengert._dtypes import (
    bool_ as bool,
)
from wengert._dtypes import (
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from wengert.array_api import fft, linalg, special
from wengert.array_api._creation import *  # noqa: F403 - each part lists its names, and all are the standard's
from wengert.array_api._dtypes import *  # noqa: F403
from wengert.array_api._elementwise import *  # noqa: F403
from wengert.array_api._info import namespace_info as __array_namespace_info__
from wengert.array_api._manipulation import *  # noqa: F403
from wengert.array_api._searching import *  # noqa: F403
from wengert.array_api._statistics import *  # noqa: F403
from wengert.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot

__array_api_version__ = "2025.12"

e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None
pi = _math.pi
