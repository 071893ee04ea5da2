"""Short-time Fourier transforms, composed of frames, a window and :func:`fft.rfft`."""

from __future__ import annotations

from typing import Any

from wengert.functions.fourier import fft, ifft, irfft, rfft
from wengert.functions.options import require_tensor
from wengert.functions.padding import pad
from wengert.ops.patches import Places
from wengert.spaces.tensors import TENSOR

__all__ = ["istft", "stft"]


def stft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
) -> Any:
    """The spectrum of each frame of a signal ``[*, L]``: ``[*, frequencies, frames]``.

    Frames of ``n_fft`` samples lie ``hop_length`` (a quarter of that) apart; with ``center`` the first lies around the
    first sample, and the signal is padded by ``pad_mode``. ``window``, of ``win_length``, is padded to ``n_fft``.
    ``normalized`` divides by the root of ``n_fft``; ``onesided``, the default for real signals, gives the half that
    tells all. Without ``return_complex`` real and imaginary parts are a last dimension.

    Raises:
        RuntimeError: sizes that do not fit, or ``return_complex`` not said for a real signal.

    >>> import wengert as torch
    >>> torch.stft(torch.ones(8), 4, center=False, return_complex=True)[0].real
    tensor([4., 4., 4., 4., 4.])
    """
    raw = require_tensor("stft", input)._data
    is_complex = raw.dtype.kind == "c" or (window is not None and window._data.dtype.kind == "c")
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs: return_complex=True is recommended"
        )
    hop, length = _lengths("stft", n_fft, hop_length, win_length, window)
    if raw.ndim not in (1, 2):
        raise RuntimeError(f"stft(...) : expected a 1D or 2D tensor, but got {raw.ndim}D")
    x = input if raw.ndim == 2 else input.unsqueeze(0)
    if center:
        x = pad(x.unsqueeze(1), (n_fft // 2, n_fft // 2), pad_mode).squeeze(1)
    samples = x._data.shape[-1]
    if not 0 < n_fft <= samples:
        raise RuntimeError(f"stft(...) : expected 0 < n_fft <= {samples}, but got n_fft={n_fft}")
    frames = x.unfold(-1, n_fft, hop)
    if window is not None:
        frames = frames * _widened(window, length, n_fft)
    elif length < n_fft:
        frames = frames * _widened(x.new_ones(length), length, n_fft)
    half = (not is_complex) if onesided is None else onesided
    if half and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    norm = "ortho" if normalized else "backward"
    spectrum = (rfft if half else fft)(frames, norm=norm).transpose(-1, -2)
    spectrum = spectrum if raw.ndim == 2 else spectrum.squeeze(0)
    return spectrum if return_complex or return_complex is None else TENSOR.view_as_real(spectrum)


def _lengths(name: str, n_fft: int, hop_length: int | None, win_length: int | None, window: Any) -> tuple[int, int]:
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is not None and require_tensor(name, window)._data.shape != (length,):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window._data.shape)}"
        )
    return hop, length


def _widened(window: Any, length: int, n_fft: int) -> Any:
    """The window in the middle of a frame."""
    left = (n_fft - length) // 2
    return window if length == n_fft else pad(window, (left, n_fft - length - left))


def istft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Any:
    """The signal ``[*, L]`` whose frames have the spectra ``[*, frequencies, frames]``: the inverse of :func:`stft`.

    Overlapping frames are added and divided by the sum of the squares of their windows (the least-squares signal).

    Raises:
        RuntimeError: sizes that do not fit, or windows that nowhere overlap some sample.

    >>> import wengert as torch
    >>> x = torch.arange(8.)
    >>> w = torch.ones(4)
    >>> torch.allclose(torch.istft(torch.stft(x, 4, window=w, return_complex=True), 4, window=w), x, atol=1e-6)
    True
    """
    raw = require_tensor("istft", input)._data
    if raw.dtype.kind != "c":
        raise RuntimeError("istft requires a complex-valued input tensor matching the output from stft")
    if raw.ndim not in (2, 3) or not raw.size:
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions and elements, but got {list(raw.shape)}")
    hop, width = _lengths("istft", n_fft, hop_length, win_length, window)
    rows, count = raw.shape[-2:]
    half = rows != n_fft if onesided is None else onesided
    if rows != (n_fft // 2 + 1 if half else n_fft):
        raise RuntimeError(f"istft: {rows} frequencies do not go with n_fft={n_fft} and onesided={half}")
    if return_complex and half:
        raise RuntimeError("cannot have onesided input (half of the frequencies) with return_complex=True")
    spectra = (input if raw.ndim == 3 else input.unsqueeze(0)).transpose(-1, -2)
    norm = "ortho" if normalized else "backward"
    frames = ifft(spectra, norm=norm) if return_complex else irfft(spectra[..., : n_fft // 2 + 1], n_fft, norm=norm)
    shape = _widened(frames.real.new_ones(width) if window is None else window, width, n_fft)
    frames = frames * shape
    total = n_fft + hop * (count - 1)
    y = _overlapped(frames, n_fft, hop, total)
    weight = _overlapped((shape * shape).expand(1, count, n_fft), n_fft, hop, total)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - start if center else total
    stop = min(end, total)
    y, weight = y[:, start:stop], weight[:, start:stop]
    if not bool((weight.abs() > 1e-11).all()):
        raise RuntimeError("istft: window overlap add min: 0; some sample lies under no window (its weight is zero)")
    y = y / weight
    y = y if end <= total else pad(y, (0, end - total))
    return y if raw.ndim == 3 else y.squeeze(0)


def _overlapped(frames: Any, n_fft: int, hop: int, total: int) -> Any:
    """Frames ``[N, count, n_fft]`` added up where they lie, ``[N, total]``."""
    columns = frames.transpose(-1, -2)
    places = Places((hop,), (0,), (1,))
    return TENSOR.col2im(columns, space=(total,), kernel=(n_fft,), places=places)[:, 0]


class ShortTimeMethods:
    """The part of Tensor about short-time spectra."""

    __slots__ = ()

    istft = istft
    stft = stft
