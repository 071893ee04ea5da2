"""``assert_close``: values that may differ by rounding. Knows tensors, numbers and containers, no operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert.engine.base import TensorBase

__all__ = ["assert_close"]

_RELATIVE_AND_ABSOLUTE: Final = {2: (1e-3, 1e-5), 4: (1.3e-6, 1e-5), 8: (1e-7, 1e-7)}  # by the bytes of a real number


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,  # noqa: ARG001 - there is one device
    check_dtype: bool = True,
    check_layout: bool = True,  # noqa: ARG001 - there is one layout
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise unless ``abs(actual - expected) <= atol + rtol * abs(expected)`` for all elements.

    Tensors, NumPy arrays, numbers and None, and sequences and mappings of them, nested as one likes. Without tolerances
    those of the dtype hold: a relative 1e-3, 1.3e-6, 1e-7 and an absolute 1e-5, 1e-5, 1e-7 for half, single and double
    precision, and none for integers.

    Args:
        actual: what was computed.
        expected: what it should be, with the same structure, shapes and dtypes.
        allow_subclasses: whether one tensor may be of another class than the other.
        rtol: relative tolerance; needs ``atol`` too.
        atol: absolute tolerance; needs ``rtol`` too.
        equal_nan: whether NaN equals NaN.
        check_device: taken for PyTorch's sake.
        check_dtype: whether dtypes must be equal.
        check_layout: taken for PyTorch's sake.
        check_stride: whether strides must be equal.
        msg: what to say instead, or a function of the message that gives another.

    Raises:
        AssertionError: they are not close. The message tells how many elements differ, and where they do most.
        TypeError: something that cannot be compared, or a tensor and something else.
        ValueError: one tolerance without the other.

    >>> import wengert as torch
    >>> torch.testing.assert_close(torch.tensor([0.1 + 0.2]), torch.tensor([0.3]))
    >>> torch.testing.assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5]))
    Traceback (most recent call last):
      ...
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.20000000298023224 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        missing = "atol" if atol is None else "rtol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    limits = None if rtol is None or atol is None else (rtol, atol)
    comparison = _Comparison(limits, equal_nan, check_dtype, check_stride, allow_subclasses)
    for place, problem in comparison.problems(actual, expected, ""):
        message = f"{problem}\n\nThe failure occurred for item {place}" if place else problem
        raise AssertionError(message if msg is None else msg if isinstance(msg, str) else msg(message))


@dataclass(frozen=True)
class _Comparison:
    """What counts as close; finds the places where two values are not, with what is wrong there."""

    limits: tuple[float, float] | None
    equal_nan: bool
    check_dtype: bool
    check_stride: bool
    allow_subclasses: bool

    def problems(self, actual: Any, expected: Any, place: str) -> Iterator[tuple[str, str]]:
        if isinstance(actual, Mapping) and isinstance(expected, Mapping):
            yield from self._in_mappings(actual, expected, place)
        elif _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                yield place, f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            for number, (a, b) in enumerate(zip(actual, expected, strict=False)):
                yield from self.problems(a, b, f"{place}[{number}]")
        elif (found := self._of_leaves(actual, expected)) is not None:
            yield place, found

    def _in_mappings(
        self, actual: Mapping[Any, Any], expected: Mapping[Any, Any], place: str
    ) -> Iterator[tuple[str, str]]:
        if actual.keys() != expected.keys():
            missing, more = expected.keys() - actual.keys(), actual.keys() - expected.keys()
            text = (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing, key=str)}\n"
                f"Additional keys in the actual mapping: {sorted(more, key=str)}"
            )
            yield place, text
        for key in expected:
            yield from self.problems(actual[key], expected[key], f"{place}[{key!r}]")

    def _of_leaves(self, actual: Any, expected: Any) -> str | None:
        if actual is None or expected is None:
            return None if actual is expected else f"None mismatch: {actual} is not {expected}"
        if isinstance(actual, (bool, np.bool)) and isinstance(expected, (bool, np.bool)):
            return None if actual == expected else f"Booleans mismatch: {actual} is not {expected}"
        if _is_number(actual) and _is_number(expected):
            return self._of_numbers(actual, expected)
        arrays = isinstance(actual, np.ndarray) and isinstance(expected, np.ndarray)
        tensors = isinstance(actual, TensorBase) and isinstance(expected, TensorBase)
        same = self.allow_subclasses or type(actual) is type(expected)
        if not (arrays or tensors) or not same:
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}. Tensors "
                "are compared with tensors, arrays with arrays, and numbers with numbers"
            )
        return self._of_arrays(*[x.detach()._data if tensors else x for x in (actual, expected)])

    def _of_numbers(self, actual: Any, expected: Any) -> str | None:
        if self.check_dtype and type(actual) is not type(expected):
            return f"The (d)types do not match: {type(actual)} != {type(expected)}."
        return self._of_values(np.asarray(actual), np.asarray(expected))

    def _of_arrays(self, actual: Any, expected: Any) -> str | None:
        if actual.shape != expected.shape:
            shapes = [f"torch.Size({list(x.shape)})" for x in (actual, expected)]
            return f"The values for attribute 'shape' do not match: {shapes[0]} != {shapes[1]}."
        if self.check_dtype and actual.dtype != expected.dtype:
            dtypes = [str(from_numpy_dtype(x.dtype)) for x in (actual, expected)]
            return f"The values for attribute 'dtype' do not match: {dtypes[0]} != {dtypes[1]}."
        if self.check_stride and actual.strides != expected.strides:
            strides = [tuple([step // x.itemsize for step in x.strides]) for x in (actual, expected)]
            return f"The values for attribute 'stride()' do not match: {strides[0]} != {strides[1]}."
        return self._of_values(np.asarray(actual), np.asarray(expected))

    def _of_values(self, actual: Any, expected: Any) -> str | None:
        rtol, atol = self.limits or tuple(map(max, _tolerances(actual.dtype), _tolerances(expected.dtype)))
        kind = np.result_type(actual, expected)
        if kind.kind == "b":
            kind = np.dtype(np.uint8)
        a, b = actual.astype(kind), expected.astype(kind)
        with np.errstate(all="ignore"):
            apart = np.abs(a - b) if kind.kind in "fc" else np.where(a > b, a - b, b - a)
            close = (a == b) | (np.isfinite(apart) & (apart <= atol + rtol * np.abs(b)))
            if self.equal_nan:
                close |= np.isnan(a) & np.isnan(b)
            if close.all():
                return None
            relative = np.divide(apart, np.abs(b), dtype=None if kind.kind in "fc" else np.float32)
        words = _Words(rtol, atol)
        return (
            words.of_scalars(a, b, apart)
            if not apart.ndim
            else words.of_elements(close, np.where(close, 0, apart), np.where(close, 0, relative))
        )


@dataclass(frozen=True)
class _Words:
    """The message, for tolerances that are told where there are any."""

    rtol: float
    atol: float

    def _head(self, what: str) -> str:
        return f"{what} are not {'close' if self.rtol or self.atol else 'equal'}!\n\n"

    def _allowed(self, limit: float) -> str:
        return f" (up to {limit} allowed)" if self.rtol or self.atol else ""

    def of_scalars(self, actual: Any, expected: Any, apart: Any) -> str:
        got, wanted = actual.item(), expected.item()
        difference = apart.item()
        relative = difference / abs(wanted) if wanted else float("inf")
        return (
            f"{self._head('Scalars')}Expected {wanted} but got {got}.\n"
            f"Absolute difference: {difference}{self._allowed(self.atol)}\n"
            f"Relative difference: {relative}{self._allowed(self.rtol)}"
        )

    def of_elements(self, close: Any, apart: Any, relative: Any) -> str:
        wrong = close.size - int(close.sum())
        lines = [f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})"]
        for name, found, limit in (("absolute", apart, self.atol), ("relative", relative, self.rtol)):
            place = tuple(map(int, np.unravel_index(int(np.argmax(found)), found.shape)))
            lines.append(f"Greatest {name} difference: {found[place].item()} at index {place}{self._allowed(limit)}")
        return self._head("Tensor-likes") + "\n".join(lines)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, complex, np.number))


def _tolerances(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind not in "fc":
        return 0.0, 0.0
    return _RELATIVE_AND_ABSOLUTE[dtype.itemsize // (2 if dtype.kind == "c" else 1)]
