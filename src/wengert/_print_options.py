"""How tensors are printed: the options, their profiles, and the one place that holds them."""

import contextlib
import dataclasses
import math
import operator
import warnings
from collections.abc import Iterator
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class PrintOptions:
    """Digits, line width and summarising of printed tensors; the defaults are PyTorch's."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: float = 80
    sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


class _Current:
    """The options in force, shared by all threads as in PyTorch; the frozen record is swapped whole."""

    options = PrintOptions()


def current_options() -> PrintOptions:
    """Return the options in force."""
    return _Current.options


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: float | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed from now on.

    `precision` counts the digits after the point; tensors with more than `threshold` elements show the first and last
    `edgeitems` of each dimension; lines break at `linewidth` characters. `profile` ("default", "short" or "full") is
    applied first, and the other arguments override it. What is not given stays as it is, except `sci_mode`: every call
    sets it, and None lets the values decide between fixed and scientific notation, as in PyTorch.

    Raises `TypeError` or `ValueError` for a value that no tensor could be printed with; nothing is changed then.
    An unknown profile is ignored, as PyTorch does, with a warning.

    >>> import wengert as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([1.12345])
    tensor([1.12])
    >>> torch.set_printoptions(profile="default", threshold=5)
    >>> torch.tensor([0, 1, 2, 3, 4, 5, 6])
    tensor([0, 1, 2,  ..., 4, 5, 6])
    >>> torch.set_printoptions(profile="default")
    """
    given = {
        "precision": None if precision is None else _count("precision", precision),
        "threshold": None if threshold is None else _number("threshold", threshold),
        "edgeitems": None if edgeitems is None else _count("edgeitems", edgeitems),
        "linewidth": None if linewidth is None else _width(linewidth),
    }
    changes = dict(_profile(profile)) | {name: value for name, value in given.items() if value is not None}
    _Current.options = dataclasses.replace(_Current.options, **changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """Return the options in force as keyword arguments for `set_printoptions`.

    >>> from wengert._print_options import get_printoptions
    >>> get_printoptions()
    {'precision': 4, 'threshold': 1000, 'edgeitems': 3, 'linewidth': 80, 'sci_mode': None}
    """
    return dataclasses.asdict(_Current.options)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Print with other options inside a `with` block; takes the arguments of `set_printoptions`.

    The options from before the block come back at its end, also after an exception.

    >>> import wengert as torch
    >>> from wengert._print_options import printoptions
    >>> with printoptions(precision=1):
    ...     print(torch.tensor(0.25))
    tensor(0.2)
    """
    before = _Current.options
    set_printoptions(**options)
    try:
        yield
    finally:
        _Current.options = before


def _profile(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    if name not in _PROFILES:
        known = ", ".join(map(repr, _PROFILES))
        warnings.warn(
            f"set_printoptions: unknown profile {name!r} is ignored; choose one of {known}.", UserWarning, stacklevel=3
        )
        return {}
    return _PROFILES[name]


def _count(name: str, value: int) -> int:
    """`value` as a non-negative integer; True is refused because it is no digit or element count."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"set_printoptions: got {name}={value!r}, expected a non-negative integer such as {name}=4.")
    if operator.index(value) < 0:
        raise ValueError(f"set_printoptions: got {name}={value!r}, expected 0 or more.")
    return operator.index(value)


def _number(name: str, value: Any) -> float:
    if not (hasattr(value, "__index__") or hasattr(value, "__float__")):
        raise TypeError(f"set_printoptions: got {name}={value!r}, expected a number such as {name}=1000.")
    number: float = value
    return number


def _width(value: float) -> float:
    if math.isnan(_number("linewidth", value)):
        raise ValueError("set_printoptions: got linewidth=nan, expected a number of characters such as linewidth=80.")
    return value
