"""Tensors of random values for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._device import require_cpu
from wengert._dtypes import dtype as dtype_class
from wengert._tensor import Tensor
from wengert.functions.data import from_numpy
from wengert.functions.random import rand, randint

_BOUNDS = {"b": (0, 2), "u": (0, 10), "i": (-9, 10), "f": (-9.0, 9.0), "c": (-9.0, 9.0)}


def make_tensor(
    *shape: Any,
    dtype: dtype_class,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of values drawn evenly from ``[low, high)``, from the generator that ``manual_seed`` seeds.

    Args:
        shape: the shape, as several integers or one sequence.
        dtype: the dtype.
        device: the CPU.
        low: the least value: -9 for numbers with a sign, otherwise 0.
        high: no value reaches it: 9 for floats, 10 for integers, 2 for bools.
        requires_grad: whether the result does.
        noncontiguous: leave a gap after each element of the last axis.
        exclude_zero: replace zeros by the smallest positive number, or 1.
        memory_format: PyTorch's; no effect.

    Raises:
        ValueError: ``low`` is not below ``high``, or integers are to require grad.

    >>> import wengert as torch
    >>> x = torch.testing.make_tensor(2, 3, dtype=torch.float32, device="cpu", low=0, high=1)
    >>> x.shape, bool(((x >= 0) & (x < 1)).all())
    (torch.Size([2, 3]), True)
    """
    del memory_format
    require_cpu(device)
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    plain = np.dtype(dtype)
    least, most = _BOUNDS[plain.kind]
    least, most = (least if low is None else low), (most if high is None else high)
    if not least < most:
        raise ValueError(f"make_tensor() wants low < high, and got {least} and {most}")
    if requires_grad and plain.kind not in "fc":
        raise ValueError(f"make_tensor() cannot make a tensor of {dtype} that requires grad: only floats can")
    values = _values(sizes, plain, least, most)
    if exclude_zero:
        values[values == 0] = np.finfo(plain).tiny if plain.kind in "fc" else 1
    if noncontiguous and values.size > 1:
        values = np.repeat(values, 2, axis=-1)[..., ::2]
    return from_numpy(values).requires_grad_(requires_grad)  # type: ignore[no-any-return]


def _values(sizes: tuple[int, ...], plain: np.dtype[Any], least: float, most: float) -> Any:
    if plain.kind in "biu":
        return randint(int(np.ceil(least)), int(np.ceil(most)), sizes).numpy().astype(plain)
    real = rand(sizes).numpy() * (most - least) + least
    imaginary = rand(sizes).numpy() * (most - least) + least if plain.kind == "c" else 0
    return (real + 1j * imaginary if plain.kind == "c" else real).astype(plain)
