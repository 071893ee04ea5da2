"""Inputs of a program that are neither arguments nor tensors: Python computes them before each run.

Drawn random numbers are such, and what an optimizer's step takes of its count and its settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from wengert._random import Stream
from wengert.program.values import Value

Type = tuple[np.dtype[Any], tuple[int, ...]]


class Source(Protocol):
    """Where some inputs come from."""

    def types(self) -> Sequence[Type]:
        """Dtypes and shapes of the inputs."""

    def key(self) -> Any:
        """What the program was made for: it is traced anew where this is another one. Has no effects."""

    def raws(self) -> Sequence[Any]:
        """The inputs of one run."""

    def commit(self) -> None:
        """The run is done."""


class HostInputs(NamedTuple):
    """A source, the values of the program that it gives, and its key when the program was traced."""

    source: Source
    values: tuple[Value, ...]
    key: Any


class Draw:
    """Numbers from a stream, drawn anew for each run, in the order of the program."""

    def __init__(self, stream: Stream, name: str, args: tuple[Any, ...], result: Type) -> None:
        self.stream = stream
        self.name = name
        self.args = args
        self.result = result

    def types(self) -> Sequence[Type]:
        """One array."""
        return (self.result,)

    def key(self) -> Any:
        """Nothing depends on what is drawn."""
        return None

    def raws(self) -> Sequence[Any]:
        """Draw."""
        return (np.asarray(getattr(self.stream, self.name)(*self.args)),)

    def commit(self) -> None:
        """The stream has gone on already."""


__all__ = ["Draw", "HostInputs", "Source"]
