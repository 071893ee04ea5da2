"""Several transforms side by side."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from wengert.distributions import constraints
from wengert.distributions._transform import Transform
from wengert.distributions.utils import sum_rightmost
from wengert.functions.joining import cat, stack

__all__ = [
    "CatTransform",
    "StackTransform",
]


class CatTransform(Transform):
    """Each transform on its own part along ``dim``.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.CatTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)])(torch.zeros(2))
    tensor([1., 1.])
    """

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        self.dim = dim
        self.domain = constraints.cat([t.domain for t in self.transforms], dim, self.lengths)
        self.codomain = constraints.cat([t.codomain for t in self.transforms], dim, self.lengths)
        self.bijective = all([t.bijective for t in self.transforms])

    def _each(self, function: Callable[..., Any], *xs: Any) -> list[Any]:
        parts = zip(*[x.split(self.lengths, self.dim) for x in xs], strict=True)
        return [function(t, *part) for t, part in zip(self.transforms, parts, strict=True)]

    def _call(self, x: Any) -> Any:
        return cat(self._each(lambda t, part: t(part), x), self.dim)

    def _inverse(self, y: Any) -> Any:
        return cat(self._each(lambda t, part: t.inv(part), y), self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Those of the parts, one after the other (added up where ``dim`` is within the event)."""
        event_dim = max([t.domain.event_dim for t in self.transforms])
        parts = self._each(
            lambda t, a, b: sum_rightmost(t.log_abs_det_jacobian(a, b), event_dim - t.domain.event_dim), x, y
        )
        dim = (self.dim if self.dim < 0 else self.dim - x.dim()) + event_dim
        return cat(parts, dim) if dim < 0 else reduce(operator.add, parts)


class StackTransform(Transform):
    """Each transform on its own slice of ``dim``.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.StackTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)])(torch.zeros(2, 1))
    tensor([[1.],
            [1.]])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim
        self.domain = constraints.stack([t.domain for t in self.transforms], dim)
        self.codomain = constraints.stack([t.codomain for t in self.transforms], dim)
        self.bijective = all([t.bijective for t in self.transforms])

    def _each(self, function: Callable[..., Any], *xs: Any) -> Any:
        parts = [function(t, *[x.select(self.dim, i) for x in xs]) for i, t in enumerate(self.transforms)]
        return stack(parts, self.dim)

    def _call(self, x: Any) -> Any:
        return self._each(lambda t, part: t(part), x)

    def _inverse(self, y: Any) -> Any:
        return self._each(lambda t, part: t.inv(part), y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Those of the slices."""
        return self._each(lambda t, a, b: t.log_abs_det_jacobian(a, b), x, y)
