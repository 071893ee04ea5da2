"""Window functions, under the names of ``torch.signal.windows``; with ``sym=False`` periodic ones, for transforms."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from wengert._layout import strided
from wengert.functions.options import chosen_dtype, made

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _made(name: str, M: int, values: Any, options: dict[str, Any]) -> Any:  # noqa: N803 - PyTorch's name
    """A window as a tensor: ones for a single sample."""
    requires_grad = options.pop("requires_grad")
    if options["layout"] not in (None, strided):
        raise ValueError(f"{name} is implemented for strided tensors only, got: {options['layout']}")
    dtype = chosen_dtype(f"{name}_window", options.pop("dtype"), **options)
    if dtype.kind != "f" or dtype.char == "e":
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    raw = np.ones(M) if M <= 1 else values()
    return made(np.asarray(raw, dtype), requires_grad)


def _checked(name: str, M: Any) -> int:  # noqa: N803 - PyTorch's name
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    return int(M)


def _times(M: int, sym: bool) -> Any:  # noqa: N803 - PyTorch's name
    """The samples' places between 0 and 1; a periodic window stops one sample before 1."""
    return np.arange(M) / (M - 1 if sym else M)


def general_cosine(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    a: Any,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The window ``sum_k (-1)^k a_k cos(2 pi k n / (M - 1))``.

    Raises:
        ValueError: a negative length, no coefficients, or a dtype that is not floating point.
        TypeError: the coefficients are no sequence.

    >>> import wengert as torch
    >>> torch.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    count = _checked("general_cosine", M)
    if not isinstance(a, (tuple, list)):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}

    def values() -> Any:
        t = 2 * pi * _times(count, sym)
        return sum([(-1) ** k * factor * np.cos(k * t) for k, factor in enumerate(a)])

    return _made("general_cosine", count, values, options)


def general_hamming(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The window ``alpha - (1 - alpha) cos(2 pi n / (M - 1))``.

    >>> import wengert as torch
    >>> torch.signal.windows.general_hamming(3, alpha=0.5)
    tensor([0., 1., 0.])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def hamming(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Hamming's window, ``0.54 - 0.46 cos(2 pi n / (M - 1))``.

    >>> import wengert as torch
    >>> torch.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_hamming(M, sym=sym, **options)


def hann(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Hann's window, ``sin^2(pi n / (M - 1))``.

    >>> import wengert as torch
    >>> torch.signal.windows.hann(3)
    tensor([0., 1., 0.])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Blackman's window, ``0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1))``.

    >>> import wengert as torch
    >>> torch.signal.windows.blackman(3)[1]
    tensor(1.)
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Nuttall's window of four cosines.

    A. H. Nuttall, "Some windows with very good sidelobe behavior" (1981).

    >>> import wengert as torch
    >>> torch.signal.windows.nuttall(3)[1]
    tensor(1.)
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


def bartlett(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Bartlett's window, a triangle: ``1 - |2 n / (M - 1) - 1|``.

    >>> import wengert as torch
    >>> torch.signal.windows.bartlett(3)
    tensor([0., 1., 0.])
    """
    count = _checked("bartlett", M)
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _made("bartlett", count, lambda: 1 - np.abs(2 * _times(count, sym) - 1), options)


def cosine(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The window ``sin(pi (n + 1/2) / M)``.

    >>> import wengert as torch
    >>> torch.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    count = _checked("cosine", M)
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    length = count if sym else count + 1
    return _made("cosine", count, lambda: np.sin(pi * (np.arange(count) + 0.5) / length), options)


def exponential(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The window ``exp(-|n - center| / tau)``; the centre is by default the middle.

    Raises:
        ValueError: ``tau`` is not positive, or a centre for a symmetric window.

    >>> import wengert as torch
    >>> torch.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    count = _checked("exponential", M)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    middle = (count - 1 if sym else count) / 2 if center is None else center
    return _made("exponential", count, lambda: np.exp(-np.abs(np.arange(count) - middle) / tau), options)


def gaussian(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The window ``exp(-(n - middle)^2 / (2 std^2))``.

    Raises:
        ValueError: ``std`` is not positive.

    >>> import wengert as torch
    >>> torch.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    count = _checked("gaussian", M)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    middle = (count - 1 if sym else count) / 2
    return _made("gaussian", count, lambda: np.exp(-(((np.arange(count) - middle) / std) ** 2) / 2), options)


def kaiser(
    M: int,  # noqa: N803 - PyTorch's name
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Kaiser's window, ``I0(beta sqrt(1 - (2 n / (M - 1) - 1)^2)) / I0(beta)``.

    Raises:
        ValueError: ``beta`` is negative.

    >>> import wengert as torch
    >>> torch.signal.windows.kaiser(3)[1]
    tensor(1.)
    """
    count = _checked("kaiser", M)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}

    def values() -> Any:
        t = 2 * _times(count, sym) - 1
        return np.i0(beta * np.sqrt(np.maximum(1 - t * t, 0))) / np.i0(beta)

    return _made("kaiser", count, values, options)
