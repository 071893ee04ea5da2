"""Samples for the operations that move elements: views, joining, diagonals, windows, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(7)


def _x(*shape: int) -> Any:
    return _rng.standard_normal(shape)


_T = np.float64(0.75)  # a 0-d value as a NumPy scalar

SAMPLES: dict[str, list[Sample]] = {
    "reshape": [Sample(_x(2, 6), shape=(3, 4)), Sample(_x(4, 3).T, shape=(12,)), Sample(_T, shape=(1, 1))],
    "reshape_alias": [Sample(_x(4, 6)[:, :3], shape=(2, 2, 3))],
    "view": [Sample(_x(2, 6), shape=(4, 3)), Sample(_x(0, 3), shape=(3, 0))],
    "unsafe_view": [Sample(_x(3, 2).T, shape=(6,))],
    "alias": [Sample(_x(2, 3)), Sample(_T)],
    "cast": [
        Sample(_x(2, 3), dtype=np.dtype(np.float32)),
        Sample(_T, dtype=np.dtype(np.float32)),
        Sample(_x(2, 3), dtype=np.dtype(np.complex128)),
    ],
    "clone": [Sample(_x(2, 3)), Sample(_x(3, 2).T), Sample(_T)],
    "contiguous": [Sample(_x(3, 2).T)],
    "copy": [Sample(_x(2, 3), _x(3)), Sample(_x(2, 3), _x(2, 3))],
    "expand": [
        Sample(_x(3, 1), shape=(2, 3, 4)),
        Sample(_x(1, 3), shape=(1, 3)),
        Sample(_x(1, 3), shape=(0, 3)),
        Sample(_T, shape=(2, 2)),
    ],
    "unsqueeze": [Sample(_x(2, 3), dim=0), Sample(_x(2, 3), dim=2), Sample(_T, dim=0)],
    "squeeze": [Sample(_x(1, 3, 1), dims=(0, 2)), Sample(_x(1, 3), dims=(1,)), Sample(_x(1), dims=(0,))],
    "squeeze_dim": [Sample(_x(1, 3), dims=(0,))],
    "squeeze_all": [Sample(_x(1, 3, 1), dims=(0, 1, 2))],
    "permute": [Sample(_x(2, 3, 4), dims=(2, 0, 1)), Sample(_T, dims=())],
    "transpose": [Sample(_x(2, 3, 4), dim0=0, dim1=2), Sample(_T, dim0=0, dim1=0)],
    "t": [Sample(_x(2, 3)), Sample(_x(3))],
    "flip": [Sample(_x(2, 3), dims=(0, 1)), Sample(_x(4), dims=(0,))],
    "roll": [Sample(_x(2, 3), shifts=(1, -4), dims=(0, 1)), Sample(_x(2, 3), shifts=(-2,), dims=None)],
    "rot90": [Sample(_x(2, 3), k=1, dims=(0, 1)), Sample(_x(2, 3, 4), k=-2, dims=(1, 2))],
    "repeat": [Sample(_x(2, 3), repeats=(2, 1, 3)), Sample(_x(2), repeats=(0,)), Sample(_T, repeats=(3,))],
    "diagonal": [
        Sample(_x(3, 4), offset=0, dim1=0, dim2=1),
        Sample(_x(3, 4, 5), offset=-1, dim1=2, dim2=0),
        Sample(_x(2, 2), offset=5, dim1=0, dim2=1),
    ],
    "diagonal_copy": [Sample(_x(3, 4), offset=1, dim1=0, dim2=1)],
    "diagonal_backward": [Sample(_x(2, 3), shape=(3, 2, 4), offset=1, dim1=0, dim2=2)],
    "diag_embed": [Sample(_x(2, 3), offset=1, dim1=1, dim2=2), Sample(_x(2, 3), offset=-2, dim1=2, dim2=0)],
    "tril": [Sample(_x(3, 4), diagonal=0), Sample(_x(2, 3, 3), diagonal=-1)],
    "triu": [Sample(_x(3, 4), diagonal=1), Sample(_x(2, 3, 3), diagonal=-1)],
    "cat": [
        Sample(_x(2, 3), _x(1, 3), _x(0, 3), dim=0, sizes=(2, 1, 0)),
        Sample(_x(2, 3), _x(2, 1), dim=1, sizes=(3, 1)),
    ],
    "stack": [Sample(_x(2, 3), _x(2, 3), dim=1), Sample(_T, _T, dim=0)],
    "block_diag": [Sample(_x(2, 3), _x(2), _x(0, 2), _T, shapes=((2, 3), (1, 2), (0, 2), (1, 1)))],
    "split": [Sample(_x(5, 2), dim=0, sizes=(2, 2, 1)), Sample(_x(2, 4), dim=1, sizes=(3, 1))],
    "split_with_sizes": [Sample(_x(5, 2), dim=0, sizes=(1, 4, 0))],
    "unsafe_split": [Sample(_x(4), dim=0, sizes=(2, 2))],
    "unsafe_split_with_sizes": [Sample(_x(4), dim=0, sizes=(1, 3))],
    "unbind": [Sample(_x(3, 2), dim=0), Sample(_x(3, 2), dim=1), Sample(_x(3), dim=0)],
    "unfold": [
        Sample(_x(7), dim=0, size=3, step=2),
        Sample(_x(2, 6, 3), dim=1, size=2, step=3),
        Sample(_x(5, 2), dim=0, size=4, step=1),
    ],
    "unfold_backward": [Sample(_x(2, 3, 4), shape=(2, 8), dim=1, size=4, step=2)],
    "as_strided": [
        Sample(_x(3, 4), size=(2, 3), stride=(4, 1), offset=1, strides=(4, 1)),
        Sample(_x(6), size=(3, 4), stride=(1, 1), offset=0, strides=(1,)),
    ],
    "restride": [Sample(_x(2, 3), source=((1, 1), 0), target=((2, 2), (2, 1), 0))],
    "constant_pad": [
        Sample(_x(2, 3), pads=((1, 0), (2, 1)), value=0.0),
        Sample(_x(4, 3), pads=((-1, 1), (0, -2)), value=0.5),
    ],
    "wrapping_pad": [
        Sample(_x(2, 5), pads=((2, 3),), mode="reflect"),
        Sample(_x(2, 3, 4), pads=((2, 1), (1, 3)), mode="replicate"),
        Sample(_x(2, 5), pads=((1, 0), (-1, 2)), mode="circular"),
        Sample(_x(2, 5), pads=((2, -1),), mode="reflect"),
    ],
    "wrapping_pad_backward": [Sample(_x(2, 8), shape=(2, 5), pads=((1, 2),), mode="reflect")],
    "select_scatter": [Sample(_x(3, 4), _x(3), dim=1, index=2), Sample(_x(3), _T, dim=0, index=-1)],
    "slice_scatter": [Sample(_x(6, 2), _x(2, 2), dim=0, start=1, stop=6, step=3)],
    "diagonal_scatter": [Sample(_x(3, 4), _x(3), offset=1, dim1=0, dim2=1)],
}
