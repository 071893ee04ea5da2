"""More of NumPy's functions on tensors: linear algebra, Fourier transforms, statistics, joining and splitting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from wengert.engine.base import TensorBase, wrap
from wengert.functions import (
    differences,
    fourier,
    joining,
    linalg_factors,
    linalg_pseudoinverse,
    linalg_solving,
    linalg_spectra,
    matrices,
    quantiles,
    select,
    statistics,
)
from wengert.functions.data import adopted
from wengert.functions.diagonals import diagonal
from wengert.functions.elementary import sinc
from wengert.functions.matrix_norms import linalg_norm
from wengert.functions.numpy_rearranged import rearranged_pad
from wengert.functions.products import matmul

__all__ = ["FURTHER", "NUMBERS", "pad"]


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    dims = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    if ord is None and dims is None:
        flat = linalg_norm(x.reshape(-1))
        return flat.reshape((1,) * x.ndim) if keepdims else flat
    return linalg_norm(x, ord, dims, bool(keepdims))


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return tuple(linalg_spectra.linalg_svd(a, full_matrices)) if compute_uv else linalg_spectra.svdvals(a)


def _solve(a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return linalg_solving.solve(a, b.unsqueeze(-1)).squeeze(-1)
    missing = a.ndim - b.ndim
    return linalg_solving.solve(a, b.reshape((1,) * missing + tuple(b.shape)) if missing > 0 else b)


def _transform(of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, n=None, axis=-1, norm=None: of(a, n, axis, norm)


def _transforms(of: Callable[..., Any], every: Any = None) -> Callable[..., Any]:
    return lambda a, s=None, axes=every, norm=None: of(a, s, axes, norm)


def _at_quantile(percent: float) -> Callable[..., Any]:
    def quantile(a: Any, q: Any, axis: int | None = None, *, method: str = "linear", keepdims: bool = False) -> Any:
        asked: Any = q if isinstance(q, TensorBase) else wrap(np.asarray(q, a._data.dtype))
        return quantiles.quantile(a, (asked / percent).to(a.dtype), axis, keepdims, interpolation=method)

    return quantile


def _median(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    return _at_quantile(1.0)(a, 0.5, axis, keepdims=keepdims)


def dims_of(a: Any, axis: Any) -> Any:
    """The dimensions that NumPy's ``axis`` names: all of them where it is None."""
    return tuple(range(a.ndim)) if axis is None else axis


def _average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    dims = dims_of(a, axis)
    if weights is None:
        return a.mean(dims, bool(keepdims))
    if not isinstance(weights, TensorBase):
        weights = wrap(adopted(np.asarray(weights, a._data.dtype)))
    if isinstance(axis, int) and weights.ndim == 1 and a.ndim > 1:
        weights = weights.reshape([-1 if dim == axis % a.ndim else 1 for dim in range(a.ndim)])
    weights = weights.expand(a.shape)
    return (a * weights).sum(dims, bool(keepdims)) / weights.sum(dims, bool(keepdims))


def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    return differences.trapezoid(y, dx=dx, dim=axis) if x is None else differences.trapezoid(y, x, dim=axis)


def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    spacing = varargs[0] if len(varargs) == 1 else list(varargs) if varargs else 1
    found = statistics.gradient(f, spacing=spacing, dim=axis, edge_order=edge_order)
    return found[0] if len(found) == 1 else found


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if isinstance(indices_or_sections, int) and ary.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return list(ary.tensor_split(_places(indices_or_sections), axis))


def _places(sections: Any) -> Any:
    return sections if isinstance(sections, int) else tuple([int(place) for place in sections])


def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    values = values if isinstance(values, TensorBase) else wrap(adopted(np.asarray(values, arr._data.dtype)))
    return joining.cat([arr.reshape(-1), values.reshape(-1)]) if axis is None else joining.cat([arr, values], axis)


def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: float = 0, **options: Any) -> Any:
    """``np.pad``: with a constant, or with the array's own elements."""
    if mode != "constant" or not isinstance(constant_values, (int, float)):
        return rearranged_pad(array, pad_width, mode, options)
    pairs = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    shape = [size + before + after for size, (before, after) in zip(array.shape, pairs, strict=True)]
    padded = array.new_full(shape, constant_values)
    places = tuple([slice(before, before + size) for size, (before, _) in zip(array.shape, pairs, strict=True)])
    padded[places] = array
    return padded


