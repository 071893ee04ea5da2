"""Sets of values: what parameters must be, and what a distribution can give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.functions.creation import eye, full
from wengert.functions.joining import cat as _cat
from wengert.functions.joining import stack as _stack
from wengert.linalg import cholesky_ex

__all__ = [
    "Constraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A set of values; :meth:`check` says for each event whether it is inside.

    >>> import wengert as torch
    >>> torch.distributions.constraints.positive.check(torch.tensor([-1.0, 2.0]))
    tensor([False,  True])
    """

    is_discrete = False  # the set is one of separate points
    event_dim = 0  # how many dimensions one event has

    def check(self, value: Any) -> Any:
        """For each event a bool: whether it is inside."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.__class__.__name__.removeprefix("_") + "()"


class _Dependent(Constraint):
    """A set that other values decide; it cannot be checked by itself."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def check(self, value: Any) -> Any:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __call__(self, *, is_discrete: bool | None = None, event_dim: int | None = None) -> _Dependent:
        return _Dependent(
            is_discrete=self.is_discrete if is_discrete is None else is_discrete,
            event_dim=self.event_dim if event_dim is None else event_dim,
        )


def is_dependent(constraint: Any) -> bool:
    """Whether a set depends on other values, so that :meth:`Constraint.check` cannot be asked."""
    return isinstance(constraint, _Dependent)


class dependent_property(property, _Dependent):
    """A property of a distribution that is a :class:`Constraint`: known for an instance, dependent for the class."""

    def __init__(
        self, fn: Callable[[Any], Any] | None = None, *, is_discrete: bool = False, event_dim: int = 0
    ) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Any = None, **_: Any) -> Any:
        """The property of a function, with what was said of it before."""
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


class independent(Constraint):
    """A set whose last dimensions are part of the event: all of them must be inside."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        """Whether all elements of an event are inside."""
        result = self.base_constraint.check(value)
        if result.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(
                f"Expected value.dim() >= {self.event_dim} but got {value.dim()}: the last dimensions are the event's"
            )
        return result.reshape((*result.shape[: result.dim() - self.reinterpreted_batch_ndims], -1)).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


# --- numbers ----------------------------------------------------------------------------------------------------------


class _Real(Constraint):
    def check(self, value: Any) -> Any:
        return value == value


class _Bounded(Constraint):
    """Numbers between bounds; subclasses say which bounds belong to the set."""

    bounds: tuple[str, ...] = ("lower_bound", "upper_bound")
    is_integer = False

    def __init__(self, *bounds: Any) -> None:
        for name, bound in zip(self.bounds, bounds, strict=True):
            setattr(self, name, bound)
        self.is_discrete = self.is_integer

    def __repr__(self) -> str:
        named = ", ".join([f"{name}={getattr(self, name)}" for name in self.bounds])
        return f"{self.__class__.__name__.removeprefix('_')}({named})"


class _GreaterThan(_Bounded):
    bounds = ("lower_bound",)
    lower_bound: Any

    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class _GreaterThanEq(_GreaterThan):
    def check(self, value: Any) -> Any:
        return self.lower_bound <= value


class _LessThan(_Bounded):
    bounds = ("upper_bound",)
    upper_bound: Any

    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class _Interval(_Bounded):
    lower_bound: Any
    upper_bound: Any

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class _HalfOpenInterval(_Interval):
    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)


class _IntegerInterval(_Interval):
    is_integer = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & super().check(value)


class _IntegerGreaterThan(_Bounded):
    bounds = ("lower_bound",)
    is_integer = True
    lower_bound: Any

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value >= self.lower_bound)


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value == 0) | (value == 1)


# --- vectors ----------------------------------------------------------------------------------------------------------


class _OneHot(Constraint):
    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Any:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class multinomial(Constraint):
    """Vectors of counts that are not negative and add up to at most ``upper_bound``."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        """For each vector a bool."""
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


# --- matrices ---------------------------------------------------------------------------------------------------------


class _Matrices(Constraint):
    event_dim = 2


class _Square(_Matrices):
    def check(self, value: Any) -> Any:
        return full(value.shape[:-2], value.shape[-2] == value.shape[-1])


class _Symmetric(_Matrices):
    def check(self, value: Any) -> Any:
        if value.shape[-1] != value.shape[-2]:
            return _Square().check(value)
        return ((value - value.mT).abs() <= 1e-6 + 1e-5 * value.abs()).flatten(-2).all(-1)


class _LowerTriangular(_Matrices):
    def check(self, value: Any) -> Any:
        return (value.tril() == value).flatten(-2).all(-1)


class _LowerCholesky(_Matrices):
    def check(self, value: Any) -> Any:
        positive_diagonal = (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)
        return _LowerTriangular().check(value) & positive_diagonal


class _CorrCholesky(_Matrices):
    def check(self, value: Any) -> Any:
        lengths = value.square().sum(-1)
        return _LowerCholesky().check(value) & ((lengths - 1).abs() < 1e-4).all(-1)


class _PositiveDefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        if value.shape[-1] != value.shape[-2]:
            return symmetric
        return symmetric & (cholesky_ex(value).info == 0)


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        if value.shape[-1] != value.shape[-2]:
            return symmetric
        # zero eigenvalues may come out as small negative ones
        slack = 1e-6 * value.diagonal(dim1=-2, dim2=-1).abs().amax(-1)[..., None, None]
        shifted = value + slack * eye(value.shape[-1], dtype=value.dtype)
        return symmetric & (cholesky_ex(shifted).info == 0)


# --- several sets -----------------------------------------------------------------------------------------------------


class cat(Constraint):
    """Parts one after the other along a dimension, each in a set of its own."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        self.cseq = list(cseq)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        self.dim = dim
        self.is_discrete = any([c.is_discrete for c in self.cseq])
        self.event_dim = max([c.event_dim for c in self.cseq])

    def check(self, value: Any) -> Any:
        """What each part says, one after the other."""
        parts = value.split(self.lengths, self.dim)
        return _cat([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class stack(Constraint):
    """Parts side by side along a dimension of their own, each in a set of its own."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq = list(cseq)
        self.dim = dim
        self.is_discrete = any([c.is_discrete for c in self.cseq])
        self.event_dim = max([c.event_dim for c in self.cseq]) + (dim < 0)

    def check(self, value: Any) -> Any:
        """What each part says, side by side."""
        parts = [value.select(self.dim, i) for i in range(value.size(self.dim))]
        return _stack([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class _MixtureSupport(Constraint):
    """The set of a mixture's components, which have one more dimension."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint
        self.is_discrete, self.event_dim = base_constraint.is_discrete, base_constraint.event_dim

    def check(self, value: Any) -> Any:
        inside = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return inside.all(-1)


dependent = _Dependent()
boolean = _Boolean()
one_hot = _OneHot()
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
interval = _Interval
half_open_interval = _HalfOpenInterval
integer_interval = _IntegerInterval
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
unit_interval = _Interval(0.0, 1.0)
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
