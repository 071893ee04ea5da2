"""The functions of ``torch.fft``."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import numpy as np

from wengert._dtypes import DEFAULTS
from wengert.engine.apply import apply
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.options import chosen_dtype, made, require_tensor, type_name
from wengert.functions.repeating import roll
from wengert.ops.fourier import FFT_C2C, FFT_C2R, FFT_R2C
from wengert.ops.movement import CAST
from wengert.spaces.tensors import TENSOR

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Shape = tuple[int, ...]

# --- what the transforms share ---


def _scale(norm: Any, n: int, inverse: bool) -> float:
    """The factor in front of the sum over ``n`` numbers."""
    if norm not in (None, "backward", "forward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}". It is "forward", "backward" or "ortho"')
    if norm == "ortho":
        return 1.0 / sqrt(n)
    return 1.0 / n if (norm == "forward") is not inverse else 1.0


def _axes(name: str, input: Any, s: Any, dim: Any) -> tuple[Shape, tuple[int | None, ...]]:
    """The axes to transform, and the length wanted along each (None: as it is)."""
    ndim = require_tensor(name, input)._data.ndim
    if dim is None and s is None:
        dims = tuple(range(ndim))
    elif dim is None:
        if len(s) > ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - len(s), ndim))
    else:
        given = dim if isinstance(dim, (tuple, list)) else (dim,)
        dims = tuple([wrap_dim(d, ndim) for d in given])
    if len(set(dims)) != len(dims):
        raise RuntimeError("FFT dims must be unique")
    if s is not None and len(s) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    sizes = tuple([None] * len(dims)) if s is None else tuple([None if n == -1 else int(n) for n in s])
    for size in sizes:
        if size is not None and size < 1:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")
    return dims, sizes


def _one(name: str, input: Any, n: Any, dim: Any) -> tuple[Shape, tuple[int | None, ...]]:
    """As :func:`_axes` for the transforms of one axis."""
    raw = require_tensor(name, input)._data
    axis = wrap_dim(dim, raw.ndim)
    if raw.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if n is not None and n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return (axis,), (None if n is None else int(n),)


def _in_dtype(input: Any, *, to_complex: bool) -> Any:
    dtype = input._data.dtype
    if dtype.char == "e":
        raise RuntimeError("Unsupported dtype Half: convert the tensor first, for example with .float()")
    if dtype.kind not in "fc":
        dtype = DEFAULTS.float
    wanted = np.result_type(dtype, np.complex64) if to_complex else dtype
    return input if input._data.dtype is wanted else apply(CAST, input, dtype=np.dtype(wanted))


def _resized(x: Any, dims: Shape, sizes: tuple[int | None, ...]) -> Any:
    """Cut off or filled up with zeros at the end of each axis."""
    shape = x._data.shape
    pads = [(0, 0)] * len(shape)
    for dim, size in zip(dims, sizes, strict=True):
        if size is not None and size < shape[dim]:
            x = TENSOR.slice(x, dim=dim, start=0, stop=size, step=1)
        elif size is not None:
            pads[dim] = (0, size - shape[dim])
    return TENSOR.constant_pad(x, pads=tuple(pads), value=0.0) if any([after for _, after in pads]) else x


def _whole(input: Any, at: Any, norm: Any, out: Any, *, inverse: bool) -> Any:
    """Complex numbers to complex numbers."""
    dims, sizes = at
    x = _resized(_in_dtype(input, to_complex=True), dims, sizes)
    _must_have_points(x, dims)
    count = prod([x._data.shape[dim] for dim in dims])
    if not dims:
        return deliver(out, TENSOR.clone(x), input)
    return deliver(out, apply(FFT_C2C, x, dims=dims, inverse=inverse, scale=_scale(norm, count, inverse)), input)


def _must_have_points(x: Any, dims: Shape) -> None:
    for dim in dims:
        if x._data.shape[dim] < 1:
            raise RuntimeError(f"Invalid number of data points ({x._data.shape[dim]}) specified")


def _to_half(name: str, input: Any, at: Any, norm: Any, out: Any, *, inverse: bool) -> Any:
    """Real numbers to half of their frequencies; ``inverse`` gives the conjugates, as an inverse transform does."""
    dims, sizes = at
    if input._data.dtype.kind == "c":
        raise RuntimeError(f"{name} expects a real input tensor, but got {type_name(input._data.dtype)}")
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x = _resized(_in_dtype(input, to_complex=False), dims, sizes)
    _must_have_points(x, dims)
    count = prod([x._data.shape[dim] for dim in dims])
    y = apply(FFT_R2C, x, dims=dims, scale=_scale(norm, count, inverse))
    return deliver(out, TENSOR.conj(y) if inverse else y, input)


def _from_half(name: str, input: Any, at: Any, norm: Any, out: Any, *, inverse: bool) -> Any:
    """Half of the frequencies to real numbers; without ``inverse`` by the forward transform."""
    dims, sizes = at
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = dims[-1]
    n = sizes[-1] if sizes[-1] is not None else 2 * (input._data.shape[last] - 1)
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    x = _resized(_in_dtype(input, to_complex=True), dims, (*sizes[:-1], n // 2 + 1))
    _must_have_points(x, dims)
    count = prod([x._data.shape[dim] for dim in dims[:-1]]) * n
    if not inverse:
        x = TENSOR.conj(x)
    return deliver(out, apply(FFT_C2R, x, dims=dims, n=n, scale=_scale(norm, count, inverse)), input)


# --- one axis ---


def fft(input: Any, n: Any = None, dim: Any = -1, norm: Any = None, *, out: Any = None) -> Any:
    """The Fourier transform ``y_j = sum_k x_k exp(-2 pi i j k / n)`` along one axis.

    The axis is cut off or filled up with zeros to the length ``n``. ``norm`` says which of the transform and its
    inverse carries the factor 1/n: ``"backward"`` (the inverse, the default), ``"forward"``, or ``"ortho"``: both, as
    1/sqrt(n). Real numbers are taken as complex ones.

    Raises:
        RuntimeError: no points to transform, another ``norm``, or half precision.

    >>> import wengert as torch
    >>> torch.fft.fft(torch.tensor([1., 0., -1., 0.]))
    tensor([0.+0.j, 2.+0.j, 0.+0.j, 2.+0.j])
    """
    return _whole(input, _one("fft_fft", input, n, dim), norm, out, inverse=False)


def ifft(input: Any, n: Any = None, dim: Any = -1, norm: Any = None, *, out: Any = None) -> Any:
    """The inverse of :func:`fft`: ``x_k = 1/n sum_j y_j exp(2 pi i j k / n)``.

    >>> import wengert as torch
    >>> torch.fft.ifft(torch.tensor([0., 2., 0., 2.])).real
    tensor([ 1.,  0., -1.,  0.])
    """
    return _whole(input, _one("fft_ifft", input, n, dim), norm, out, inverse=True)


def rfft(input: Any, n: Any = None, dim: Any = -1, norm: Any = None, *, out: Any = None) -> Any:
    """The first ``n // 2 + 1`` frequencies of :func:`fft` of real numbers; the others are their conjugates.

    Raises:
        RuntimeError: complex numbers, or as :func:`fft`.

    >>> import wengert as torch
    >>> torch.fft.rfft(torch.tensor([1., 0., -1., 0.]))
    tensor([0.+0.j, 2.+0.j, 0.+0.j])
    """
    return _to_half("rfft", input, _one("fft_rfft", input, n, dim), norm, out, inverse=False)


def irfft(input: Any, n: Any = None, dim: Any = -1, norm: Any = None, *, out: Any = None) -> Any:
    """The inverse of :func:`rfft`: ``n`` real numbers (by default an even number) from half of their frequencies.

    >>> import wengert as torch
    >>> torch.fft.irfft(torch.tensor([0., 2., 0.]))
    tensor([ 1.,  0., -1.,  0.])
    """
    return _from_half("irfft", input, _one("fft_irfft", input, n, dim), norm, out, inverse=True)


def hfft(input: Any, n: Any = None, dim: Any = -1, norm: Any = None, *, out: Any = None) -> Any:
    """:func:`fft` of numbers of which the second half are the conjugates of the first, which is given; it is real.

    >>> import wengert as torch
    >>> torch.fft.hfft(torch.tensor([1., 0., 1.]))
    tensor([2., 0., 2., 0.])
    """
    return _from_half("hfft", input, _one("fft_hfft", input, n, dim), norm, out, inverse=False)


def ihfft(input: Any, n: Any = None, dim: Any = -1, norm: Any = None, *, out: Any = None) -> Any:
    """The inverse of :func:`hfft`: the first half of :func:`ifft` of real numbers.

    Raises:
        RuntimeError: complex numbers, or as :func:`fft`.

    >>> import wengert as torch
    >>> torch.fft.ihfft(torch.tensor([2., 0., 2., 0.])).real
    tensor([1., 0., 1.])
    """
    return _to_half("ihfft", input, _one("fft_ihfft", input, n, dim), norm, out, inverse=True)


# --- two axes ---


def fft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Any:
    """:func:`fftn` over two axes.

    >>> import wengert as torch
    >>> torch.fft.fft2(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return fftn(input, s, dim, norm, out=out)


def ifft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Any:
    """:func:`ifftn` over two axes.

    >>> import wengert as torch
    >>> torch.fft.ifft2(torch.tensor([[4., 0.], [0., 0.]])).real
    tensor([[1., 1.],
            [1., 1.]])
    """
    return ifftn(input, s, dim, norm, out=out)


def rfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Any:
    """:func:`rfftn` over two axes.

    >>> import wengert as torch
    >>> torch.fft.rfft2(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return rfftn(input, s, dim, norm, out=out)


def irfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Any:
    """:func:`irfftn` over two axes.

    >>> import wengert as torch
    >>> torch.fft.irfft2(torch.tensor([[4., 0.], [0., 0.]]))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return irfftn(input, s, dim, norm, out=out)


def hfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Any:
    """:func:`hfftn` over two axes.

    >>> import wengert as torch
    >>> torch.fft.hfft2(torch.tensor([[1., 0.], [0., 0.]]))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return hfftn(input, s, dim, norm, out=out)


def ihfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Any:
    """:func:`ihfftn` over two axes.

    >>> import wengert as torch
    >>> torch.fft.ihfft2(torch.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return ihfftn(input, s, dim, norm, out=out)


# --- any axes ---


def fftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None, *, out: Any = None) -> Any:
    """:func:`fft` over several axes (by default all), each cut off or filled up to a length in ``s``.

    Raises:
        RuntimeError: an axis named twice, another number of lengths than axes, or as :func:`fft`.

    >>> import wengert as torch
    >>> torch.fft.fftn(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _whole(input, _axes("fft_fftn", input, s, dim), norm, out, inverse=False)


def ifftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None, *, out: Any = None) -> Any:
    """The inverse of :func:`fftn`.

    >>> import wengert as torch
    >>> torch.fft.ifftn(torch.tensor([[4., 0.], [0., 0.]])).real
    tensor([[1., 1.],
            [1., 1.]])
    """
    return _whole(input, _axes("fft_ifftn", input, s, dim), norm, out, inverse=True)


def rfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None, *, out: Any = None) -> Any:
    """:func:`fftn` of real numbers; of the frequencies along the last axis half are left out.

    Raises:
        RuntimeError: complex numbers, or as :func:`fftn`.

    >>> import wengert as torch
    >>> torch.fft.rfftn(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _to_half("rfftn", input, _axes("fft_rfftn", input, s, dim), norm, out, inverse=False)


def irfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None, *, out: Any = None) -> Any:
    """The inverse of :func:`rfftn`; the last length in ``s`` is that of the result (by default an even number).

    >>> import wengert as torch
    >>> torch.fft.irfftn(torch.tensor([[4., 0.], [0., 0.]]))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return _from_half("irfftn", input, _axes("fft_irfftn", input, s, dim), norm, out, inverse=True)


def hfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None, *, out: Any = None) -> Any:
    """:func:`hfft` along the last of several axes and :func:`fft` along the others.

    >>> import wengert as torch
    >>> torch.fft.hfftn(torch.tensor([[1., 0.], [0., 0.]]))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return _from_half("hfftn", input, _axes("fft_hfftn", input, s, dim), norm, out, inverse=False)


def ihfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None, *, out: Any = None) -> Any:
    """The inverse of :func:`hfftn`.

    >>> import wengert as torch
    >>> torch.fft.ihfftn(torch.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return _to_half("ihfftn", input, _axes("fft_ihfftn", input, s, dim), norm, out, inverse=True)


# --- frequencies and their order ---


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """The frequencies of :func:`fft`, in its order, in cycles per unit for samples ``d`` apart.

    >>> import wengert as torch
    >>> torch.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    raw = np.fft.fftfreq(n, d).astype(chosen_dtype("fft_fftfreq", dtype, device=device))
    return made(raw, requires_grad)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """The frequencies of :func:`rfft`, in cycles per unit for samples ``d`` apart.

    >>> import wengert as torch
    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    raw = np.fft.rfftfreq(n, d).astype(chosen_dtype("fft_rfftfreq", dtype, device=device))
    return made(raw, requires_grad)


def fftshift(input: Any, dim: Any = None) -> Any:
    """The frequency zero moved to the middle of each axis.

    >>> import wengert as torch
    >>> torch.fft.fftshift(torch.tensor([0, 1, -2, -1]))
    tensor([-2, -1,  0,  1])
    """
    return _shifted("fftshift", input, dim, lambda n: n // 2)


def ifftshift(input: Any, dim: Any = None) -> Any:
    """The inverse of :func:`fftshift`.

    >>> import wengert as torch
    >>> torch.fft.ifftshift(torch.tensor([-2, -1, 0, 1]))
    tensor([ 0,  1, -2, -1])
    """
    return _shifted("ifftshift", input, dim, lambda n: (n + 1) // 2)


def _shifted(name: str, input: Any, dim: Any, by: Any) -> Any:
    shape = require_tensor(f"fft_{name}", input)._data.shape
    dims = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    listed = [wrap_dim(d, len(shape)) for d in dims]
    if not listed:
        return TENSOR.clone(input)
    return roll(input, tuple([by(shape[d]) for d in listed]), tuple(listed))