def _chosen(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = select.where(condition, choice, result)
    return result


def _polyval(p: Any, x: Any) -> Any:
    y: Any = x * 0
    for coefficient in p:
        y = y * x + coefficient
    return y


# What these make of tensors is plain data, without derivatives.
NUMBERS: Final = frozenset(
    {np.size, np.isclose, np.allclose, np.array_equal, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast}
    | {np.argsort, np.searchsorted, np.nonzero, np.count_nonzero, np.flatnonzero, np.argwhere, np.may_share_memory}
    | {np.shares_memory, np.full_like, np.empty_like, np.digitize, np.histogram, np.array_repr, np.array_str}
    | {np.nanargmax, np.nanargmin, np.lexsort, np.argpartition, np.einsum_path}
    | {np.isin, np.iscomplex, np.isreal, np.any, np.all, np.linalg.matrix_rank, np.min_scalar_type}
)

FURTHER: Final[dict[Any, Callable[..., Any]]] = {
    np.linalg.norm: _norm,
    np.linalg.det: linalg_solving.det,
    np.linalg.slogdet: lambda a: tuple(linalg_solving.slogdet(a)),
    np.linalg.solve: _solve,
    np.linalg.pinv: lambda a, rcond=None, hermitian=False: linalg_pseudoinverse.pinv(a, rcond, hermitian),
    np.linalg.eigh: lambda a, UPLO="L": tuple(linalg_spectra.eigh(a, UPLO)),  # noqa: N803 - NumPy's argument
    np.linalg.eigvalsh: lambda a, UPLO="L": linalg_spectra.eigvalsh(a, UPLO),  # noqa: N803
    np.linalg.eig: lambda a: tuple(linalg_spectra.eig(a)),
    np.linalg.eigvals: linalg_spectra.eigvals,
    np.linalg.svd: _svd,
    np.linalg.svdvals: linalg_spectra.svdvals,
    np.linalg.qr: lambda a, mode="reduced": tuple(linalg_factors.linalg_qr(a, mode)),
    np.linalg.cholesky: linalg_factors.linalg_cholesky,
    np.linalg.matrix_power: matrices.matrix_power,
    np.linalg.multi_dot: matrices.multi_dot,
    np.fft.fft: _transform(fourier.fft),
    np.fft.ifft: _transform(fourier.ifft),
    np.fft.rfft: _transform(fourier.rfft),
    np.fft.irfft: _transform(fourier.irfft),
    np.fft.hfft: _transform(fourier.hfft),
    np.fft.ihfft: _transform(fourier.ihfft),
    np.fft.fftn: _transforms(fourier.fftn),
    np.fft.ifftn: _transforms(fourier.ifftn),
    np.fft.rfftn: _transforms(fourier.rfftn),
    np.fft.irfftn: _transforms(fourier.irfftn),
    np.fft.fft2: _transforms(fourier.fft2, (-2, -1)),
    np.fft.ifft2: _transforms(fourier.ifft2, (-2, -1)),
    np.fft.rfft2: _transforms(fourier.rfft2, (-2, -1)),
    np.fft.irfft2: _transforms(fourier.irfft2, (-2, -1)),
    np.fft.fftshift: lambda x, axes=None: fourier.fftshift(x, axes),
    np.fft.ifftshift: lambda x, axes=None: fourier.ifftshift(x, axes),
    np.quantile: _at_quantile(1.0),
    np.percentile: _at_quantile(100.0),
    np.median: _median,
    np.average: _average,
    np.ptp: lambda a, axis=None: a.amax(dims_of(a, axis)) - a.amin(dims_of(a, axis)),
    np.trapezoid: _trapezoid,
    np.gradient: _gradient,
    np.cov: lambda m, *, ddof=1: statistics.cov(m, correction=ddof),
    np.corrcoef: statistics.corrcoef,
    np.kron: matrices.kron,
    np.cross: lambda a, b, axis=-1: matrices.linalg_cross(a, b, dim=axis),
    np.vander: lambda x, N=None: x.unsqueeze(-1) ** wrap(np.arange(len(x) if N is None else N)[::-1].copy()),  # noqa: N803
    np.split: _split,
    np.array_split: lambda ary, sections, axis=0: list(ary.tensor_split(_places(sections), axis)),
    np.dstack: joining.dstack,
    np.append: _append,
    np.pad: pad,
    np.rot90: lambda m, k=1, axes=(0, 1): m.rot90(k, axes),
    np.fliplr: lambda m: m.fliplr(),
    np.flipud: lambda m: m.flipud(),
    np.nan_to_num: lambda x, *, nan=0.0, posinf=None, neginf=None: x.nan_to_num(nan, posinf, neginf),
    np.take_along_axis: lambda arr, indices, axis=-1: arr.take_along_dim(indices, axis),
    np.ediff1d: lambda ary: ary.reshape(-1).diff(),
    np.select: _chosen,
    np.sinc: sinc,
    np.i0: lambda x: x.i0(),
    np.angle: lambda z: z.angle(),
    np.polyval: _polyval,
    np.meshgrid: lambda *xi, indexing="xy": list(joining.meshgrid(*xi, indexing=indexing)),
    np.broadcast_arrays: lambda *args: tuple([a.expand(np.broadcast_shapes(*[b.shape for b in args])) for a in args]),
    np.linalg.diagonal: lambda x, *, offset=0: diagonal(x, offset, -2, -1),
    np.linalg.matmul: matmul,
}
